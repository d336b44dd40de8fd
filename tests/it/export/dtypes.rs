//! `--dtype`: the same values in one or two bytes, or an error.

use super::{assert_same_files, exported, files_where, ingested};
use crate::support::cli::CliTest;
use crate::support::export::{Export, SPLITS};
use ndarray::{Array1, Array2};
use ndarray_npy::{NpzWriter, read_npy};
use rusqlite::Connection;
use std::fs::{self, File};
use twox_hash::{XxHash3_64, XxHash3_128};

/// Size of a header, which NumPy pads to a multiple of 64.
const HEADER: usize = 128;

/// The header and the two-byte elements of an array.
fn float16(export: &Export, split: &str) -> (String, Vec<u16>) {
    let bytes = fs::read(export.folder.join(format!("X_{split}.npy"))).unwrap();
    let (header, elements) = bytes.split_at(HEADER);
    let elements = elements.as_chunks().0.iter().map(|&bytes| u16::from_le_bytes(bytes));
    (String::from_utf8_lossy(&header[10..]).into_owned(), elements.collect())
}

/// The value of a finite binary16, by its definition.
pub(super) fn float16_value(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        _ => (1024.0 + mantissa) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Whether a binary16 is the nearest to a value, with ties to even.
fn is_nearest(bits: u16, value: f64) -> bool {
    let off = (float16_value(bits) - value).abs();
    [bits.wrapping_sub(1), bits + 1].into_iter().filter(|bits| bits >> 10 & 31 != 31).all(|other| {
        let other_off = (float16_value(other) - value).abs();
        off < other_off || (off == other_off && bits & 1 == 0)
    })
}

#[test]
fn int8() {
    let test = ingested(12);
    for features in ["all", "base"] {
        let options = format!("--no-normalize --features {features} --split 0.5,0.25,0.25");
        let wide = exported(&test, "wide", &options);
        let said = test.prep(&format!("export --out narrow --dtype int8 {options}"));
        assert!(said.contains(") int8\n") && !said.contains("float32"), "{said}");
        let narrow = Export { folder: test.path("narrow") };
        for split in SPLITS {
            let expected = wide.features(split);
            let path = narrow.folder.join(format!("X_{split}.npy"));
            let found: Array2<i8> = read_npy(&path).unwrap();
            assert!(found.is_standard_layout());
            assert!(found.mapv(f32::from) == expected, "{split}");
            let bytes = fs::metadata(path).unwrap().len() as usize;
            assert_eq!(4 * (bytes - HEADER), expected.len() * size_of::<f32>());
        }
        assert_eq!(narrow.json("manifest.json")["settings"]["dtype"], "int8");
        assert_eq!(wide.json("manifest.json")["settings"]["dtype"], "float32");
        // The scaler is included for later normalization, and everything else is the same.
        let is_other = |name: &str| !name.starts_with("X_") && name != "manifest.json";
        let others = |out| files_where(&test, out, is_other);
        assert_eq!(others("wide").len(), 17);
        assert_same_files(&others("wide"), &others("narrow"));
    }
}

#[test]
fn float16_values() {
    let test = ingested(12);
    let split = "--split 0.5,0.25,0.25";
    let raw = exported(&test, "raw_values", &format!("--no-normalize {split}"));
    let scaled = exported(&test, "scaled", &format!("--dtype float16 {split}"));
    let plain = exported(&test, "plain", &format!("--dtype float16 --no-normalize {split}"));
    let scaler = scaled.scaler();
    let mut rounded = 0;
    for split in SPLITS {
        let values = raw.features(split);
        let (header, found) = float16(&scaled, split);
        assert!(header.contains("'descr': '<f2', 'fortran_order': False"), "{header}");
        let (rows, columns) = values.dim();
        assert!(header.contains(&format!("'shape': ({rows}, {columns})")), "{header}");
        assert_eq!(found.len(), values.len());
        let (_, unscaled) = float16(&plain, split);
        for (((_, column), &value), (bits, unscaled)) in
            values.indexed_iter().zip(found.into_iter().zip(unscaled))
        {
            let value = f64::from(value);
            let exact = (value - scaler.mean[column]) / scaler.scale[column];
            assert!(is_nearest(bits, exact), "{exact} became {}", float16_value(bits));
            assert_eq!(float16_value(unscaled), value);
            rounded += usize::from(float16_value(bits) != exact);
        }
    }
    assert!(rounded > 1000, "{rounded}: the test looked at values that do round");
    assert_eq!(scaled.json("manifest.json")["settings"]["dtype"], "float16");
}

#[test]
fn int8_is_not_normalized() {
    let test = ingested(6);
    for options in ["", "--scaler-from first"] {
        let ran = test.run(&format!("export --out out --dtype int8 {options}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:#?}");
        let sentence = "error: --dtype int8 holds whole numbers only, and normalized values are \
                        fractions: add --no-normalize, or choose float16";
        assert!(ran.stderr.contains(sentence), "{ran:#?}");
    }
    assert!(!test.path("out").exists());
}

/// Writes a value to the cached features of a game, with a valid checksum.
fn plant(test: &CliTest, game: i64, column: usize, value: f32) {
    let cache = Connection::open(test.path("data/intermediate/prep.sqlite")).unwrap();
    let (blob, source, encoder, schema, rows, players): (Vec<u8>, String, u32, String, u32, u8) =
        cache
            .query_row(
                "SELECT features, source_hash, encoder_version, feature_schema, rows, players
             FROM games WHERE game_id = ?1",
                [game],
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                        row.get(5)?,
                    ))
                },
            )
            .unwrap();
    let mut bytes = zstd::decode_all(blob.as_slice()).unwrap();
    bytes[4 * column * rows as usize..][..4].copy_from_slice(&value.to_le_bytes());
    let packed = zstd::bulk::compress(&bytes, 1).unwrap();
    let mut owner = b"features".to_vec();
    owner.extend(game.to_le_bytes());
    owner.extend(blake3::Hash::from_hex(&source).unwrap().as_bytes());
    owner.extend(encoder.to_le_bytes());
    owner.extend(u64::from_str_radix(&schema, 16).unwrap().to_be_bytes());
    // Number of rows, of rows with the gem fault, and of rows whose gems do not add up.
    for count in [rows, 0, 0] {
        owner.extend(count.to_le_bytes());
    }
    owner.extend([players, 0]);
    let checksum = XxHash3_128::oneshot_with_seed(XxHash3_64::oneshot(&owner), &packed);
    let changed = cache
        .execute(
            "UPDATE games SET features = ?1, features_checksum = ?2 WHERE game_id = ?3",
            (&packed, checksum.to_le_bytes(), game),
        )
        .unwrap();
    assert_eq!(changed, 1);
}

