//! Untrusted folders of logs.

use super::make_fifo;
use crate::support::cli::CliTest;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

/// Special files with the name of a log are refused or reported, and never block prep.
#[test]
fn entries_that_are_no_files() {
    let test = CliTest::with_cache();
    make_fifo(&test.path("raw/51.csv"));
    symlink("/dev/zero", test.path("raw/52.csv")).unwrap();
    let _socket = UnixListener::bind(test.path("raw/53.csv")).unwrap();
    // A cached game whose log is replaced by a FIFO keeps its rows.
    fs::remove_file(test.path("raw/2_games/1.csv")).unwrap();
    make_fifo(&test.path("raw/2_games/1.csv"));
    fs::create_dir(test.path("raw/54.csv")).unwrap();
    make_fifo(&test.path("raw/notes.txt"));
    let ran = test.run_in_time("ingest raw --cache c.sqlite");
    assert_eq!(ran.code, 3, "{ran:#?}");
    for named in [
        "error: 51.csv: cannot be read: it is a FIFO, not a regular file",
        "error: 52.csv: cannot be read: it is a device, not a regular file",
        "error: 53.csv: cannot be read: it is a socket, not a regular file",
        "error: 2_games/1.csv: cannot be read: it is a FIFO, not a regular file",
        "warning: 54.csv is a folder, not a log",
    ] {
        assert!(ran.stderr.contains(named), "{named}: {ran:#?}");
    }
    assert!(ran.stdout.contains("the cache holds 10 games"), "{ran:#?}");
    for command in
        ["status raw --cache c.sqlite", "verify raw --cache c.sqlite", "inspect raw/51.csv"]
    {
        assert!(test.run_in_time(command).code <= 1, "{command}");
    }
}

/// Thirty folders, each with two links to the next one: 10^9 paths.
#[test]
fn folders_that_many_paths_lead_to() {
    let test = CliTest::new();
    test.prep("simulate logs --games 6");
    for level in 0..30 {
        let folder = test.path(format!("raw/{level}"));
        fs::create_dir_all(&folder).unwrap();
        for link in ["a", "b"] {
            symlink(format!("../{}", level + 1), folder.join(link)).unwrap();
        }
    }
    symlink("../logs", test.path("raw/30")).unwrap();
    symlink("../logs/2_games", test.path("raw/again")).unwrap();
    symlink(".", test.path("raw/itself")).unwrap();
    let ran = test.run_in_time("ingest raw");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stdout.starts_with("6 games encoded (6 new"), "{ran:#?}");
    assert!(ran.stdout.contains("\n6 logs of raw "), "{ran:#?}");
    // The path of a log does not depend on the order in which the file system lists a folder.
    let status = test.run("status raw --explain").stdout;
    assert_eq!(status.matches("29/a/").count(), 6, "{status}");
}

/// The content of a linked file outside the folder is not shown.
#[test]
fn linked_file_is_not_printed() {
    let test = CliTest::new();
    test.prep("simulate raw --games 2 -q");
    test.write("private/key", "top secret,password\n1,2\n");
    test.write("private/latin", b"top secret \xe9,password\n1,2\n");
    symlink(test.path("private/key"), test.path("raw/51.csv")).unwrap();
    symlink("../private/latin", test.path("raw/52.csv")).unwrap();
    // A file in the folder, and a link to a file outside.
    test.write("raw/53.csv", "not secret\n");
    symlink("53.csv", test.path("raw/54.csv")).unwrap();
    for command in [
        "status raw --cache c.sqlite --json",
        "ingest raw --cache c.sqlite",
        "ingest raw --cache c.sqlite --json",
        "status raw --cache c.sqlite --explain",
        "export --cache c.sqlite --out e",
        "report --cache c.sqlite --json",
        "inspect 51 --cache c.sqlite",
    ] {
        let ran = test.run(command);
        let all = ran.stdout + &ran.stderr;
        let leaked = ["top secret", "password"].into_iter().find(|&text| all.contains(text));
        assert_eq!(leaked, None, "{command}: {all}");
    }
    for file in ["c.sqlite", "e/manifest.json"] {
        let bytes = test.read(file);
        assert!(!bytes.windows(10).any(|bytes| bytes == b"top secret"), "{file}");
    }
    let ran = test.run("ingest raw --cache c.sqlite");
    assert!(ran.stderr.contains("51.csv:1: found something else (not shown: "), "{ran:#?}");
    assert_eq!(ran.stderr.matches("found the column `not secret`").count(), 2, "{ran:#?}");
}
