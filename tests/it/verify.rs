//! `prep verify`: its findings, and that the advised commands repair them; and how ingest, status and
//! export handle damage. `corruption.rs` tests random damage.

#![allow(clippy::unwrap_used)]

use crate::support::broken_cache::{half_committed, spoil_trees};
use crate::support::cached::{execute, make_old, written_since};
use crate::support::cli::{CliTest, Ran};
use crate::support::log_text::with_gem_fault;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const CACHE: &str = "data/intermediate/prep.sqlite";

fn six_games() -> CliTest {
    let test = CliTest::ingested(6);
    test.prep("export --out good --features base");
    test
}

fn spoil(test: &CliTest, blob: &str, game_id: i64) {
    let sql =
        format!("UPDATE games SET {blob} = zeroblob(length({blob})) WHERE game_id = {game_id}");
    execute(&test.cache(), &sql);
}

#[track_caller]
fn assert_same_export(test: &CliTest) {
    test.prep("export --out repaired --features base");
    assert!(test.files("repaired") == test.files("good"), "the exports differ");
}

#[test]
fn sound_cache_has_no_findings() {
    let test = six_games();
    let before = test.files(".");
    assert_eq!(test.prep("verify raw"), "6 games, 6 logs as cached: no problems found\n");
    assert_eq!(test.prep("verify raw -q"), "");
    let report = test.run("verify raw --json").json();
    assert_eq!((&report["clean"], &report["games"]), (&true.into(), &6.into()));
    assert!(test.files(".") == before, "verify wrote something");
    let ran = test.exits(1, "verify raw --cache none.sqlite");
    assert!(ran.stderr.contains("there is no cache at none.sqlite"), "{ran:#?}");
}

#[test]
fn all_damage_is_listed_and_repaired() {
    let test = six_games();
    spoil(&test, "features", 2);
    spoil(&test, "masks", 2);
    spoil(&test, "column_sums", 4);
    for (column, value, game_id) in [("source_hash", "'zz'", 5), ("rows", "-1", 6)] {
        let sql = format!("UPDATE games SET {column} = {value} WHERE game_id = {game_id}");
        execute(&test.cache(), &sql);
    }
    let ran = test.run("verify raw -q");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:#?}");
    let expected = "\
        game 2: features: the checksum does not match\n\
        game 2: masks: the checksum does not match\n\
        game 4: column_sums: the checksum does not match\n\
        game 5: source_hash: it is not what was stored\n\
        game 6: rows: it is not what was stored\n\
        to repair a damaged game: `prep ingest raw --cache data/intermediate/prep.sqlite` encodes it again from \
        its log\n";
    assert_eq!(ran.stdout, expected);
    let report = test.run("verify raw --json").json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 5);
    for finding in findings {
        assert_eq!(finding["kind"], "damaged_game");
        assert_eq!(finding["command"], format!("prep ingest raw --cache {CACHE}"));
    }

    let ran = test.exits(1, "export --out repaired --features base");
    assert!(ran.stderr.contains("game 5 is damaged in the cache"), "{ran:#?}");
    assert!(ran.stderr.contains("the next ingest encodes it again from its log"), "{ran:#?}");
    assert!(!test.path("repaired").exists());
    let status = test.run("status raw --json").json();
    assert_eq!(status["counts"], serde_json::json!({ "damaged": 4, "up_to_date": 2 }));

    make_old(&test.cache());
    let stdout = test.prep("ingest raw");
    assert!(stdout.starts_with("4 games encoded (4 damaged; "), "{stdout}");
    assert_eq!(written_since(&test.cache()), [2, 4, 5, 6]);
    test.prep("verify raw");
    assert_same_export(&test);
}

#[test]
fn changed_logs_are_not_damage() {
    let test = six_games();
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    let log = test.read("raw/3_games/2.csv");
    test.write("raw/3_games/2.csv", &log[..log.len() - 2]);
    test.prep("simulate raw --games 1 --players 2 --first-id 7");
    // Another content beside the cached one, which is found last.
    let log = test.read("raw/4_games/3.csv");
    test.write("raw/4_games/3.csv", &log[..log.len() - 2]);
    test.write("raw/zz/3.csv", &log);
    let ran = test.exits(0, "verify raw");
    let expected = "not up to date: 1 log new, 2 logs changed, 1 log missing (see `prep status raw \
                    --cache data/intermediate/prep.sqlite`)\n\
                    6 games, 3 logs as cached: no problems found\n";
    assert_eq!(ran.stdout, expected);
    assert_eq!(test.prep("verify raw -q"), "");
}

