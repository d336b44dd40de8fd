//! Untrusted exports: the manifest and its file names.

use super::make_fifo;
use crate::support::cli::CliTest;
use std::fs;
use std::os::unix::fs::symlink;

/// Changes the manifest of `e`.
fn edit(test: &CliTest, change: impl FnOnce(&mut serde_json::Value)) {
    let mut manifest = serde_json::from_slice(&test.read("e/manifest.json")).unwrap();
    change(&mut manifest);
    test.write("e/manifest.json", serde_json::to_vec(&manifest).unwrap());
}

/// File names in a manifest never open files outside the export.
#[test]
fn manifest_with_names_of_other_files() {
    let test = CliTest::with_export();
    let good = test.read("e/manifest.json");
    test.write("outside", "something");
    for name in ["/etc/passwd", "../outside", "a/../../outside", "/dev/zero", "\u{1b}[31mred", ""] {
        test.write("e/manifest.json", &good);
        edit(&test, |manifest| {
            let entry = serde_json::json!({ "bytes": 9, "blake3": "0".repeat(64) });
            manifest["files"][name] = entry;
        });
        let ran = test.run_in_time("verify --export e --json");
        assert_eq!(ran.code, 1, "{ran:#?}");
        let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(found["files"], 0, "{name}: nothing is read");
        let what = found["findings"][0]["what"].as_str().unwrap();
        assert!(what.contains("is not the name of a file in the export"), "{name}: {what}");
        assert_eq!(found["findings"][0]["command"], serde_json::Value::Null);
        assert!(!what.contains('\u{1b}'));
        let ran = test.run_in_time("diff e e");
        assert_eq!(ran.code, 1, "{ran:#?}");
    }
}

/// Settings that are printed as flags are validated.
#[test]
fn manifest_with_settings_of_other_types() {
    let test = CliTest::with_export();
    let good = test.read("e/manifest.json");
    for (setting, value) in [
        ("seed", "42; touch x #"),
        ("layout", "npz; touch x"),
        ("dtype", "`touch x`"),
        ("features", "base\ntouch x"),
        ("scaler", "$(touch x)"),
        ("masks", "--out /"),
    ] {
        test.write("e/manifest.json", &good);
        edit(&test, |manifest| manifest["settings"][setting] = value.into());
        let ran = test.run("verify --export e");
        assert!(ran.code == 1 && ran.stdout.contains("is not a manifest"), "{setting}: {ran:#?}");
        assert!(!ran.stdout.contains("prep export --out"), "{setting}: {ran:#?}");
    }
}

/// Very large numbers in a manifest.
#[test]
fn manifest_with_huge_numbers() {
    let test = CliTest::with_export();
    edit(&test, |manifest| {
        for (_, file) in manifest["files"].as_object_mut().unwrap() {
            file["bytes"] = u64::MAX.into();
        }
        manifest["splits"]["train"]["rows"] = u64::MAX.into();
        manifest["splits"]["val"]["rows"] = u64::MAX.into();
        manifest["settings"]["columns"] = u64::MAX.into();
    });
    assert_eq!(test.run_in_time("verify --export e").code, 1);
    for command in ["diff e e", "report --cache c.sqlite --export e --against e"] {
        assert!((0..=1).contains(&test.run_in_time(command).code), "{command}");
    }
}

/// Special files in an export never block prep.
#[test]
fn files_that_are_no_files() {
    for name in
        ["manifest.json", "X_train.npy", "scaler.npz", "index_train.npz", "feature_cols.json"]
    {
        let test = CliTest::with_export();
        let path = test.path("e").join(name);
        fs::remove_file(&path).unwrap();
        make_fifo(&path);
        for _ in 0..2 {
            for command in [
                "verify --export e",
                "export --cache c.sqlite --out e",
                "export --cache c.sqlite --out e/f/g",
            ] {
                let ran = test.run_in_time(command);
                // Without a readable manifest, `e` is not an export.
                let may_succeed = command.contains("e/f") && name == "manifest.json";
                assert!(ran.code == 1 || may_succeed, "{name}: {command}: {ran:#?}");
            }
            if !["X_train.npy", "index_train.npz"].contains(&name) {
                let ran = test
                    .run_in_time("export --cache c.sqlite --out f --scaler-from e --features base");
                assert_eq!(ran.code, 1, "{name}: {ran:#?}");
            }
            let _ = fs::remove_dir_all(test.path("e/f"));
            fs::remove_file(&path).unwrap();
            symlink("/dev/zero", &path).unwrap();
        }
    }
}

/// The footer of a table is read by a library that believes its numbers: it reserves memory for as many
/// columns, and panics over a negative offset.
#[test]
fn tables_with_impossible_numbers() {
    let test = CliTest::with_cache();
    test.prep("export --cache c.sqlite --out e --format parquet --features base -q");
    let good = test.read("e/train.parquet");
    let length = u32::from_le_bytes(*good[..good.len() - 4].last_chunk().unwrap()) as usize;
    let footer = good.len() - 8 - length;
    let find = |bytes: &[u8]| {
        let place = good[footer..].windows(bytes.len()).position(|window| window == bytes).unwrap();
        footer + place + bytes.len()
    };
    let changed = |place: usize, number: &[u8]| {
        let mut file = [&good[..place], number, &good[place + 1..]].concat();
        let end = file.len() - 8;
        let length = length + number.len() - 1;
        file[end..end + 4].copy_from_slice(&(length as u32).to_le_bytes());
        test.write("e/train.parquet", file);
        let ran = test.run_in_time("verify --export e --cache c.sqlite");
        assert_eq!(ran.code, 1, "{place}: {ran:#?}");
        assert!(!ran.stderr.contains("panicked"), "{place}: {ran:#?}");
        ran.stdout
    };
    let is_no_table = "train.parquet: is not a Parquet file of an export: its footer is damaged";
    // Two thousand million columns.
    let stdout = changed(find(b"arrow_schema\x15"), b"\xfe\xff\xff\xff\x0f");
    assert!(stdout.contains(is_no_table), "{stdout}");
    // -1 in the place of 4: the first page of the file, where that of the game ids begins.
    let offsets: Vec<usize> = (footer..good.len() - 8).filter(|&at| good[at] == 8).collect();
    let stdout: String = offsets.iter().map(|&offset| changed(offset, b"\x01")).collect();
    assert!(stdout.contains(is_no_table), "{stdout}");
}
