//! The order of the rows of an epoch.
//!
//! A shuffled order is a permutation of all rows that is computed, not stored: computing the row at any
//! place takes the same few nanoseconds. So a stream can resume at any place immediately, and its state
//! is just the place. In Python:
//!
//! ```python
//! import blake3, struct                                   # pip install blake3
//! def mix(number):                                        # the finalizer of MurmurHash3
//!     number = (number ^ number >> 33) * 0xFF51AFD7ED558CCD % 2**64
//!     number = (number ^ number >> 33) * 0xC4CEB9FE1A85EC53 % 2**64
//!     return number ^ number >> 33
//! def order(rows, seed, epoch):
//!     name = b"splendor-prep order 1" + struct.pack("<QQQ", rows, seed, epoch)
//!     keys = struct.unpack("<24Q", blake3.blake3(name).digest(24 * 8))
//!     bits = max((rows - 1).bit_length(), 2)
//!     low_bits, high_bits = bits // 2, bits - bits // 2
//!     for row in range(rows):
//!         while True:
//!             low, high = row % 2**low_bits, row >> low_bits
//!             for first, second in zip(keys[::2], keys[1::2]):
//!                 high ^= mix(low ^ first) % 2**high_bits
//!                 low ^= mix(high ^ second) % 2**low_bits
//!             row = high << low_bits | low
//!             if row < rows:
//!                 break
//!         yield row
//! ```
//!
//! The permutation is a Feistel network: the bits of the place are split in two halves, and in each
//! round one half is combined with a keyed hash of the other, which is invertible, so no two places map
//! to the same number. It permutes the numbers below a power of two, which is at least 4 and otherwise
//! less than twice the number of rows. A result that is not the number of a row is permuted again until
//! it is one ("cycle walking"), which keeps it a permutation. The keys are a hash of the seed, the epoch
//! and the number of rows.
//!
//! There are fewer keys than permutations, as with any random number generator. The tests check that the
//! orders have the statistics of uniform ones: the distributions of places, of pairs and, for few rows,
//! of whole permutations. After a change of this algorithm an interrupted training would continue with
//! other rows, so it needs a new version of [`StreamState`](super::StreamState).

/// A permutation of the rows.
#[derive(Clone, Debug)]
pub struct Order {
    rows: u64,
    /// `None` for the stored order.
    shuffle: Option<Feistel>,
}

impl Order {
    /// The stored order: by game id, then as logged.
    pub fn stored(rows: u64) -> Order {
        Order { rows, shuffle: None }
    }

