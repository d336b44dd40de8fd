//! Column names that are built at compile time.
//!
//! The log's 403 columns and the 1,308 features are named by rule (`player2_reserved0_vp`). Building
//! the names in constants keeps every layout a constant too: there is no table to fill at start-up
//! and no string to format while rows are encoded.

use std::fmt;

/// The longest name, `player0_card10_closest_noble_distance_after_buy`, has 47 characters.
const CAPACITY: usize = 48;

/// A column's name: a short ASCII string without an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnName {
    bytes: [u8; CAPACITY],
    len: u8,
}

impl ColumnName {
    /// A name that begins with this text.
    pub const fn new(text: &str) -> ColumnName {
        ColumnName { bytes: [0; CAPACITY], len: 0 }.then(text)
    }

    /// This name with more text behind it. Too long a name does not compile.
    pub const fn then(mut self, text: &str) -> ColumnName {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() {
            self.bytes[self.len as usize] = text[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    /// This name with a number below 100 behind it.
    pub const fn then_number(mut self, number: usize) -> ColumnName {
        assert!(number < 100);
        if number >= 10 {
            self.bytes[self.len as usize] = b'0' + (number / 10) as u8;
            self.len += 1;
        }
        self.bytes[self.len as usize] = b'0' + (number % 10) as u8;
        self.len += 1;
        self
    }

    /// The name's bytes, all of them ASCII.
    pub const fn as_bytes(&self) -> &[u8] {
        let (name, _) = self.bytes.split_at(self.len as usize);
        name
    }

    /// The name as text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.as_bytes()) {
            Ok(name) => name,
            Err(_) => panic!("names are built from text"),
        }
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_together_from_text_and_numbers() {
        const NAME: ColumnName =
            ColumnName::new("player").then_number(3).then("_card").then_number(14);
        assert_eq!(NAME.as_str(), "player3_card14");
    }
}
