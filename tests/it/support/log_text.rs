//! A game log as text, to be changed cell by cell.

// Every test file has its own copy of this module and uses the part it needs.
#![allow(dead_code)]

/// A log split at its line ends and commas: simulated logs have no quotes.
#[derive(Clone, Debug)]
pub(crate) struct LogText {
    /// The header, then the rows.
    pub(crate) lines: Vec<Vec<String>>,
}

impl LogText {
    pub(crate) fn parse(bytes: &[u8]) -> LogText {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let cells = |line: &str| line.split(',').map(str::to_owned).collect();
        LogText { lines: text.lines().map(cells).collect() }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let lines: Vec<_> = self.lines.iter().map(|cells| cells.join(",") + "\n").collect();
        lines.concat().into_bytes()
    }

    pub(crate) fn column(&self, name: &str) -> usize {
        let column = self.lines[0].iter().position(|cell| cell == name);
        column.unwrap_or_else(|| panic!("no column {name}"))
    }

    /// The cell in a line of the file, counted from 1 as in messages: the header is line 1.
    pub(crate) fn cell(&mut self, line: usize, column: &str) -> &mut String {
        let column = self.column(column);
        &mut self.lines[line - 1][column]
    }

    pub(crate) fn set(&mut self, line: usize, column: &str, value: &str) {
        *self.cell(line, column) = value.to_owned();
    }

    /// The first line, counted from 1, whose cell in a column satisfies the test.
    pub(crate) fn line_where(&self, column: &str, test: impl Fn(&str) -> bool) -> usize {
        let at = self.column(column);
        let row = self.lines.iter().skip(1).position(|cells| test(&cells[at]));
        2 + row.unwrap_or_else(|| panic!("no row with such a {column}"))
    }

    /// Another log of the same size: one digit of the last turn's number is another.
    pub(crate) fn change_one_byte(&mut self) {
        let line = self.lines.len();
        let number = self.cell(line, "turn_number");
        let last = number.pop().expect("a digit");
        number.push(if last == '1' { '2' } else { '1' });
    }

    /// Gives the first take of three the known fault of old logs: its gems in the columns of a
    /// take of two.
    pub(crate) fn add_gem_fault(&mut self) {
        let line = self.line_where("action_type", |action| action == "take 3 tokens");
        for color in ["white", "blue", "green", "red", "black"] {
            let taken = std::mem::take(self.cell(line, &format!("gem_take3_{color}")));
            self.set(line, &format!("gem_take2_{color}"), &taken);
        }
    }
}

/// Other bytes of the same size, and still a good log.
pub(crate) fn with_one_byte_changed(log: &[u8]) -> Vec<u8> {
    let mut text = LogText::parse(log);
    text.change_one_byte();
    let changed = text.to_bytes();
    let differing = log.iter().zip(&changed).filter(|(a, b)| a != b).count();
    assert_eq!((changed.len(), differing), (log.len(), 1));
    changed
}

/// The log with the known fault of old logs in one row.
pub(crate) fn with_gem_fault(log: &[u8]) -> Vec<u8> {
    let mut text = LogText::parse(log);
    text.add_gem_fault();
    text.to_bytes()
}
