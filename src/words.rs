//! Formats numbers, names and commands for people.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// `1 game`, `2,000 games`.
pub fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// `1 game is`, `2 games are`, with the verb in singular and plural.
pub fn counted_verb(number: impl TryInto<u64> + Copy, noun: &str, verbs: [&str; 2]) -> String {
    let is_one = number.try_into().is_ok_and(|number| number == 1);
    format!("{} {}", counted(number, noun), if is_one { verbs[0] } else { verbs[1] })
}

/// `1, 2, 3 and 12 more`: up to `max` of the items.
pub fn listed(items: impl ExactSizeIterator<Item: fmt::Display>, max: usize) -> String {
    let more = items.len().saturating_sub(max);
    let named: Vec<String> = items.take(max).map(|item| item.to_string()).collect();
    match more {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), grouped(more as u64)),
    }
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

/// `842 bytes`, `12 KB`, `28.3 MB`, `3.04 GB`: bytes with a decimal unit.
pub fn bytes_in_words(bytes: u64) -> String {
    let size = bytes as f64;
    match bytes {
        // Values from which the smaller unit would be rounded up to 1,000.
        999_950_000.. => format!("{:.2} GB", size / 1e9),
        999_500.. => format!("{:.1} MB", size / 1e6),
        1_000.. => format!("{:.0} KB", size / 1e3),
        _ => counted(bytes, "byte"),
    }
}

/// A UTC time as `2026-11-27T030009Z`, without `:`, which some file systems do not allow in names.
pub fn utc_stamp(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Counts years from March, so that a leap day is the last day of its year, in eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A file name or other untrusted text on one line: control characters, and characters that change the
/// direction of text, are escaped as `\u{1b}`. Invalid UTF-8 is escaped as `\xE9`.
///
/// Names come from folders, logs, caches and manifests, which may be malicious, so every message shows
/// them with this function.
pub fn shown(name: &(impl AsRef<OsStr> + ?Sized)) -> Shown<'_> {
    Shown(name.as_ref())
}

/// See [`shown`].
#[derive(Clone, Copy, Debug)]
pub struct Shown<'n>(&'n OsStr);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for chunk in self.0.as_encoded_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                if is_unsafe(c) { text.extend(c.escape_unicode()) } else { text.push(c) }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(text, "\\x{byte:02X}"))?;
        }
        f.pad(&text)
    }
}

