//! Rules of the house that the compiler does not hold: which room may use which, which room an
//! outside library lives in, that no file grows past reading, and that what the promises name is
//! there.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of the house: each may use those before it.
///
/// `ingest` and `export` are glue beside each other: neither uses the other.
const ROOMS: &[&str] = &[
    "accounting",
    "column_name",
    "parallel",
    "words",
    "rules",
    "gamelog",
    "encode",
    "table",
    "simulate",
    "disk_space",
    "cache",
    "dataset",
    "config",
    "memory",
    "phases",
    "progress",
    "ingest",
    "export",
    "report",
    "page",
    "cli",
];

/// Outside libraries that belong to one room (or two), so that replacing one means one place.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("rusqlite", &["cache"]),
    ("zstd", &["cache"]),
    ("csv", &["gamelog", "cli"]),
    ("csv_core", &["gamelog"]),
    ("serde_saphyr", &["config"]),
    ("ndarray_npy", &["export"]),
    ("anstream", &["cli"]),
    ("anstyle", &["cli", "table"]),
    ("arrow_array", &["export"]),
    ("parquet", &["export"]),
    ("clap", &["cli"]),
    ("glob", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("console", &["cli"]),
    ("indicatif", &["cli"]),
    ("maud", &["page"]),
    ("plotters", &["page"]),
];

const LONGEST_FILE: usize = 500;

/// Source files by the room they are in.
fn sources() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let mut sources: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for file in files {
        let below = file.strip_prefix(&src).unwrap();
        let room = below.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = room.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&file).unwrap();
        sources.entry(room).or_default().push((file, text));
    }
    sources
}

/// The code of a file without its tests and comments: those may use what they like.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn uses(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + path.len()..].chars().next();
        let inside_a_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside_a_word(before) && !inside_a_word(after)
    })
}

#[test]
fn rooms_use_only_rooms_above_them() {
    let sources = sources();
    let mut looked_at = 0;
    for (place, room) in ROOMS.iter().enumerate() {
        for (file, text) in &sources[*room] {
            looked_at += 1;
            let code = code(text);
            for below in &ROOMS[place + 1..] {
                let path = format!("crate::{below}");
                assert!(!uses(&code, &path), "{} may not use {path}", file.display());
            }
            let beside = [("export", "crate::ingest")];
            for (room_beside, path) in beside {
                assert!(*room != room_beside || !uses(&code, path), "{}", file.display());
            }
        }
    }
    let all: usize = sources.values().map(Vec::len).sum();
    assert_eq!(looked_at + 2, all, "a file besides lib.rs and main.rs is in no room");
}

#[test]
fn the_rules_of_the_game_and_the_encoder_do_no_input_or_output() {
    for room in ["rules", "encode", "table"] {
        for (file, text) in &sources()[room] {
            for path in ["std::fs", "std::io", "std::env", "std::net", "std::process"] {
                assert!(!uses(&code(text), path), "{} uses {path}", file.display());
            }
        }
    }
}

#[test]
fn outside_libraries_stay_in_their_rooms() {
    for (room, files) in sources() {
        for (file, text) in files {
            for (library, rooms) in LIBRARIES {
                let used = uses(&code(&text), &format!("{library}::"))
                    || uses(&code(&text), &format!("use {library}"));
                assert!(
                    !used || rooms.contains(&room.as_str()),
                    "{} uses {library}, which belongs in {rooms:?}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn no_source_file_is_too_long_to_read() {
    for (file, text) in sources().into_values().flatten() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
    }
}

#[test]
fn the_tests_that_the_promises_name_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promises = fs::read_to_string(root.join("PROMISES.md")).unwrap();
    let named = promises.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::"));
    let mut found = 0;
    for (file, test) in named {
        let text = fs::read_to_string(root.join(format!("tests/it/{file}.rs"))).unwrap_or_default();
        assert!(text.contains(&format!("fn {test}(")), "there is no {file}::{test}");
        found += 1;
    }
    assert!(found >= 30, "{found} tests named");
}
