//! Exports that fail: the exit code, the message, and an unchanged old export.

use super::{assert_same_files, exported, ingested};
use crate::support::cli::CliTest;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// A cache with six games and an export of them in `out`.
struct Exported {
    test: CliTest,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl Exported {
    fn new() -> Exported {
        let test = ingested(6);
        exported(&test, "out", "");
        Exported { before: test.files("out"), test }
    }

    /// Runs an export to `out`, which must fail with this message and change nothing.
    #[track_caller]
    fn refuses(&self, options: &str, code: i32, sentence: &str) {
        let ran = self.test.run(&format!("export --out out {options}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{options}: {ran:#?}");
        assert!(ran.stderr.contains(sentence), "{options}: {sentence:?} is not in {ran:#?}");
        assert_same_files(&self.before, &self.test.files("out"));
        self.assert_nothing_is_left_over();
    }

    /// Asserts that no hidden files are left beside the output folder.
    #[track_caller]
    fn assert_nothing_is_left_over(&self) {
        for entry in fs::read_dir(self.test.path("")).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(!name.to_string_lossy().starts_with('.'), "{name:?} was left over");
        }
    }

    /// Changes a copy of the cache and returns its path.
    fn changed_cache(&self, sql: &str) -> &'static str {
        let copy = self.test.path("changed.sqlite");
        fs::copy(self.test.path("data/intermediate/prep.sqlite"), &copy).unwrap();
        Connection::open(copy).unwrap().execute_batch(sql).unwrap();
        "changed.sqlite"
    }
}

#[test]
fn unusable_caches() {
    let out = Exported::new();
    let absent =
        "error: there is no cache at none.sqlite: run `prep ingest DIR --cache none.sqlite` first";
    out.refuses("--cache none.sqlite", 1, absent);
    assert!(!out.test.path("none.sqlite").exists(), "no cache was made");

    out.test.prep("simulate gone --games 1 --players 2");
    out.test.prep("ingest gone --cache empty.sqlite");
    fs::remove_file(out.test.path("gone/2_games/1.csv")).unwrap();
    out.test.prep("ingest gone --allow-delete --cache empty.sqlite");
    let empty = "error: the cache holds no games: run `prep ingest DIR --cache empty.sqlite` first";
    out.refuses("--cache empty.sqlite", 1, empty);

    fs::write(out.test.path("note.txt"), "not a cache").unwrap();
    out.refuses("--cache note.txt", 1, "note.txt is not a prep cache");
    assert_eq!(fs::read_to_string(out.test.path("note.txt")).unwrap(), "not a cache");

    let newer = out.changed_cache("PRAGMA user_version = 99");
    out.refuses(&format!("--cache {newer}"), 1, "has schema version 99");
}

#[test]
fn games_of_another_encoder() {
    let out = Exported::new();
    let cache = out.changed_cache(
        "UPDATE games SET encoder_version = 0, record_checksum = NULL WHERE game_id = 4",
    );
    let sentence = "1 cached game was encoded by another version of prep: \
                    run `prep ingest DIR --cache changed.sqlite` first, which encodes it again";
    out.refuses(&format!("--cache {cache}"), 1, sentence);
    let cache = out.changed_cache(
        "UPDATE games SET feature_schema = '00000000000000ff', record_checksum = NULL",
    );
    let sentence = "6 cached games were encoded by another version of prep: \
                    run `prep ingest DIR --cache changed.sqlite` first, which encodes them again";
    out.refuses(&format!("--cache {cache}"), 1, sentence);

    // The advice in the message works.
    out.test.prep(&format!("ingest raw --cache {cache}"));
    exported(&out.test, "out", &format!("--cache {cache}"));
    assert_same_files(&out.before, &out.test.files("out"));
}

/// Detected after rows have been written, so there are files to clean up.
#[test]
fn damaged_game() {
    let out = Exported::new();
    for blob in ["features", "labels", "column_sums"] {
        let sql = format!("UPDATE games SET {blob} = zeroblob(length({blob})) WHERE game_id = 5");
        let cache = out.changed_cache(&sql);
        let ran = out.test.run(&format!("export --out out --cache {cache} --split 1,0,0"));
        assert!(ran.stderr.contains("game 5 is damaged in the cache"), "{blob}: {ran:#?}");
        out.refuses(&format!("--cache {cache} --split 1,0,0"), 1, blob);
    }
}

#[test]
fn targets_that_are_not_exports() {
    let out = Exported::new();
    fs::create_dir(out.test.path("paper")).unwrap();
    fs::write(out.test.path("paper/thesis.tex"), "years").unwrap();
    let sentence = "paper holds thesis.tex, which no export wrote and which replacing the folder \
                    would delete: move it elsewhere, or choose another --out";
    let ran = out.test.run("export --out paper");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains(sentence), "{ran:#?}");
    assert_eq!(fs::read_to_string(out.test.path("paper/thesis.tex")).unwrap(), "years");
    out.assert_nothing_is_left_over();

    // Also beside the arrays of an export.
    fs::write(out.test.path("out/notebook.ipynb"), "plots").unwrap();
    let before = out.test.files("out");
    let ran = out.test.run("export --out out");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("out holds notebook.ipynb, which no export wrote"), "{ran:#?}");
    assert_same_files(&before, &out.test.files("out"));

    // And the working directory.
    let ran = out.test.run("export --out .");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.stderr.contains("which no export wrote"), "{ran:#?}");
    assert!(out.test.path("raw/2_games").is_dir());

    fs::write(out.test.path("file"), "mine").unwrap();
    for (target, sentence) in
        [("file", "file is not a folder: choose another --out"), ("file/out", "file")]
    {
        let ran = out.test.run(&format!("export --out {target}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:#?}");
        assert!(ran.stderr.contains(sentence), "{ran:#?}");
        assert_eq!(fs::read_to_string(out.test.path("file")).unwrap(), "mine");
    }
}

#[test]
fn wrong_options() {
    let out = Exported::new();
    for (options, sentence) in [
        (
            "--split 0.8,0.1,0.2",
            "the ratios 0.8 + 0.1 + 0.2 sum to 1.1, not to 1; change one of them",
        ),
        ("--split 0.8,0.2", "expected three numbers such as 0.8,0.1,0.1"),
        ("--split 0,0.5,0.5", "the train ratio is 0; it must be above 0"),
        ("--split-method random", "possible values: hash, sklearn"),
        ("--seed=-1", "invalid value '-1' for '--seed <N>'"),
        ("--features some", "possible values: base, all"),
        ("--masks none", "possible values: legal, all-ones"),
        ("--layout hdf5", "possible values: npz, npy"),
        ("--jobs many", "invalid value 'many' for '--jobs <N>'"),
        ("everything", "unexpected argument 'everything'"),
        ("-q -v", "cannot be used with"),
    ] {
        out.refuses(options, 2, sentence);
    }

    out.test.prep("ingest raw --max-games 3 --cache small.sqlite");
    let sentence = "with 1 games to divide, the sklearn split leaves none for val: add games, \
                    change the ratios, set that ratio to 0, or use --split-method hash";
    let options = "--cache small.sqlite --split-method sklearn";
    out.refuses(options, 1, sentence);
    exported(&out.test, "small", &format!("{options} --split 0.7,0,0.3"));
}
