//! Memory does not grow with the number of games: compares the reported peaks for few games and for
//! several times as many.

#![allow(clippy::unwrap_used)]

use crate::support::cli::CliTest;
use splendor_prep::gamelog::{Dialect, GameId, write_log};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;

/// Enough rows that an export uses all its buffers, as with any larger number of games.
const FEW: u32 = 250;
const MANY: u32 = 750;

/// Limit for any number of games.
const LIMIT: f64 = 200.0;

/// Tolerance for longer games, which are more likely in the larger run, and for decoded games that wait
/// for a slow disk: up to 16 of about a megabyte each.
fn highest_after(few: f64) -> f64 {
    few * 1.15 + 20.0
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
    let tables = peak(&test, "export --format parquet --features base");
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

/// Games with a few turns, so that there can be many: more rows than an export processes at a time, and
/// 12,000 more games.
const TURNS: usize = 4;
const FEW_SHORT: usize = 4_000;
const MANY_SHORT: usize = 16_000;

/// Tolerance in megabytes for the many short games: about a kilobyte for each additional game.
const MORE_FOR_MANY: f64 = 15.0;

/// Cuts games into pieces and writes each piece as a game.
fn write_short_games(test: &CliTest, games: usize) {
    let (mut game_id, mut log) = (0, Vec::new());
    for turns in (0..).map(|seed| simulate_game(PlayerCount::Three, seed)) {
        for piece in turns.chunks_exact(TURNS) {
            if game_id as usize == games {
                return;
            }
            game_id += 1;
            log.clear();
            write_log(&mut log, GameId(game_id), piece, Dialect::Nan).unwrap();
            test.write(format!("raw/3_games/{game_id}.csv"), &log);
        }
    }
}

/// A run keeps the path and the record of every game in memory; this test detects if it keeps much more.
#[test]
#[cfg(target_os = "linux")]
fn little_is_kept_of_each_game() {
    let peaks = |games| {
        let test = CliTest::new();
        write_short_games(&test, games);
        ["ingest raw", "ingest raw", "ingest raw --dry-run", "export"]
            .map(|command| (command, peak(&test, command)))
    };
    for ((command, few), (_, many)) in peaks(FEW_SHORT).into_iter().zip(peaks(MANY_SHORT)) {
        eprintln!("{command}: {few} MB for {FEW_SHORT} short games, {many} MB for {MANY_SHORT}");
        assert!(many <= few + MORE_FOR_MANY, "{command}: {few} MB, then {many} MB");
    }
}
