//! Measures the time of the phases of a run.
//!
//! A phase is a kind of work, such as hashing. All threads add their time and amount of work to it, so
//! its time divided by that of the run is the number of threads that were busy with it.

use crate::words::grouped;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Unit of the work of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, shown as megabytes.
    Bytes,
    /// Rows: turns of games.
    Rows,
}

/// The time and amount of a kind of work, summed over all threads.
#[derive(Debug)]
pub struct Phase {
    name: &'static str,
    unit: Unit,
    nanoseconds: AtomicU64,
    amount: AtomicU64,
}

impl Phase {
    /// A phase without work.
    pub const fn new(name: &'static str, unit: Unit) -> Phase {
        Phase { name, unit, nanoseconds: AtomicU64::new(0), amount: AtomicU64::new(0) }
    }

    /// Runs `work` and adds its time. Its amount is [counted](Self::count) separately.
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = work();
        self.add(begun.elapsed(), 0);
        result
    }

    /// Adds time and an amount of work.
    pub fn add(&self, time: Duration, amount: u64) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.amount.fetch_add(amount, Ordering::Relaxed);
    }

    /// Adds an amount of work whose time was added separately.
    pub fn count(&self, amount: u64) {
        self.add(Duration::ZERO, amount);
    }

    /// The time spent by all threads.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    /// `read         2.31 s      174 MB/s`
    fn describe(&self) -> String {
        let seconds = self.spent().as_secs_f64();
        let amount = self.amount.load(Ordering::Relaxed) as f64;
        let whole = |rate: f64| grouped(rate.round() as u64);
        let rate = match (amount > 0.0 && seconds > 0.0, self.unit) {
            (false, _) => String::new(),
            (true, Unit::Bytes) => format!("{:>12} MB/s", whole(amount / 1e6 / seconds)),
            (true, Unit::Rows) => format!("{:>12} rows/s", whole(amount / seconds)),
        };
        format!("  {:<10}{seconds:>8.2} s{rate}", self.name)
    }
}

/// Logs (for `-v`) the time of each phase, and the use of `threads` threads since `begun`.
pub fn report_phases(phases: &[&Phase], begun: Instant, threads: usize) {
    let wall = begun.elapsed().as_secs_f64();
    let spent: f64 = phases.iter().map(|phase| phase.spent().as_secs_f64()).sum();
    tracing::debug!(
        "{wall:.2} s elapsed; {spent:.2} s of work, which is {:.0} % of {threads} threads:",
        100.0 * spent / wall.max(1e-9) / threads.max(1) as f64
    );
    for phase in phases {
        tracing::debug!("{}", phase.describe());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_added_up() {
        let phase = Phase::new("read", Unit::Bytes);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| phase.add(Duration::from_millis(500), 100_000_000));
            }
        });
        assert_eq!(phase.spent(), Duration::from_secs(2));
        assert_eq!(phase.describe(), "  read          2.00 s         200 MB/s");
        phase.time(|| std::thread::sleep(Duration::from_millis(5)));
        assert!(phase.spent() >= Duration::from_millis(2005));

        let rows = Phase::new("encode", Unit::Rows);
        assert_eq!(rows.describe(), "  encode        0.00 s");
        rows.add(Duration::from_millis(250), 1_000);
        assert_eq!(rows.describe(), "  encode        0.25 s       4,000 rows/s");
    }
}