    /// A random order that depends only on these numbers.
    pub fn shuffled(rows: u64, seed: u64, epoch: u64) -> Order {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"splendor-prep order 1");
        for number in [rows, seed, epoch] {
            hasher.update(&number.to_le_bytes());
        }
        let mut bytes = [0; size_of::<u64>() * ROUNDS];
        hasher.finalize_xof().fill(&mut bytes);
        let mut keys = [0; ROUNDS];
        for (key, bytes) in keys.iter_mut().zip(bytes.as_chunks().0) {
            *key = u64::from_le_bytes(*bytes);
        }
        // Both halves have at least one bit.
        let bits = (u64::BITS - rows.saturating_sub(1).leading_zeros()).max(2);
        Order {
            rows,
            shuffle: Some(Feistel { keys, low_bits: bits / 2, high_bits: bits.div_ceil(2) }),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The row at a place.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn row(&self, place: u64) -> u64 {
        assert!(place < self.rows, "place {place} of {} rows", self.rows);
        let Some(shuffle) = &self.shuffle else { return place };
        let mut row = shuffle.permute(place);
        while row >= self.rows {
            row = shuffle.permute(row);
        }
        row
    }
}

/// Random numbers for the rows of an epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowNumbers(u64);

impl RowNumbers {
    /// They depend only on these numbers.
    pub(super) fn new(seed: u64, epoch: u64) -> RowNumbers {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"splendor-prep row numbers 1");
        hasher.update(&seed.to_le_bytes()).update(&epoch.to_le_bytes());
        let hash = hasher.finalize();
        RowNumbers(u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("32 bytes")))
    }

    /// The random number of a row.
    pub(super) fn of(self, row: u64) -> u64 {
        // SplitMix64, which passes BigCrush.
        let mut number = self.0.wrapping_add((row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ number >> 31
    }
}

/// Number of rounds. Eight are enough for many rows, but with eight, some orders of five rows occur
/// twice as often as others, which a chi-square test detects; with 24 they do not.
const ROUNDS: usize = 24;

#[derive(Clone, Debug)]
struct Feistel {
    keys: [u64; ROUNDS],
    low_bits: u32,
    high_bits: u32,
}

impl Feistel {
    /// Permutes the numbers of `low_bits + high_bits` bits.
    fn permute(&self, number: u64) -> u64 {
        let (low_mask, high_mask) = ((1 << self.low_bits) - 1, (1 << self.high_bits) - 1);
        let (mut low, mut high) = (number & low_mask, number >> self.low_bits);
        for [first, second] in self.keys.as_chunks().0 {
            high ^= mix(low ^ first) & high_mask;
            low ^= mix(high ^ second) & low_mask;
        }
        high << self.low_bits | low
    }
}

/// The finalizer of MurmurHash3: every bit of the result depends on every bit of the number.
fn mix(mut number: u64) -> u64 {
    number = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    number = (number ^ number >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn rows_of(order: &Order) -> Vec<u64> {
        (0..order.rows()).map(|place| order.row(place)).collect()
    }

    #[test]
    fn every_row_once() {
        for rows in (0..70).chain([127, 128, 129, 1_000, 4_095, 4_097, 100_003]) {
            for epoch in 0..3 {
                let mut order = rows_of(&Order::shuffled(rows, 7, epoch));
                order.sort_unstable();
                assert!(order.into_iter().eq(0..rows), "{rows} rows");
            }
            assert!(rows_of(&Order::stored(rows)).into_iter().eq(0..rows));
        }
        // Large numbers of rows: no overflow, and the last place has a row.
        for rows in [1 << 40, (1 << 62) + 1] {
            assert!(Order::shuffled(rows, 7, 0).row(rows - 1) < rows);
        }
    }

    #[test]
    fn seed_and_epoch_change_the_order() {
        let of = |seed, epoch| rows_of(&Order::shuffled(1_000, seed, epoch));
        let (mut orders, mut keys) = (vec![], vec![]);
        for seed in [0, 1, u64::MAX] {
            for epoch in [0, 1, 1 << 40] {
                orders.push(of(seed, epoch));
                keys.push((seed, epoch));
            }
        }
        for (one, order) in orders.iter().enumerate() {
            assert_eq!(*order, of(keys[one].0, keys[one].1));
            for other in &orders[..one] {
                let same = order.iter().zip(other).filter(|(one, other)| one == other).count();
                assert!(same < 12, "two orders have {same} rows at the same places");
            }
        }
    }

    /// Fixed values, because stored states depend on the order. Computed by the Python code above.
    #[test]
    fn order_equals_python() {
        assert_eq!(rows_of(&Order::shuffled(10, 1, 0)), [3, 7, 4, 9, 2, 5, 6, 0, 8, 1]);
        let order = Order::shuffled(447_955, 42, 3);
        let first = [0, 1, 2, 3, 4, 5, 6, 7].map(|place| order.row(place));
        assert_eq!(first, [76492, 359137, 3950, 235293, 261285, 112978, 81581, 305720]);
    }

    /// Chi-square test of counts that should be equal, with a limit that a correct generator exceeds
    /// about once in a million times; the seeds are fixed, so the test is deterministic.
    fn check_equal(counts: impl IntoIterator<Item = u64>, cells: usize, what: &str) {
        let counts: Vec<u64> = counts.into_iter().collect();
        let total: u64 = counts.iter().sum();
        let expected = total as f64 / cells as f64;
        assert!(expected >= 20.0, "{what}: {expected} a cell are too few");
        let missing = (cells - counts.len()) as f64 * expected;
        let sum: f64 = counts.iter().map(|&count| (count as f64 - expected).powi(2)).sum();
        let chi_square = sum / expected + missing;
        let freedom = cells as f64 - 1.0;
        let limit = freedom + 5.0 * (2.0 * freedom).sqrt() + 15.0;
        assert!(chi_square < limit, "{what}: {chi_square:.1}, limit {limit:.1}");
        // Counts that are too even are not random either.
        let low = freedom - 5.0 * (2.0 * freedom).sqrt();
        assert!(chi_square > low, "{what}: {chi_square:.1}, at least {low:.1}");
    }

    fn count<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> impl Iterator<Item = u64> {
        let mut counts = HashMap::new();
        keys.for_each(|key| *counts.entry(key).or_insert(0) += 1);
        counts.into_values()
    }

    /// All permutations of few rows are equally frequent.
    #[test]
    fn permutations_are_uniform() {
        for (rows, permutations) in [(2, 2), (3, 6), (4, 24), (5, 120), (6, 720)] {
            let orders = (0..60_000).map(|epoch| rows_of(&Order::shuffled(rows, 3, epoch)));
            check_equal(count(orders), permutations, &format!("orders of {rows} rows"));
        }
    }

    /// The place of a row, the place of the row after it, and their distance.
    #[test]
    fn places_and_pairs_are_uniform() {
        for rows in [1_000, 1_500] {
            let orders: Vec<_> =
                (0..40).map(|epoch| rows_of(&Order::shuffled(rows, 11, epoch))).collect();
            let places = orders.iter().flat_map(|order| order.iter().zip(0..rows));
            check_equal(
                count(places.map(|(row, place)| (row / 100, place / 100))),
                (rows as usize / 100).pow(2),
                "row and place",
            );
            let pairs = orders.iter().flat_map(|order| order.windows(2));
            check_equal(
                count(pairs.clone().map(|pair| (pair[0] / 100, pair[1] / 100))),
                (rows as usize / 100).pow(2),
                "two rows in a sequence",
            );
            check_equal(
                count(pairs.map(|pair| (pair[1] + rows - pair[0]) % rows / 50)),
                rows as usize / 50,
                "distance of two rows in a sequence",
            );
            let epochs = orders.windows(2).flat_map(|orders| orders[0].iter().zip(&orders[1]));
            check_equal(
                count(epochs.map(|(row, next)| (row / 100, next / 100))),
                (rows as usize / 100).pow(2),
                "rows at one place in two epochs",
            );
        }
    }

    /// Numbers of rows just above and just below a power of two, the extremes of cycle walking. Adjacent
    /// rows, which belong to the same game, must be in different batches.
    #[test]
    fn neighbors_are_spread_over_batches() {
        for rows in [65_536, 65_537, 100_000] {
            let order = Order::shuffled(rows, 5, 0);
            let batch = rows / 64;
            let mut batch_of = vec![0; rows as usize];
            (0..rows).for_each(|place| batch_of[order.row(place) as usize] = place / batch);
            let games = batch_of.chunks_exact(64).map(|game| {
                let mut batches = game.to_vec();
                batches.sort_unstable();
                batches.dedup();
                batches.len() as f64
            });
            let games: Vec<f64> = games.collect();
            let mean = games.iter().sum::<f64>() / games.len() as f64;
            // 64 rows in random batches of 64 are in 64 × (1 - (63/64)⁶⁴) different batches.
            let expected = 64.0 * (1.0 - (63.0_f64 / 64.0).powi(64));
            assert!((mean - expected).abs() < 0.5, "{rows} rows: {mean}, expected {expected}");
        }
    }
}
