//! A part of the work, for one of several machines.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A part and the number of parts, such as `3/8`: the third of eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Part {
    number: u32,
    of: u32,
}

impl Part {
    /// The number of the part, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// The number of parts, at least 1.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The range of the part in a list of this length. Ranges are contiguous, in order, and of nearly equal
    /// lengths.
    pub fn range(self, length: usize) -> Range<usize> {
        let place =
            |number: u32| (length as u128 * u128::from(number) / u128::from(self.of)) as usize;
        place(self.number - 1)..place(self.number)
    }

    /// Whether an item with this hash is in the part.
    pub fn has(self, hash: u64) -> bool {
        hash % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Part, &'static str> {
        let part = text.split_once('/').and_then(|(number, of)| {
            let part = Part { number: number.parse().ok()?, of: of.parse().ok()? };
            (1..=part.of).contains(&part.number).then_some(part)
        });
        part.ok_or("expected a part and how many there are, such as 3/8")
    }
}

impl TryFrom<String> for Part {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Part, &'static str> {
        text.parse()
    }
}

impl From<Part> for String {
    fn from(part: Part) -> String {
        part.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_and_disjoint() {
        for of in 1..9 {
            let parts = || (1..=of).map(|number| Part { number, of });
            for length in 0..20 {
                let all: Vec<usize> = parts().flat_map(|part| part.range(length)).collect();
                assert!(all.iter().copied().eq(0..length), "{of} parts of {length}");
                let longest = parts().map(|part| part.range(length).len()).max();
                assert!(longest <= Some(length.div_ceil(of as usize)), "{of} parts of {length}");
            }
            for hash in [0, 1, 7, u64::MAX] {
                assert_eq!(parts().filter(|part| part.has(hash)).count(), 1);
            }
        }
    }

    #[test]
    fn as_text() {
        for text in ["1/1", "3/8", "8/8"] {
            assert_eq!(text.parse::<Part>().unwrap().to_string(), text);
        }
        for text in ["", "3", "0/8", "9/8", "1/0", "-1/2", "a/b", "1/2/3", "1 / 2"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }
}
