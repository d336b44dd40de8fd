//! Progress of a command: a bar on a terminal, occasional lines elsewhere.

use crate::progress::{Amount, Progress, Silent, Tally};
use crate::words::grouped;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::io::{IsTerminal, stderr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Time between two lines without a terminal, so that the output of cron jobs stays short. Counted over
/// all phases of a run, so that a short run prints none.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Time between two updates of a bar whose phase reports nothing, such as a long sync, so that its clock
/// keeps running.
const TICK: Duration = Duration::from_millis(200);

/// The bars of this process, so that messages can be written above them.
pub(super) fn bars() -> &'static MultiProgress {
    static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
    &BARS
}

/// The progress display; none with `-q`.
pub(super) fn progress(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if stderr().is_terminal() {
        Box::new(Bars::default())
    } else {
        Box::new(Lines::default())
    }
}

/// One bar at a time.
#[derive(Default)]
struct Bars {
    shown: RefCell<Option<(ProgressBar, Tally)>>,
}

impl Progress for Bars {
    fn begin(&self, doing: &'static str, amount: Amount) {
        self.end();
        let template = match amount {
            Amount::Unknown => "{msg} {spinner} {elapsed}",
            Amount::Games(_) => {
                "{msg} {wide_bar} {human_pos}/{human_len} games  {per_sec:0}  {eta} left"
            }
            Amount::Rows(_) => {
                "{msg} {wide_bar} {human_pos}/{human_len} rows  {per_sec:0}  {eta} left"
            }
            Amount::Bytes(_) => {
                "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left"
            }
        };
        let style = ProgressStyle::with_template(template);
        let bar = amount.steps().map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = bar
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_message(doing);
        let bar = bars().add(bar);
        bar.enable_steady_tick(TICK);
        self.shown.replace(Some((bar, Tally::new(amount))));
    }

    fn advance(&self, steps: u64) {
        if let Some((bar, tally)) = &mut *self.shown.borrow_mut() {
            tally.advance(steps);
            bar.set_position(tally.done());
        }
    }

    fn end(&self) {
        if let Some((bar, _)) = self.shown.take() {
            bar.finish_and_clear();
            bars().remove(&bar);
        }
    }
}

impl Drop for Bars {
    /// After an error, the bar must not stay below the message.
    fn drop(&mut self) {
        self.end();
    }
}

#[derive(Default)]
struct Lines {
    state: RefCell<LinesState>,
}

#[derive(Default)]
struct LinesState {
    phase: Option<LinesPhase>,
    /// Time of the last line, or of the start of the run.
    last_line: Option<Instant>,
}

struct LinesPhase {
    doing: &'static str,
    tally: Tally,
    begun: Instant,
}

impl LinesState {
    fn begin(&mut self, doing: &'static str, amount: Amount, now: Instant) {
        self.phase = Some(LinesPhase { doing, tally: Tally::new(amount), begun: now });
        self.last_line.get_or_insert(now);
    }

    /// Prints a line if it is due.
    fn advance(&mut self, steps: u64, now: Instant) -> Option<String> {
        let (phase, last_line) = (self.phase.as_mut()?, self.last_line.as_mut()?);
        phase.tally.advance(steps);
        if now.duration_since(*last_line) < LINE_INTERVAL {
            return None;
        }
        *last_line = now;
        Some(phase.line(now.duration_since(phase.begun)))
    }
}

impl LinesPhase {
    /// `encoding: 1,200 of 7,259 games, 16 %, 210 a second, 28 s left`
    fn line(&self, spent: Duration) -> String {
        let seconds = spent.as_secs_f64().max(1e-9);
        let (all, unit, scale) = match self.tally.amount() {
            Amount::Unknown => return format!("{}: {seconds:.0} s so far", self.doing),
            Amount::Bytes(all) => (all, " MB", 1e6),
            Amount::Games(all) => (all, " games", 1.0),
            Amount::Rows(all) => (all, " rows", 1.0),
        };
        let scaled = |number: f64| grouped((number / scale) as u64);
        let done = self.tally.done() as f64;
        let rate_unit = if scale > 1.0 { unit } else { "" };
        let percent = self.tally.percent().unwrap_or(0);
        let left = self.tally.left(spent).map_or(String::new(), |left| {
            format!(", {} s left", grouped(left.as_secs_f64().ceil() as u64))
        });
        format!(
            "{}: {} of {}{unit}, {percent} %, {}{rate_unit} a second{left}",
            self.doing,
            scaled(done),
            scaled(all as f64),
            scaled(done / seconds)
        )
    }
}

impl Progress for Lines {
    fn begin(&self, doing: &'static str, amount: Amount) {
        self.state.borrow_mut().begin(doing, amount, Instant::now());
    }

    fn advance(&self, steps: u64) {
        if let Some(line) = self.state.borrow_mut().advance(steps, Instant::now()) {
            tracing::info!("{line}");
        }
    }

    fn end(&self) {
        self.state.borrow_mut().phase = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_ten_seconds_apart() {
        let start = Instant::now();
        let mut lines = LinesState::default();
        let (mut now, mut written) = (start, Vec::new());
        for phase in 0..60_u64 {
            // Phases of 100 ms to 30 s; every third does more steps than announced.
            let steps = 1 + phase * 37 % 100;
            let too_many = if phase % 3 == 0 { steps } else { 0 };
            let step = Duration::from_millis(20 + phase * 53 % 400);
            lines.begin("encoding", Amount::Games(steps), now);
            for _ in 0..steps + too_many {
                now += step;
                if let Some(line) = lines.advance(1, now) {
                    written.push((now - start, line));
                }
            }
            lines.phase = None;
            assert_eq!(lines.advance(1, now), None, "after its end");
        }
        assert!(written.len() > 20, "{written:?}");
        let times = || written.iter().map(|(at, _)| *at);
        for (last, at) in std::iter::once(Duration::ZERO).chain(times()).zip(times()) {
            assert!(at - last >= LINE_INTERVAL, "{at:?} after {last:?}");
        }
        for (_, line) in &written {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert!(words[1].parse::<u64>().unwrap() <= words[3].parse().unwrap(), "{line}");
        }
    }

    #[test]
    fn line_texts() {
        let line = |amount, done, seconds| {
            let mut tally = Tally::new(amount);
            tally.advance(done);
            let phase = LinesPhase { doing: "encoding", tally, begun: Instant::now() };
            phase.line(Duration::from_secs(seconds))
        };
        let games = "encoding: 1,200 of 7,260 games, 16 %, 120 a second, 51 s left";
        assert_eq!(line(Amount::Games(7_260), 1_200, 10), games);
        let bytes = "encoding: 600 of 3,000 MB, 20 %, 60 MB a second, 40 s left";
        assert_eq!(line(Amount::Bytes(3_000_000_000), 600_000_000, 10), bytes);
        assert_eq!(line(Amount::Unknown, 0, 12), "encoding: 12 s so far");
        assert_eq!(line(Amount::Rows(9), 0, 10), "encoding: 0 of 9 rows, 0 %, 0 a second");
    }
}
