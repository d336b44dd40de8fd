//! How far a command is: a bar on a terminal, a line now and then elsewhere.
//!
//! On a terminal every phase that takes longer than [`BAR_DELAY`] has a bar with rate and time left;
//! shorter ones would only flicker. Elsewhere there is at most one line in [`LINE_INTERVAL`] over
//! all phases of a run, and so none at all of a short one.

use crate::progress::{Amount, Progress, Silent, Tally};
use crate::words::{bytes_in_words, grouped};
use console::Term;
use indicatif::{
    HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
    TermLike,
};
use std::cell::RefCell;
use std::fmt;
use std::io::{self, IsTerminal};
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

/// Drawings of a bar in a second, at most.
const DRAWINGS: u8 = 20;

/// A bar that still shows something; where there is no room for it, numbers are left out.
const SHORTEST_BAR: usize = 8;

/// All bars of this process, so that messages can be written above them.
pub(super) fn bars() -> &'static MultiProgress {
    static BARS: LazyLock<MultiProgress> = LazyLock::new(|| {
        let target = match ProgressDrawTarget::stderr().is_hidden() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::term_like_with_hz(Box::new(Screen::stderr()), DRAWINGS),
        };
        MultiProgress::with_draw_target(target)
    });
    &BARS
}

/// The progress to show: none with `-q`.
pub(super) fn progress(quiet: bool) -> Box<dyn Progress> {
    match () {
        () if quiet => Box::new(Silent),
        () if std::io::stderr().is_terminal() => {
            Box::new(Bars::new(bars(), BAR_DELAY, || Screen::stderr().width().into()))
        }
        () => Box::new(Lines::default()),
    }
}

/// One bar at a time.
struct Bars<'a> {
    all: &'a MultiProgress,
    delay: Duration,
    /// Columns for a bar, now: a window can be made smaller while one is drawn.
    width: fn() -> usize,
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
    fn new(all: &MultiProgress, delay: Duration, width: fn() -> usize) -> Bars<'_> {
        Bars { all, delay, width, shown: RefCell::default() }
    }
}

impl Progress for Bars<'_> {
    fn begin(&self, doing: &'static str, amount: Amount) {
        self.end();
        let hidden = ProgressDrawTarget::hidden();
        let bar = ProgressBar::with_draw_target(amount.steps(), hidden)
            .with_style(style(doing, amount, self.width))
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

/// `packing ████░░░ 1.20 GB/2.90 GB   310.0 MB/s   6s left`, as far as there is room.
fn style(doing: &'static str, amount: Amount, width: fn() -> usize) -> ProgressStyle {
    let template = match amount {
        Amount::Unknown => "{msg} {spinner} {elapsed}",
        _ => "{msg} {wide_bar} {numbers}",
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("numbers", move |state: &ProgressState, out: &mut dyn fmt::Write| {
            // The blanks are those of the template.
            let room = width().saturating_sub(doing.len() + SHORTEST_BAR + 2);
            let _ = out.write_str(&numbers(state, amount, room));
        })
}

/// How much is done, how fast, and how long yet; where that is too wide, only the first of them.
fn numbers(state: &ProgressState, amount: Amount, room: usize) -> String {
    let in_words = |steps: u64| match amount {
        Amount::Bytes(_) => bytes_in_words(steps),
        _ => grouped(steps),
    };
    let noun = match amount {
        Amount::Games(_) => " games",
        Amount::Rows(_) => " rows",
        _ => "",
    };
    let all = in_words(state.len().unwrap_or(0));
    // Numbers as wide as they will become, so that nothing moves with every new digit.
    let digits = all.len();
    let done = format!("{:>digits$}/{all}{noun}", in_words(state.pos()));
    let rate = format!("{}/s", in_words(state.per_sec().round() as u64));
    // Of what has not come anywhere yet nobody knows how long it will take, only how long it has:
    // the first file to be synced may have gigabytes.
    let left = match state.pos() {
        0 => format!("{:#} so far", HumanDuration(state.elapsed())),
        _ => format!("{:#} left", HumanDuration(state.eta())),
    };
    let widest_first = [
        format!("{done}  {rate:>11}  {left:>10}"),
        format!("{done}  {left:>10}"),
        done,
        format!("{:.0} %", (100.0 * state.fraction()).floor()),
    ];
    let fits = |text: &String| text.chars().count() <= room;
    widest_first.into_iter().find(fits).unwrap_or_default()
}

/// Stderr, but a few columns less wide, so that the cursor rests before the edge: the terminal
/// itself writes `^C` there, and at the edge would write it into the next line. A bar is cleared from
/// the line of the cursor, and so would be left standing above the message.
#[derive(Debug)]
struct Screen(Term);

impl Screen {
    const ROOM_FOR_TYPED_KEYS: u16 = 3;

    fn stderr() -> Screen {
        Screen(Term::buffered_stderr())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        let (_, columns) = self.0.size();
        columns.saturating_sub(Screen::ROOM_FOR_TYPED_KEYS).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        self.0.write_line(line)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
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
