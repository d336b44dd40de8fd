//! Writes results to stdout and messages to stderr, above any progress bar.

use super::context::Common;
use super::progress::bars;
use crate::export::IdenticalGames;
use crate::ingest::UnreadableFolder;
use crate::words::{counted, grouped, listed, shown_json, shown_lines};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::fmt;
use std::io::{self, IsTerminal, Write};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// Prints a result. A closed pipe (`prep schema | head`) is not an error.
pub(super) fn print(result: impl fmt::Display) -> io::Result<()> {
    print_styled(&shown_lines(&result.to_string()))
}

/// Prints a result as JSON.
pub(super) fn print_json(result: &serde_json::Value) -> io::Result<()> {
    print_styled(&(shown_json(&format!("{result:#}")) + "\n"))
}

/// The folders that could not be searched, in the JSON of `ingest` and `status`.
pub(super) fn unreadable_folders(folders: &[UnreadableFolder]) -> serde_json::Value {
    let folder = |UnreadableFolder { path, why }: &UnreadableFolder| {
        let path = path.to_string_lossy();
        serde_json::json!({ "path": path, "why": why })
    };
    folders.iter().map(folder).collect()
}

/// Prints a result; keeps its colors if stdout is a terminal and `NO_COLOR` is not set.
pub(super) fn print_styled(result: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(result.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The width of the terminal to which results are printed; `None` if they go to a file or a pipe.
pub(super) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.into())
}

/// Formats rows with two spaces between columns; the columns in `right` are right-aligned. In a narrow terminal, cells
/// have several lines.
pub(super) fn table(rows: impl IntoIterator<Item = Vec<String>>, right: &[usize]) -> String {
    table_of_width(rows, right, width())
}

fn table_of_width(
    rows: impl IntoIterator<Item = Vec<String>>,
    right: &[usize],
    width: Option<usize>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width.try_into().unwrap_or(u16::MAX));
    }
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// Starts logging to stderr: warnings always, more with `-v` or the `verbose` setting.
pub(super) fn start_logging(common: &Common, verbose_by_settings: bool) {
    let level = if common.quiet {
        Level::WARN
    } else if common.verbose || verbose_by_settings {
        Level::DEBUG
    } else {
        Level::INFO
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .event_format(Plain { colored: use_color() })
        .with_writer(AboveBars)
        .finish();
    // A second command in the same process (in tests, or from Python) keeps the first logger.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Limit on the game ids listed in a line; the rest are counted.
pub(super) const LISTED_IDS: usize = 20;

/// Logs a message as a warning if it is new, otherwise as information, so that a nightly job does not
/// repeat it.
pub(super) fn note(is_new: bool, text: &str) {
    match is_new {
        true => tracing::warn!("{text}"),
        false => tracing::info!("{text}"),
    }
}

/// Limit on the groups of identical games with a warning of their own, and on the games named in each.
const LISTED_IDENTICAL: usize = 10;

/// Duplicate games; first those that leak from one split into another.
pub(super) fn warn_of_identical(groups: &[IdenticalGames]) {
    let (leaks, harmless): (Vec<_>, Vec<_>) =
        groups.iter().partition(|group| group.in_different_splits);
    for group in leaks.iter().chain(&harmless).take(LISTED_IDENTICAL) {
        let games = group.game_ids.iter().zip(&group.splits);
        let games = games.map(|(game_id, split)| format!("{game_id} ({})", split.name()));
        let games = listed(games, LISTED_IDENTICAL);
        match group.in_different_splits {
            true => tracing::warn!(
                "games {games} have identical rows in different splits, so a model is tested on \
                 rows that it was trained on: keep only one of their logs"
            ),
            false => {
                tracing::warn!("games {games} have identical rows: keep only one of their logs")
            }
        }
    }
    if groups.len() > LISTED_IDENTICAL {
        tracing::warn!(
            "{} of identical games in total, {} of them in different splits: see identical_games \
             in manifest.json",
            counted(groups.len(), "group"),
            grouped(leaks.len() as u64)
        );
    }
}

/// Writes lines that may contain colors to stderr.
pub(super) fn write_above_bars(lines: &str) {
    let _ = AboveBars.write_all(lines.as_bytes());
}

/// Whether stderr is a terminal and colors are not disabled.
pub(super) fn use_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Formats a message, with its level in front unless it is information.
struct Plain {
    colored: bool,
}

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (word, color) = match *event.metadata().level() {
            Level::ERROR => ("error: ", "31"),
            Level::WARN => ("warning: ", "33"),
            _ => ("", ""),
        };
        if self.colored && !word.is_empty() {
            write!(writer, "\x1b[1;{color}m{word}\x1b[0m")?;
        } else {
            writer.write_str(word)?;
        }
        let mut message = String::new();
        context.format_fields(Writer::new(&mut message), event)?;
        writeln!(writer, "{}", shown_lines(&message))
    }
}

/// Stderr; progress bars are cleared while text is written. A closed stderr is ignored, so that the run
/// continues.
struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = bars().suspend(|| io::stderr().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}

impl MakeWriter<'_> for AboveBars {
    type Writer = AboveBars;

    fn make_writer(&self) -> AboveBars {
        AboveBars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_fit_narrow_terminals() {
        let row = ["1,307", "player0_reserved2_cost_green", "cards", "a whole number from 0 to 7"];
        let table = |width| table_of_width([row.map(str::to_owned).to_vec()], &[0], width);
        assert_eq!(table(None), row.join("  ") + "\n");
        assert_eq!(table(Some(80)), row.join("  ") + "\n");
        let narrow = table(Some(40));
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
        let words = |text: &str| text.split_whitespace().collect::<String>().len();
        assert_eq!(words(&narrow), words(&row.join(" ")), "{narrow}");
    }
}
