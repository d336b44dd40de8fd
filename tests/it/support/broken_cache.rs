//! A cache file that SQLite cannot make sense of any more.

/// Spoils the trees of the first tables, beyond what one row could explain.
pub(crate) fn spoil_trees(cache: &mut [u8]) {
    // In the header of the file, in two bytes: 1 stands for what does not fit.
    let page_bytes = match u16::from_be_bytes([cache[16], cache[17]]) {
        1 => 65_536,
        bytes => usize::from(bytes),
    };
    for page in 1..4 {
        cache[page * page_bytes..][..64].fill(0xA5);
    }
}
