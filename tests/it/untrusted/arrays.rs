//! Arrays whose headers declare more than they contain.

use crate::support::cli::CliTest;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// An array with this header and no elements.
fn npy(header: &str) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16 + 1).to_le_bytes());
    bytes.extend(header.bytes().chain([b'\n']));
    bytes
}

fn huge(element_type: &str) -> Vec<u8> {
    npy(&format!(
        "{{'descr': '{element_type}', 'fortran_order': False, 'shape': (1000000000000,), }}"
    ))
}

fn nested() -> Vec<u8> {
    npy(&format!("{{'descr': {}{}}}", "[".repeat(40), "]".repeat(40)))
}

/// Replaces an array in an archive.
fn replace(archive: &Path, member: &str, array: &[u8]) {
    let mut old = ZipArchive::new(File::open(archive).unwrap()).unwrap();
    let mut members = Vec::new();
    for index in 0..old.len() {
        let mut file = old.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        members.push((file.name().to_owned(), bytes));
    }
    let mut new = ZipWriter::new(File::create(archive).unwrap());
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in members {
        let bytes = if name == format!("{member}.npy") { array } else { &bytes };
        new.start_file(name, stored).unwrap();
        new.write_all(bytes).unwrap();
    }
    new.finish().unwrap();
}

#[test]
fn shapes_are_compared_with_the_file() {
    for array in [huge("<i8"), nested()] {
        let test = CliTest::with_export();
        replace(&test.path("e/index_train.npz"), "game_id", &array);
        replace(&test.path("e/masks_train.npz"), "noble", &array);
        test.write("e/X_val.npy", &array);
        let ran = test.run_in_time("verify --export e");
        assert_eq!(ran.code, 1, "{ran:#?}");
        for file in ["index_train.npz", "masks_train.npz", "X_val.npy"] {
            let fault = format!("{file}: is not a file of arrays: ");
            assert!(ran.stdout.contains(&fault), "{file}: {ran:#?}");
        }
    }
}

#[test]
fn scaler_of_a_crafted_export() {
    for array in [huge("<f8"), nested()] {
        let test = CliTest::with_export();
        replace(&test.path("e/scaler.npz"), "mean", &array);
        let ran =
            test.run_in_time("export --cache c.sqlite --out f --features base --scaler-from e");
        assert!(ran.code == 1 && ran.stderr.contains("its scaler.npz is invalid"), "{ran:#?}");
    }
}
