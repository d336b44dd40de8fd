//! Ingests of parts of the logs and exports in shards give the same files as one machine.

#![allow(clippy::unwrap_used)]

use crate::support::cached::cached_ids;
use crate::support::cli::CliTest;
use crate::support::export::{Export, SPLITS};
use serde_json::{Value, json};
use splendor_prep::export::join_shards;
use splendor_prep::progress::{Amount, Progress};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use zip::ZipArchive;

/// 31 games, two of them with identical rows, and a log that is refused.
fn games() -> CliTest {
    let test = CliTest::new();
    test.prep("simulate raw --games 30 -q");
    let logs = test.files("raw");
    let (path, log) = logs.iter().nth(4).unwrap();
    let id = path.file_stem().unwrap().to_str().unwrap();
    let copy = String::from_utf8(log.clone()).unwrap();
    let copy = copy.replace(&format!("\n{id},"), "\n500,");
    test.write("raw/500.csv", copy);
    test.write("raw/501.csv", "game\n");
    test
}

fn ingest_all(test: &CliTest) {
    assert_eq!(test.run("ingest -q raw --cache all.sqlite").code, 3);
}

/// The folder of a shard in an export of shards.
fn shard(out: &str, number: usize, of: usize) -> PathBuf {
    Path::new(out).join(format!("shard-{number:05}-of-{of:05}"))
}

/// Writes all shards, and joins them in reverse order.
fn export_shards(test: &CliTest, out: &str, of: usize, options: &str) {
    for number in 1..=of {
        let part = format!("--shard {number}/{of} --out {out}-{number}");
        test.prep(&format!("export -q --cache all.sqlite {part} {options}"));
    }
    let folders: Vec<String> = (1..=of).rev().map(|number| format!("{out}-{number}")).collect();
    test.prep(&format!("join -q {out} {}", folders.join(" ")));
}

/// The small files and the manifest of an export, without the fields that list files and shards.
fn about(test: &CliTest, out: &str) -> (BTreeMap<PathBuf, Vec<u8>>, Value) {
    let mut files = test.files(out);
    files.retain(|path, _| {
        let name = path.to_str().unwrap();
        let is_array = name.contains("train") || name.contains("val.") || name.contains("test");
        !name.contains('/') && name != "manifest.json" && !is_array && !name.contains("_val_")
    });
    let mut manifest = Export { folder: test.path(out) }.json("manifest.json");
    for field in ["files", "export_id"] {
        manifest.as_object_mut().unwrap().remove(field);
    }
    manifest["settings"].as_object_mut().unwrap().remove("shards");
    (files, manifest)
}

/// Every array of an export: its type with the shape of a row, and its bytes. Rows are contiguous, so the
/// concatenated bytes of the shards are those of one array.
fn arrays(files: &BTreeMap<PathBuf, Vec<u8>>) -> BTreeMap<String, (String, Vec<u8>)> {
    let mut arrays = BTreeMap::new();
    let mut add = |name: String, file: &[u8]| {
        let (header, bytes) = file.split_at(10 + usize::from(file[8]) + 256 * usize::from(file[9]));
        let header = String::from_utf8_lossy(&header[10..]).into_owned();
        let (kind, shape) = header.split_once("'shape': (").unwrap();
        let (_, of_row) = shape.split_once(',').unwrap();
        arrays.insert(name, (kind.to_owned() + of_row.trim_end(), bytes.to_owned()));
    };
    for (path, file) in files {
        let path = path.to_str().unwrap();
        if path.ends_with(".npy") {
            add(path.to_owned(), file);
        } else if path.ends_with(".npz") && path != "scaler.npz" {
            let mut archive = ZipArchive::new(Cursor::new(file)).unwrap();
            for place in 0..archive.len() {
                let mut member = archive.by_index(place).unwrap();
                let mut bytes = Vec::new();
                member.read_to_end(&mut bytes).unwrap();
                add(format!("{path}/{}", member.name()), &bytes);
            }
        }
    }
    arrays
}

