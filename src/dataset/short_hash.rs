//! Short hashes, for lists with an entry for each game.

use std::fmt;

/// The first 8 bytes of a blake3 hash. Displayed as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShortHash([u8; 8]);

impl From<blake3::Hash> for ShortHash {
    fn from(hash: blake3::Hash) -> ShortHash {
        ShortHash(*hash.as_bytes().first_chunk().expect("a blake3 hash has 32 bytes"))
    }
}

impl fmt::Display for ShortHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl ShortHash {
    /// Parses concatenated hashes.
    pub fn parse_all(text: &str) -> Option<Vec<ShortHash>> {
        let (digits, []) = text.as_bytes().as_chunks::<16>() else { return None };
        let parse = |digits: &[u8; 16]| {
            let digits = std::str::from_utf8(digits).ok()?;
            let number = u64::from_str_radix(digits, 16).ok()?;
            Some(ShortHash(number.to_be_bytes()))
        };
        digits.iter().map(parse).collect()
    }
}
