//! The meaning of plain scalars, between YAML 1.1 and 1.2.
//!
//! Settings files were written for PyYAML, which reads YAML 1.1; editors and newer readers follow YAML
//! 1.2, and the two differ:
//!
//! | written | PyYAML | YAML 1.2 | here |
//! | --- | --- | --- | --- |
//! | `yes` `no` `on` `off` | boolean | text | boolean, with a note |
//! | `y` `n` | text (and text is true) | text | refused |
//! | `1e-3`, `1.0e3` | text | number | number, with a note |
//! | `1_000` | 1000 | text | 1000, with a note |
//! | `012` | 10 | 12 | refused |
//! | `0o14`, `0b11`, `1:30` | text, 3, 90 | 12, text, text | refused |

/// The value of a plain scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Boolean(bool),
    /// Written without decimal point and exponent. Exact up to 2^53, which is above every range in use.
    Whole(f64),
    Decimal(f64),
    /// A number that some readers treat as octal and others as decimal.
    LeadingZero,
    Text,
}

/// YAML 1.1 readers, which treat a value with this note as text.
const YAML_1_1: Option<&str> = Some("PyYAML and other readers of YAML 1.1");
/// YAML 1.2 readers, likewise.
const YAML_1_2: Option<&str> = Some("readers of YAML 1.2");

/// The value, and the readers that would treat it as text instead.
pub(super) fn read(word: &str) -> (Scalar, Option<&'static str>) {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    let digits = unsigned.replace('_', "");
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    match word {
        "true" | "True" | "TRUE" => return (Scalar::Boolean(true), None),
        "false" | "False" | "FALSE" => return (Scalar::Boolean(false), None),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return (Scalar::Boolean(true), YAML_1_2),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => return (Scalar::Boolean(false), YAML_1_2),
        _ => {}
    }
    if let Some(hexadecimal) = word.strip_prefix("0x") {
        let number = u64::from_str_radix(hexadecimal, 16);
        return (number.map_or(Scalar::Text, |number| Scalar::Whole(number as f64)), None);
    }
    if unsigned.starts_with(|first: char| first.is_ascii_digit()) && are_digits(unsigned) {
        if digits.len() > 1 && digits.starts_with('0') {
            return (Scalar::LeadingZero, None);
        }
        let size: f64 = digits.parse().unwrap_or(f64::INFINITY);
        let number = if word.starts_with('-') { -size } else { size };
        return (Scalar::Whole(number), if digits == unsigned { None } else { YAML_1_2 });
    }
    // Rust also parses `inf` and `nan`, which are text in YAML.
    let number = word.parse::<f64>().ok().filter(|_| word.contains(|c: char| c.is_ascii_digit()));
    let Some(number) = number else { return (Scalar::Text, None) };
    // PyYAML treats a number with an exponent as text unless it has both a decimal point and a sign.
    let is_text_to_yaml_1_1 = word.split_once(['e', 'E']).is_some_and(|(mantissa, exponent)| {
        !mantissa.contains('.') || !exponent.starts_with(['+', '-'])
    });
    (Scalar::Decimal(number), if is_text_to_yaml_1_1 { YAML_1_1 } else { None })
}

#[cfg(test)]
mod tests {
    use super::Scalar::{Boolean, Decimal, LeadingZero, Text, Whole};
    use super::*;

    #[test]
    fn spellings() {
        for (words, scalar, text_to) in [
            ("true True TRUE", Boolean(true), None),
            ("false False FALSE", Boolean(false), None),
            ("yes Yes YES on On ON", Boolean(true), YAML_1_2),
            ("no No NO off Off OFF", Boolean(false), YAML_1_2),
            ("y n Y N tRue yEs null", Text, None),
            ("0 -0 +0 0x0", Whole(0.0), None),
            ("31 +31 0x1F 0x1f", Whole(31.0), None),
            ("-1", Whole(-1.0), None),
            ("4294967296", Whole(4_294_967_296.0), None),
            ("1_000 1_0_0_0", Whole(1000.0), YAML_1_2),
            ("012 -08 00 0_1", LeadingZero, None),
            ("- _1 0x 0x_ 0o17 0b1 1:30 --1 ٣", Text, None),
            ("0.8 .8 8.0e-1 80.e-2 +0.8", Decimal(0.8), None),
            ("1. 1.0", Decimal(1.0), None),
            ("8e-1 0.8e0 8E-1", Decimal(0.8), YAML_1_1),
            ("1e999", Decimal(f64::INFINITY), YAML_1_1),
            (". e .inf .nan inf -inf nan 80% 0,8 1/2 0.8.1", Text, None),
        ] {
            for word in words.split(' ') {
                assert_eq!(read(word), (scalar, text_to), "{word}");
            }
        }
        assert_eq!(read(""), (Text, None));
    }
}
