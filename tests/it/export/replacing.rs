//! Replacing an old export: its readers, Ctrl-C, kills.

use super::{assert_same_files, exported, ingested};
use crate::support::cli::CliTest;
use crate::support::export::Export;
use splendor_prep::encode::FEATURE_COUNT;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

#[test]
fn open_array_stays_readable() {
    let test = ingested(6);
    let old = exported(&test, "out", "--split 1,0,0");
    let hash = old.json("manifest.json")["files"]["X_train.npy"]["blake3"].take();
    let mut array = File::open(test.path("out/X_train.npy")).unwrap();
    let mut bytes = vec![0; 100_000];
    array.read_exact(&mut bytes).unwrap();

    let new = exported(&test, "out", "--split 1,0,0 --no-normalize");
    array.read_to_end(&mut bytes).unwrap();
    assert_eq!(hash, blake3::hash(&bytes).to_hex().as_str(), "half of it was read afterwards");
    let new_bytes = fs::read(new.folder.join("X_train.npy")).unwrap();
    assert!(new_bytes.len() == bytes.len() && new_bytes != bytes);
}

#[test]
fn replaced_completely() {
    let test = ingested(6);
    exported(&test, "out", "--layout npy --features base");
    exported(&test, "out", "");
    exported(&test, "fresh", "");
    assert_same_files(&test.files("fresh"), &test.files("out"));
}

/// Enough games that an export takes many times longer than detecting its start.
const MANY_GAMES: u32 = 240;

/// Starts an export to `out` and returns when it is writing features.
fn under_way(test: &CliTest) -> Child {
    let mut child = test
        .command_with_signals("export --out out --jobs 1 --split 1,0,0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while bytes_staged(test) < 1_000_000 {
        if begun.elapsed() > Duration::from_secs(20) || child.try_wait().unwrap().is_some() {
            let _ = child.kill();
            panic!("it was not seen writing: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

/// Number of bytes of training features that are written and not yet published.
fn bytes_staged(test: &CliTest) -> u64 {
    let array = |folder: PathBuf| fs::metadata(folder.join("export/X_train.npy")).ok();
    staging_folders(test).into_iter().filter_map(array).map(|array| array.len()).sum()
}

/// The hidden folders beside `out`.
fn staging_folders(test: &CliTest) -> Vec<PathBuf> {
    let entries = fs::read_dir(test.path("")).unwrap().map(|entry| entry.unwrap());
    let hidden = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    hidden.map(|entry| entry.path()).collect()
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "kill {signal}");
}

fn ended(child: Child) -> (Output, String) {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    (output, stderr)
}

#[test]
fn ctrl_c() {
    let test = ingested(MANY_GAMES);
    exported(&test, "out", "--features base");
    let before = test.files("out");
    let child = under_way(&test);
    signal(&child, "-INT");
    let (output, stderr) = ended(child);
    assert_eq!(output.status.signal(), Some(2), "{stderr}");
    assert!(stderr.contains("interrupted: the output folder is unchanged"), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_same_files(&before, &test.files("out"));
    assert_eq!(staging_folders(&test), Vec::<PathBuf>::new());
}

#[test]
fn kill() {
    let test = ingested(MANY_GAMES);
    exported(&test, "out", "--features base");
    let before = test.files("out");
    let mut child = under_way(&test);
    child.kill().unwrap();
    let (output, stderr) = ended(child);
    assert_eq!(output.status.code(), None, "it ended before the kill: {stderr}");
    assert_same_files(&before, &test.files("out"));
    assert_eq!(staging_folders(&test).len(), 1, "what a killed run cannot remove");

    let export = exported(&test, "out", "--features base --no-normalize");
    assert_eq!(staging_folders(&test), Vec::<PathBuf>::new());
    assert_eq!(export.json("manifest.json")["settings"]["normalized"], false);
}

#[test]
fn two_exports_at_once() {
    let test = ingested(MANY_GAMES);
    let child = under_way(&test);
    signal(&child, "-STOP");
    exported(&test, "out", "--features base");
    signal(&child, "-CONT");
    assert_eq!(Export { folder: test.path("out") }.columns().len(), 422);
    let (output, stderr) = ended(child);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(Export { folder: test.path("out") }.columns().len(), FEATURE_COUNT);
    assert_eq!(staging_folders(&test), Vec::<PathBuf>::new());
}
