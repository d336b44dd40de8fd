//! The promises: never over 100 %, at most a line in ten seconds, nothing about what is short.

use super::*;
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

/// A terminal that keeps all that was ever written to it.
#[derive(Clone, Debug)]
struct Paper {
    written: Arc<Mutex<String>>,
    width: u16,
}

impl Paper {
    fn wide(width: u16) -> Paper {
        Paper { written: Arc::default(), width }
    }

    fn put(&self, text: &str) -> io::Result<()> {
        self.written.lock().unwrap().push_str(text);
        Ok(())
    }

    fn bars(&self) -> (MultiProgress, Paper) {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(self.clone()), 200);
        (MultiProgress::with_draw_target(target), self.clone())
    }
}

impl TermLike for Paper {
    fn width(&self) -> u16 {
        self.width
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
fn wait_for(screen: &Paper, text: &str) {
    let begun = Instant::now();
    while !screen.written.lock().unwrap().contains(text) {
        let seen = || screen.written.lock().unwrap().clone();
        assert!(begun.elapsed() < Duration::from_secs(10), "no {text:?} in {:?}", seen());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_bar_comes_out_by_itself_and_never_goes_past_its_end() {
    let (all, screen) = Paper::wide(80).bars();
    let bars = Bars::new(&all, Duration::from_millis(1), || 80);
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
    wait_for(&screen, "2.0 MB/5.0 MB");
    bars.advance(9_000_000);
    wait_for(&screen, "5.0 MB/5.0 MB");
    drop(bars);
    let seen = screen.written.lock().unwrap().clone();
    for line in seen.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        if let Some((done, _)) = line.split_once("/1,000 games") {
            let done = done.rsplit(' ').next().unwrap().replace(',', "");
            assert!(done.parse::<u64>().unwrap() <= 1_000, "{line}");
        }
        assert!(!line.contains("syncing") || !line.contains("11.0 MB"), "{line}");
    }
}

#[test]
fn a_phase_that_is_over_at_once_shows_no_bar() {
    let (all, screen) = Paper::wide(80).bars();
    let bars = Bars::new(&all, Duration::from_secs(60), || 80);
    for _ in 0..20 {
        bars.begin("committing", Amount::Unknown);
        bars.begin("syncing", Amount::Bytes(5));
        bars.advance(5);
        bars.end();
    }
    drop(bars);
    assert!(!screen.written.lock().unwrap().contains("ing"), "{screen:?}");
}

/// A line that does not fit is broken by the terminal, and then only its last part is cleared.
#[test]
fn a_bar_says_less_where_there_is_less_room() {
    for (width, shown, not_shown) in [
        (80, "left", "%"),
        (77, "/s", "%"),
        (52, "left", "/s"),
        (40, "2,000/7,259 games", "left"),
        (30, "27 %", "games"),
    ] {
        // The same number as a function, which is what the bar asks.
        let columns: fn() -> usize = match width {
            80 => || 80,
            77 => || 77,
            52 => || 52,
            40 => || 40,
            _ => || 30,
        };
        let (all, screen) = Paper::wide(width).bars();
        let bars = Bars::new(&all, Duration::from_millis(1), columns);
        bars.begin("ingesting", Amount::Games(7_259));
        bars.advance(2_000);
        wait_for(&screen, shown);
        drop(bars);
        let seen = screen.written.lock().unwrap().clone();
        let lines = || seen.lines().filter(|line| line.contains("ingesting"));
        assert!(lines().count() > 0);
        for line in lines() {
            // Each drawing is filled up with blanks.
            assert_eq!(line.chars().count(), usize::from(width), "{line}");
            assert!(!line.contains(not_shown), "{width}: {line}");
        }
    }
}

/// A terminal writes `^C` where the cursor is. In the next line, the bar above it would never be
/// cleared.
#[test]
fn keys_typed_beside_a_bar_stay_on_its_line() {
    let screen = Screen::stderr();
    let (_, columns) = screen.0.size();
    assert!(screen.width() + 2 < columns, "{} of {columns}", screen.width());
}
