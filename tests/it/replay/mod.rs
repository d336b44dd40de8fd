//! Replaying logs: each row must follow from the previous row.

mod cli;
mod export;
mod planted;
mod shown;
mod sound_games;

use crate::support::log_text::LogText;
use splendor_prep::gamelog::{Dialect, GameId, LogSummary, ReadOptions, read_log, write_log};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;
use std::path::Path;

const GAME: GameId = GameId(7);

/// The log of a simulated game.
fn log_of(players: PlayerCount, seed: u64) -> LogText {
    let (turns, mut log) = (simulate_game(players, seed), Vec::new());
    write_log(&mut log, GAME, &turns, Dialect::Empty).unwrap();
    LogText::parse(&log)
}

fn read(log: &LogText) -> LogSummary {
    read_bytes(&log.to_bytes(), GAME)
}

fn read_bytes(log: &[u8], game_id: GameId) -> LogSummary {
    read_log(log, Path::new("7.csv"), game_id, ReadOptions::default(), |_| ()).unwrap()
}
