//! Wall-clock and CPU time.

use anyhow::Result;
use std::time::Instant;

/// The time of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    /// Wall-clock seconds.
    pub(crate) seconds: f64,
    /// CPU seconds of all threads and processes, which are more reliable on a busy machine. `None`
    /// without `/proc`.
    pub(crate) cpu: Option<f64>,
}

/// Measures a function, including the processes that it waits for.
pub(crate) fn time<T>(run: impl FnOnce() -> Result<T>) -> Result<(Took, T)> {
    let cpu_before = cpu_seconds();
    let begun = Instant::now();
    let answer = run()?;
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = cpu_seconds().zip(cpu_before).map(|(after, before)| after - before);
    Ok((Took { seconds, cpu }, answer))
}

/// CPU time of this process and of ended processes that it has waited for.
fn cpu_seconds() -> Option<f64> {
    // Linux reports these in hundredths of a second, independent of its tick.
    const TICKS_PER_SECOND: f64 = 100.0;
    // utime, stime, cutime and cstime: fields 14 to 17; the first two fields come before the `)`.
    const TIMES: std::ops::Range<usize> = 11..15;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: Option<f64> = fields.get(TIMES)?.iter().map(|field| field.parse::<f64>().ok()).sum();
    Some(ticks? / TICKS_PER_SECOND)
}

/// The times of a run in each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds(Vec<Took>);

impl Rounds {
    pub(crate) fn push(&mut self, took: Took) {
        self.0.push(took);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Median, min and max.
    pub(crate) fn seconds(&self) -> (f64, f64, f64) {
        let sorted = sorted(self.0.iter().map(|took| took.seconds));
        (median(&sorted), sorted[0], sorted[sorted.len() - 1])
    }

    /// Median of the CPU seconds.
    pub(crate) fn cpu(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.0.iter().map(|took| took.cpu).collect();
        Some(median(&sorted(all?.into_iter())))
    }

    /// Median over the rounds of a comparison of two consecutive cases, so that other load on the
    /// machine affects both.
    pub(crate) fn compare(&self, other: &Rounds, compare: impl Fn(f64, f64) -> f64) -> f64 {
        let pairs = self.0.iter().zip(&other.0);
        median(&sorted(pairs.map(|(one, other)| compare(one.seconds, other.seconds))))
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        sorted[middle - 1..=middle].iter().sum::<f64>() / 2.0
    }
}
