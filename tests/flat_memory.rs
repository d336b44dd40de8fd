//! Memory stays flat however many games there are: the program's own report of its peak, for few
//! games and for five times as many.

#![allow(clippy::unwrap_used)]

#[path = "support/cli.rs"]
mod cli;

use cli::CliTest;

/// Enough rows that an export works at all its windows at once, as with any number of games.
const FEW: u32 = 250;
const MANY: u32 = 1_250;

/// Never to be reached, whatever the number of games.
const LIMIT: f64 = 200.0;

/// Room for the list of games itself (an id, a path and a hash each) and for luck in what the
/// threads hold at one time.
fn highest_after(few: f64) -> f64 {
    few * 1.15 + 10.0
}

/// The peak in megabytes that a run with `--monitor-memory` reports at its end.
fn peak(test: &CliTest, arguments: &str) -> f64 {
    let ran = test.run(&format!("{arguments} --monitor-memory --jobs 2"));
    assert_eq!(ran.code, 0, "{ran:#?}");
    let last = ran.stderr.lines().rfind(|line| line.starts_with("memory "));
    let last = last.unwrap_or_else(|| panic!("no report: {ran:#?}"));
    let peak = last.strip_prefix("memory at the end: ").and_then(|rest| rest.split_once("peak "));
    peak.unwrap_or_else(|| panic!("{last}")).1.trim_end_matches(" MB").parse().unwrap()
}

fn peaks(games: u32) -> [(&'static str, f64); 3] {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {games}"));
    let ingest = peak(&test, "ingest raw --batch-size 50");
    let export = peak(&test, "export");
    let tables = peak(&test, "export --format parquet");
    [("ingest", ingest), ("export", export), ("export of tables", tables)]
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_flat_however_many_games_there_are() {
    for ((command, few), (_, many)) in peaks(FEW).into_iter().zip(peaks(MANY)) {
        eprintln!("{command}: {few} MB for {FEW} games, {many} MB for {MANY}");
        assert!(few > 1.0 && many < LIMIT, "{command}: {few} MB, then {many} MB");
        assert!(many <= highest_after(few), "{command}: {few} MB, then {many} MB");
    }
}
