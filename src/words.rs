//! Numbers and words as people write them.

use std::ffi::OsStr;

/// `1 game`, `2,000 games`.
pub fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with commas between the thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `842 bytes`, `12 KB`, `28.3 MB`, `3.04 GB`: bytes in the unit that fits, a thousand of each in the
/// next.
pub fn bytes_in_words(bytes: u64) -> String {
    let size = bytes as f64;
    match bytes {
        // From where the smaller unit would be rounded up to a thousand.
        999_950_000.. => format!("{:.2} GB", size / 1e9),
        999_500.. => format!("{:.1} MB", size / 1e6),
        1_000.. => format!("{:.0} KB", size / 1e3),
        _ => counted(bytes, "byte"),
    }
}

/// A word of a command as a shell reads it, in quotes where it needs them.
pub fn shell_word(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%^".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands() {
        assert_eq!(counted(1_u64, "game"), "1 game");
        assert_eq!(counted(0_u64, "game"), "0 games");
        assert_eq!(grouped(7259), "7,259");
        assert_eq!(grouped(559_796), "559,796");
        assert_eq!(grouped(100), "100");
    }

    #[test]
    fn shell_words() {
        for (word, quoted) in [
            ("data/raw-1.csv", "data/raw-1.csv"),
            ("my logs", "'my logs'"),
            ("$HOME", "'$HOME'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }

    #[test]
    fn byte_units() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 KB"),
            (999_499, "999 KB"),
            (999_500, "1.0 MB"),
            (28_270_000, "28.3 MB"),
            (999_949_999, "999.9 MB"),
            (999_950_000, "1.00 GB"),
            (3_039_800_000, "3.04 GB"),
        ] {
            assert_eq!(bytes_in_words(bytes), words, "{bytes}");
        }
    }
}