#[test]
fn shards_equal_one_export() {
    let test = games();
    ingest_all(&test);
    test.prep("export -q --cache all.sqlite --out earlier --where players<4 --split 0.6,0.2,0.2");
    let mut columns = Export { folder: test.path("earlier") }.columns();
    columns.retain(|name| name.contains("gems"));
    columns.push("turn_number".to_owned());
    test.write("columns.json", serde_json::to_string(&columns).unwrap());
    for (of, options) in [
        (1, ""),
        (3, "--split-method sklearn --seed 7 --layout npy"),
        (7, "--features base --split 0.5,0.3,0.2 --dtype float16"),
        (2, "--columns columns.json --no-normalize --dtype int8 --masks all-ones"),
        (4, "--scaler-from earlier --layout npy"),
        // More shards than games in any split.
        (40, "--where game_id>3 --replayable-only"),
    ] {
        let (one, out) = (format!("one{of}"), format!("out{of}"));
        test.prep(&format!("export -q --cache all.sqlite --out {one} {options}"));
        export_shards(&test, &out, of, options);
        let whole = arrays(&test.files(&one));
        assert!(whole.len() >= 3 * (1 + 7 + 7 + 3 + 4), "{:?}", whole.keys());
        let shards: Vec<_> = (1..=of)
            .map(|number| arrays(&test.files(shard(&out, number, of).to_str().unwrap())))
            .collect();
        for (name, (kind, rows)) in &whole {
            assert!(shards.iter().all(|shard| shard[name].0 == *kind), "{name} of {of} shards");
            let joined: Vec<u8> = shards.iter().flat_map(|shard| &shard[name].1).copied().collect();
            assert!(joined == *rows, "{name} of {of} shards");
        }
        assert!(shards.iter().all(|shard| shard.len() == whole.len()));
        // Scaler, statistics, mask validation, columns, and every game with its hashes.
        let ((joined, manifest), expected) = (about(&test, &out), about(&test, &one));
        assert!(joined.len() >= 5 && joined.keys().eq(expected.0.keys()), "{:?}", joined.keys());
        for (name, bytes) in &joined {
            assert!(*bytes == expected.0[name], "{} of {of} shards", name.display());
        }
        assert_eq!(manifest, expected.1, "{of} shards");
        assert_eq!(test.run(&format!("verify --export {out}")).code, 0);
        let status = test.run(&format!("status raw --cache all.sqlite --export {out}"));
        assert!(status.stdout.contains(&format!("the export {out} is up to date")), "{status:#?}");
        let diff = test.prep(&format!("diff {one} {out} --max-drift 0"));
        assert!(diff.contains("\nnone of "), "{diff}");
        let from_earlier = |export: &str| {
            let diff = test.run(&format!("diff earlier {export} --json")).stdout;
            let mut diff: Value = serde_json::from_str(&diff.replace(export, "NEW")).unwrap();
            diff["new"]["export_id"].take();
            diff
        };
        assert!(from_earlier(&out) == from_earlier(&one), "{of} shards");
    }
}

/// Only the join has the rows of both.
#[test]
fn copies_in_different_shards() {
    let test = games();
    ingest_all(&test);
    let export = "export -q --cache all.sqlite --features base --split 1,0,0";
    let of_identical = |said: &str| -> Vec<String> {
        said.lines().filter(|line| line.contains("identical rows")).map(str::to_owned).collect()
    };
    let expected = of_identical(&test.run(&format!("{export} --out whole")).stderr);
    assert!(expected.len() == 1 && expected[0].contains(", 500 (train) have "), "{expected:?}");
    for number in 1..=3 {
        let ran = test.run(&format!("{export} --shard {number}/3 --out out-{number}"));
        assert!(ran.code == 0 && of_identical(&ran.stderr).is_empty(), "{ran:#?}");
    }
    let ran = test.run("join -q out out-1 out-2 out-3");
    assert_eq!((ran.code, of_identical(&ran.stderr)), (0, expected), "{ran:#?}");
}

#[test]
fn shards_of_parquet() {
    let test = games();
    ingest_all(&test);
    let options = "--format parquet --features base --dtype float16";
    test.prep(&format!("export -q --cache all.sqlite --out one {options}"));
    export_shards(&test, "out", 3, options);
    assert_eq!(about(&test, "out"), about(&test, "one"));
    assert_eq!(test.run("verify --export out").code, 0);
    for split in SPLITS {
        let rows =
            |path: PathBuf| rows_of_parquet(&test.path(path.join(format!("{split}.parquet"))));
        let joined: Vec<String> =
            (1..=3).flat_map(|number| rows(shard("out", number, 3))).collect();
        assert!(joined == rows("one".into()), "{split}");
    }
}

/// Each row as text.
fn rows_of_parquet(path: &Path) -> Vec<String> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
}