#[test]
fn damaged_game_without_a_log() {
    let test = six_games();
    spoil(&test, "labels", 1);
    let log = test.read("raw/2_games/1.csv");
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    let ran = test.run("verify raw -q");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "game 1: labels: the checksum does not match");
    assert!(lines[1].contains("restore its log in raw and run `prep ingest raw --cache "));
    // Either way.
    let with_the_rest = test.read(CACHE);
    test.prep("ingest raw");
    assert!(test.prep("verify raw").starts_with("5 games"));
    test.write(CACHE, with_the_rest);
    test.write("raw/2_games/1.csv", log);
    assert!(test.prep("ingest raw").starts_with("1 game encoded (1 damaged; "));
    assert_same_export(&test);
}

fn break_the_file(test: &CliTest) {
    let mut bytes = test.read(CACHE);
    spoil_trees(&mut bytes);
    test.write(CACHE, bytes);
}

#[test]
fn damaged_file_is_reported_and_rebuilt() {
    let test = six_games();
    break_the_file(&test);
    let damaged = test.read(CACHE);
    for command in ["ingest raw", "ingest raw --dry-run", "status raw", "export --out repaired"] {
        let ran = test.exits(1, command);
        assert!(
            ran.stderr.contains("--rebuild --cache data/intermediate/prep.sqlite`"),
            "{command}: {ran:#?}"
        );
        assert!(test.read(CACHE) == damaged, "{command} changed the damaged file");
    }
    let ran = test.exits(1, "verify raw");
    assert!(
        ran.stdout.contains("to repair a damaged file: `prep ingest raw --rebuild --cache data/"),
        "{ran:#?}"
    );

    let ran = test.exits(0, "ingest raw --rebuild");
    assert!(ran.stdout.starts_with("6 games encoded (6 new; "), "{ran:#?}");
    assert!(ran.stderr.contains("the old file is kept as"), "{ran:#?}");
    assert!(test.read(format!("{CACHE}.damaged")) == damaged);
    test.prep("verify raw");
    assert_same_export(&test);
}

#[test]
fn refused_rebuild_changes_nothing() {
    let test = six_games();
    let before = test.read(CACHE);
    fs::create_dir(test.path("nothing")).unwrap();
    test.exits(1, "ingest nothing --rebuild");
    // A database of another program is not replaced. A file that is not a database may have been a
    // cache, so it is kept.
    execute(&test.path("other.sqlite"), "CREATE TABLE mine (x)");
    let other = test.read("other.sqlite");
    let ran = test.exits(1, "ingest raw --rebuild --cache other.sqlite");
    assert!(ran.stderr.contains("is not a prep cache"), "{ran:#?}");
    assert!(test.read("other.sqlite") == other);
    test.write("notes.txt", "not a cache");
    let ran = test.exits(1, "ingest raw --cache notes.txt");
    assert!(ran.stderr.contains("--rebuild --cache notes.txt`"), "{ran:#?}");
    test.prep("ingest raw --rebuild --cache notes.txt");
    assert!(test.read("notes.txt.damaged") == b"not a cache");
    for with in ["--dry-run", "--max-games 3", "--keep-missing"] {
        test.exits(2, &format!("ingest raw --rebuild {with}"));
    }
    assert!(test.read(CACHE) == before);
}

#[test]
fn export_is_compared_with_its_manifest() {
    let test = six_games();
    test.prep("export --out out --features base --split 0.6,0.2,0.2 --seed 3 --layout npy");
    let sound = test.prep("verify --export out");
    assert!(sound.ends_with("MB: no problems found\n"), "{sound}");
    assert_eq!(test.prep("verify --export good -q"), "");

    let mut x = test.read("out/X_train.npy");
    let last = x.len() - 1;
    x[last] ^= 1;
    test.write("out/X_train.npy", x);
    let mut mask = test.read("out/masks_train_noble.npy");
    mask.truncate(mask.len() - 5);
    test.write("out/masks_train_noble.npy", mask);
    fs::remove_file(test.path("out/labels_val_noble.npy")).unwrap();
    test.write("out/notes.txt", "mine");
    let mut manifest = test.json("out/manifest.json");
    let train = manifest["splits"]["train"]["game_ids"][0].clone();
    manifest["splits"]["test"]["game_ids"].as_array_mut().unwrap().push(train.clone());
    let rows = manifest["splits"]["val"]["rows"].as_u64().unwrap();
    manifest["splits"]["val"]["rows"] = (rows + 1).into();
    test.write("out/manifest.json", manifest.to_string());

    let ran = test.exits(1, "verify --export out");
    for line in [
        "X_train.npy: does not have the hash in the manifest (blake3)\n".to_owned(),
        "masks_train_noble.npy: has ".to_owned(),
        "labels_val_noble.npy: is missing\n".to_owned(),
        "notes.txt: is not in the manifest: move it elsewhere\n".to_owned(),
        format!("manifest.json: game {train} is in train and in test\n"),
        format!("index_test.npz: game {train} is in test by the manifest and not by the index\n"),
        format!("X_val.npy: X has shape [{rows}, 422], expected ({}, 422) as in the manifest\n", rows + 1),
        format!("masks_val_noble.npy: noble has shape [{rows}, 5]"),
        "to repair the export: move that file elsewhere, then run `prep export --out out --split 0.6,0.2,0.2 --split-method hash \
         --seed 3 --features base --masks legal --dtype float32 --layout npy --force \
         --cache data/intermediate/prep.sqlite`"
            .to_owned(),
    ] {
        assert!(ran.stdout.contains(&line), "{line:?} is not in {}", ran.stdout);
    }
    let report = test.run("verify --export out --json").json();
    assert_eq!(report["clean"], false);
    let foreign: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == "foreign_file")
        .collect();
    assert_eq!(foreign.len(), 1, "{report}");
    assert_eq!((&foreign[0]["file"], &foreign[0]["command"]), (&"notes.txt".into(), &Value::Null));
    assert!(report["findings"].as_array().unwrap().len() >= 8);

    for (file, content) in [("none", None), ("cut", Some("{\"files\":"))] {
        fs::create_dir(test.path(file)).unwrap();
        if let Some(content) = content {
            test.write(format!("{file}/manifest.json"), content);
        }
        let ran = test.exits(1, &format!("verify --export {file}"));
        assert!(ran.stdout.starts_with("manifest.json: "), "{ran:#?}");
        assert!(ran.stdout.contains(&format!("{file} is not an export")), "{ran:#?}");
    }
}

