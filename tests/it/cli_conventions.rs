//! Behavior in a shell and in a nightly job: exit codes, output streams, locks, signals, and files of
//! other programs.

#![allow(clippy::unwrap_used)]

use crate::support::cached::{execute, games_so_far};
use crate::support::cli::{CliTest, Ran};
use crate::support::preloaded;
use rusqlite::Connection;
use splendor_prep::cache::WriterLock;
use splendor_prep::encode::ENCODER_VERSION;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn cache(test: &CliTest) -> PathBuf {
    test.path("data/intermediate/prep.sqlite")
}

#[test]
fn version() {
    let test = CliTest::new();
    let sqlite: String = Connection::open_in_memory()
        .unwrap()
        .query_row("SELECT sqlite_version()", [], |row| row.get(0))
        .unwrap();
    let version = format!(
        "prep {} (encoder {ENCODER_VERSION}, SQLite {sqlite})\n",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(test.prep("--version"), version);
    assert!(test.prep("--help").contains("Exit codes: 0 done, 1 failed, 2 usage"));
}

#[test]
fn stdout_and_stderr() {
    let test = CliTest::simulated(3);
    test.write("raw/all_games.csv", "");
    let ran = test.run("ingest raw --monitor-memory");
    assert!(ran.stdout.starts_with("3 games encoded (3 new; "), "{ran:#?}");
    assert_eq!(ran.stdout.lines().count(), 2, "{ran:#?}");
    assert!(ran.stderr.contains("all_games.csv is skipped"), "{ran:#?}");
    assert!(ran.stderr.contains("memory at the start: "), "{ran:#?}");
    assert!(ran.stderr.contains("memory at the end: "), "{ran:#?}");

    let ran = test.run("ingest missing");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with("error: there is no folder missing"), "{ran:#?}");
}

#[test]
fn quiet() {
    let test = CliTest::simulated(3);
    test.write("raw/all_games.csv", "");
    for arguments in
        ["simulate more --games 3 -q", "ingest raw -q --monitor-memory", "-q ingest raw"]
    {
        let ran = test.run(arguments);
        let silent = (0, "", "");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), silent, "{arguments}");
    }
    test.write("raw/4.csv", "");
    let ran = test.run("ingest raw -q");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    test.write("raw/4.csv", "game\n");
    let ran = test.run("ingest raw -q");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("error: 4.csv:1: "), "{ran:#?}");
    let ran = test.run("export -q --split 1,0,0");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(
        ran.stderr.starts_with("warning: 1 game is excluded, because its log is refused: 4\n"),
        "{ran:#?}"
    );
}

#[test]
fn no_colors_in_pipes() {
    let test = CliTest::simulated(3);
    test.write("raw/4.csv", "");
    for arguments in [
        "ingest raw",
        "ingest raw -v",
        "status raw",
        "export",
        "ingest missing",
        "injest",
        "--help",
    ] {
        for no_color in [None, Some("1")] {
            let mut command = test.command(arguments);
            command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
            if let Some(value) = no_color {
                command.env("NO_COLOR", value);
            }
            let ran = Ran::from(command.output().unwrap());
            let all = ran.stdout + &ran.stderr;
            assert!(!all.is_empty() && !all.contains(['\x1b', '\r']), "{arguments}: {all:?}");
        }
    }
}

#[test]
fn variables() {
    let test = CliTest::simulated(3);
    let run = |arguments: &str, variables: &[(&str, &str)]| {
        Ran::from(test.command(arguments).envs(variables.iter().copied()).output().unwrap())
    };
    let ran = run("ingest", &[("PREP_DATA_ROOT", "raw"), ("PREP_CACHE", "a.sqlite")]);
    assert!(ran.code == 0 && test.path("a.sqlite").exists(), "{ran:#?}");
    let ran =
        run("ingest raw --cache b.sqlite", &[("PREP_DATA_ROOT", "no"), ("PREP_CACHE", "c.sqlite")]);
    assert!(ran.code == 0 && test.path("b.sqlite").exists(), "{ran:#?}");
    assert!(!test.path("c.sqlite").exists());
    for (value, is_on) in [("1", true), ("true", true), ("yes", true), ("0", false), ("off", false)]
    {
        let ran = run("ingest raw", &[("PREP_MONITOR_MEMORY", value), ("PREP_REPAIR", value)]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        assert_eq!(ran.stderr.contains("memory at the end"), is_on, "{value}: {ran:#?}");
    }
    assert_eq!(run("ingest raw", &[("PREP_REPAIR", "perhaps")]).code, 2);
}

#[test]
fn closed_pipes() {
    let test = CliTest::simulated(3);
    let mut child = test.command("schema").spawn().unwrap();
    let mut line = String::new();
    // A pipe holds 64 KiB and the list is twice as long, so the program is still writing.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("   0  "), "{line}");
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));

    // A closed stderr does not stop the work.
    let mut child = test.command("ingest raw --monitor-memory").spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(games_so_far(&cache(&test)), 3);
}

