//! Progress of long commands.
//!
//! A run consists of phases: hashing and encoding, the last commit, packing, syncing. Each begins with
//! its amount of work, if known. The listener decides what to show; [`Tally`] has the arithmetic that
//! progress bars and lines of text share.

use std::io::Read;
use std::time::Duration;

/// Receives progress. Called from one thread at a time; must return quickly.
pub trait Progress {
    /// A phase begins: its name, such as `syncing`, and its amount of work.
    fn begin(&self, doing: &'static str, amount: Amount);
    /// Adds steps that are done.
    fn advance(&self, steps: u64);
    /// The phase is over.
    fn end(&self);
}

/// The amount of work of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A number of games.
    Games(u64),
    /// A number of rows.
    Rows(u64),
    /// A number of bytes.
    Bytes(u64),
    /// Unknown, for example for a single call to SQLite.
    Unknown,
}

impl Amount {
    /// The number of steps; `None` if unknown.
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

/// The progress of a phase. Never more than 100 %, even if logs grow while they are read, or a file is
/// larger than in its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    amount: Amount,
    done: u64,
}

impl Tally {
    /// Creates a tally with no steps done.
    pub const fn new(amount: Amount) -> Tally {
        Tally { amount, done: 0 }
    }

    /// Adds steps that are done.
    pub fn advance(&mut self, steps: u64) {
        let max = self.amount.steps().unwrap_or(u64::MAX);
        self.done = self.done.saturating_add(steps).min(max);
    }

    /// The amount of work.
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// Steps done, at most the total.
    pub const fn done(&self) -> u64 {
        self.done
    }

    /// Percentage done, rounded down: 100 only at the end.
    pub fn percent(&self) -> Option<u64> {
        match self.amount.steps()? {
            0 => Some(100),
            steps => Some((u128::from(self.done) * 100 / u128::from(steps)) as u64),
        }
    }

    /// Estimated time left after `spent`, at constant speed.
    pub fn left(&self, spent: Duration) -> Option<Duration> {
        let rest = self.amount.steps()? - self.done;
        if self.done == 0 {
            return None;
        }
        Duration::try_from_secs_f64(spent.as_secs_f64() * rest as f64 / self.done as f64).ok()
    }
}

/// A reader that reports the bytes as progress.
pub struct Counted<'a, R> {
    reader: R,
    progress: &'a dyn Progress,
}

impl<'a, R: Read> Counted<'a, R> {
    /// Wraps `reader`.
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
