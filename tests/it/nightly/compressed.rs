//! Compressed logs, and logs with several names.

use super::{HOUR, make_older};
use crate::support::cached::{cached_games, make_old, written_since};
use crate::support::cli::CliTest;
use crate::support::log_text::{edited, with_one_byte_changed};
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

const LOG: &str = "raw/2_games/1.csv";
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::bulk::compress(bytes, 3).unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;

const FORMS: [(&str, Compress); 2] = [("gz", gzip), ("zst", zstd)];

/// Replaces every log of a folder by a compressed file, alternating between both formats.
fn compress_all(test: &CliTest, folder: &str) {
    for ((path, log), (ending, compress)) in
        test.files(folder).into_iter().zip(FORMS.iter().cycle())
    {
        let path = PathBuf::from(folder).join(path);
        test.write(format!("{}.{ending}", path.display()), compress(&log));
        fs::remove_file(test.path(path)).unwrap();
    }
}

#[test]
fn compressing_logs_encodes_nothing() {
    let test = CliTest::ingested(9);
    test.prep("export --out before");
    let before = cached_games(&test.cache());
    make_old(&test.cache());
    compress_all(&test, "raw");
    assert_eq!(test.prep("status raw"), "9 games up to date\n");
    let ran = test.run("ingest raw -q");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    assert_eq!(written_since(&test.cache()), [0_i64; 0]);
    let after = cached_games(&test.cache());
    assert!(before.keys().eq(after.keys()));
    assert!(before.iter().all(|(id, game)| after[id].source_hash == game.source_hash));
    assert!(test.prep("verify raw").contains("9 "), "every log is as cached");
    test.prep("export --out after");
    assert!(test.files("before") == test.files("after"));

    // With only compressed logs, and back.
    test.prep("ingest raw --cache fresh.sqlite");
    test.prep("export --cache fresh.sqlite --out fresh");
    assert!(test.files("before") == test.files("fresh"));
}

#[test]
fn several_members_are_one_content() {
    let test = CliTest::ingested(3);
    let log = test.read(LOG);
    fs::remove_file(test.path(LOG)).unwrap();
    for (ending, compress) in FORMS {
        let parts: Vec<u8> = log.chunks(1000).chain([&b""[..]]).flat_map(compress).collect();
        let path = format!("{LOG}.{ending}");
        test.write(&path, parts);
        assert_eq!(test.prep("status raw"), "3 games up to date\n", "{ending}");
        fs::remove_file(test.path(path)).unwrap();
    }
}

#[test]
fn commands_read_compressed_logs() {
    let test = CliTest::ingested(3);
    let log = test.read(LOG);
    let plain = test.prep(&format!("inspect {LOG}"));
    for (ending, compress) in FORMS {
        let path = format!("1.csv.{ending}");
        test.write(&path, compress(&log));
        assert_eq!(test.prep(&format!("inspect {path}")), plain);
        // The error of a compressed log shows the line.
        let path = format!("bad/{path}");
        test.write(&path, compress(&edited(&log, |log| log.set(3, "turn_number", "2.5"))));
        let ran = test.exits(3, "ingest bad --cache bad.sqlite");
        let said = format!("error: 1.csv.{ending}:3: turn_number is `2.5`, expected");
        assert!(ran.stderr.starts_with(&said) && ran.stderr.contains("\n3 | "), "{ran:#?}");
        fs::remove_dir_all(test.path("bad")).unwrap();
    }
}

/// A few hundred kilobytes that decompress to 512 MB.
#[test]
fn bomb_is_refused() {
    let test = CliTest::ingested(3);
    for (ending, compress) in FORMS {
        let part = compress(&vec![b' '; 1 << 20]);
        test.write(format!("raw/7.csv.{ending}"), part.repeat(512));
        let ran = test.run("ingest raw");
        let said = format!(
            "error: 7.csv.{ending}: cannot be read: decompressed it has more than 33554432 \
             bytes, more than any log\n"
        );
        assert_eq!((ran.code, ran.stderr.as_str()), (3, said.as_str()));
        let ran = test.run(&format!("inspect raw/7.csv.{ending}"));
        assert!(ran.code == 1 && ran.stderr.contains("33554432 bytes"), "{ran:#?}");
        fs::remove_file(test.path(format!("raw/7.csv.{ending}"))).unwrap();
    }
}

