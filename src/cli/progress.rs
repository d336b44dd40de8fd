//! How far a command is: a bar on a terminal, a line now and then elsewhere.

use super::words::grouped;
use crate::progress::{Progress, Silent};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use std::cell::RefCell;
use std::fmt;
use std::io::IsTerminal;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal: a mail from cron is to stay short.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// All bars of this process, so that messages can be written above them.
pub(super) fn bars() -> &'static MultiProgress {
    static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
    &BARS
}

/// The progress to show: none with `-q`.
pub(super) fn progress(quiet: bool) -> Box<dyn Progress> {
    match () {
        () if quiet => Box::new(Silent),
        () if std::io::stderr().is_terminal() => Box::new(Bar::default()),
        () => Box::new(Lines::default()),
    }
}

#[derive(Default)]
struct Bar {
    bar: RefCell<Option<ProgressBar>>,
}

impl Progress for Bar {
    fn begin(&self, phase: &'static str, steps: u64) {
        // Numbers as wide as they will become, so that nothing moves with every new digit.
        let width = grouped(steps).len();
        let style = ProgressStyle::with_template(&format!(
            "{{msg}} {{wide_bar}} {{human_pos:>{width}}}/{{human_len}}  {{rate:>9}}  {{eta:>3}} left"
        ))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{}/s", grouped(state.per_sec().round() as u64));
        });
        let bar = bars().add(ProgressBar::new(steps)).with_style(style).with_message(phase);
        self.bar.replace(Some(bar));
    }

    fn advance(&self, steps: u64) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.inc(steps);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[derive(Default)]
struct Lines {
    phase: RefCell<Option<Phase>>,
}

struct Phase {
    name: &'static str,
    steps: u64,
    done: u64,
    begun: Instant,
    last_line: Instant,
}

impl Progress for Lines {
    fn begin(&self, name: &'static str, steps: u64) {
        let now = Instant::now();
        self.phase.replace(Some(Phase { name, steps, done: 0, begun: now, last_line: now }));
    }

    fn advance(&self, steps: u64) {
        let mut phase = self.phase.borrow_mut();
        let Some(phase) = &mut *phase else { return };
        phase.done += steps;
        if phase.last_line.elapsed() >= LINE_INTERVAL {
            phase.last_line = Instant::now();
            let rate = phase.done as f64 / phase.begun.elapsed().as_secs_f64();
            let (done, steps) = (grouped(phase.done), grouped(phase.steps));
            tracing::info!("{}: {done} of {steps}, {rate:.0} a second", phase.name);
        }
    }

    fn end(&self) {
        self.phase.take();
    }
}
