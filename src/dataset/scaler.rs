//! Mean and standard deviation of each column, from exact sums.
//!
//! Every feature is a whole number, so the sum and the sum of squares of a column are exact and do not
//! depend on the order of games. Mean and variance are each rounded once. With a running sum in float64,
//! the last bits of every normalized value would differ from run to run.

use crate::encode::ColumnSums;

/// Why no scaler could be fitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScalerError {
    /// There are no rows.
    #[error(
        "there are no training rows to fit the scaler on: raise the train ratio, \
         or export with --no-normalize or --scaler-from"
    )]
    NoRows,
    /// Sums and flags describe different feature schemas.
    #[error(
        "the sums have {sums} columns and the feature schema has {flags}: \
         ingest the logs again"
    )]
    Width {
        /// Number of columns with sums.
        sums: usize,
        /// Number of columns with flags.
        flags: usize,
    },
    /// A sum of squares is too small for whole numbers with that sum.
    #[error(
        "the cached sums of column {column} cannot come from its rows: an ingest with --rebuild \
         makes the cache again from the logs"
    )]
    ImpossibleSums {
        /// Index of the column, from 0.
        column: usize,
    },
}

/// The smallest nonzero standard deviation of a column of up to 10^12 integers.
const SMALLEST_SCALE: f64 = 1e-6;

/// No value of a column is larger. With a larger mean, normalized values might not be finite.
const LARGEST_MEAN: f64 = i32::MAX as f64;

/// How each column is normalized; every field has one entry per column.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// Mean over the rows, rounded to the nearest float64; 0 for columns that are not normalized.
    pub mean: Vec<f64>,
    /// Population variance (divided by the number of rows, not by one less), rounded to the nearest
    /// float64; 1 for columns that are not normalized.
    pub var: Vec<f64>,
    /// Square root of `var`, within one unit in the last place of the true standard deviation; 1 for
    /// columns that are constant or not normalized. Never 0.
    pub scale: Vec<f64>,
    /// Whether the column is normalized.
    pub normalized: Vec<bool>,
}

impl Scaler {
    /// Fits a scaler to the summed rows. Columns whose flag is false are not normalized.
    ///
    /// Mean and variance are exact quotients of integers (fewer than 2⁶³ rows), rounded once, so that
    /// the variance of a constant column is exactly 0 and not 1e-17.
    ///
    /// # Errors
    ///
    /// If there are no rows, the flags have another width than the sums, or the sums are impossible.
    pub fn fit(sums: &ColumnSums, normalized: &[bool]) -> Result<Scaler, ScalerError> {
        let columns = normalized.len();
        if sums.sum.len() != columns || sums.sum_of_squares.len() != columns {
            return Err(ScalerError::Width { sums: sums.sum.len(), flags: columns });
        }
        if sums.rows == 0 {
            return Err(ScalerError::NoRows);
        }
        let mut scaler = Scaler {
            mean: vec![0.0; columns],
            var: vec![1.0; columns],
            scale: vec![1.0; columns],
            normalized: normalized.to_vec(),
        };
        // With more rows, the sums below would not fit into 128 bits.
        const MAX_ROWS: u64 = 1 << 62;
        if sums.rows > MAX_ROWS {
            return Err(ScalerError::ImpossibleSums { column: 0 });
        }
        let rows = i128::from(sums.rows);
        for column in (0..columns).filter(|&column| normalized[column]) {
            let sum = i128::from(sums.sum[column]);
            let spread = rows * i128::from(sums.sum_of_squares[column]) - sum * sum;
            if spread < 0 {
                return Err(ScalerError::ImpossibleSums { column });
            }
            let mean = nearest_quotient(sum.unsigned_abs(), rows.unsigned_abs());
            scaler.mean[column] = if sum < 0 { -mean } else { mean };
            scaler.var[column] =
                nearest_quotient(spread.unsigned_abs(), (rows * rows).unsigned_abs());
            if spread > 0 {
                scaler.scale[column] = scaler.var[column].sqrt();
            }
        }
        Ok(scaler)
    }

    /// Checks that there is one value for each of the named columns, and that every normalized value will be
    /// finite. An error is a readable reason.
    ///
    /// # Errors
    /// If a length differs, or values of a column are impossible.
    pub fn check(&self, names: &[&str]) -> Result<(), String> {
        let lengths = [self.mean.len(), self.var.len(), self.scale.len(), self.normalized.len()];
        if lengths != [names.len(); 4] {
            return Err("does not hold one value for each column".to_owned());
        }
        match (0..names.len()).find(|&column| !self.is_valid(column)) {
            Some(column) => Err(format!(
                "holds impossible values for {}: mean {}, variance {}, scale {}",
                names[column], self.mean[column], self.var[column], self.scale[column]
            )),
            None => Ok(()),
        }
    }

