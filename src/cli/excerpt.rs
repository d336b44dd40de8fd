//! The line that an error is about, under the error, with the place underlined:
//!
//! ```text
//! error: 2_games/17.csv:31: card3_cost_red is `2.5`, expected a whole number from 0 to 7
//!    |
//! 31 | …,0,3,1,0,2.5,0,1,0,…
//!    |           ^^^ value 71 of 403
//! ```
//!
//! The file is read again for it, by the one place that prints: where that fails, or the file is
//! another one by now, the error stands alone, which it can.

use super::output::{say_below, use_color};
use crate::config::ConfigError;
use crate::gamelog::{Excerpt, LogError};
use std::fs::{self, File};
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

/// Largest file that is read once more for the sake of one line.
const LARGEST_FILE: u64 = 64 << 20;

/// Most characters of a line that are shown.
const LONGEST_LINE: usize = 72;

/// Shows the line of a log below the error.
pub(super) fn show_log(root: &Path, error: &LogError) {
    let excerpt = read(&root.join(&error.file)).and_then(|bytes| Excerpt::find(&bytes, error));
    if let Some(Excerpt { line, text, marked, note }) = excerpt {
        say_below(&lay_out(line, &text, marked, &note, use_color()));
    }
}

/// Shows the line of a settings file below the error.
pub(super) fn show_settings(error: &ConfigError) {
    if let Some(lines) = of_settings(error) {
        say_below(&lines);
    }
}

fn of_settings(error: &ConfigError) -> Option<String> {
    let place = error.place()?;
    let text = String::from_utf8(read(&place.file)?).ok()?;
    let line: Vec<char> = text.lines().nth(place.line.checked_sub(1)?)?.chars().collect();
    let at = place.column.saturating_sub(1).min(line.len());
    let end = end_of_word(&line, at).max(at + 1);
    let (window, at, end) = window_of(&line, at, end);
    Some(lay_out(place.line as u64, &window, at..end, "", use_color()))
}

/// A regular file's bytes, if it is not too large: a pipe or device would be read for ever.
fn read(path: &Path) -> Option<Vec<u8>> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST_FILE {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST_FILE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Where the key or value that begins at `at` ends.
fn end_of_word(line: &[char], at: usize) -> usize {
    let rest = &line[at..];
    if let [quote @ ('"' | '\''), inside @ ..] = rest {
        let length = inside.iter().position(|c| c == quote);
        return length.map_or(line.len(), |length| at + length + 2);
    }
    let ends = |&place: &usize| {
        let (c, next) = (rest[place], rest.get(place + 1));
        let is_space = |c: Option<&char>| c.is_none_or(|c| c.is_whitespace());
        match c {
            ':' => is_space(next),
            '#' => place > 0 && is_space(rest.get(place - 1)),
            ',' | ']' | '}' => true,
            _ => false,
        }
    };
    let mut end = (0..rest.len()).find(ends).unwrap_or(rest.len());
    while end > 0 && rest[end - 1].is_whitespace() {
        end -= 1;
    }
    at + end
}

/// As much of a long line as fits, with the place in it.
fn window_of(line: &[char], at: usize, end: usize) -> (String, usize, usize) {
    let from = if end > LONGEST_LINE { at.saturating_sub(LONGEST_LINE / 2) } else { 0 };
    let to = line.len().min(from + LONGEST_LINE);
    let before = if from > 0 { "…" } else { "" };
    let behind = if to < line.len() { "…" } else { "" };
    // One character each, so that what is underlined stays where it is.
    let shown = line[from..to].iter().map(|&c| match c {
        '\t' => '→',
        c if c.is_control() => '�',
        c => c,
    });
    let text = format!("{before}{}{behind}", shown.collect::<String>());
    let shift = |place: usize| place.min(to.max(at + 1)) - from + before.chars().count();
    (text, shift(at), shift(end))
}

fn lay_out(line: u64, text: &str, marked: Range<usize>, note: &str, colored: bool) -> String {
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let indent = " ".repeat(marked.start);
    let carets = "^".repeat(marked.len().max(1));
    let note = if note.is_empty() { String::new() } else { format!(" {note}") };
    let (blue, red, plain) = match colored {
        true => ("\x1b[1;34m", "\x1b[1;31m", "\x1b[0m"),
        false => ("", "", ""),
    };
    format!(
        "{blue}{margin} |{plain}\n{blue}{number} |{plain} {text}\n\
         {blue}{margin} |{plain} {indent}{red}{carets}{note}{plain}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(line: &str, at: usize) -> String {
        let line: Vec<char> = line.chars().collect();
        line[at..end_of_word(&line, at)].iter().collect()
    }

    #[test]
    fn keys_and_values_end_where_yaml_ends_them() {
        assert_eq!(word("  data_rot: raw", 2), "data_rot");
        assert_eq!(word("  data_root: raw", 13), "raw");
        assert_eq!(word("  batch_size: many  # games", 14), "many");
        assert_eq!(word("  data_root: c:/raw#1", 13), "c:/raw#1");
        assert_eq!(word("data: {batch_size: 0, x: 1}", 19), "0");
        assert_eq!(word("seed: \"4, 2\" # x", 6), "\"4, 2\"");
        assert_eq!(word("seed:", 5), "");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line: Vec<char> =
            format!("a: {}x!{}", " ".repeat(200), "y".repeat(200)).chars().collect();
        let (text, at, end) = window_of(&line, 203, 205);
        let shown: Vec<char> = text.chars().collect();
        assert_eq!(shown[at..end].iter().collect::<String>(), "x!");
        assert!(shown.len() <= LONGEST_LINE + 2, "{text}");
        assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
    }

    #[test]
    fn the_place_is_underlined_below_the_line() {
        assert_eq!(
            lay_out(31, "…,0,2.5,1,…", 4..7, "value 71 of 403", false),
            "   |\n31 | …,0,2.5,1,…\n   |     ^^^ value 71 of 403\n"
        );
    }
}
