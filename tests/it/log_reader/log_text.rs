//! A log as text, to be edited by line and column name.

use rand_mt::Mt64;
use splendor_prep::gamelog::{
    Dialect, GameId, LogError, LogSummary, ReadOptions, Turn, read_log, write_log,
};
use std::path::Path;

/// The game that every log of these tests is of.
pub(crate) const GAME: GameId = GameId(123);

/// A header and rows of fields, none of which needs quotes.
#[derive(Clone, Debug)]
pub(crate) struct LogText {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl LogText {
    pub(crate) fn of_turns(turns: &[Turn], dialect: Dialect) -> LogText {
        let mut bytes = Vec::new();
        write_log(&mut bytes, GAME, turns, dialect).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut lines =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        LogText { header: lines.next().unwrap(), rows: lines.collect() }
    }

    /// Where a column stands.
    pub(crate) fn column(&self, name: &str) -> usize {
        let place = self.header.iter().position(|column| column == name);
        place.unwrap_or_else(|| panic!("there is no column {name}"))
    }

    /// Sets a value by line of the file; the header is line 1.
    pub(crate) fn set(&mut self, line: usize, column: &str, value: &str) {
        let column = self.column(column);
        self.rows[line - 2][column] = value.to_owned();
    }

    /// Sets every column whose name begins like this, in the order they stand.
    pub(crate) fn set_group(&mut self, line: usize, prefix: &str, values: &[&str]) {
        let columns = self.group(prefix);
        assert_eq!(columns.len(), values.len(), "columns of {prefix}");
        for (column, value) in columns.into_iter().zip(values) {
            self.rows[line - 2][column] = (*value).to_owned();
        }
    }

    /// Makes a whole group missing.
    pub(crate) fn clear_group(&mut self, line: usize, prefix: &str) {
        let width = self.group(prefix).len();
        self.set_group(line, prefix, &vec![""; width]);
    }

    /// Columns whose name begins like this.
    pub(crate) fn group(&self, prefix: &str) -> Vec<usize> {
        (0..self.header.len()).filter(|&column| self.header[column].starts_with(prefix)).collect()
    }

    /// Changes every value, with its column's name.
    pub(crate) fn map_values(&mut self, change: impl Fn(&str, &str) -> String) {
        for row in &mut self.rows {
            for (column, value) in row.iter_mut().enumerate() {
                *value = change(&self.header[column], value);
            }
        }
    }

    /// The columns in another order, always the same for the same seed.
    pub(crate) fn shuffle_columns(&mut self, seed: u64) {
        let mut random = Mt64::new(seed);
        for last in (1..self.header.len()).rev() {
            let other = (random.next_u64() % (last as u64 + 1)) as usize;
            self.swap_columns(last, other);
        }
    }

    pub(crate) fn swap_columns(&mut self, one: usize, other: usize) {
        self.header.swap(one, other);
        for row in &mut self.rows {
            row.swap(one, other);
        }
    }

    /// The lines of the file, without line breaks.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::iter::once(&self.header).chain(&self.rows).map(|fields| fields.join(",")).collect()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes_with_line_breaks("\n")
    }

    pub(crate) fn bytes_with_line_breaks(&self, line_break: &str) -> Vec<u8> {
        self.lines().iter().flat_map(|line| [line.as_str(), line_break]).collect::<String>().into()
    }
}

/// The turns that a log's bytes hold, and what was counted in them.
pub(crate) fn read(
    bytes: &[u8],
    options: ReadOptions,
) -> Result<(Vec<Turn>, LogSummary), LogError> {
    let mut turns = Vec::new();
    let summary =
        read_log(bytes, Path::new("123.csv"), GAME, options, |turn| turns.push(turn.clone()))?;
    Ok((turns, summary))
}
