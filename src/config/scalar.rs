//! What a plain scalar means: one reading for users of YAML 1.1 and 1.2.
//!
//! Settings files were written for PyYAML, which reads YAML 1.1; editors and newer readers go by
//! YAML 1.2, and the two differ:
//!
//! | written | PyYAML | YAML 1.2 | here |
//! | --- | --- | --- | --- |
//! | `yes` `no` `on` `off` | bool | text | bool, with a note |
//! | `y` `n` | text (and text is true) | text | refused |
//! | `1e-3`, `1.0e3` | text | number | number, with a note |
//! | `1_000` | 1000 | text | 1000, with a note |
//! | `012` | 10 | 12 | refused |
//! | `0o14`, `0b11`, `1:30` | text, 3, 90 | 12, text, text | refused |

/// A value, and whether the two versions of YAML would disagree about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading<T> {
    pub(super) value: T,
    pub(super) agreed: Agreement,
}

/// Who would read the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// Every reader.
    All,
    /// Readers of YAML 1.1, such as PyYAML; text to the others.
    Yaml11,
    /// Readers of YAML 1.2; text to PyYAML.
    Yaml12,
}

/// Why a plain scalar is not the number asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misread {
    /// Something else altogether.
    NotANumber,
    /// Octal to some readers, decimal to others.
    LeadingZero,
    /// A number, too small or too large.
    OutOfRange,
}

/// `true` and `false`, and the other words PyYAML takes for them.
pub(super) fn boolean(text: &str) -> Option<Reading<bool>> {
    let (value, agreed) = match text {
        "true" | "True" | "TRUE" => (true, Agreement::All),
        "false" | "False" | "FALSE" => (false, Agreement::All),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => (true, Agreement::Yaml11),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => (false, Agreement::Yaml11),
        _ => return None,
    };
    Some(Reading { value, agreed })
}

/// A whole number, decimal or hexadecimal (`0x1f`).
pub(super) fn whole_number(text: &str) -> Result<Reading<i64>, Misread> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (radix, digits) = match unsigned.strip_prefix("0x") {
        Some(hexadecimal) => (16, hexadecimal),
        None => (10, unsigned),
    };
    if !digits.starts_with(|first: char| first.is_digit(radix))
        || !digits.chars().all(|c| c == '_' || c.is_digit(radix))
    {
        return Err(Misread::NotANumber);
    }
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') {
        return Err(Misread::LeadingZero);
    }
    let bare = digits.replace('_', "");
    let magnitude = i64::from_str_radix(&bare, radix).map_err(|_| Misread::OutOfRange)?;
    let value = if text.starts_with('-') { -magnitude } else { magnitude };
    let agreed = if bare == digits { Agreement::All } else { Agreement::Yaml11 };
    Ok(Reading { value, agreed })
}

/// A decimal number, finite.
pub(super) fn decimal_number(text: &str) -> Result<Reading<f64>, Misread> {
    if !text.contains(['.', 'e', 'E']) {
        let whole = whole_number(text)?;
        // Ratios are at most 1: what a huge number rounds to does not matter.
        return Ok(Reading { value: whole.value as f64, agreed: whole.agreed });
    }
    // Rust also parses `inf` and `nan`, but with neither a point nor an `e` they never get here.
    let value: f64 = text.parse().map_err(|_| Misread::NotANumber)?;
    if !value.is_finite() {
        return Err(Misread::OutOfRange);
    }
    // PyYAML takes a number with an exponent for text unless it has both a point and a sign.
    let agreed = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent))
            if !mantissa.contains('.') || !exponent.starts_with(['+', '-']) =>
        {
            Agreement::Yaml12
        }
        _ => Agreement::All,
    };
    Ok(Reading { value, agreed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bools_as_pyyaml_reads_them() {
        // `yaml.safe_load` of PyYAML 6: these are bools, the rest is text.
        for word in ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"] {
            assert_eq!(boolean(word).map(|read| read.value), Some(true), "{word}");
        }
        for word in ["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"] {
            assert_eq!(boolean(word).map(|read| read.value), Some(false), "{word}");
        }
        for word in ["y", "n", "Y", "N", "tRue", "yEs", "1", "0", ""] {
            assert_eq!(boolean(word), None, "{word}");
        }
    }

    #[test]
    fn whole_numbers() {
        let read = |text| whole_number(text).map(|read| (read.value, read.agreed));
        for (text, value) in
            [("0", 0), ("42", 42), ("-1", -1), ("+7", 7), ("0x1F", 31), ("4294967296", 1 << 32)]
        {
            assert_eq!(read(text), Ok((value, Agreement::All)), "{text}");
        }
        assert_eq!(read("1_000"), Ok((1000, Agreement::Yaml11)));
        for text in ["012", "-08", "00", "0_1"] {
            assert_eq!(read(text), Err(Misread::LeadingZero), "{text}");
        }
        for text in ["", "-", "_1", "0x", "0x_", "0o17", "0b1", "1:30", "1.0", "1e3", "--1", "٣"] {
            assert_eq!(read(text), Err(Misread::NotANumber), "{text}");
        }
        assert_eq!(read("9223372036854775808"), Err(Misread::OutOfRange));
    }

    #[test]
    fn decimal_numbers() {
        let read = |text| decimal_number(text).map(|read| (read.value, read.agreed));
        for (text, value) in
            [("0.8", 0.8), (".5", 0.5), ("1.", 1.0), ("1", 1.0), ("-0.1", -0.1), ("8.0e-1", 0.8)]
        {
            assert_eq!(read(text), Ok((value, Agreement::All)), "{text}");
        }
        for text in ["8e-1", "0.8e0", "8E-1", "80.e-2"] {
            let expected = if text == "80.e-2" { Agreement::All } else { Agreement::Yaml12 };
            assert_eq!(read(text), Ok((0.8, expected)), "{text}");
        }
        for text in [".", "e", ".inf", ".nan", "inf", "nan", "80%", "0,8", "1/2", "0.8.1"] {
            assert_eq!(read(text), Err(Misread::NotANumber), "{text}");
        }
        assert_eq!(read("1e999"), Err(Misread::OutOfRange));
        assert_eq!(read("01"), Err(Misread::LeadingZero));
    }
}
