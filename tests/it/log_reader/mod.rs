//! The log reader from outside: bytes in, turns or an error out. What it accepts is in
//! `accepted.rs`, what it refuses and how it says so in `refused.rs`, files cut off or damaged in
//! any way in `damaged.rs`, and files that are no logs in `hostile.rs`.

#![allow(clippy::unwrap_used)]

mod accepted;
mod damaged;
mod hostile;
mod refused;

use crate::support::log_text::LogText;
use splendor_prep::gamelog::{
    Dialect, GameId, LogError, LogSummary, ReadOptions, Turn, read_log, write_log,
};
use std::path::Path;

/// The game that every log of these tests is of.
const GAME: GameId = GameId(123);

fn log_of(turns: &[Turn], dialect: Dialect) -> LogText {
    let mut bytes = Vec::new();
    write_log(&mut bytes, GAME, turns, dialect).unwrap();
    LogText::parse(&bytes)
}

/// The turns that a log's bytes hold, and what was counted in them.
fn read(bytes: &[u8], options: ReadOptions) -> Result<(Vec<Turn>, LogSummary), LogError> {
    let mut turns = Vec::new();
    let summary =
        read_log(bytes, Path::new("123.csv"), GAME, options, |turn| turns.push(turn.clone()))?;
    Ok((turns, summary))
}
