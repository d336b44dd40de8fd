//! Caches as a damaged disk or a killed run leaves them.

use super::cached::execute;
use rusqlite::Connection;
use std::fs;
use std::path::Path;

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

/// Leaves free pages in the file, so that the next ingest ends with a VACUUM.
pub(crate) fn fragment(cache: &Path) {
    let sql =
        "CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(3000000)); DROP TABLE filler";
    execute(cache, sql);
}

/// The file and its journal in the middle of a commit. The cache itself stays as it is.
pub(crate) fn half_committed(cache: &Path) -> [Vec<u8>; 2] {
    let connection = Connection::open(cache).expect("a cache");
    // So large that it is written before the commit.
    let sql = "BEGIN; CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(9000000))";
    connection.execute_batch(sql).expect(sql);
    let journal = format!("{}-journal", cache.display());
    let half = [fs::read(cache).expect("a file"), fs::read(journal).expect("a journal")];
    connection.execute_batch("ROLLBACK").expect("a rollback");
    drop(connection);
    assert!(half[0] != fs::read(cache).expect("a file"), "nothing was written before the commit");
    half
}
