//! Tests of the log reader: `accepted.rs` has valid logs, `refused.rs` the errors and their messages,
//! `damaged.rs` truncated and damaged files, and `hostile.rs` files that are not logs.

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

/// The id of the game in all logs of these tests.
const GAME: GameId = GameId(123);

fn log_of(turns: &[Turn], dialect: Dialect) -> LogText {
    let mut bytes = Vec::new();
    write_log(&mut bytes, GAME, turns, dialect).unwrap();
    LogText::parse(&bytes)
}

/// The turns of a log, and its summary.
fn read(bytes: &[u8], options: ReadOptions) -> Result<(Vec<Turn>, LogSummary), LogError> {
    let mut turns = Vec::new();
    let summary =
        read_log(bytes, Path::new("123.csv"), GAME, options, |turn| turns.push(turn.clone()))?;
    Ok((turns, summary))
}
