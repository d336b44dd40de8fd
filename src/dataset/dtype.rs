//! Element types of `X`.
//!
//! Each value is computed in float64 and rounded once. A value out of the range of its type is an error:
//! clipping it, or making it infinite, would train a network on a wrong value.

use serde::{Deserialize, Serialize};

/// The element type of `X`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Four bytes per value.
    #[default]
    Float32,
    /// Two bytes per value: 11 significant bits, up to ±65,504.
    Float16,
    /// One byte per value: whole numbers from -128 to 127, so only for values that are not normalized.
    Int8,
}

impl Dtype {
    /// All types, in the order of `--help`.
    pub const ALL: [Dtype; 3] = [Dtype::Float32, Dtype::Float16, Dtype::Int8];

    /// NumPy's name: `float32`, `float16` or `int8`.
    pub const fn name(self) -> &'static str {
        match self {
            Dtype::Float32 => "float32",
            Dtype::Float16 => "float16",
            Dtype::Int8 => "int8",
        }
    }

    /// Size of a value in bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Dtype::Float32 => 4,
            Dtype::Float16 => 2,
            Dtype::Int8 => 1,
        }
    }
}

/// The bits of the nearest binary16, ties to even; the error is a value that is NaN or would become infinite.
pub(super) fn to_float16_bits(value: f64) -> Result<u16, f64> {
    const MANTISSA_BITS: i32 = 10;
    const SMALLEST_EXPONENT: i32 = -14;
    const INFINITY: u64 = 0x7c00;
    let exponent_of_float64 = ((value.abs().to_bits() >> 52) as i32) - 1023;
    let exponent = exponent_of_float64.max(SMALLEST_EXPONENT);
    if exponent > 15 {
        return Err(value);
    }
    // The value in units in the last place, up to 2^11. Its leading bit is not stored but adds one to
    // the exponent, and so does a mantissa that was rounded up to the next power of two.
    let unit = f64::from_bits(((exponent - MANTISSA_BITS + 1023) as u64) << 52);
    let units = (value.abs() / unit).round_ties_even() as u64;
    let bits = (((exponent - SMALLEST_EXPONENT) as u64) << MANTISSA_BITS) + units;
    let sign = u16::from(value.is_sign_negative()) << 15;
    if bits >= INFINITY { Err(value) } else { Ok(sign | bits as u16) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The value of the bits, by the definition of binary16.
    fn meaning(bits: u16) -> f64 {
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
        sign * match exponent {
            0 => mantissa * 2_f64.powi(-24),
            _ => (1.0 + mantissa / 1024.0) * 2_f64.powi(exponent - 15),
        }
    }

    /// The nearest of all finite binary16 values, ties to even.
    fn nearest(value: f64) -> u16 {
        let finite = (0..=u16::MAX).filter(|bits| bits >> 10 & 31 != 31);
        let sign = u16::from(value.is_sign_negative());
        finite
            .filter(|bits| bits >> 15 == sign)
            .min_by(|&one, &other| {
                let off = |bits| (meaning(bits) - value).abs();
                off(one).total_cmp(&off(other)).then((one & 1).cmp(&(other & 1)))
            })
            .unwrap()
    }

    #[test]
    fn float16_round_trip() {
        for bits in (0..=u16::MAX).filter(|bits| bits >> 10 & 31 != 31) {
            assert_eq!(to_float16_bits(meaning(bits)), Ok(bits), "{bits:#x}");
        }
    }

    #[test]
    fn float16_ties_to_even() {
        for bits in (0..0x7bff).step_by(7) {
            let (below, above) = (meaning(bits), meaning(bits + 1));
            let middle = (below + above) / 2.0;
            let even = bits + (bits & 1);
            assert_eq!(to_float16_bits(middle), Ok(even), "{middle}");
            assert_eq!(to_float16_bits(middle.next_down()), Ok(bits), "just below {middle}");
            assert_eq!(to_float16_bits(-middle.next_up()), Ok((bits + 1) | 0x8000));
        }
    }

    #[test]
    fn out_of_range() {
        assert_eq!(to_float16_bits(65_519.999), Ok(0x7bff));
        for value in [65_520.0, -65_520.0, 1e300, f64::INFINITY, f64::MAX] {
            assert_eq!(to_float16_bits(value), Err(value));
        }
        assert!(to_float16_bits(f64::NAN).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn float16_is_nearest(mantissa in -1.0..1.0_f64, exponent in -30..16) {
            let value = mantissa * 2_f64.powi(exponent);
            prop_assert_eq!(to_float16_bits(value), Ok(nearest(value)));
        }
    }
}