    fn is_valid(&self, column: usize) -> bool {
        let (mean, var, scale) = (self.mean[column], self.var[column], self.scale[column]);
        if !self.normalized[column] {
            return (mean, var, scale) == (0.0, 1.0, 1.0);
        }
        // Also false for NaN.
        mean.abs() <= LARGEST_MEAN
            && (0.0..f64::MAX).contains(&var)
            && (SMALLEST_SCALE..f64::MAX).contains(&scale)
    }

    /// Normalizes a row for the network: (value - mean) / scale in float64, rounded once to float32.
    /// Columns that are not normalized stay unchanged.
    ///
    /// # Panics
    /// If one of the rows has another width than the scaler.
    pub fn transform<T: Copy + Into<f64>>(&self, values: &[T], transformed: &mut [f32]) {
        // Slices of one known length, so that the compiler vectorizes the loop.
        let width = self.mean.len();
        let (values, transformed) = (&values[..width], &mut transformed[..width]);
        let (mean, scale) = (&self.mean[..width], &self.scale[..width]);
        for column in 0..width {
            let centered = values[column].into() - mean[column];
            transformed[column] = (centered / scale[column]) as f32;
        }
    }

    /// The inverse of [`transform`](Self::transform): normalized * scale + mean in float64, rounded
    /// once. Because the normalized values were rounded, the result differs from the original by up to
    /// 0.0001.
    ///
    /// # Panics
    /// If one of the rows has another width than the scaler.
    pub fn inverse_transform<T: Copy + Into<f64>>(&self, normalized: &[T], values: &mut [f32]) {
        let width = self.mean.len();
        let (normalized, values) = (&normalized[..width], &mut values[..width]);
        for column in 0..width {
            let spread = normalized[column].into() * self.scale[column];
            values[column] = (spread + self.mean[column]) as f32;
        }
    }

    /// The normalized value of a column before it is rounded to float32.
    pub fn transform_exact(&self, value: f32, column: usize) -> f64 {
        (f64::from(value) - self.mean[column]) / self.scale[column]
    }

    /// Identifies a scaler: a hash of its column names and of every bit of its values. It depends only
    /// on the training rows.
    pub fn id(&self, names: &[&str]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"splendor-prep scaler 1");
        for (column, name) in names.iter().enumerate() {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(&[self.normalized[column].into()]);
            for values in [&self.mean, &self.var, &self.scale] {
                hasher.update(&values[column].to_le_bytes());
            }
        }
        hasher.finalize()
    }
}