#[test]
fn second_writer() {
    let test = CliTest::simulated(3);
    let held = WriterLock::acquire(&cache(&test), Duration::ZERO).unwrap();
    let ran = test.run("ingest raw");
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{ran:#?}");
    let said = format!("error: another run (process {}) holds the cache ", std::process::id());
    assert!(ran.stderr.starts_with(&said) && ran.stderr.contains("--wait"), "{ran:#?}");
    assert!(!cache(&test).exists(), "the holder may be about to create it");

    // Readers do not wait.
    assert_eq!(test.run("status raw").code, 1);
    assert_eq!(test.run("ingest raw --dry-run").code, 0);

    let begun = Instant::now();
    assert_eq!(test.run("ingest raw --wait 1").code, 4);
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    drop(held);
    test.prep("ingest raw");
}

#[test]
fn simulate_overwrites_nothing() {
    let test = CliTest::new();
    test.write("raw/3_games/2.csv", "somebody's game");
    let ran = test.run("simulate raw --games 3");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("raw/3_games/2.csv exists and is not"), "{ran:#?}");
    assert!(ran.stderr.contains("--first-id"), "{ran:#?}");
    assert_eq!(test.read("raw/3_games/2.csv"), b"somebody's game");
}

/// Runs commands on a file that is not a cache; they must not change it.
fn assert_left_alone(test: &CliTest, file: &str) {
    let before = test.files(".");
    for arguments in ["ingest raw", "ingest raw --dry-run", "export", "status raw"] {
        let ran = test.run(&format!("{arguments} --cache {file}"));
        assert_eq!(ran.code, 1, "{arguments}: {ran:#?}");
        let said = match test.path(file).is_dir() {
            true => format!("error: {file} is a folder: give the cache file in it"),
            false => format!("error: {file} is not a prep cache"),
        };
        assert!(ran.stderr.starts_with(&said), "{arguments}: {ran:#?}");
        let changed: Vec<_> =
            test.files(".").into_keys().filter(|name| !before.contains_key(name)).collect();
        assert!(test.files(".") == before, "{arguments} changed something, or made {changed:?}");
    }
}

#[test]
fn wrong_cache_file() {
    let test = CliTest::simulated(3);
    test.write("notes.txt", "Milk, eggs, and do not forget the cache.\n".repeat(200));
    test.write("short.txt", "x");
    test.write("cut.sqlite", "SQLite format 3\0");
    assert_left_alone(&test, "notes.txt");
    assert_left_alone(&test, "short.txt");
    assert_left_alone(&test, "cut.sqlite");
    assert_left_alone(&test, "raw");

    for (file, journal) in [("other.sqlite", "delete"), ("other_wal.sqlite", "wal")] {
        let other = Connection::open(test.path(file)).unwrap();
        other.pragma_update(None, "journal_mode", journal).unwrap();
        other.execute_batch("CREATE TABLE games (mine)").unwrap();
        drop(other);
        assert_left_alone(&test, file);
    }

    test.prep("ingest raw --cache newer.sqlite");
    execute(&test.path("newer.sqlite"), "PRAGMA user_version = 99");
    let before = test.files(".");
    for arguments in ["ingest raw", "status raw", "export"] {
        let ran = test.run(&format!("{arguments} --cache newer.sqlite"));
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.stderr.contains("has schema version 99"), "{ran:#?}");
    }
    assert!(test.files(".") == before);
}

/// Enough games to stop a single-threaded run in the middle.
const MANY: u32 = 240;
const BATCH: u32 = 20;
const SLOW_INGEST: &str = "ingest raw --jobs 1 --batch-size 20";

/// Many games in `raw`, and the export of an undisturbed run in `undisturbed`.
fn many_games() -> CliTest {
    let test = CliTest::simulated(MANY as usize);
    test.prep("ingest raw --cache undisturbed.sqlite");
    test.prep("export --cache undisturbed.sqlite --out undisturbed --features base");
    test
}

fn assert_completes_to_the_same_export(test: &CliTest, games_before: u32) {
    let stdout = test.prep(SLOW_INGEST);
    let begins = format!("{0} games encoded ({0} new; ", MANY - games_before);
    assert!(stdout.starts_with(&begins), "{begins}: {stdout}");
    assert!(stdout.contains(&format!(", {games_before} up to date, ")), "{stdout}");
    test.prep("export --out disturbed --features base");
    assert!(test.files("disturbed") == test.files("undisturbed"), "the exports differ");
}

