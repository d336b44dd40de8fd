//! Assigns rows to batches.

use super::order::Order;
use std::ops::Range;

/// The position of a stream: the next batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// From 0.
    pub epoch: u64,
    /// Number of batches of this epoch before it.
    pub step: u64,
}

/// Divides the rows of an epoch into batches, and each batch into parts for the ranks.
///
/// The batches do not depend on the number of ranks. The sizes of the parts of a batch differ by at most
/// one row.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pub(super) rows: u64,
    pub(super) batch_size: u64,
    pub(super) seed: u64,
    pub(super) shuffle: bool,
    pub(super) drop_last: bool,
    pub(super) rank: u64,
    pub(super) world_size: u64,
}

impl Schedule {
    /// Number of batches of an epoch.
    pub(super) fn steps(&self) -> u64 {
        match self.drop_last {
            true => self.rows / self.batch_size,
            false => self.rows.div_ceil(self.batch_size),
        }
    }

    pub(super) fn order(&self, epoch: u64) -> Order {
        match self.shuffle {
            true => Order::shuffled(self.rows, self.seed, epoch),
            false => Order::stored(self.rows),
        }
    }

    /// The places of a batch in the order of its epoch.
    pub(super) fn batch(&self, step: u64) -> Range<u64> {
        let first = step * self.batch_size;
        first..(first + self.batch_size).min(self.rows)
    }

    /// The places of this rank's part.
    pub(super) fn places(&self, step: u64) -> Range<u64> {
        let Range { start, end } = self.batch(step);
        let bound = |rank: u64| {
            // In 128 bits, because 64 would overflow for a batch of 2^40 rows and 2^30 ranks.
            let rows = u128::from(end - start) * u128::from(rank) / u128::from(self.world_size);
            start + rows as u64
        };
        bound(self.rank)..bound(self.rank + 1)
    }

    /// All positions from one on, without an end; none if an epoch has no batches.
    pub(super) fn positions_from(&self, first: Position) -> Positions {
        Positions { next: first, steps: self.steps() }
    }
}

/// An iterator over positions, epoch after epoch.
#[derive(Debug)]
pub(super) struct Positions {
    next: Position,
    steps: u64,
}

impl Iterator for Positions {
    type Item = Position;

    fn next(&mut self) -> Option<Position> {
        if self.steps == 0 {
            return None;
        }
        if self.next.step >= self.steps {
            self.next = Position { epoch: self.next.epoch + 1, step: 0 };
        }
        let position = self.next;
        self.next.step += 1;
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(rows: u64, batch_size: u64) -> Schedule {
        Schedule {
            rows,
            batch_size,
            seed: 0,
            shuffle: true,
            drop_last: false,
            rank: 0,
            world_size: 1,
        }
    }

    #[test]
    fn ranks_cut_each_batch() {
        for (rows, batch_size) in [(0, 4), (1, 4), (103, 10), (100, 10), (5, 512), (1_000, 7)] {
            for world_size in [1, 2, 3, 5, 7, 30] {
                let whole = schedule(rows, batch_size);
                let mut next = 0;
                for step in 0..whole.steps() {
                    let mut sizes = Vec::new();
                    for rank in 0..world_size {
                        let places = Schedule { rank, world_size, ..whole.clone() }.places(step);
                        assert_eq!(places.start, next, "no row is dropped or repeated");
                        next = places.end;
                        sizes.push(places.end - places.start);
                    }
                    assert_eq!(next, whole.batch(step).end);
                    assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
                }
                assert_eq!(next, rows);
            }
        }
    }

    #[test]
    fn last_batch() {
        let kept = schedule(103, 10);
        let dropped = Schedule { drop_last: true, ..kept.clone() };
        assert_eq!((kept.steps(), kept.batch(10)), (11, 100..103));
        assert_eq!((dropped.steps(), dropped.batch(9)), (10, 90..100));
    }

    #[test]
    fn positions_go_through_epochs() {
        let at = |epoch, step| Position { epoch, step };
        let positions = schedule(5, 2).positions_from(at(4, 1)).take(5);
        assert!(positions.eq([at(4, 1), at(4, 2), at(5, 0), at(5, 1), at(5, 2)]));
        // The position at the end of an epoch.
        assert_eq!(schedule(5, 2).positions_from(at(4, 3)).next(), Some(at(5, 0)));
        assert_eq!(schedule(0, 2).positions_from(at(0, 0)).next(), None);
    }
}