#[test]
fn readers_need_no_write_permission() {
    let test = six_games();
    let folder = test.path("data/intermediate");
    let write = |may: bool| {
        let (of_folder, of_file) = if may { (0o755, 0o644) } else { (0o555, 0o444) };
        fs::set_permissions(&folder, fs::Permissions::from_mode(of_folder)).unwrap();
        fs::set_permissions(test.cache(), fs::Permissions::from_mode(of_file)).unwrap();
    };
    let shared = test.path("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    write(false);
    for arguments in ["status raw", "verify raw", "ingest raw --dry-run", "export --out shared/out"]
    {
        let ran = test.run_as_nobody(arguments);
        assert_eq!(ran.code, 0, "{arguments}: {ran:#?}");
    }
    let names = |folder: &PathBuf| fs::read_dir(folder).unwrap().count();
    assert_eq!(names(&folder), 2, "the cache and its lock");

    // The transaction of a killed run cannot be rolled back without write permission.
    write(true);
    let [file, journal] = half_committed(&test.cache());
    test.write(CACHE, file);
    test.write(format!("{CACHE}-journal"), journal);
    write(false);
    let ran = test.run_as_nobody("status raw");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("a run was killed while writing"), "{ran:#?}");
    write(true);

    // A cache of an older version with a write-ahead log: no files are created beside it.
    execute(&test.cache(), "PRAGMA journal_mode = wal");
    let ran = test.exits(1, "status raw");
    assert!(ran.stderr.contains("which switches it back"), "{ran:#?}");
    assert_eq!(names(&folder), 2, "the cache and its lock");
    test.prep("ingest raw");
    test.prep("status raw");
}

#[test]
fn rebuild_keeps_old_files() {
    let test = six_games();
    let first = test.read(CACHE);
    fs::rename(test.path("raw/2_games"), test.path("elsewhere")).unwrap();
    let ran = test.exits(1, "ingest raw --rebuild");
    assert!(ran.stderr.contains("2 of the 6 games of the old cache have no log"), "{ran:#?}");
    assert!(test.read(CACHE) == first, "nothing was replaced");

    test.prep("ingest raw --rebuild --allow-delete");
    let second = test.read(CACHE);
    test.prep("ingest raw --rebuild");
    assert!(test.read(format!("{CACHE}.damaged")) == first, "the first file still exists");
    assert!(test.read(format!("{CACHE}.damaged.2")) == second, "and so does the second");
    test.write(format!("{CACHE}.damaged.3-journal"), "of a deleted cache");
    test.prep("ingest raw --rebuild");
    assert!(
        !test.path(format!("{CACHE}.damaged.3")).exists()
            && test.path(format!("{CACHE}.damaged.4")).exists()
    );
}