/// Waits until the cache holds `games` games, and sends a signal to the run that writes it.
fn signal_after(child: &Child, signal: &str, cache: &Path, games: u32) {
    let begun = Instant::now();
    while games_so_far(cache) < games {
        assert!(begun.elapsed() < Duration::from_secs(30), "no progress");
        std::thread::sleep(Duration::from_millis(2));
    }
    send(child, signal);
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "the run was over before the signal");
}

#[test]
fn ctrl_c() {
    let test = many_games();
    for (signal, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
        let games = games_so_far(&cache(&test)) + 1;
        let child = test.command_with_signals(SLOW_INGEST).spawn().unwrap();
        signal_after(&child, signal, &cache(&test), games);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(number), "a shell sees 128 + {number}");
        let ran = Ran::from(output);
        assert!(
            ran.stderr.contains("warning: stopping; press again to stop immediately"),
            "{ran:#?}"
        );
        assert!(
            ran.stderr.contains("warning: interrupted: the games encoded so far are kept"),
            "{ran:#?}"
        );
        let kept = games_so_far(&cache(&test));
        assert!((games..MANY).contains(&kept), "{kept} games are kept");
        assert!(ran.stdout.contains(&format!("the cache holds {kept} games")), "{kept}: {ran:#?}");
        let done = ran.stdout.lines().next().unwrap();
        assert!(done.contains(" 0 deleted, 0 refused"), "{ran:#?}");
        let looked_at = format!("{kept} logs of raw in ");
        assert!(ran.stdout.contains(&looked_at), "{looked_at}: {ran:#?}");
    }
    assert_completes_to_the_same_export(&test, games_so_far(&cache(&test)));
}

/// With and without games whose logs are deleted, for which the folder is searched again.
#[test]
fn ctrl_c_while_the_folder_is_searched() {
    let test = CliTest::simulated(2);
    test.prep("ingest raw --cache c.sqlite");
    for folder in 0..20 {
        fs::create_dir(test.path(format!("raw/{folder}"))).unwrap();
    }
    let library = preloaded::compile("signal_while_searching");
    let stopped = |command: &str, at: usize| {
        let mut command = test.command(&format!("{command} --cache c.sqlite"));
        command.env("LD_PRELOAD", &library).env("SIGNAL_AT_FOLDER", at.to_string());
        let output = command.output().unwrap();
        assert_eq!(output.status.signal(), Some(2), "{output:?}");
        Ran::from(output)
    };
    for command in ["ingest raw", "verify raw"] {
        let ran = stopped(command, 5);
        assert!(ran.stderr.contains("interrupted: nothing was changed"), "{ran:#?}");
    }
    // Those of the games, the others, and the one that they are in.
    const FOLDERS: usize = 2 + 20 + 1;
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    let ran = stopped("ingest raw --allow-delete", FOLDERS + 5);
    assert!(ran.stderr.contains("interrupted: nothing was changed"), "{ran:#?}");
    assert_eq!(games_so_far(&test.path("c.sqlite")), 2, "no game is deleted");
}

#[test]
fn killed_ingest() {
    let test = many_games();
    let mut kept = 0;
    for games in [0, 1, 60, 120, 160] {
        let mut child =
            test.command(SLOW_INGEST).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        signal_after(&child, "-KILL", &cache(&test), games);
        assert!(!child.wait().unwrap().success());
        let now = games_so_far(&cache(&test));
        assert!(now >= kept.max(games) && now < MANY, "{kept} games, then {now}");
        assert_eq!(now % BATCH, 0, "{now} games are no whole batches");
        kept = now;
    }
    assert_completes_to_the_same_export(&test, kept);
}

#[test]
fn verbose_phases() {
    let test = CliTest::simulated(3);
    let phases = |arguments: &str, names: &[&str]| {
        let ran = test.run(arguments);
        assert_eq!(ran.code, 0, "{ran:#?}");
        for name in names {
            let line = ran.stderr.lines().find(|line| line.trim_start().starts_with(name));
            let line = line.unwrap_or_else(|| panic!("{name}: {}", ran.stderr));
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, seconds, "s", rate, unit] = words[..] else { panic!("{line}") };
            assert!(
                seconds.parse::<f64>().is_ok() && rate.replace(',', "").parse::<u64>().is_ok(),
                "{line}"
            );
            assert!(["MB/s", "rows/s"].contains(&unit), "{line}");
        }
        assert!(ran.stderr.contains(" s elapsed; "), "{}", ran.stderr);
    };
    phases("ingest raw -v", &["hash", "read", "encode", "compress", "store"]);
    phases("ingest raw -v", &["hash", "check"]);
    phases("export -v", &["decode", "normalize", "write", "sync"]);
    assert!(!test.run("ingest raw").stderr.contains("s elapsed"));
}
