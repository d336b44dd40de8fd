//! Assigns games to training, validation and test.
//!
//! All rows of a game are in the same split. Rows of one game are similar, so a network that was trained
//! on some of them would seem better on the others than it is.
//!
//! [`SplitMethod::Hash`] uses only the seed and the id of the game, so that a game keeps its split when
//! other games are added or removed. In Python:
//!
//! ```python
//! import blake3, struct                                   # pip install blake3
//! def split(game_id, seed, train, val):
//!     digest = blake3.blake3(b"splendor-prep split 1" + struct.pack("<Iq", seed, game_id)).digest()
//!     position = (int.from_bytes(digest[:8], "little") >> 11) / 2**53
//!     return "train" if position < train else "val" if position < train + val else "test"
//! ```
//!
//! The last split with a ratio above 0 gets all remaining games, so that a ratio of 0 gives no games
//! even if `train + val` rounds to just below 1.
//!
//! [`SplitMethod::Sklearn`] reproduces earlier experiments. It chooses exactly the games that
//! scikit-learn chooses with
//!
//! ```python
//! GroupShuffleSplit(n_splits=1, train_size=train, random_state=seed)               # train | rest
//! GroupShuffleSplit(n_splits=1, train_size=val / (val + test), random_state=seed)  # val | test
//! ```
//!
//! with the game ids as groups. Adding one game reshuffles all of them. scikit-learn rejects a ratio of
//! 0; here that call is skipped and the other side gets all games.

use super::ratios::Ratios;
use crate::gamelog::GameId;
use rand_mt::Mt;
use serde::{Deserialize, Serialize};
use std::ops::{Index, IndexMut};

/// One of the three parts of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// The games for training the network and fitting the scaler.
    Train,
    /// The games for validation during training.
    Val,
    /// The games for the final test.
    Test,
}

impl Split {
    /// All three, in the order in which ratios are given.
    pub const ALL: [Split; 3] = [Split::Train, Split::Val, Split::Test];

    /// The name used in file names: `train`, `val` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Val => "val",
            Split::Test => "test",
        }
    }
}

/// One value for each split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BySplit<T> {
    /// For [`Split::Train`].
    pub train: T,
    /// For [`Split::Val`].
    pub val: T,
    /// For [`Split::Test`].
    pub test: T,
}

impl<T> BySplit<T> {
    /// Calls a function for each split.
    pub fn from_fn(mut value: impl FnMut(Split) -> T) -> BySplit<T> {
        BySplit { train: value(Split::Train), val: value(Split::Val), test: value(Split::Test) }
    }

    /// Like [`from_fn`](Self::from_fn), for a function that can fail.
    ///
    /// # Errors
    /// Errors of the function.
    pub fn try_from_fn<E>(mut value: impl FnMut(Split) -> Result<T, E>) -> Result<BySplit<T>, E> {
        Ok(BySplit {
            train: value(Split::Train)?,
            val: value(Split::Val)?,
            test: value(Split::Test)?,
        })
    }

    /// The splits with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Split, &T)> {
        Split::ALL.into_iter().map(|split| (split, &self[split]))
    }

    /// The values, in the order of the splits.
    pub fn into_values(self) -> impl Iterator<Item = T> {
        [self.train, self.val, self.test].into_iter()
    }
}

impl<T> Index<Split> for BySplit<T> {
    type Output = T;

    fn index(&self, split: Split) -> &T {
        match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }
}

impl<T> IndexMut<Split> for BySplit<T> {
    fn index_mut(&mut self, split: Split) -> &mut T {
        match split {
            Split::Train => &mut self.train,
            Split::Val => &mut self.val,
            Split::Test => &mut self.test,
        }
    }
}

/// How games are assigned; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitMethod {
    /// By a hash of the seed and the game id.
    Hash,
    /// Like two nested `GroupShuffleSplit` calls of scikit-learn.
    Sklearn,
}

impl SplitMethod {
    /// All methods, in the order of `--help`.
    pub const ALL: [SplitMethod; 2] = [SplitMethod::Hash, SplitMethod::Sklearn];

    /// `hash` or `sklearn`.
    pub const fn name(self) -> &'static str {
        match self {
            SplitMethod::Hash => "hash",
            SplitMethod::Sklearn => "sklearn",
        }
    }
}

/// Why games cannot be assigned to splits.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// The ids given to [`SplitMethod::Sklearn`] are not strictly ascending.
    #[error("game {id} comes before a smaller or equal id: sort the ids and drop repeated ones")]
    NotAscending {
        /// The first id that is not below the next one.
        id: GameId,
    },
    /// [`SplitMethod::Sklearn`] rounds to whole games, and a split would be empty.
    #[error(
        "with {games} games to divide, the sklearn split leaves none for {}: \
         add games, change the ratios, set that ratio to 0, or use --split-method hash",
        .split.name()
    )]
    NoGames {
        /// The split that would be empty.
        split: Split,
        /// The number of games to divide between this split and the remaining ones.
        games: usize,
    },
}