#[test]
fn damaged_shard() {
    let test = games();
    ingest_all(&test);
    export_shards(&test, "out", 2, "");
    let verify = |said: &str| {
        let ran = test.run("verify --export out");
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.stdout.contains(said), "{ran:#?}");
    };
    let labels = shard("out", 2, 2).join("labels_val.npz");
    let good = test.read(&labels);
    // Linked to the shard that was joined.
    fs::remove_file(test.path(&labels)).unwrap();
    test.write(&labels, &good[1..]);
    verify("shard-00002-of-00002/labels_val.npz: has ");
    verify("to repair the export: run `prep export --out SHARD --shard K/2 --split 0.8,0.1,0.1 ");
    verify("` for each damaged shard K, then `prep join out SHARD...` for all of them");
    test.write(&labels, &good);
    assert_eq!(test.run("verify --export out").code, 0);
    let masks = shard("out", 1, 2).join("masks_val.npz");
    let aside = test.path("masks_val.npz");
    fs::rename(test.path(&masks), &aside).unwrap();
    let status = test.run("status raw --cache all.sqlite --export out");
    assert_eq!(status.code, 1, "{status:#?}");
    let why = "is stale: shard-00001-of-00002/masks_val.npz cannot be read";
    assert!(status.stdout.contains(why), "{status:#?}");
    fs::rename(&aside, test.path(&masks)).unwrap();
    test.write(shard("out", 1, 2).join("mine.txt"), "");
    verify("shard-00001-of-00002/mine.txt: is not in the manifest");
    let ran = test.run("export --cache all.sqlite --out out");
    assert_eq!(ran.code, 1, "a folder with a foreign file is not replaced: {ran:#?}");
    fs::remove_file(test.path(shard("out", 1, 2).join("mine.txt"))).unwrap();
    fs::remove_dir_all(test.path(shard("out", 2, 2))).unwrap();
    verify("shard-00002-of-00002/manifest.json: is missing");
    // An intact shard of another export.
    test.prep("export -q --cache all.sqlite --shard 2/2 --seed 5 --out other");
    fs::rename(test.path("other"), test.path(shard("out", 2, 2))).unwrap();
    verify(
        "the shards are not one export: shard 2/2 is from other games or options than shard 1/2",
    );
}

#[test]
fn incomplete_or_mixed_shards() {
    let test = games();
    ingest_all(&test);
    for (shard, options) in [("1/2", ""), ("2/2", ""), ("2/2", "--dtype float16"), ("1/3", "")] {
        let name = format!("{}{}", shard.replace('/', ""), options.replace([' ', '-'], ""));
        test.prep(&format!("export -q --cache all.sqlite --shard {shard} {options} --out {name}"));
    }
    test.prep("export -q --cache all.sqlite --out one");
    for (shards, why) in [
        ("12", "found shard 1/2 among 1 shard: give"),
        ("12 12", "found shard 1/2 among 2 shards"),
        ("12 13", "found shard 1/3 among 2 shards"),
        ("12 22dtypefloat16", "shard 2/2 is from other games or options"),
        ("12 one", "one of them is not a shard"),
        ("12 raw", "cannot read the export raw"),
    ] {
        let ran = test.run(&format!("join out {shards}"));
        assert_eq!(ran.code, 1, "{shards}: {ran:#?}");
        assert!(ran.stderr.contains(why), "{shards}: {ran:#?}");
        assert!(!test.path("out").exists(), "{shards}");
    }
    // The same in both shards, and the id does not cover the version of prep.
    for (old, new, why) in [
        (r#""prep_version": ""#, r#""prep_version": "0.0."#, "it was written by prep 0.0."),
        (r#""encoder_version": "#, r#""encoder_version": 9"#, "was changed since it was written"),
    ] {
        let manifests = ["12/manifest.json", "22/manifest.json"];
        let stored = manifests.map(|file| test.read(file));
        for (file, stored) in manifests.iter().zip(&stored) {
            let stored = String::from_utf8(stored.clone()).unwrap();
            assert_eq!(stored.matches(old).count(), 1);
            test.write(file, stored.replace(old, new));
        }
        let ran = test.run("join out 22 12");
        assert_eq!(ran.code, 1, "{ran:#?}");
        for said in ["cannot join 22: it", why, ": export it again"] {
            assert!(ran.stderr.contains(said), "{ran:#?}");
        }
        manifests.iter().zip(&stored).for_each(|(file, stored)| test.write(file, stored));
    }
    let shard_1 = test.files("12");
    let ran = test.run("join 12 12 22");
    assert!(ran.code == 1 && ran.stderr.contains("12 is one of the shards"), "{ran:#?}");
    assert!(test.files("12") == shard_1);
    // An export of shards replaces one, and is replaced. Hidden files are kept, or nothing is replaced.
    let before = test.files("one");
    test.prep("join -q one 12 22");
    assert_eq!(test.run("verify --export one").code, 0);
    let hidden = shard("one", 1, 2).join(".mine");
    test.write(&hidden, "mine");
    test.prep("join -q one 22 12");
    assert_eq!(test.read(&hidden), b"mine");
    let ran = test.run("export -q --cache all.sqlite --out one");
    assert!(ran.code == 1 && ran.stderr.contains("of-00002/.mine: move it"), "{ran:#?}");
    fs::remove_file(test.path(&hidden)).unwrap();
    test.prep("export -q --cache all.sqlite --out one");
    assert!(test.files("one") == before);
}

/// Exports shard 2 with other options when its files are about to be linked.
struct ReplacesShard<'t>(&'t CliTest);

impl Progress for ReplacesShard<'_> {
    fn begin(&self, doing: &'static str, _amount: Amount) {
        if doing == "joining" {
            self.0.prep("export -q --cache all.sqlite --shard 2/2 --out out-2 --no-normalize");
        }
    }
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
}

