//! The table `game_play`: how each game went, in plain columns for people.
//!
//! prep itself does not use these numbers. They have a checksum all the same, and a game whose numbers
//! are not those that were stored is damaged like one with a damaged blob: people who query the cache
//! must not get a wrong answer that `prep verify` calls right.

use super::key::FeatureSchema;
use crate::gamelog::{GameId, GamePlay};
use rusqlite::types::Value;
use rusqlite::{Row, Statement};

/// Bytes of a checksum.
const CHECKSUM_BYTES: usize = 16;

/// The columns, in the order of [`numbers`], and the checksum.
pub(super) const PLAY_COLUMNS: &str = "rounds, builds, reserves, take2, take3, nobles, \
     winner_seat, points_seat0, points_seat1, points_seat2, points_seat3, checksum";
const NUMBERS: usize = 11;
/// How many columns there are.
pub(super) const PLAY_WIDTH: usize = NUMBERS + 1;

type Numbers = [Option<i64>; NUMBERS];

fn numbers(play: &GamePlay) -> Numbers {
    let [builds, reserves, take2, take3] = play.actions.map(|count| Some(count.into()));
    let [a, b, c, d] = play.points.map(|points| points.map(i64::from));
    let winner = play.winner().map(|seat| seat as i64);
    let (rounds, nobles) = (Some(play.rounds.into()), Some(play.nobles.into()));
    [rounds, builds, reserves, take2, take3, nobles, winner, a, b, c, d]
}

fn checksum(game_id: GameId, numbers: &Numbers) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"game_play");
    hasher.update(&game_id.0.to_le_bytes());
    for number in numbers {
        hasher.update(&[number.is_some().into()]);
        hasher.update(&number.unwrap_or(0).to_le_bytes());
    }
    *hasher.finalize().as_bytes().first_chunk().expect("a blake3 hash has 32 bytes")
}

/// Stores the numbers of a game with a statement that takes the game id, then all columns.
pub(super) fn insert(
    statement: &mut Statement<'_>,
    game_id: GameId,
    play: &GamePlay,
) -> rusqlite::Result<()> {
    let numbers = numbers(play);
    let checksum = checksum(game_id, &numbers).to_vec();
    let mut values = vec![Value::Integer(game_id.0)];
    values.extend(numbers.map(|number| number.map_or(Value::Null, Value::Integer)));
    values.push(Value::Blob(checksum));
    statement.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Whether the columns from `first` on are what was stored.
///
/// A game of another schema may be older than the table: it is encoded again anyway.
pub(super) fn is_sound(
    row: &Row<'_>,
    first: usize,
    game_id: GameId,
    schema: FeatureSchema,
) -> rusqlite::Result<bool> {
    let mut numbers: Numbers = [None; NUMBERS];
    for (place, number) in numbers.iter_mut().enumerate() {
        *number = row.get(first + place)?;
    }
    let stored: Option<Vec<u8>> = row.get(first + NUMBERS)?;
    Ok(match stored {
        Some(stored) => stored == checksum(game_id, &numbers),
        None => schema != FeatureSchema::now(),
    })
}
