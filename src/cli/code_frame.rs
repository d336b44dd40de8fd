//! Shows the source line of an error below its message, with the position underlined:
//!
//! ```text
//! error: 2_games/17.csv:31: card3_cost_red is `2.5`, expected a whole number from 0 to 7
//!    |
//! 31 | …,0,3,1,0,2.5,0,1,0,…
//!    |           ^^^ value 52 of 403
//! ```

use super::output::{use_color, write_above_bars};
use crate::config::{ConfigError, Place};
use crate::gamelog::{Excerpt, LogError};
use crate::ingest::{leads_elsewhere, read_log_file};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::ops::Range;
use std::path::Path;

/// Size limit for logs that are read again to show one line.
const LARGEST_LOG: u64 = 64 << 20;

/// Width of the frame in columns; longer lines are cut on both sides of the position.
const WIDTH: usize = 80;

/// Shows the line of a log below the error. Reads the log again; if that fails, or the file has changed,
/// shows the message alone.
pub(super) fn show_log(root: &Path, error: &LogError) {
    let path = root.join(&error.file);
    if error.fault.kind.is_of_other_format() && leads_elsewhere(root, &error.file) {
        return;
    }
    let excerpt = read_log_file(&path, LARGEST_LOG).ok();
    let excerpt = excerpt.and_then(|bytes| Excerpt::find(&bytes, error));
    if let Some(Excerpt { line, text, marked, note }) = excerpt {
        write_above_bars(&code_frame(line as usize, &text, marked, &note));
    }
}

/// Shows the line of a settings file below the error.
pub(super) fn show_settings(error: &ConfigError) {
    if let ConfigError::Invalid { at: Place { line, column, length, source, .. }, .. } = error
        && !source.is_empty()
    {
        write_above_bars(&code_frame(*line, source, column - 1..column - 1 + length, ""));
    }
}

fn code_frame(line: usize, text: &str, marked: Range<usize>, note: &str) -> String {
    let byte = |place| text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte);
    let annotation = AnnotationKind::Primary.span(byte(marked.start)..byte(marked.end)).label(note);
    let snippet = Snippet::source(text).line_start(line).annotation(annotation);
    let renderer = if use_color() { Renderer::styled() } else { Renderer::plain() };
    let group = Group::with_level(Level::ERROR).element(snippet);
    renderer.term_width(WIDTH).render(&[group]) + "\n"
}