#[test]
fn printed_command_repeats_the_export() {
    let test = six_games();
    test.prep("export --dtype int8 --no-normalize --seed 7 --features base --out out");
    let whole = test.files("out");
    let features = &whole[Path::new("X_val.npy")];
    // Truncated, and with a changed last byte.
    for damaged in [features[..9].to_vec(), [&features[..features.len() - 1], b"?"].concat()] {
        test.write("out/X_val.npy", damaged);
        let ran = test.exits(1, "verify --export out");
        let command = ran.stdout.split('`').find(|text| text.starts_with("prep export")).unwrap();
        test.prep(command.strip_prefix("prep ").unwrap());
        assert!(test.files("out") == whole, "{command}");
    }

    let manifest = String::from_utf8(test.read("out/manifest.json")).unwrap();
    for (from, to) in [("\"seed\": 7", "\"seed\": 8"), ("\"games\": 6", "\"games\": 5")] {
        assert!(manifest.contains(from), "{from}");
        test.write("out/manifest.json", manifest.replace(from, to));
        let ran = test.exits(1, "verify --export out");
        assert!(ran.stdout.contains("was changed after its export_id was computed"), "{ran:#?}");
    }
}

/// A command for the default cache would put its games in the place of others.
#[test]
fn advice_names_the_cache() {
    let test = six_games();
    test.prep("simulate mine --games 9 --seed 5");
    test.prep("ingest mine --cache mine.sqlite");
    test.prep("export --cache mine.sqlite --out out --features base");
    let whole = test.files("out");
    test.write("out/X_val.npy", "cut");
    let command = |ran: &Ran| {
        let mut parts = ran.stdout.split('`');
        parts
            .find(|text| text.starts_with("prep "))
            .unwrap()
            .strip_prefix("prep ")
            .unwrap()
            .to_owned()
    };
    let other = "this cache does not have the games of the export";

    let ran = test.run("verify --export out");
    assert!(command(&ran).ends_with(" --cache data/intermediate/prep.sqlite"), "{ran:#?}");
    assert!(ran.code == 1 && ran.stdout.contains(other), "{ran:#?}");
    assert_eq!(test.run("verify --export out --json").json()["cache_has_its_games"], false);
    let ran = test.run("verify --export out --cache mine.sqlite");
    assert!(command(&ran).ends_with(" --cache mine.sqlite") && !ran.stdout.contains(other));
    test.prep(&command(&ran));
    assert!(test.files("out") == whole);

    // Somebody elsewhere pastes it.
    test.write("out/X_val.npy", "cut");
    test.write("elsewhere/x", "");
    let folder = test.path("").display().to_string();
    let ran = test.run("verify -C . --export out --cache mine.sqlite");
    assert!(command(&ran).contains(&format!("--out {folder}out ")), "{ran:#?}");
    test.prep(&format!("-C elsewhere {}", command(&ran)));
    assert!(test.files("out") == whole);

    // Of games that are read with --repair, the command repairs the file and changes no game.
    let log = test.read("mine/2_games/1.csv");
    test.write("mine/2_games/1.csv", with_gem_fault(&log));
    test.prep("ingest mine --cache mine.sqlite --repair");
    execute(&test.path("mine.sqlite"), "UPDATE games SET masks = x'00' WHERE game_id = 2");
    let ran = test.run("verify mine --cache mine.sqlite");
    assert_eq!(command(&ran), "ingest mine --repair --cache mine.sqlite");
    let stdout = test.prep(&command(&ran));
    assert!(stdout.starts_with("1 game encoded (1 damaged; "), "{stdout}");
}

/// An export that holds what no export wrote cannot be written again: that command is not advised.
#[test]
fn foreign_files_and_nested_exports() {
    let test = six_games();
    test.prep("export --features base --out out");
    let before = test.files("out");
    for inner in ["out/sub", "out/sub/deeper", "./out/../out/sub"] {
        let ran = test.exits(1, &format!("export --features base --out {inner}"));
        let said = format!("error: {inner} is in the export ");
        assert!(ran.stderr.contains(&said), "{said:?} is not in {ran:#?}");
        assert!(ran.stderr.contains("choose a folder outside the export as --out"), "{ran:#?}");
    }
    std::os::unix::fs::symlink(test.path("out"), test.path("link")).unwrap();
    test.exits(1, "export --features base --out link/sub");
    assert!(test.files("out") == before, "something was made in the export");
    // A link to the export is the export itself.
    test.prep("export --features base --out link");

    test.write("out/notes.txt", "mine");
    let ran = test.exits(1, "verify --export out");
    assert!(ran.stdout.starts_with("notes.txt: is not in the manifest: move it elsewhere\n"));
    assert!(!ran.stdout.contains("prep export"), "{ran:#?}");
    fs::rename(test.path("out/notes.txt"), test.path("notes.txt")).unwrap();
    test.prep("verify --export out");

    // A manifest.json of another program does not make a folder an export.
    test.write("site/manifest.json", "{\"name\": \"a page\"}");
    test.prep("export --features base --out site/out");
    let ran = test.run("verify --export site");
    assert!(ran.stdout.contains("site is not an export"), "{ran:#?}");
}