/// `int8` is lossless: values that are not integers from -128 to 127, or that no position has, are
/// damage for every type.
#[test]
fn impossible_value_is_damage() {
    for (value, why) in [
        (200.0, "a value is not a feature value"),
        (0.5, "a value is not a feature value"),
        (f32::NAN, "a value is not a feature value"),
        (-128.0, "a row is not a valid position"),
    ] {
        let test = ingested(3);
        let names = exported(&test, "first", "").columns();
        let column = names.iter().position(|name| name == "gems_board_gold");
        plant(&test, 2, column.unwrap(), value);
        for dtype in ["float32", "float16", "int8"] {
            let ran = test.run(&format!("export --out out --no-normalize --dtype {dtype}"));
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:#?}");
            let sentence = format!("error: game 2 is damaged in the cache (features: {why}): the");
            assert!(ran.stderr.contains(&sentence), "{sentence} is not in {ran:#?}");
        }
        assert!(!test.path("out").exists(), "nothing was exported");
        assert!(test.run("verify raw").stdout.contains(&format!("game 2: features: {why}")));
    }
}

#[test]
fn float16_out_of_range() {
    let test = ingested(6);
    let first = exported(&test, "first", "");
    // The scaler of other data, in which the decks almost never changed.
    let mut scaler = first.scaler();
    let column = first.columns().iter().position(|name| name == "deck_level1_remaining").unwrap();
    (scaler.mean[column], scaler.var[column], scaler.scale[column]) = (40.0, 1e-10, 1e-5);
    fs::create_dir(test.path("other")).unwrap();
    fs::copy(test.path("first/feature_cols.json"), test.path("other/feature_cols.json")).unwrap();
    let mut npz = NpzWriter::new(File::create(test.path("other/scaler.npz")).unwrap());
    for (name, values) in [("mean", scaler.mean), ("var", scaler.var), ("scale", scaler.scale)] {
        npz.add_array(name, &Array1::from(values)).unwrap();
    }
    npz.add_array("normalized", &Array1::from(scaler.normalized)).unwrap();
    npz.finish().unwrap();

    let ran = test.run("export --out out --scaler-from other --dtype float16");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:#?}");
    let (_, said) = ran.stderr.split_once("deck_level1_remaining is ").unwrap();
    let (value, said) = said.split_once(", which ").unwrap();
    assert!(value.parse::<f64>().unwrap() < -65_504.0, "{ran:#?}");
    assert!(
        said.starts_with("is out of the range of float16: export with --dtype float32"),
        "{ran:#?}"
    );
    assert!(!test.path("out").exists(), "nothing was exported");
    test.prep("export --out out --scaler-from other --dtype float32");
}
