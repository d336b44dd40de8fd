//! Finds games with identical rows under different ids.
//!
//! A log that was copied under another id adds the same rows to an export twice; if the copies are in
//! different splits, a network is tested on rows that it was trained on. Only games with equal hashes
//! are compared row by row.

use super::error::ExportError;
use super::manifest::IdenticalGames;
use crate::cache::{CacheError, Reader, Unpacker};
use crate::dataset::{Game, ShortHash};
use crate::encode::{ColumnSums, EncodedGame, Head};

/// A game whose rows are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenGame {
    pub(super) game: Game,
    /// See [`hash_rows`].
    pub(super) row_hash: ShortHash,
}

/// Hash of a game's rows before conversion: it does not depend on the split, feature set, masks or
/// normalization.
///
/// It covers turn numbers, labels, and the exact sums of every column and its squares. Hashing these 24
/// KB takes a fraction of the time for all 100,000 values of a game.
pub(super) fn hash_rows(game: &EncodedGame, sums: &ColumnSums) -> ShortHash {
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
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep rows 1").update(&sums.rows.to_le_bytes()).update(&bytes);
    hasher.finalize().into()
}

/// Groups of games with identical rows, ordered by their lowest id.
pub(super) fn identical_games(
    cache: &Reader,
    games: &[WrittenGame],
) -> Result<Vec<IdenticalGames>, ExportError> {
    let mut unpacker = Unpacker::new().map_err(CacheError::from)?;
    let mut rows_of = |game: &WrittenGame| -> Result<EncodedGame, ExportError> {
        let (_, rows) = cache.game(game.game.game_id, &mut unpacker)?.expect("it was written");
        Ok(rows.clone())
    };
    let mut by_hash: Vec<&WrittenGame> = games.iter().collect();
    by_hash.sort_by_key(|game| (game.row_hash, game.game.game_id));
    let mut groups = Vec::new();
    for candidates in by_hash.chunk_by(|game, next| game.row_hash == next.row_hash) {
        let mut candidates = candidates.to_vec();
        while candidates.len() > 1 {
            let first = rows_of(candidates[0])?;
            let (mut same, mut others) = (vec![candidates[0]], Vec::new());
            for &game in &candidates[1..] {
                let is_same = have_same_rows(&first, &rows_of(game)?);
                if is_same { &mut same } else { &mut others }.push(game);
            }
            if same.len() > 1 {
                let same = same.iter().map(|game| (game.game.game_id, game.game.split));
                groups.push(IdenticalGames::of(&same.collect::<Vec<_>>()));
            }
            candidates = others;
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
