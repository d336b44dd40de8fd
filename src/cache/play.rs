//! The tables `game_play` and `game_faults`: how each game went, in plain columns for people.
//!
//! A checksum covers both and the hash of the log, and a game with changed numbers or faults is damaged: queries
//! must not give a wrong answer that `prep verify` accepts, such as the outcome of another version of the game in
//! a copy that was made during an ingest.
//!
//! A row that an earlier version of prep stored has no `ending`: its game has not been replayed.

use super::key::{FeatureSchema, GameRecord};
use crate::gamelog::{Ending, GameId, GamePlay, GameResult, ReplayFault};
use rusqlite::types::Value;
use rusqlite::{Row, Statement};

/// Size of a checksum in bytes.
const CHECKSUM_BYTES: usize = 16;

/// The columns, in the order of [`Stored`], and the checksum.
pub(super) const PLAY_COLUMNS: &str = "rounds, builds, reserves, take2, take3, nobles, \
     winner_seat, points_seat0, points_seat1, points_seat2, points_seat3, place_seat0, place_seat1, \
     place_seat2, place_seat3, replay_fault_rows, ending, checksum";
/// The columns that were stored before games were replayed.
const OLD_NUMBERS: usize = 11;
const NUMBERS: usize = OLD_NUMBERS + 5;
/// The number of columns.
pub(super) const PLAY_WIDTH: usize = NUMBERS + 2;

/// The faults of a game as one text, the same as [`text_of`] makes; NULL if it has none.
pub(super) const FAULTS: &str = "(SELECT group_concat(row_in_game || '|' || line || '|' || kind || '|' || \
     column_name || '|' || found || '|' || expected || char(10), '' ORDER BY row_in_game) \
     FROM game_faults WHERE game_faults.game_id = games.game_id) AS faults";

fn text_of(faults: &[ReplayFault]) -> String {
    let mut text = String::new();
    for ReplayFault { row, line, kind, column, found, expected } in faults {
        let kind = kind.name();
        text += &format!("{row}|{line}|{kind}|{column}|{found}|{expected}\n");
    }
    text
}

/// The columns of a game.
#[derive(PartialEq, Eq)]
struct Stored {
    numbers: [Option<i64>; NUMBERS],
    ending: Option<String>,
}

impl Stored {
    fn of(play: &GamePlay) -> Stored {
        let GamePlay { rounds, actions, nobles, result, replay_fault_rows } = play;
        let [builds, reserves, take2, take3] = actions.map(|count| Some(count.into()));
        let [a, b, c, d] = result.points.map(|points| points.map(i64::from));
        let [e, f, g, h] = result.places.map(|place| place.map(i64::from));
        let winner = result.winner().map(|seat| seat as i64);
        let (rounds, nobles) = (Some((*rounds).into()), Some((*nobles).into()));
        let faults = Some((*replay_fault_rows).into());
        Stored {
            numbers: [
                rounds, builds, reserves, take2, take3, nobles, winner, a, b, c, d, e, f, g, h,
                faults,
            ],
            ending: Some(result.ending.name().to_owned()),
        }
    }

    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Stored> {
        let mut numbers = [None; NUMBERS];
        for (place, number) in numbers.iter_mut().enumerate() {
            *number = row.get(first + place)?;
        }
        Ok(Stored { numbers, ending: row.get(first + NUMBERS)? })
    }

    /// The stored result; `None` if the game has not been replayed, or the values are invalid.
    fn play(&self) -> Option<GamePlay> {
        let small = |number: Option<i64>| number.and_then(|number| u8::try_from(number).ok());
        let [rounds, builds, reserves, take2, take3, nobles, _, a, b, c, d, e, f, g, h, faults] =
            self.numbers;
        let count = |number: Option<i64>| u32::try_from(number?).ok();
        Some(GamePlay {
            rounds: u16::try_from(rounds?).ok()?,
            actions: [count(builds)?, count(reserves)?, count(take2)?, count(take3)?],
            nobles: count(nobles)?,
            result: GameResult {
                ending: Ending::from_name(self.ending.as_deref()?)?,
                points: [a, b, c, d].map(small),
                places: [e, f, g, h].map(small),
            },
            replay_fault_rows: count(faults)?,
        })
    }

    fn checksum(
        &self,
        game_id: GameId,
        log: Option<blake3::Hash>,
        faults: &str,
    ) -> [u8; CHECKSUM_BYTES] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"game_play");
        hasher.update(&game_id.0.to_le_bytes());
        if let Some(log) = log {
            hasher.update(log.as_bytes());
        }
        let stored = if self.ending.is_some() { NUMBERS } else { OLD_NUMBERS };
        for number in &self.numbers[..stored] {
            hasher.update(&[number.is_some().into()]);
            hasher.update(&number.unwrap_or(0).to_le_bytes());
        }
        hasher.update(self.ending.as_deref().unwrap_or_default().as_bytes());
        hasher.update(faults.as_bytes());
        *hasher.finalize().as_bytes().first_chunk().expect("a blake3 hash has 32 bytes")
    }
}

/// Stores how a game went with a statement that takes the game id, then all columns. The checksum covers
/// the faults, which must be in the order of their rows.
pub(super) fn insert(
    statement: &mut Statement<'_>,
    game: &GameRecord,
    play: &GamePlay,
    faults: &[ReplayFault],
) -> rusqlite::Result<()> {
    let (stored, game_id) = (Stored::of(play), game.game_id);
    let log = Some(game.key.source_hash);
    let checksum = stored.checksum(game_id, log, &text_of(faults)).to_vec();
    let mut values = vec![Value::Integer(game_id.0)];
    values.extend(stored.numbers.map(|number| number.map_or(Value::Null, Value::Integer)));
    values.push(stored.ending.map_or(Value::Null, Value::Text));
    values.push(Value::Blob(checksum));
    statement.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

/// Reads the columns from `first` on, the last of which is [`FAULTS`]: how the game went, `None` if it has
/// not been replayed, or how the row is damaged.
///
/// A game with another feature schema may be older than the table; it is encoded again anyway.
pub(super) fn read(
    row: &Row<'_>,
    first: usize,
    game: &GameRecord,
) -> rusqlite::Result<Result<Option<GamePlay>, &'static str>> {
    let game_id = game.game_id;
    let stored = Stored::read(row, first)?;
    let checksum: Option<Vec<u8>> = row.get(first + PLAY_WIDTH - 1)?;
    let faults: Option<String> = row.get(first + PLAY_WIDTH)?;
    let has_faults = stored.numbers[NUMBERS - 1].is_some_and(|rows| rows > 0);
    let is_right = |checksum: &[u8]| {
        let text = faults.as_deref().unwrap_or_default();
        // Earlier versions of prep computed it without the log, or over the numbers alone.
        let forms = [(Some(game.key.source_hash), text), (None, text), (None, "")];
        has_faults == faults.is_some()
            && forms.iter().any(|(log, text)| checksum == stored.checksum(game_id, *log, text))
    };
    Ok(match checksum {
        None if game.key.feature_schema == FeatureSchema::now() => Err("there is no checksum"),
        Some(checksum) if !is_right(&checksum) => Err("the checksum does not match"),
        _ => Ok(stored.play()),
    })
}