#[test]
fn damaged_files_are_refused() {
    let test = CliTest::ingested(3);
    let log = test.read(LOG);
    fs::remove_file(test.path(LOG)).unwrap();
    for (ending, compress) in FORMS {
        let path = format!("{LOG}.{ending}");
        let file = compress(&log);
        for cut in [1, 3, 10, file.len() / 2, file.len() - 1] {
            test.write(&path, &file[..cut]);
            let ran = test.run("ingest raw");
            let is_deferred = ran.stdout.contains(", 1 deferred\n");
            assert!(ran.code == 0 && is_deferred, "{ending} {cut}: {ran:#?}");
            make_older(&test.path(&path), 2 * HOUR);
            let ran = test.run("ingest raw");
            let said = format!(
                "error: 2_games/1.csv.{ending}: expected a complete compressed file: it ends too \
                 early\n"
            );
            assert_eq!((ran.code, ran.complaints().lines().next()), (3, Some(said.trim_end())));
        }
        if ending == "gz" {
            test.write(&path, [&file[..], b"\n"].concat());
            let said = format!(
                "error: 2_games/1.csv.{ending}: cannot be decompressed: something that is not compressed \
                 follows the log\n"
            );
            assert_eq!(test.run("ingest raw").stderr.lines().next(), Some(said.trim_end()));
        }
        let mut changed = file.clone();
        changed[file.len() / 2] ^= 0x55;
        let not_zeros = [&file[..], b"much more than a header"].concat();
        for (what, damaged) in
            [("changed", &changed[..]), ("not compressed", &log), ("garbage behind", &not_zeros)]
        {
            test.write(&path, damaged);
            let ran = test.run("ingest raw");
            let said = format!("error: 2_games/1.csv.{ending}: cannot be decompressed: ");
            assert!(ran.code == 3 && ran.stderr.starts_with(&said), "{what}: {ran:#?}");
        }
        fs::remove_file(test.path(&path)).unwrap();
    }
    // An empty file is an empty log.
    test.write("raw/2_games/1.csv.zst", "");
    assert!(test.prep("ingest raw").contains(", 1 deferred\n"));
}

#[test]
fn plain_and_compressed_form_are_one_log() {
    let test = CliTest::ingested(6);
    let log = test.read(LOG);
    make_old(&test.cache());
    let same = |what: &str| {
        let ran = test.run("ingest raw -q");
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""), "{what}");
        assert_eq!(test.prep("status raw"), "6 games up to date\n", "{what}");
        assert!(test.prep("verify raw").contains("6 "), "{what}");
    };
    test.write(format!("{LOG}.gz"), gzip(&log));
    same("beside");
    test.write("raw/archive/1.csv.zst", zstd(&log));
    same("in another folder");
    // As while `gzip` is running.
    test.write(format!("{LOG}.gz"), &gzip(&log)[..100]);
    same("half written");
    // While `gunzip` is.
    let last_line = log[..log.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    test.write(format!("{LOG}.gz"), gzip(&log));
    for written in [0, 9, 1000, last_line] {
        test.write(LOG, &log[..written]);
        same("half unpacked");
    }
    make_older(&test.path(LOG), 2 * HOUR);
    assert_eq!(test.run("ingest raw").code, 3, "whatever unpacked it has died");
    test.write(LOG, &log);
    assert_eq!(written_since(&test.cache()), [0_i64; 0]);

    test.write(format!("{LOG}.gz"), gzip(&with_one_byte_changed(&log)));
    let ran = test.exits(3, "ingest raw");
    for path in ["2_games/1.csv", "2_games/1.csv.gz", "archive/1.csv.zst"] {
        assert!(ran.stderr.contains(&format!("error: {path}: found game 1, expected one file")));
    }
    // A damaged file is not ignored.
    test.write(format!("{LOG}.gz"), "this is no gzip file");
    let ran = test.exits(3, "ingest raw");
    assert!(ran.stderr.contains("error: 2_games/1.csv.gz: cannot be decompressed: "), "{ran:#?}");
    fs::remove_file(test.path(format!("{LOG}.gz"))).unwrap();
    fs::remove_file(test.path(LOG)).unwrap();
    same("only the compressed form is left");
}

#[test]
fn one_file_by_several_names_is_one_log() {
    let test = CliTest::new();
    test.prep("simulate raw/monday --games 6");
    symlink("monday", test.path("raw/latest")).unwrap();
    fs::create_dir(test.path("raw/best")).unwrap();
    fs::hard_link(test.path("raw/monday/2_games/1.csv"), test.path("raw/best/1.csv")).unwrap();
    symlink("../monday/2_games/1.csv", test.path("raw/best/001.csv")).unwrap();
    let said = test.prep("ingest raw");
    assert!(said.starts_with("6 games encoded (6 new; "), "{said}");
    assert!(said.contains(", 0 refused\n8 logs of raw in "), "{said}");
    for _ in 0..2 {
        assert_eq!(test.prep("status raw"), "6 games up to date\n");
        let ran = test.run("ingest raw -q");
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        // The next day.
        let _ = fs::remove_file(test.path("raw/latest"));
    }
    // A copy is a different file.
    test.write("raw/copy/1.csv", test.read("raw/monday/2_games/1.csv"));
    test.exits(3, "ingest raw");
}
