//! The feature columns of a game, each kept once.
//!
//! Many of the 1,308 columns of a game are equal from its first turn to its last: those of players
//! who are not there, of slots that stay empty, of bonuses that nobody has. On average 495 differ. Found
//! here, by a pass over their bytes, the others go neither through zstd nor into the sums: an ingest
//! took 7 % more instructions without, and an export unpacked 2.6 times the bytes.

use crate::encode::{FEATURE_COUNT, FeatureRow, Value};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Columns of equal length, one after another, in the order in which they come first, and for each
/// feature which of them it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DistinctColumns<T> {
    rows: usize,
    /// For each feature the place of its column.
    places: Vec<u16>,
    values: Vec<T>,
}

impl<T> DistinctColumns<T> {
    /// Puts them together; `None` if they are not as [`ColumnFinder`] makes them, so that equal
    /// columns of two games are equal in here too.
    pub(super) fn from_parts(
        rows: usize,
        places: Vec<u16>,
        values: Vec<T>,
    ) -> Option<DistinctColumns<T>> {
        let mut count = 0;
        for &place in &places {
            match place.cmp(&count) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => count += 1,
                std::cmp::Ordering::Greater => return None,
            }
        }
        let is_whole = places.len() == FEATURE_COUNT && values.len() == usize::from(count) * rows;
        is_whole.then_some(DistinctColumns { rows, places, values })
    }

    /// The values of a feature, one a row.
    ///
    /// # Panics
    /// If there is no such feature.
    pub fn column(&self, feature: usize) -> &[T] {
        &self.values[usize::from(self.places[feature]) * self.rows..][..self.rows]
    }

    /// How many values a column has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// For each feature, which of the [`distinct`](Self::distinct) columns is its.
    pub fn places(&self) -> &[u16] {
        &self.places
    }

    /// Row after row, the values of the distinct columns; [`places`](Self::places) says which of them
    /// a feature is.
    pub fn to_rows(&self) -> Vec<T>
    where
        T: Copy + Default,
    {
        let mut cells = vec![T::default(); self.values.len()];
        let width = self.distinct().len();
        for (place, column) in self.distinct().enumerate() {
            let cells = cells[place..].iter_mut().step_by(width);
            cells.zip(column).for_each(|(cell, &value)| *cell = value);
        }
        cells
    }

    /// Each column once.
    pub fn distinct(&self) -> impl ExactSizeIterator<Item = &[T]> {
        self.values.chunks_exact(self.rows.max(1))
    }

    /// All distinct columns, one after another.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}

/// Finds the distinct columns of games, one after another, with the same buffers.
#[derive(Default)]
pub(super) struct ColumnFinder {
    columns: DistinctColumns<Value>,
    /// Places of distinct columns that are not constant, by the hash of their values.
    known: HashTable<u16>,
    hasher: DefaultHashBuilder,
}

impl ColumnFinder {
    /// The columns of these rows.
    pub(super) fn find(&mut self, rows: &[FeatureRow]) -> &DistinctColumns<Value> {
        let ColumnFinder { columns, known, hasher } = self;
        let DistinctColumns { rows: length, places, values } = columns;
        *length = rows.len();
        places.clear();
        values.clear();
        known.clear();
        let Some(first) = rows.first() else {
            places.resize(FEATURE_COUNT, 0);
            return columns;
        };
        let changes = changes(rows, first);
        // Of constant columns, by their value as a `u8`.
        let mut constant = [None; 1 << Value::BITS];
        let mut count = 0;
        let mut take_next = || {
            count += 1;
            count - 1
        };
        for feature in 0..FEATURE_COUNT {
            if changes[feature] == 0 {
                let place = &mut constant[usize::from(first[feature] as u8)];
                places.push(*place.get_or_insert_with(|| {
                    values.extend(std::iter::repeat_n(first[feature], rows.len()));
                    take_next()
                }));
                continue;
            }
            let begin = values.len();
            values.extend(rows.iter().map(|row| row[feature]));
            let (before, column) = values.split_at(begin);
            let of_place = |place: u16| &before[usize::from(place) * rows.len()..][..rows.len()];
            let hash = hasher.hash_one(column);
            let place = match known.find(hash, |&place| of_place(place) == column) {
                Some(&place) => {
                    values.truncate(begin);
                    place
                }
                None => {
                    let place = take_next();
                    known.insert_unique(hash, place, |&place| hasher.hash_one(of_place(place)));
                    place
                }
            };
            places.push(place);
        }
        columns
    }
}

/// For each feature the bits in which some row differs from the first: none where it is constant.
///
/// Many features of a row at once, where the processor can: what is constant, three columns of five,
/// need not be gathered from all rows, hashed and compared then.
fn changes(rows: &[FeatureRow], first: &FeatureRow) -> FeatureRow {
    let mut changes = [0; FEATURE_COUNT];
    for row in rows {
        for ((change, value), first) in changes.iter_mut().zip(row).zip(first) {
            *change |= value ^ first;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::EncodedGame;
    use crate::simulate::simulate_game;
    use crate::splendor::PlayerCount;
    use std::collections::BTreeSet;

    #[test]
    fn every_feature_has_its_column_and_no_column_is_there_twice() {
        let mut finder = ColumnFinder::default();
        for seed in 0..3 {
            let mut game = EncodedGame::default();
            simulate_game(PlayerCount::Two, seed).iter().for_each(|turn| game.push(turn));
            let columns = finder.find(game.features());
            for feature in 0..FEATURE_COUNT {
                let expected = game.features().iter().map(|row| row[feature]);
                assert!(columns.column(feature).iter().copied().eq(expected), "{feature}");
            }
            let different: BTreeSet<&[Value]> = columns.distinct().collect();
            assert_eq!(different.len(), columns.distinct().len());
            assert!(different.len() < FEATURE_COUNT / 2, "{} columns", different.len());
        }
    }

    #[test]
    fn parts_that_no_finder_makes_are_refused() {
        let all_of_one = vec![0; FEATURE_COUNT];
        let with = |feature: usize, place: u16| {
            let mut places = all_of_one.clone();
            places[feature] = place;
            places
        };
        let made = |places: &[u16], values: usize| {
            DistinctColumns::from_parts(2, places.to_vec(), vec![0.0_f32; values]).is_some()
        };
        assert!(made(&all_of_one, 2));
        assert!(made(&with(1307, 1), 4));
        assert!(!made(&with(0, 1), 4), "the first column is not the first");
        assert!(!made(&with(7, 2), 6), "a column that no feature is");
        assert!(!made(&all_of_one, 4), "a column too many");
        assert!(!made(&with(7, 1), 3), "a value too few");
        assert!(!made(&all_of_one[1..], 2), "a feature too few");
    }
}
