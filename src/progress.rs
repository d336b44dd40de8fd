//! How far a long command is.
//!
//! A run consists of phases: hashing and encoding, the last commit, packing, syncing. Each begins with
//! the amount of its work, if that is known. The listener decides what to show; [`Tally`] is the
//! arithmetic that a progress bar and a line of text have in common.

use std::io::Read;
use std::time::Duration;

/// Hears of progress. Called from one thread at a time; must return quickly.
pub trait Progress {
    /// A phase begins: what is done in it, such as `syncing`, and how much of it there is.
    fn begin(&self, doing: &'static str, amount: Amount);
    /// As much more is done.
    fn advance(&self, steps: u64);
    /// The phase is over.
    fn end(&self);
}

/// The amount of work of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many games.
    Games(u64),
    /// So many rows of games.
    Rows(u64),
    /// So many bytes.
    Bytes(u64),
    /// Unknown, such as for one call to SQLite.
    Unknown,
}

impl Amount {
    /// How many steps; `None` if that is not known.
    pub const fn steps(self) -> Option<u64> {
        match self {
            Amount::Games(steps) | Amount::Rows(steps) | Amount::Bytes(steps) => Some(steps),
            Amount::Unknown => None,
        }
    }
}

/// Ignores progress.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _doing: &'static str, _amount: Amount) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}

/// How far a phase is. Never beyond its end: logs grow while they are read, and a file may have more
/// bytes than its manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    amount: Amount,
    done: u64,
}

impl Tally {
    /// Nothing done yet.
    pub const fn new(amount: Amount) -> Tally {
        Tally { amount, done: 0 }
    }

    /// As much more is done.
    pub fn advance(&mut self, steps: u64) {
        let max = self.amount.steps().unwrap_or(u64::MAX);
        self.done = self.done.saturating_add(steps).min(max);
    }

    /// The amount of work.
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// Steps done, at most as many as there are.
    pub const fn done(&self) -> u64 {
        self.done
    }

    /// Percent done, rounded down: 100 only at the end.
    pub fn percent(&self) -> Option<u64> {
        match self.amount.steps()? {
            0 => Some(100),
            steps => Some((u128::from(self.done) * 100 / u128::from(steps)) as u64),
        }
    }

    /// Time left after `spent`, if the speed stays the same.
    pub fn left(&self, spent: Duration) -> Option<Duration> {
        let rest = self.amount.steps()? - self.done;
        if self.done == 0 {
            return None;
        }
        Duration::try_from_secs_f64(spent.as_secs_f64() * rest as f64 / self.done as f64).ok()
    }
}

/// Reads, and reports the bytes as progress.
pub struct Counted<'a, R> {
    reader: R,
    progress: &'a dyn Progress,
}

impl<'a, R: Read> Counted<'a, R> {
    /// Reports what is read from `reader`.
    pub fn new(reader: R, progress: &'a dyn Progress) -> Counted<'a, R> {
        Counted { reader, progress }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        self.progress.advance(bytes as u64);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tally_ends_at_its_amount() {
        let mut tally = Tally::new(Amount::Bytes(1_000));
        assert_eq!((tally.percent(), tally.left(Duration::from_secs(1))), (Some(0), None));
        tally.advance(999);
        assert_eq!(tally.percent(), Some(99));
        assert_eq!(tally.left(Duration::from_secs(999)), Some(Duration::from_secs(1)));
        for more in [1, 1, 5_000, u64::MAX] {
            tally.advance(more);
            assert_eq!((tally.done(), tally.percent()), (1_000, Some(100)));
            assert_eq!(tally.left(Duration::from_secs(9)), Some(Duration::ZERO));
        }
        assert_eq!(Tally::new(Amount::Games(0)).percent(), Some(100));

        let mut unknown = Tally::new(Amount::Unknown);
        unknown.advance(7);
        assert_eq!((unknown.done(), unknown.percent()), (7, None));
        assert_eq!(unknown.left(Duration::from_secs(1)), None);
    }

    #[test]
    fn counted_reader() {
        struct Sum(std::cell::Cell<u64>);
        impl Progress for Sum {
            fn begin(&self, _doing: &'static str, _amount: Amount) {}
            fn advance(&self, steps: u64) {
                self.0.set(self.0.get() + steps);
            }
            fn end(&self) {}
        }
        let sum = Sum(Default::default());
        let mut text = String::new();
        Counted::new(&b"splendor"[..], &sum).read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), sum.0.get()), ("splendor", 8));
    }
}
