//! The promises: never over 100 %, at most a line in ten seconds, nothing about what is short.

use super::*;
use indicatif::TermLike;
use std::io;
use std::sync::{Arc, Mutex};

#[test]
fn lines_are_ten_seconds_apart_over_all_phases_and_never_say_too_much() {
    let start = Instant::now();
    let mut lines = LinesState::default();
    let mut written: Vec<(Duration, String)> = Vec::new();
    let mut now = start;
    for phase in 0..60_u64 {
        // From some hundred milliseconds to half a minute; every third gets more done than it said.
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
    let mut last = Duration::ZERO;
    for (at, line) in &written {
        assert!(*at - last >= Duration::from_secs(10), "{line} at {at:?}, after {last:?}");
        last = *at;
        let number = |word: &str| word.replace(',', "").parse::<u64>().unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(number(words[1]) <= number(words[3]), "{line}");
        let percent = words.iter().position(|&word| word == "%,").unwrap() - 1;
        assert!(number(words[percent]) <= 100, "{line}");
    }
    assert!(last < now - start && now - start < last + Duration::from_secs(60), "lines go on");
}

#[test]
fn a_run_of_less_than_ten_seconds_has_no_line() {
    let start = Instant::now();
    let mut lines = LinesState::default();
    for phase in 0..9 {
        let now = start + Duration::from_secs(phase);
        lines.begin("syncing", Amount::Bytes(5), now);
        assert_eq!(lines.advance(5, now + Duration::from_millis(990)), None);
    }
}

#[test]
fn a_line_says_how_much_how_fast_and_how_long_yet() {
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

/// A terminal of 80 columns that keeps all that was ever written to it.
#[derive(Clone, Debug, Default)]
struct Screen(Arc<Mutex<String>>);

impl Screen {
    fn put(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }

    fn bars(&self) -> (MultiProgress, Screen) {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(self.clone()), 200);
        (MultiProgress::with_draw_target(target), self.clone())
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        80
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, line: &str) -> io::Result<()> {
        self.put(line)?;
        self.put("\n")
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text)
    }
    fn clear_line(&self) -> io::Result<()> {
        self.put("\n")
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until something stands there, for ten seconds at most.
fn wait_for(screen: &Screen, text: &str) {
    let begun = Instant::now();
    while !screen.0.lock().unwrap().contains(text) {
        let seen = || screen.0.lock().unwrap().clone();
        assert!(begun.elapsed() < Duration::from_secs(10), "no {text:?} in {:?}", seen());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_bar_comes_out_by_itself_and_never_goes_past_its_end() {
    let (all, screen) = Screen::default().bars();
    let bars = Bars::new(&all, Duration::from_millis(1));
    bars.begin("encoding", Amount::Games(1_000));
    bars.advance(700);
    wait_for(&screen, "  700/1,000 games");
    for _ in 0..50 {
        bars.advance(700);
    }
    wait_for(&screen, "1,000/1,000 games");
    // One call that says nothing on its way, and bytes.
    bars.begin("committing", Amount::Unknown);
    wait_for(&screen, "committing");
    bars.end();
    bars.begin("syncing", Amount::Bytes(5_000_000));
    bars.advance(2_000_000);
    wait_for(&screen, "2.00 MB/5.00 MB");
    bars.advance(9_000_000);
    wait_for(&screen, "5.00 MB/5.00 MB");
    drop(bars);
    let seen = screen.0.lock().unwrap().clone();
    for line in seen.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        if let Some((done, _)) = line.split_once("/1,000 games") {
            let done = done.rsplit(' ').next().unwrap().replace(',', "");
            assert!(done.parse::<u64>().unwrap() <= 1_000, "{line}");
        }
        assert!(!line.contains("syncing") || !line.contains("11.00 MB"), "{line}");
    }
}

#[test]
fn a_phase_that_is_over_at_once_shows_no_bar() {
    let (all, screen) = Screen::default().bars();
    let bars = Bars::new(&all, Duration::from_secs(60));
    for _ in 0..20 {
        bars.begin("committing", Amount::Unknown);
        bars.begin("syncing", Amount::Bytes(5));
        bars.advance(5);
        bars.end();
    }
    drop(bars);
    assert!(!screen.0.lock().unwrap().contains("ing"), "{screen:?}");
}
