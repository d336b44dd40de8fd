//! Runs the fuzz targets with a stable compiler on every input of their corpora, and on copies with a
//! few changed bytes. Inputs that failed once are kept in the corpus.

#![allow(clippy::unwrap_used)]

use crate::support::{fuzzed, long_run};
use rand_mt::Mt64;
use std::fs;
use std::path::Path;

/// Runs a target on each input of its corpus, unchanged and then with changes.
fn run(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{target} has a corpus");
    let mut dice = Mt64::new(1);
    let changes = long_run::times(40, 2_000);
    for file in files {
        let seed = fs::read(file).unwrap();
        check(&seed);
        for _ in 0..changes {
            check(&changed(&seed, &mut dice));
        }
    }
}

/// Flips, removes, repeats or overwrites bytes at one to four places, or everything from one of them on.
fn changed(seed: &[u8], dice: &mut Mt64) -> Vec<u8> {
    const TELLING: &[u8] = b"0123456789,,,...\n\r\"\t -+nxa:{}[]#\xff\x00";
    let mut roll = |sides: usize| (dice.next_u64() % sides.max(1) as u64) as usize;
    let mut bytes = seed.to_vec();
    for _ in 0..1 + roll(4) {
        let at = roll(bytes.len());
        match roll(7) {
            _ if bytes.is_empty() => bytes.push(TELLING[roll(TELLING.len())]),
            0 => bytes[at] ^= 1 << roll(8),
            1 => bytes[at] = TELLING[roll(TELLING.len())],
            2 => bytes.insert(at, TELLING[roll(TELLING.len())]),
            3 => drop(bytes.drain(at..(at + 1 + roll(30)).min(bytes.len()))),
            4 => bytes.truncate(at),
            // As a crash may leave a file that was being written.
            5 => bytes[at..].fill(0),
            _ => {
                let piece = bytes[at..(at + 1 + roll(30)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn log_reader() {
    run("log_reader", fuzzed::log_reader);
}

#[test]
fn blob_decoder() {
    run("blob_decoder", fuzzed::blob_decoder);
}

#[test]
fn settings() {
    run("settings", fuzzed::settings);
}

#[test]
fn exported_file() {
    run("exported_file", fuzzed::exported_file);
}
