//! Exports that are skipped if they are up to date, dated exports, and strict exports.

use super::make_older;
use crate::support::cached::execute;
use crate::support::cli::{CliTest, Ran};
use crate::support::log_text::with_one_byte_changed;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The files of a folder by inode, which differ after a file is replaced.
fn inodes(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.path(), entry.metadata().unwrap().ino())).collect()
}

/// A change after which an export must be written again.
type Change = (&'static str, fn(&CliTest), &'static str, &'static str);

/// Changes that make an export stale, with the options of the next export, and the reason that `status`
/// gives ("" if it gives none because it uses the options of the existing export).
const CHANGES: [Change; 16] = [
    (
        "a new game",
        |test| {
            test.prep("simulate raw --games 1 --first-id 31");
            test.prep("ingest raw");
        },
        "",
        "1 game is not in it yet",
    ),
    (
        "a changed log",
        |test| {
            test.write("raw/2_games/1.csv", with_one_byte_changed(&test.read("raw/2_games/1.csv")));
            test.prep("ingest raw");
        },
        "",
        "1 game is in it with different logs",
    ),
    (
        "a deleted log",
        |test| {
            fs::remove_file(test.path("raw/2_games/4.csv")).unwrap();
            test.prep("ingest raw");
        },
        "",
        "1 game is in it and no longer in the cache",
    ),
    (
        "a refused log",
        |test| {
            test.write("raw/99.csv", "game\n");
            test.run("ingest raw");
        },
        "",
        "different games are refused, or do not replay",
    ),
    (
        "an unfinished ingest",
        |test| execute(&test.cache(), "UPDATE last_ingest SET finished_at = NULL"),
        "",
        "the last ingest did not finish",
    ),
    ("another seed", |_| (), "--seed 7", ""),
    ("another type", |_| (), "--dtype float16", ""),
    ("other columns", |_| (), "--features base", ""),
    (
        "columns in another order",
        |test| {
            let mut names: Vec<String> =
                serde_json::from_slice(&test.read("out/feature_cols.json")).unwrap();
            names.reverse();
            test.write("columns.json", serde_json::to_vec(&names).unwrap());
        },
        "--columns columns.json",
        "",
    ),
    ("a condition", |_| (), "--where players=2", ""),
    ("other masks", |_| (), "--masks all-ones", ""),
    ("another scaler", |_| (), "--scaler-from other", ""),
    (
        "a missing file",
        |test| fs::remove_file(test.path("out/X_val.npy")).unwrap(),
        "",
        "X_val.npy cannot be read: ",
    ),
    (
        "a shorter file",
        |test| {
            let file = fs::File::options().write(true).open(test.path("out/X_train.npy")).unwrap();
            file.set_len(1000).unwrap();
        },
        "",
        "X_train.npy has 1,000 bytes instead of ",
    ),
    (
        "another manifest",
        |test| {
            let text = String::from_utf8(test.read("out/manifest.json")).unwrap();
            test.write("out/manifest.json", text.replacen("\"seed\": 42", "\"seed\": 43", 1));
        },
        "",
        "its manifest was changed since it was written",
    ),
    (
        "an older version",
        |test| {
            let text = String::from_utf8(test.read("out/manifest.json")).unwrap();
            test.write(
                "out/manifest.json",
                text.replacen("\"prep_version\": \"", "\"prep_version\": \"0.", 1),
            );
        },
        "",
        "it was written by prep 0.0.",
    ),
];

#[test]
fn unchanged_export_is_up_to_date() {
    let test = CliTest::ingested(12);
    test.prep("export --out out");
    let before = inodes(&test.path("out"));
    let again = test.prep("export --out out");
    assert!(again.ends_with("out is up to date; --force writes it again\n"), "{again}");
    let ran = test.run("export --out out -q");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    assert!(inodes(&test.path("out")) == before);
    let status = test.prep("status raw --export out");
    assert!(status.ends_with("\nthe export out is up to date\n"), "{status}");
}

#[test]
fn stale_export_is_written_again() {
    let test = CliTest::ingested(12);
    test.prep("export --out other --seed 3");
    for (what, change, options, why) in CHANGES {
        test.prep("export --out out");
        change(&test);
        let status = test.run("status raw --export out");
        if !why.is_empty() {
            assert_eq!(status.code, 1, "{what}: {status:#?}");
            let line = status.stdout.lines().last().unwrap();
            assert!(line.starts_with("the export out is stale: "), "{what}: {line}");
            assert!(line.contains(why), "{what}: {line}");
            let report = test.run("status raw --export out --json").json();
            assert_eq!(report["export"]["up_to_date"], false);
            assert!(report["export"]["reasons"][0].is_string(), "{report}");
        }
        let written = test.prep(&format!("export --out out {options}"));
        assert!(written.contains("\nwrote "), "{what}: {written}");
        test.prep(&format!("export --out fresh {options}"));
        assert!(test.files("out") == test.files("fresh"), "{what}");
        assert!(test.prep(&format!("export --out out {options}")).contains("up to date"), "{what}");
    }
}

#[test]
fn forced_export_is_written() {
    let test = CliTest::ingested(12);
    test.prep("export --out out");
    let (files, before) = (test.files("out"), inodes(&test.path("out")));
    let forced = test.prep("export --out out --force");
    assert!(forced.contains("\nwrote "), "{forced}");
    assert!(test.files("out") == files && inodes(&test.path("out")) != before);
    let printed = test.prep_json("export --out out --json");
    assert_eq!(printed["up_to_date"], true);
    let forced = test.prep_json("export --out out --json --force");
    assert_eq!(forced["up_to_date"], false);
    for key in ["splits", "columns", "bytes", "excluded", "last_ingest_finished"] {
        if key != "splits" {
            assert_eq!(printed[key], forced[key], "{key}");
        }
    }
    for split in ["train", "val", "test"] {
        assert_eq!(printed["splits"][split]["rows"], forced["splits"][split]["rows"]);
    }
}

/// Warnings are not repeated every night.
#[test]
fn export_that_is_up_to_date_says_nothing() {
    let test = CliTest::ingested(3);
    assert!(test.run("export --out out -q").stderr.contains("no game fell into "));
    let ran = test.run("export --out out -q");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn no_export_is_stale() {
    let test = CliTest::ingested(3);
    let status = test.exits(1, "status raw --export nowhere");
    assert!(status.stdout.ends_with("the export nowhere is stale: there is no export\n"));
}

#[test]
fn strict_export_wants_a_finished_ingest_without_refusals() {
    let test = CliTest::ingested(6);
    let log = test.read("raw/2_games/1.csv");
    // A log that is being written is not a refusal.
    test.write("raw/2_games/1.csv", &log[..1000]);
    test.prep("ingest raw");
    test.prep("export --out out --strict");
    make_older(&test.path("raw/2_games/1.csv"), Duration::from_secs(7200));
    test.exits(3, "ingest raw");
    let ran = test.exits(1, "export --out out --strict");
    assert!(ran.stderr.starts_with("error: the last ingest refused 1 log (first: 2_games/1.csv:"));
    test.write("raw/2_games/1.csv", log);
    test.prep("ingest raw");
    test.prep("export --out out --strict");
    execute(&test.cache(), "UPDATE last_ingest SET finished_at = NULL");
    let ran = test.exits(1, "export --out out --strict");
    assert!(ran.stderr.starts_with("error: the last ingest did not finish"), "{ran:#?}");
}

/// The next export does not repeat the warnings.
#[test]
fn quiet_exports_say_what_is_new() {
    let test = CliTest::ingested(6);
    test.write("raw/99.csv", "game\n");
    test.exits(3, "ingest raw");
    let export = "export --out out --split 1,0,0 -q";
    assert!(
        test.run(export)
            .stderr
            .starts_with("warning: 1 game is excluded, because its log is refused: 99\n")
    );
    for _ in 0..2 {
        let ran = test.run(&format!("{export} --force"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

fn dated(test: &CliTest) -> Vec<String> {
    let names = fs::read_dir(test.path("exports")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("20")).collect();
    names.sort();
    names
}

#[test]
fn dated_exports_are_kept() {
    let test = CliTest::ingested(9);
    let export = "export --out exports --keep 2 --split 1,0,0";
    let latest = || fs::read_link(test.path("exports/latest")).unwrap();
    test.prep(export);
    let first = dated(&test);
    assert_eq!(first.len(), 1);
    assert_eq!(latest(), Path::new(&first[0]));
    assert!(test.prep(export).contains("exports/latest is up to date"));
    assert_eq!(dated(&test), first);
    // Other folders and files are kept, whatever their names.
    fs::create_dir_all(test.path("exports/2020-01-01T000000Z")).unwrap();
    test.write("exports/2020-01-02T000000Z/notes.txt", "mine");
    test.write("exports/notes.txt", "mine");
    test.prep("export --out exports/by-hand --split 1,0,0");
    fs::rename(test.path(format!("exports/{}", first[0])), test.path("exports/2021-01-01T000000Z"))
        .unwrap();
    test.write("exports/2021-01-01T000000Z/notes.txt", "mine");
    symlink("by-hand", test.path("exports/2022-01-01T000000Z")).unwrap();
    for round in 0..4 {
        test.prep(&format!("{export} --seed {round}"));
        assert!(test.path("exports").join(latest()).join("manifest.json").is_file());
    }
    let names = dated(&test);
    let others: Vec<&str> = names.iter().map(String::as_str).take(4).collect();
    let years = ["2020-01-01", "2020-01-02", "2021-01-01", "2022-01-01"];
    assert!(others.iter().zip(years).all(|(name, year)| name.starts_with(year)), "{names:?}");
    assert_eq!(names.len(), 4 + 2, "{names:?}");
    assert!(test.path("exports/by-hand/manifest.json").is_file());
    assert_eq!(test.prep("status raw --export exports/latest").lines().count(), 2);
    test.prep("export --out exports --keep 1 --split 1,0,0 --seed 3");
    assert_eq!(dated(&test).len(), 4 + 1);
    assert_eq!(latest(), Path::new(&dated(&test)[4]));
    // Somebody's notes, though hidden.
    test.write(Path::new("exports").join(latest()).join(".notes"), "mine");
    test.prep("export --out exports --keep 1 --split 1,0,0 --seed 4");
    assert_eq!(dated(&test).len(), 4 + 2);
}

#[test]
fn dated_exports_at_once() {
    let test = CliTest::ingested(9);
    for (keep, exports) in [(7, 4), (1, 1)] {
        let out = format!("exports{keep}");
        let export = |seed| {
            let options = format!("--features base --split 1,0,0 --seed {seed}");
            test.command(&format!("export -q --out {out} --keep {keep} {options}")).spawn().unwrap()
        };
        let runs: Vec<_> = (0..4).map(export).collect();
        for run in runs {
            let ran = Ran::from(run.wait_with_output().unwrap());
            assert_eq!(ran.code, 0, "{ran:#?}");
        }
        let is_export = |name: &&PathBuf| name.ends_with("manifest.json");
        let files = test.files(&out);
        // Below its own name, and as the latest.
        assert_eq!(files.keys().filter(is_export).count(), exports + 1, "{:?}", files.keys());
    }
}

#[test]
fn status_counts_games_that_are_not_selected() {
    let test = CliTest::ingested(9);
    test.prep("export --out out --split 1,0,0 --where game_id<90");
    test.prep("simulate raw --games 1 --first-id 99");
    test.prep("ingest raw");
    let status = test.run("status raw --export out");
    assert_eq!(status.code, 1);
    let why = "is stale: 1 game not selected by --where, 0 when it was written\n";
    assert!(status.stdout.ends_with(why), "{status:#?}");
}

#[test]
fn dated_exports_want_a_folder_of_their_own() {
    let test = CliTest::ingested(3);
    test.prep("export --out out --split 1,0,0");
    let ran = test.run("export --out out --keep 2");
    assert!(ran.code == 1 && ran.stderr.contains("out is an export, and --keep"), "{ran:#?}");
    fs::create_dir_all(test.path("exports/latest")).unwrap();
    let ran = test.run("export --out exports --keep 2");
    assert!(ran.code == 1 && ran.stderr.contains("exports/latest is not a link"), "{ran:#?}");
    test.exits(2, "export --out exports --keep 0");
}

/// Each metric family has HELP and TYPE exactly once, before its samples, and every value is a number.
fn metrics(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let (mut family, mut families) = (String::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap().to_owned();
            assert!(!families.contains(&family), "{family} twice");
            families.push(family.clone());
            assert_eq!(lines.next(), Some(format!("# TYPE {family} gauge").as_str()));
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert_eq!(name.split('{').next(), Some(family.as_str()), "{line}");
        assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} twice");
    }
    assert!(text.ends_with('\n'));
    samples
}

#[test]
fn metrics_of_runs() {
    let test = CliTest::new();
    test.prep("simulate raw --games 9");
    let read = |file: &str| metrics(&String::from_utf8(test.read(file)).unwrap());
    let in_time = "prep_ingest_last_success_timestamp_seconds";
    // A run that fails before any success.
    test.exits(1, "ingest missing --metrics m/prep.prom");
    let failed = read("m/prep.prom");
    assert_eq!((failed[in_time], failed["prep_ingest_exit_code"]), (0.0, 1.0));

    test.prep("ingest raw --metrics m/prep.prom");
    let done = read("m/prep.prom");
    assert_eq!(done["prep_ingest_games{reason=\"new\"}"], 9.0);
    assert_eq!(done["prep_ingest_games{reason=\"refused\"}"], 0.0);
    assert_eq!(done["prep_ingest_encoded_rows"], done["prep_ingest_cache_rows"]);
    let bytes: usize = test.files("raw").values().map(Vec::len).sum();
    assert_eq!(done["prep_ingest_log_bytes"], bytes as f64);
    assert!(done[in_time] > 1.7e9, "{done:?}");

    // The file can be shared, and a failure keeps the time of the last success.
    test.prep("export --out out --metrics m/prep.prom");
    let both = read("m/prep.prom");
    assert!(done.iter().all(|(name, value)| both[name] == *value));
    let rows = ["train", "val", "test"]
        .map(|split| both[&format!("prep_export_rows{{split=\"{split}\"}}")]);
    assert_eq!(rows.iter().sum::<f64>(), done["prep_ingest_cache_rows"]);
    assert_eq!(both["prep_export_written"], 1.0);
    let size: u64 = test
        .files("out")
        .iter()
        .filter(|(name, _)| name.as_os_str() != "manifest.json")
        .map(|(_, bytes)| bytes.len() as u64)
        .sum();
    assert_eq!(both["prep_export_bytes"], size as f64);
    test.write("raw/99.csv", "game\n");
    test.exits(3, "ingest raw --metrics m/prep.prom");
    let refused = read("m/prep.prom");
    assert_eq!(refused["prep_ingest_exit_code"], 3.0);
    assert_eq!(refused["prep_ingest_games{reason=\"refused\"}"], 1.0);
    assert_eq!(refused[in_time], done[in_time]);
    assert_eq!(fs::read_dir(test.path("m")).unwrap().count(), 1, "nothing else is left");

    // A command waits while the other one writes the file, and keeps its metrics.
    let folder = fs::File::open(test.path("m")).unwrap();
    folder.lock().unwrap();
    let mut export = test.command("export -q --out new --metrics m/prep.prom").spawn().unwrap();
    while !test.path("new").exists() {
        assert_eq!(export.try_wait().unwrap(), None);
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(export.try_wait().unwrap(), None);
    let text = String::from_utf8(test.read("m/prep.prom")).unwrap();
    let exit_code = "\nprep_ingest_exit_code ";
    assert!(text.contains(&format!("{exit_code}3\n")));
    test.write("m/prep.prom", text.replace(&format!("{exit_code}3\n"), &format!("{exit_code}4\n")));
    drop(folder);
    let ran = Ran::from(export.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(read("m/prep.prom")["prep_ingest_exit_code"], 4.0);

    // Other files are not replaced.
    test.write("notes.txt", "mine");
    let ran = test.run("ingest raw --metrics notes.txt");
    assert!(ran.code == 1 && ran.stderr.contains("is not a prep metrics file"), "{ran:#?}");
    assert_eq!(test.read("notes.txt"), b"mine");
}

#[test]
fn errors_are_json_where_results_are() {
    let test = CliTest::ingested(3);
    test.write("broken.sqlite", "no database at all, but some text");
    test.write("bad.yaml", "seed: many\n");
    for (arguments, kind, code) in [
        ("ingest missing --json", "no_folder", 1),
        ("ingest data --json", "no_logs", 1),
        ("export --json --cache missing.sqlite", "cache", 1),
        ("export --json --scaler-from missing", "scaler", 1),
        ("export --json --seed many", "usage", 2),
        ("export --json --dtype int8", "usage", 2),
        ("export --json --out raw", "output_folder", 1),
        ("status missing --json", "no_folder", 1),
        ("verify --json --cache missing.sqlite", "cache", 1),
        ("inspect 99 --json", "failed", 1),
        ("report --json --cache missing.sqlite", "cache", 1),
        ("diff --json missing data", "failed", 1),
        ("schema --json nothing_like_it", "failed", 1),
        ("status --json --config bad.yaml", "settings", 1),
    ] {
        let ran = test.exits(code, arguments);
        let error = &ran.json()["error"];
        assert_eq!((&error["kind"], &error["exit_code"]), (&kind.into(), &code.into()), "{ran:#?}");
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty() && ran.stderr.contains(message), "{ran:#?}");
    }
    assert!(test.prep("export --help --json").starts_with("Write train"), "help is no error");
}
