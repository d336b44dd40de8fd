//! Whose log it is, where no file name says so.

use super::turn::GameId;
use super::value;

/// The `game_id` of a log's first row; `None` where that cannot be told.
///
/// Only a look: whether the log is sound, and of one game throughout, is for
/// [`read_log`](super::read_log) to say.
pub fn first_game_id(bytes: &[u8]) -> Option<GameId> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers().ok()?;
    let place = header.iter().position(|name| value::unwrap(name) == b"game_id")?;
    let mut row = csv::ByteRecord::new();
    reader.read_byte_record(&mut row).ok()?;
    value::parse(row.get(place)?).ok()?.map(GameId)
}