/// Assigns each game to a split; the result has the length and order of `game_ids`.
///
/// `game_ids` must be ascending and unique for [`SplitMethod::Sklearn`]; [`SplitMethod::Hash`] does not
/// depend on it.
///
/// # Errors
///
/// For [`SplitMethod::Sklearn`], if ids are out of order, or if there are too few games to give one to
/// each split with a ratio above 0. [`SplitMethod::Hash`] may leave a split empty if there are few
/// games.
pub fn assign(
    game_ids: impl IntoIterator<Item = GameId>,
    ratios: Ratios,
    seed: u32,
    method: SplitMethod,
) -> Result<Vec<Split>, SplitError> {
    let ratios = ratios.parts();
    match method {
        SplitMethod::Hash => {
            let split = |id| split_at(position_of(id, seed), ratios);
            Ok(game_ids.into_iter().map(split).collect())
        }
        SplitMethod::Sklearn => {
            let (mut games, mut last) = (0, None);
            for id in game_ids {
                // In another order, the same games would silently get other splits.
                if let Some(last) = last.replace(id).filter(|last| *last >= id) {
                    return Err(SplitError::NotAscending { id: last });
                }
                games += 1;
            }
            as_sklearn(games, ratios, seed)
        }
    }
}

/// The split that a position in [0, 1) belongs to.
fn split_at(position: f64, [train, val, test]: [f64; 3]) -> Split {
    if position < train || (val == 0.0 && test == 0.0) {
        Split::Train
    } else if val > 0.0 && (position < train + val || test == 0.0) {
        Split::Val
    } else {
        Split::Test
    }
}

/// A game's position in [0, 1), a multiple of 2^-53. A change would move games to other splits for every
/// user, so it needs a new hash prefix and an option to keep the old one.
fn position_of(id: GameId, seed: u32) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep split 1");
    hasher.update(&seed.to_le_bytes());
    hasher.update(&id.0.to_le_bytes());
    let mut first_bytes = [0; 8];
    hasher.finalize_xof().fill(&mut first_bytes);
    // A float64 has 53 bits: with more, the largest values would round up to 1.
    (u64::from_le_bytes(first_bytes) >> 11) as f64 / (1_u64 << 53) as f64
}

fn as_sklearn(games: usize, ratios: [f64; 3], seed: u32) -> Result<Vec<Split>, SplitError> {
    let [train, val, test] = ratios;
    let rest = if val > 0.0 { Split::Val } else { Split::Test };
    let trains = if val + test == 0.0 {
        vec![true; games]
    } else {
        group_shuffle_split(games, train, seed, [Split::Train, rest])?
    };

    let remaining = trains.iter().filter(|&&trains| !trains).count();
    let validates = if test == 0.0 || val == 0.0 {
        vec![test == 0.0; remaining]
    } else {
        group_shuffle_split(remaining, val / (val + test), seed, [Split::Val, Split::Test])?
    };

    let mut validates = validates.into_iter();
    Ok(trains
        .into_iter()
        .map(|trains| match trains {
            true => Split::Train,
            false if validates.next() == Some(true) => Split::Val,
            false => Split::Test,
        })
        .collect())
}

/// `GroupShuffleSplit(n_splits=1, train_size=first_ratio, random_state=seed)` over `games` groups
/// in ascending order: whether each is on its first ("train") side. `sides` names both in errors.
fn group_shuffle_split(
    games: usize,
    first_ratio: f64,
    seed: u32,
    sides: [Split; 2],
) -> Result<Vec<bool>, SplitError> {
    let first = (first_ratio * games as f64).floor() as usize;
    let second = games.saturating_sub(first);
    for (count, split) in [first, second].into_iter().zip(sides) {
        if count == 0 {
            return Err(SplitError::NoGames { split, games });
        }
    }
    let mut on_first_side = vec![true; games];
    // scikit-learn takes the test side from the front of the permutation.
    for &game in &permutation(games, seed)[..second] {
        on_first_side[game as usize] = false;
    }
    Ok(on_first_side)
}

