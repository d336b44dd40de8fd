//! How far a command is: a bar on a terminal, a line now and then elsewhere.
//!
//! On a terminal every phase that takes longer than [`BAR_DELAY`] has a bar with rate and time left;
//! shorter ones would only flicker. Elsewhere there is at most one line in [`LINE_INTERVAL`] over
//! all phases of a run, and so none at all of a short one.

use crate::progress::{Amount, Progress, Silent, Tally};
use crate::words::grouped;
use indicatif::{
    HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};
use std::cell::RefCell;
use std::fmt;
use std::io::IsTerminal;
use std::sync::LazyLock;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal: a mail from cron is to stay short.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Before a phase gets a bar.
const BAR_DELAY: Duration = Duration::from_millis(400);

/// Between two drawings of a bar whose phase says nothing, as in one long sync: its clock goes on.
const TICK: Duration = Duration::from_millis(200);

/// All bars of this process, so that messages can be written above them.
pub(super) fn bars() -> &'static MultiProgress {
    static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
    &BARS
}

/// The progress to show: none with `-q`.
pub(super) fn progress(quiet: bool) -> Box<dyn Progress> {
    match () {
        () if quiet => Box::new(Silent),
        () if std::io::stderr().is_terminal() => Box::new(Bars::new(bars(), BAR_DELAY)),
        () => Box::new(Lines::default()),
    }
}

/// One bar at a time.
struct Bars<'a> {
    all: &'a MultiProgress,
    delay: Duration,
    shown: RefCell<Option<Bar>>,
}

/// The bar of a phase, and the thread that brings it out when the phase has taken long enough.
struct Bar {
    bar: ProgressBar,
    tally: Tally,
    /// Dropped to stop the thread.
    ended: Sender<()>,
    shower: Option<JoinHandle<()>>,
}

impl Bars<'_> {
    fn new(all: &MultiProgress, delay: Duration) -> Bars<'_> {
        Bars { all, delay, shown: RefCell::default() }
    }
}

impl Progress for Bars<'_> {
    fn begin(&self, doing: &'static str, amount: Amount) {
        self.end();
        let hidden = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(amount.steps(), hidden)
            .with_style(style(amount))
            .with_message(doing);
        let (ended, until_ended) = channel();
        let (all, delay, its_bar) = (self.all.clone(), self.delay, bar.clone());
        let show = move || {
            if until_ended.recv_timeout(delay) == Err(RecvTimeoutError::Timeout) {
                all.add(its_bar).enable_steady_tick(TICK);
            }
        };
        // Where there can be no more threads, the work goes on without a bar.
        let shower = std::thread::Builder::new().spawn(show).ok();
        self.shown.replace(Some(Bar { bar, tally: Tally::new(amount), ended, shower }));
    }

    fn advance(&self, steps: u64) {
        if let Some(Bar { bar, tally, .. }) = &mut *self.shown.borrow_mut() {
            tally.advance(steps);
            bar.set_position(tally.done());
        }
    }

    fn end(&self) {
        if let Some(Bar { bar, ended, shower, .. }) = self.shown.take() {
            drop(ended);
            // Not before it is known whether the bar was brought out.
            let _ = shower.map(JoinHandle::join);
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

impl Drop for Bars<'_> {
    /// After an error: its words are not to stand beside a bar that goes on.
    fn drop(&mut self) {
        self.end();
    }
}

/// `packing ████░░░  1.2 GB/2.9 GB  310 MB/s   6s left`
fn style(amount: Amount) -> ProgressStyle {
    let template = match amount {
        Amount::Unknown => "{msg} {spinner} {elapsed}".to_owned(),
        Amount::Bytes(_) => "{msg} {wide_bar} {decimal_bytes:>9}/{decimal_total_bytes}  \
             {decimal_bytes_per_sec:>11}  {left:>10}"
            .to_owned(),
        Amount::Games(steps) | Amount::Rows(steps) => {
            let noun = if matches!(amount, Amount::Games(_)) { "games" } else { "rows" };
            // Numbers as wide as they will become, so that nothing moves with every new digit.
            let width = grouped(steps).len();
            format!(
                "{{msg}} {{wide_bar}} {{human_pos:>{width}}}/{{human_len}} {noun}  {{rate:>9}}  \
                 {{left:>10}}"
            )
        }
    };
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{}/s", grouped(state.per_sec().round() as u64));
        })
        .with_key("left", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // Of what has not come anywhere yet nobody knows how long it will take, only how long it
            // has: the first file to be synced may have gigabytes.
            let _ = match state.pos() {
                0 => write!(out, "{:#} so far", HumanDuration(state.elapsed())),
                _ => write!(out, "{:#} left", HumanDuration(state.eta())),
            };
        })
}

/// Lines at their times.
#[derive(Default)]
struct Lines {
    state: RefCell<LinesState>,
}

#[derive(Default)]
struct LinesState {
    phase: Option<LinesPhase>,
    /// Of the last line, or of the run's begin.
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

    /// A line, if it is time for one.
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
        let done = self.tally.done();
        let seconds = spent.as_secs_f64().max(1e-9);
        let megabytes = |bytes: f64| grouped((bytes / 1e6) as u64);
        let (amounts, rate) = match self.tally.amount() {
            Amount::Unknown => return format!("{}: {:.0} s so far", self.doing, seconds),
            Amount::Bytes(all) => (
                format!("{} of {} MB", megabytes(done as f64), megabytes(all as f64)),
                format!("{} MB a second", megabytes(done as f64 / seconds)),
            ),
            Amount::Games(all) | Amount::Rows(all) => {
                let noun = match self.tally.amount() {
                    Amount::Games(_) => "games",
                    _ => "rows",
                };
                (
                    format!("{} of {} {noun}", grouped(done), grouped(all)),
                    format!("{} a second", grouped((done as f64 / seconds) as u64)),
                )
            }
        };
        let percent = self.tally.percent().unwrap_or(0);
        let left = self.tally.left(spent).map_or(String::new(), |left| {
            format!(", {} s left", grouped(left.as_secs_f64().ceil() as u64))
        });
        format!("{}: {amounts}, {percent} %, {rate}{left}", self.doing)
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
mod tests;