#[test]
fn shard_replaced_meanwhile() {
    let test = games();
    ingest_all(&test);
    export_shards(&test, "out", 2, "");
    let before = test.files("out");
    let shards = ["out-1", "out-2"].map(|shard| test.path(shard));
    let never = AtomicBool::new(false);
    let joined = join_shards(&test.path("out"), &shards, &ReplacesShard(&test), &never);
    let error = joined.unwrap_err().to_string();
    assert!(error.contains("another export replaced it meanwhile: join again"), "{error}");
    assert!(test.files("out") == before);
}

#[test]
fn merged_parts_equal_one_ingest() {
    let test = games();
    // Two logs of one game are in one part, as the game is.
    test.write("raw/again/7.csv", test.read("raw/500.csv"));
    ingest_all(&test);
    let ingest = |number: usize| -> Value {
        let ran = test.run(&format!("ingest raw --part {number}/4 --cache {number}.sqlite --json"));
        assert!([0, 3].contains(&ran.code), "{ran:#?}");
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let games = |told: &Value, field: &str| told[field]["games"].as_u64().unwrap();
    let first: Vec<Value> = (1..=4).map(ingest).collect();
    assert_eq!(first.iter().map(|told| games(told, "cache")).sum::<u64>(), 30);
    assert!(first.iter().all(|told| games(told, "cache") > 2), "{first:#?}");
    let merge_and_export = |name: &str| {
        assert_eq!(test.run("merge -q merged.sqlite 4.sqlite 2.sqlite 1.sqlite 3.sqlite").code, 0);
        test.prep(&format!("export -q --cache merged.sqlite --out {name}"));
        test.prep(&format!("export -q --cache all.sqlite --out {name}-expected"));
        assert!(test.files(name) == test.files(&format!("{name}-expected")), "{name}");
    };
    merge_and_export("before");

    // A new game, a changed one and a deleted one: in the part of each, and in no other.
    test.prep("simulate more --games 1 --seed 9 -q");
    let (_, other) = test.files("more").into_iter().next().unwrap();
    let other = String::from_utf8(other).unwrap();
    let logs: Vec<PathBuf> = test.files("raw").into_keys().collect();
    let changed = logs.iter().find(|log| log.ends_with("12.csv")).unwrap();
    test.write("raw/900.csv", other.replace("\n1,", "\n900,"));
    test.write(Path::new("raw").join(changed), other.replace("\n1,", "\n12,"));
    fs::remove_file(test.path("raw/500.csv")).unwrap();
    ingest_all(&test);
    let second: Vec<Value> = (1..=4).map(ingest).collect();
    assert_eq!(second.iter().map(|told| games(told, "encoded")).sum::<u64>(), 2);
    let deleted: Vec<&Value> =
        second.iter().flat_map(|told| told["deleted"].as_array().unwrap()).collect();
    assert_eq!(deleted, [&json!(500)]);
    merge_and_export("after");
}

/// The games of other parts are treated like games whose logs were deleted.
#[test]
fn part_into_a_cache_with_other_games() {
    let test = CliTest::simulated(30);
    test.prep("ingest raw --cache all.sqlite");
    test.prep("ingest raw --part 1/3 --cache part.sqlite");
    let ids = |cache: &str| cached_ids(&test.path(cache));
    for (options, why) in [
        ("", "cached games are not in part 1/3 of raw any more"),
        ("--rebuild", "games of the old cache have no log in part 1/3 of raw"),
    ] {
        let ran = test.run(&format!("ingest raw --part 1/3 --cache all.sqlite {options}"));
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.complaints().contains(why), "{ran:#?}");
        assert_eq!(ids("all.sqlite").len(), 30, "{options}");
    }
    test.prep("ingest raw --part 1/3 --cache all.sqlite --allow-delete");
    assert_eq!(ids("all.sqlite"), ids("part.sqlite"));
}