/// NumPy's `RandomState(seed).permutation(length)`, for lengths that fit in 32 bits.
fn permutation(length: usize, seed: u32) -> Vec<u32> {
    let mut generator = Mt::new(seed);
    let mut order: Vec<u32> = (0..length as u32).collect();
    for last in (1..length).rev() {
        // Masked rejection sampling: draws as many bits as `last` has until the result is at most `last`.
        let mask = usize::MAX >> last.leading_zeros();
        let other = loop {
            let draw = generator.next_u32() as usize & mask;
            if draw <= last {
                break draw;
            }
        };
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATIOS: [f64; 3] = [0.8, 0.1, 0.1];

    fn ids(count: i64) -> Vec<GameId> {
        (0..count).map(|index| GameId(3 * index + 1)).collect()
    }

    fn assign_shares(
        game_ids: &[GameId],
        [train, val, test]: [f64; 3],
        seed: u32,
        method: SplitMethod,
    ) -> Result<Vec<Split>, SplitError> {
        assign(game_ids.iter().copied(), Ratios::new(train, val, test).unwrap(), seed, method)
    }

    fn count(splits: &[Split], wanted: Split) -> usize {
        splits.iter().filter(|&&split| split == wanted).count()
    }

    fn lines(table: &str) -> impl Iterator<Item = Vec<&str>> {
        table
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().collect())
    }

    #[test]
    fn sklearn_split_equals_scikit_learn() {
        let mut compared = 0;
        for line in lines(include_str!("../../tests/data/sklearn_split.txt")) {
            let games = line[0].parse().unwrap();
            let ratios = [2, 3, 4].map(|field| line[field].parse().unwrap());
            let splits =
                assign_shares(&ids(games), ratios, line[1].parse().unwrap(), SplitMethod::Sklearn);
            let found = match splits {
                Ok(splits) => splits.iter().map(|&split| (split as u8).to_string()).collect(),
                Err(SplitError::NoGames { .. }) => "refused".to_owned(),
                Err(error) => panic!("{line:?}: {error}"),
            };
            let found = match found.len() {
                ..=100 => found,
                _ => blake3::hash(found.as_bytes()).to_string(),
            };
            assert_eq!(found, line[5], "{line:?}");
            compared += 1;
        }
        assert_eq!(compared, 96);
    }

    #[test]
    fn hash_split_equals_python() {
        let mut compared = 0;
        for line in lines(include_str!("../../tests/data/hash_split.txt")) {
            let seed = line[0].parse().unwrap();
            let id = [GameId(line[1].parse().unwrap())];
            for (ratios, expected) in [(RATIOS, line[2]), ([0.34, 0.33, 0.33], line[3])] {
                let found = assign_shares(&id, ratios, seed, SplitMethod::Hash).unwrap();
                assert_eq!(found[0].name(), expected, "{line:?}");
            }
            compared += 1;
        }
        assert_eq!(compared, 100);
    }

    #[test]
    fn zero_ratio_gives_no_games() {
        for method in [SplitMethod::Hash, SplitMethod::Sklearn] {
            for ratios in [
                [1.0, 0.0, 0.0],
                [0.9, 0.1, 0.0],
                [0.9, 0.0, 0.1],
                [0.1, 0.9, 0.0],
                // Sums just below and just above 1.
                [0.9 - 1e-9, 0.1, 0.0],
                [0.9 + 1e-9, 0.1, 0.0],
                [1.0 - 1e-9, 0.0, 0.0],
            ] {
                let splits = assign_shares(&ids(2000), ratios, 42, method).unwrap();
                for split in Split::ALL {
                    let games = count(&splits, split);
                    assert_eq!(games == 0, ratios[split as usize] == 0.0, "{ratios:?} {method:?}");
                }
            }
        }
    }

    #[test]
    fn zero_ratio_at_the_ends_of_the_interval() {
        let last = 1.0 - f64::EPSILON / 2.0;
        assert_eq!(split_at(last, [1.0 - 1e-9, 0.0, 0.0]), Split::Train);
        assert_eq!(split_at(last, [0.9 - 1e-9, 0.1, 0.0]), Split::Val);
        assert_eq!(split_at(last, [0.9 - 1e-9, 0.0, 0.1]), Split::Test);
        assert_eq!(split_at(last, RATIOS), Split::Test);
        assert_eq!(split_at(0.0, RATIOS), Split::Train);
    }

    #[test]
    fn sklearn_with_too_few_games() {
        let empty = |games, ratios| assign_shares(&ids(games), ratios, 0, SplitMethod::Sklearn);
        let no_games = |split, games| Err(SplitError::NoGames { split, games });
        assert_eq!(empty(0, RATIOS), no_games(Split::Train, 0));
        assert_eq!(empty(1, RATIOS), no_games(Split::Train, 1));
        assert_eq!(empty(3, RATIOS), no_games(Split::Val, 1));
        assert!(empty(3, [0.8, 0.0, 0.2]).is_ok());
    }

    #[test]
    fn sklearn_needs_ascending_ids() {
        for unsorted in [[1, 3, 2], [1, 2, 2]] {
            let result = assign_shares(&unsorted.map(GameId), RATIOS, 0, SplitMethod::Sklearn);
            assert!(matches!(result, Err(SplitError::NotAscending { .. })));
        }
    }
}
