//! Games that are in an export twice, under two ids.
//!
//! A log that was copied under another number puts the same rows into an export twice; if the two
//! fall into different splits, a network is tested with what it learned by heart. Equal rows have
//! equal [fingerprints](Fingerprint), so if all fingerprints differ, so do all games. Where two
//! are equal the rows themselves are compared.

use super::ExportError;
use super::games::{ExportedGame, ExportedGames};
use super::split::Split;
use crate::cache::{Snapshot, Unpacker};
use crate::encode::{ColumnSums, EncodedGame, Head};
use crate::gamelog::GameId;
use serde::Serialize;
use std::fmt;

/// Fingerprint of a game's rows as the encoder made them: whatever the split, feature set, masks
/// or normalisation.
///
/// Hashing all 100,000 values of a game takes 0.18 ms as float32 and 0.09 ms as bytes: over
/// 7,259 games more than a whole second or half of one. This hashes turn numbers, labels and the
/// exact sums of every column and its squares, 24 KB which the cache holds anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fingerprint([u8; 8]);

impl Fingerprint {
    pub(super) fn of(game: &EncodedGame, sums: &ColumnSums) -> Fingerprint {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"splendor-prep rows 1");
        hasher.update(&sums.rows.to_le_bytes());
        let labels = Head::ALL
            .into_iter()
            .flat_map(|head| game.labels().iter().map(move |labels| &labels[head.index()]));
        let mut bytes = Vec::with_capacity(2 * size_of_val(&sums.sum[..]));
        for number in game.turn_numbers().iter().chain(labels) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for number in sums.sum.iter().chain(&sums.sum_of_squares) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        hasher.update(&bytes);
        let hash = hasher.finalize();
        Fingerprint(*hash.as_bytes().first_chunk().expect("a blake3 hash has 32 bytes"))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Games with the same rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdenticalGames {
    /// Two or more, ascending.
    pub game_ids: Vec<GameId>,
    /// Where each of them is.
    pub splits: Vec<Split>,
    /// Whether they are not all in one split: then rows of one split are in another.
    pub in_different_splits: bool,
}

/// All games with the same rows as another, the group with the lowest id first.
pub(super) fn identical_games(
    snapshot: &Snapshot<'_>,
    games: &ExportedGames,
) -> Result<Vec<IdenticalGames>, ExportError> {
    let mut unpacker = Unpacker::new().map_err(crate::cache::CacheError::from)?;
    let mut rows_of = |game: &ExportedGame| -> Result<EncodedGame, ExportError> {
        Ok(unpacker.unpack(&snapshot.game(game.game_id)?)?.clone())
    };
    let mut groups = Vec::new();
    let mut by_fingerprint = games.written_by_fingerprint().peekable();
    while let Some(game) = by_fingerprint.next() {
        let mut alike = vec![game];
        let is_alike = |next: &&ExportedGame| next.fingerprint == game.fingerprint;
        alike.extend(std::iter::from_fn(|| by_fingerprint.next_if(is_alike)));
        while alike.len() > 1 {
            let first = rows_of(alike[0])?;
            let (mut same, mut others) = (vec![alike[0]], Vec::new());
            for &game in &alike[1..] {
                let is_same = have_same_rows(&first, &rows_of(game)?);
                if is_same { &mut same } else { &mut others }.push(game);
            }
            if same.len() > 1 {
                groups.push(IdenticalGames {
                    game_ids: same.iter().map(|game| game.game_id).collect(),
                    splits: same.iter().map(|game| game.split).collect(),
                    in_different_splits: same.iter().any(|game| game.split != same[0].split),
                });
            }
            alike = others;
        }
    }
    groups.sort_by_key(|group| group.game_ids[0]);
    Ok(groups)
}

fn have_same_rows(one: &EncodedGame, other: &EncodedGame) -> bool {
    one.turn_numbers() == other.turn_numbers()
        && one.labels() == other.labels()
        && one.features() == other.features()
}