/// The float64 nearest to `numerator / denominator` (ties to even), for a denominator in
/// 1..=2¹²⁷. Converting both and dividing would round three times: rows × sum of squares of a large
/// corpus has 80 bits, but a float64 has only 53.
fn nearest_quotient(numerator: u128, denominator: u128) -> f64 {
    if numerator == 0 {
        return 0.0;
    }
    let mut quotient = numerator / denominator;
    let mut remainder = numerator % denominator;
    let mut unit = 1.0;
    // Binary long division until the quotient has 55 bits: 53 to keep, one rounding bit, and one sticky
    // bit for the remainder.
    while quotient < 1 << 54 {
        remainder *= 2;
        quotient *= 2;
        unit *= 0.5;
        if remainder >= denominator {
            remainder -= denominator;
            quotient += 1;
        }
    }
    if remainder > 0 {
        quotient |= 1;
    }
    // Only the conversion rounds; the multiplication by a power of two is exact.
    quotient as f64 * unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Normalizes one value of a column.
    fn transform(scaler: &Scaler, value: f32, column: usize) -> f32 {
        let values = vec![value; scaler.mean.len()];
        let mut transformed = vec![f32::NAN; values.len()];
        scaler.transform(&values, &mut transformed);
        transformed[column]
    }

    fn sums_of(rows: &[Vec<i64>]) -> ColumnSums {
        let mut sums = ColumnSums::zero(rows[0].len());
        for row in rows {
            let squares = row.iter().map(|value| value * value).collect();
            sums.add(&ColumnSums { rows: 1, sum: row.clone(), sum_of_squares: squares });
        }
        sums
    }

    fn close(found: f64, expected: f64, relative: f64) -> bool {
        (found - expected).abs() <= relative * expected.abs()
    }

    #[test]
    fn equals_scikit_learn() {
        let table = include_str!("../../tests/data/standard_scaler.txt");
        let fields = |name: &str| -> Vec<Vec<f64>> {
            let lines = table.lines().filter_map(|line| line.strip_prefix(name));
            lines
                .map(|line| line.split_whitespace().map(|x| x.parse().unwrap()).collect())
                .collect()
        };
        let rows: Vec<Vec<i64>> = fields("row ")
            .iter()
            .map(|row| row.iter().map(|&value| value as i64).collect())
            .collect();
        assert_eq!(rows.len(), 40);
        let scaler = Scaler::fit(&sums_of(&rows), &[true; 5]).unwrap();
        for (name, found) in
            [("mean ", &scaler.mean), ("var ", &scaler.var), ("scale ", &scaler.scale)]
        {
            for (column, &expected) in fields(name)[0].iter().enumerate() {
                let (found, relative) = (found[column], 1e-12);
                assert!(close(found, expected, relative), "{name}{column}: {found} {expected}");
            }
        }
        assert_eq!((scaler.var[3], scaler.scale[3]), (0.0, 1.0));
    }

    #[test]
    fn columns_not_normalized_are_unchanged() {
        let sums = sums_of(&[vec![3, 3], vec![5, 5]]);
        let scaler = Scaler::fit(&sums, &[false, true]).unwrap();
        assert_eq!((scaler.mean[0], scaler.var[0], scaler.scale[0]), (0.0, 1.0, 1.0));
        assert_eq!((scaler.mean[1], scaler.var[1], scaler.scale[1]), (4.0, 1.0, 1.0));
        assert_eq!(transform(&scaler, 5.0, 0), 5.0);
        assert_eq!(transform(&scaler, 5.0, 1), 1.0);
        assert_eq!(scaler.normalized, [false, true]);
    }

    /// With float32 arithmetic, or a mean rounded to float32, the last bit would differ.
    #[test]
    fn values_are_rounded_once() {
        let sums = sums_of(&[vec![0], vec![0], vec![1]]);
        let scaler = Scaler::fit(&sums, &[true]).unwrap();
        assert_eq!(transform(&scaler, 1.0, 0), std::f64::consts::SQRT_2 as f32);
        assert_eq!(transform(&scaler, 0.0, 0), -std::f64::consts::FRAC_1_SQRT_2 as f32);
    }

    #[test]
    fn ten_billion_rows_are_exact() {
        let rows = 10_000_000_000_u64;
        // One row of 126, all others 127: the variance is (n - 1) / n².
        let sums = ColumnSums {
            rows,
            sum: vec![127 * rows as i64 - 1],
            sum_of_squares: vec![127 * 127 * (rows as i64 - 1) + 126 * 126],
        };
        let scaler = Scaler::fit(&sums, &[true]).unwrap();
        assert_eq!(scaler.mean[0], 126.9999999999);
        assert_eq!(scaler.var[0], 9.999999999e-11);
    }

    #[test]
    fn invalid_sums() {
        let fit = |rows, sum, square, flags: &[bool]| {
            let sums = ColumnSums { rows, sum: vec![sum], sum_of_squares: vec![square] };
            Scaler::fit(&sums, flags)
        };
        assert_eq!(fit(0, 0, 0, &[true]), Err(ScalerError::NoRows));
        assert_eq!(fit(1, 1, 1, &[true; 2]), Err(ScalerError::Width { sums: 1, flags: 2 }));
        assert_eq!(fit(2, 4, 7, &[true]), Err(ScalerError::ImpossibleSums { column: 0 }));
        assert!(fit(2, 4, 8, &[true]).is_ok());
    }

    proptest! {
        /// Compares exact fractions without dividing: a float64 is m × 2^-k.
        #[test]
        fn quotient_is_nearest_float(numerator in 1_u64..1 << 40, denominator in 1_u64..1 << 20) {
            let found = nearest_quotient(numerator.into(), denominator.into());
            // Two integers below 2^53 convert exactly, and IEEE division rounds once.
            prop_assert_eq!(found, numerator as f64 / denominator as f64);
        }

        #[test]
        fn large_quotient_is_nearest_float(
            numerator in 1_u128..1 << 100,
            denominator in 1_u128..1 << 72,
        ) {
            // Scaled by a power of two so that `found` is an integer of 53 bits.
            let found = nearest_quotient(numerator, denominator);
            let exponent = ((found.to_bits() >> 52) as i32) - 1023 - 52;
            let mantissa = u128::from(found.to_bits() & ((1 << 52) - 1) | 1 << 52);
            // Compares mantissa × 2^exponent × denominator with the numerator, both doubled so that half
            // a unit is an integer.
            let (left, right, half) = if exponent >= 0 {
                prop_assume!(exponent < 30);
                ((mantissa * 2).checked_mul(denominator << exponent), Some(numerator * 2), denominator << exponent)
            } else {
                prop_assume!(-exponent < 26);
                ((mantissa * 2).checked_mul(denominator), Some(numerator << (1 - exponent)), denominator)
            };
            prop_assume!(left.is_some());
            prop_assert!(left.unwrap().abs_diff(right.unwrap()) <= half);
        }
    }
}