/// The same for text with several lines: line breaks and tabs are kept.
pub fn shown_lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => safe.push(c),
            c if is_unsafe(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// The same for JSON, with JSON's own escapes, so that programs read the original text.
pub fn shown_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if is_unsafe(c) && c != '\n' => _ = write!(safe, "\\u{:04x}", u32::from(c)),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether [`shown`] would not change a text.
pub fn is_shown_as_it_is(text: &str) -> bool {
    !text.contains(is_unsafe)
}

/// Whether a character controls the terminal, ends a line, or changes the direction of text.
fn is_unsafe(c: char) -> bool {
    let is_line_end = matches!(c, '\u{2028}' | '\u{2029}');
    let is_bidirectional = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || is_line_end || is_bidirectional
}

/// Quotes a word for a shell, if necessary.
///
/// A word that [`shown`] would escape is produced by `printf`, so that the command can be shown and
/// pasted into any shell.
pub fn shell_word(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let Some(text) = word.to_str().filter(|text| !text.contains(is_unsafe)) else {
        return format!("\"$(printf '{}')\"", printf_format(word.as_encoded_bytes()));
    };
    // zsh expands `=` at the beginning.
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    match !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Quotes a path for a shell. A path that begins with `-` gets the prefix `./`, or it would be read as a
/// flag.
pub fn shell_path(path: &Path) -> String {
    match path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        true => shell_word(Path::new(".").join(path)),
        false => shell_word(path),
    }
}

/// A command of prep on a cache as a message advises it, to be pasted into a shell. Without the cache,
/// the command would read or write the default one, whichever was meant.
pub fn advised(command: &str, cache: &Path) -> String {
    format!("prep {command} --cache {}", shell_path(cache))
}

/// For `printf` within single quotes: all but plain ASCII as octal numbers.
fn printf_format(bytes: &[u8]) -> String {
    let mut format = String::new();
    for &byte in bytes {
        match byte {
            b'%' => format.push_str("%%"),
            b' '..=b'~' if byte != b'\\' && byte != b'\'' => format.push(byte.into()),
            _ => format.extend(
                ['\\', (b'0' + (byte >> 6)) as char]
                    .into_iter()
                    .chain([(byte >> 3) & 7, byte & 7].map(|digit| (b'0' + digit) as char)),
            ),
        }
    }
    format
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn thousands() {
        assert_eq!(counted(1_u64, "game"), "1 game");
        assert_eq!(counted(0_u64, "game"), "0 games");
        assert_eq!(counted_verb(1, "game", ["is", "are"]), "1 game is");
        assert_eq!(counted_verb(0, "game", ["is", "are"]), "0 games are");
        assert_eq!(listed([7, 8].iter(), 2), "7, 8");
        assert_eq!(listed(0..1_003, 2), "0, 1 and 1,001 more");
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
            ("=ls", "'=ls'"),
            ("a\u{202e}b%\n'", r#""$(printf 'a\342\200\256b%%\012\047')""#),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
        assert_eq!(shell_path(Path::new("-rf")), "./-rf");
        assert_eq!(shell_path(Path::new("my/-rf")), "my/-rf");
    }

    /// A shell reads each quoted word back unchanged, and it contains no control characters.
    #[test]
    #[cfg(unix)]
    fn shells_read_words_back() {
        use std::os::unix::ffi::OsStrExt;
        let all: Vec<u8> = (1..=255).chain(*b"x").collect();
        let words: [&[u8]; 6] = [
            &all,
            b"a b",
            b"\x1b]0;t\x07",
            b"$(touch x)`y`",
            b"caf\xe9 \\n%s",
            "\u{2066}".as_bytes(),
        ];
        for word in words {
            let quoted = shell_word(OsStr::from_bytes(word));
            assert!(!quoted.contains(is_unsafe), "{quoted:?}");
            let command = format!("printf %s {quoted}");
            let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
            assert_eq!(output.stdout, word, "{quoted}");
        }
    }

    #[test]
    fn names_are_shown_on_one_line() {
        for (name, text) in [
            ("2_games/17.csv", "2_games/17.csv"),
            ("Zoë's 牌", "Zoë's 牌"),
            ("\u{1b}]0;TITLE\u{7}", "\\u{1b}]0;TITLE\\u{7}"),
            ("a\nerror: b\r\t", "a\\u{a}error: b\\u{d}\\u{9}"),
            ("\u{202e}gnp.exe\u{2069}\u{85}\u{2028}", "\\u{202e}gnp.exe\\u{2069}\\u{85}\\u{2028}"),
        ] {
            assert_eq!(shown(name).to_string(), text);
        }
        assert_eq!(shown_lines("a\n\tb\u{1b}\u{202e}\n"), "a\n\tb\\u{1b}\\u{202e}\n");
        assert_eq!(shown_json("{\n\"a\": \"\u{7f}\u{202e}\"}"), "{\n\"a\": \"\\u007f\\u202e\"}");
        assert_eq!(format!("{:>5}|{:.2}", shown("ab"), shown("abc")), "   ab|ab");
    }

    /// Values of `date -u -d @SECONDS +%FT%H%M%SZ`.
    #[test]
    fn times_in_utc() {
        for (seconds, stamp) in [
            (0, "1970-01-01T000000Z"),
            (951_782_399, "2000-02-28T235959Z"),
            (951_782_400, "2000-02-29T000000Z"),
            (1_709_251_199, "2024-02-29T235959Z"),
            (1_709_251_200, "2024-03-01T000000Z"),
            (1_795_746_609, "2026-11-27T023009Z"),
            (4_102_444_799, "2099-12-31T235959Z"),
            (4_107_542_400, "2100-03-01T000000Z"),
        ] {
            assert_eq!(utc_stamp(UNIX_EPOCH + Duration::from_secs(seconds)), stamp);
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
