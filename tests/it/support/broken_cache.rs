//! Damages a cache file so that SQLite cannot read it.

/// Damages the B-trees of the first tables, not only a single row.
pub(crate) fn spoil_trees(cache: &mut [u8]) {
    // The page size in the header of the file has two bytes, and 1 means 65,536.
    let page_bytes = match u16::from_be_bytes([cache[16], cache[17]]) {
        1 => 65_536,
        bytes => usize::from(bytes),
    };
    for page in 1..4 {
        cache[page * page_bytes..][..64].fill(0xA5);
    }
}
