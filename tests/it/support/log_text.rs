//! The text of a game log, which can be changed cell by cell.

use rand_mt::Mt64;

/// A log split at line breaks and commas; simulated logs have no quotes.
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
        self.to_bytes_with("\n")
    }

    pub(crate) fn to_bytes_with(&self, line_break: &str) -> Vec<u8> {
        let lines: Vec<_> = self.lines.iter().map(|cells| cells.join(",") + line_break).collect();
        lines.concat().into_bytes()
    }

    /// The first line, without its line break.
    pub(crate) fn header(&self) -> String {
        self.lines[0].join(",")
    }

    /// The number of columns.
    pub(crate) fn width(&self) -> usize {
        self.lines[0].len()
    }

    /// The index of a column.
    pub(crate) fn column(&self, name: &str) -> usize {
        let column = self.lines[0].iter().position(|cell| cell == name);
        column.unwrap_or_else(|| panic!("no column {name}"))
    }

    /// The cell in a line of the file; the header is line 1, as in messages.
    pub(crate) fn cell(&mut self, line: usize, column: &str) -> &mut String {
        let column = self.column(column);
        &mut self.lines[line - 1][column]
    }

    pub(crate) fn set(&mut self, line: usize, column: &str, value: &str) {
        *self.cell(line, column) = value.to_owned();
    }

    /// The columns with this prefix.
    pub(crate) fn group(&self, prefix: &str) -> Vec<usize> {
        (0..self.width()).filter(|&column| self.lines[0][column].starts_with(prefix)).collect()
    }

    /// Sets every column of a group, in the order of the file.
    pub(crate) fn set_group(&mut self, line: usize, prefix: &str, values: &[&str]) {
        let columns = self.group(prefix);
        assert_eq!(columns.len(), values.len(), "columns of {prefix}");
        for (column, value) in columns.into_iter().zip(values) {
            self.lines[line - 1][column] = (*value).to_owned();
        }
    }

    /// Makes a group missing.
    pub(crate) fn clear_group(&mut self, line: usize, prefix: &str) {
        self.group(prefix).into_iter().for_each(|column| self.lines[line - 1][column].clear());
    }

    /// Maps every value, with the name of its column.
    pub(crate) fn map_values(&mut self, change: impl Fn(&str, &str) -> String) {
        let (header, rows) = self.lines.split_first_mut().expect("a header");
        for row in rows {
            for (column, value) in header.iter().zip(row) {
                *value = change(column, value);
            }
        }
    }

    /// Reorders the columns, always in the same way for a seed.
    pub(crate) fn shuffle_columns(&mut self, seed: u64) {
        let mut random = Mt64::new(seed);
        for last in (1..self.width()).rev() {
            let other = (random.next_u64() % (last as u64 + 1)) as usize;
            self.swap_columns(last, other);
        }
    }

    pub(crate) fn swap_columns(&mut self, one: usize, other: usize) {
        self.lines.iter_mut().for_each(|line| line.swap(one, other));
    }

    /// The first line, counted from 1, whose cell in a column satisfies a predicate.
    pub(crate) fn line_where(&self, column: &str, test: impl Fn(&str) -> bool) -> usize {
        let at = self.column(column);
        let row = self.lines.iter().skip(1).position(|cells| test(&cells[at]));
        2 + row.unwrap_or_else(|| panic!("no row with such a {column}"))
    }

    /// A different log of the same size. If the change is in a build, the log also replays, because gems
    /// given back have no effect there.
    pub(crate) fn change_one_byte(&mut self) {
        let at = self.column("action_type");
        let build = self.lines.iter().position(|cells| cells[at] == "build");
        let line = build.map_or(self.lines.len(), |place| place + 1);
        let number = self.cell(line, "gems_removed_white");
        let first = number.remove(0);
        number.insert(0, if first == '0' { '1' } else { '0' });
    }

    /// Gives a take of three the known gem fault: its gems are in the columns of a take of two.
    pub(crate) fn add_gem_fault(&mut self, line: usize) {
        for (from, to) in self.group("gem_take3_").into_iter().zip(self.group("gem_take2_")) {
            self.lines[line - 1][to] = std::mem::take(&mut self.lines[line - 1][from]);
        }
    }
}

/// Different bytes of the same size, which are still a valid log.
pub(crate) fn with_one_byte_changed(log: &[u8]) -> Vec<u8> {
    let mut text = LogText::parse(log);
    text.change_one_byte();
    let changed = text.to_bytes();
    let differing = log.iter().zip(&changed).filter(|(a, b)| a != b).count();
    assert_eq!((changed.len(), differing), (log.len(), 1));
    changed
}

/// The log with the known gem fault in one row.
pub(crate) fn with_gem_fault(log: &[u8]) -> Vec<u8> {
    let mut text = LogText::parse(log);
    text.add_gem_fault(text.line_where("action_type", |action| action == "take 3 tokens"));
    text.to_bytes()
}

/// The log with changed cells or lines.
pub(crate) fn edited(good: &[u8], edit: impl Fn(&mut LogText)) -> Vec<u8> {
    let mut log = LogText::parse(good);
    edit(&mut log);
    log.to_bytes()
}
