//! Ids tie the scaler, arrays and split of an export together; `--scaler-from` checks them.

use super::{exported, ingested};
use crate::support::cli::CliTest;
use crate::support::export::Export;
use ndarray::Array1;
use ndarray_npy::{NpzReader, NpzWriter};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};

fn manifest(export: &Export) -> Value {
    export.json("manifest.json")
}

fn export_id(export: &Export) -> String {
    manifest(export)["export_id"].as_str().unwrap().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id by its definition: names, flags and the bits of mean, var and scale, column by column.
fn scaler_id(export: &Export) -> String {
    let scaler = export.scaler();
    let mut bytes = b"splendor-prep scaler 1".to_vec();
    for (column, name) in export.columns().iter().enumerate() {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(u8::from(scaler.normalized[column]));
        for values in [&scaler.mean, &scaler.var, &scaler.scale] {
            bytes.extend(values[column].to_bits().to_le_bytes());
        }
    }
    blake3::hash(&bytes).to_hex().to_string()
}

fn stored_scaler_id(export: &Export) -> String {
    let file = File::open(export.folder.join("scaler.npz")).unwrap();
    let id: Array1<u8> = NpzReader::new(file).unwrap().by_name("scaler_id").unwrap();
    hex(&id.to_vec())
}

/// Changes a manifest.
fn edit_manifest(test: &CliTest, export: &str, edit: impl FnOnce(&mut Value)) {
    let path = test.path(export).join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
}

#[test]
fn scaler_id_as_defined() {
    let test = ingested(12);
    for options in ["", "--no-normalize --features base"] {
        let export = exported(&test, "out", options);
        assert_eq!(manifest(&export)["scaler"]["id"], scaler_id(&export));
        assert_eq!(stored_scaler_id(&export), scaler_id(&export));
        assert_eq!(manifest(&export)["scaler"]["fitted_in"], Value::Null);
        assert_eq!(manifest(&export)["settings"]["scaler"], "fitted on train");
    }
    let untrained = exported(&test, "out", "--no-normalize --split 0.000001,0.5,0.499999");
    assert_eq!(manifest(&untrained)["scaler"], Value::Null);
}

#[test]
fn export_id_covers_everything() {
    let test = ingested(12);
    let first = export_id(&exported(&test, "first", ""));
    assert_eq!(export_id(&exported(&test, "elsewhere/second", "--jobs 1")), first);
    let mut ids = BTreeSet::from([first]);
    for options in [
        "--seed 7",
        "--split 0.5,0.25,0.25",
        "--split-method sklearn",
        "--features base",
        "--masks all-ones",
        "--no-normalize",
        "--dtype float16",
        "--layout npy",
        "--scaler-from first",
    ] {
        let id = export_id(&exported(&test, "out", options));
        assert_eq!(id.len(), 64);
        assert!(ids.insert(id), "{options} has the id of another export");
    }
    test.prep("simulate raw --games 1 --first-id 13");
    test.prep("ingest raw");
    assert!(ids.insert(export_id(&exported(&test, "out", ""))), "one more game");
}

#[test]
fn origin_of_the_scaler() {
    let test = ingested(12);
    let first = export_id(&exported(&test, "first", ""));
    let second = exported(&test, "second", "--scaler-from first --seed 7");
    let third = exported(&test, "third", "--scaler-from second --seed 8");
    for export in [&second, &third] {
        assert_eq!(manifest(export)["scaler"]["fitted_in"], first);
        assert_eq!(
            stored_scaler_id(export),
            stored_scaler_id(&Export { folder: test.path("first") })
        );
    }
    // Nightly exports of the same games are the same export.
    let tonight = export_id(&third);
    assert_eq!(export_id(&exported(&test, "third", "--scaler-from third --seed 8")), tonight);
}

#[track_caller]
fn refused(test: &CliTest, sentence: &str) {
    let ran = test.run("export --out out --scaler-from first");
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:#?}");
    assert!(ran.stderr.contains(sentence), "{sentence:?} is not in {ran:#?}");
    assert!(!test.path("out").exists(), "nothing was exported");
}

#[test]
fn scaler_of_another_export() {
    let test = ingested(12);
    let mine = stored_scaler_id(&exported(&test, "first", ""));
    let other = stored_scaler_id(&exported(&test, "other", "--seed 7"));
    assert_ne!(mine, other, "other training games");
    fs::copy(test.path("other/scaler.npz"), test.path("first/scaler.npz")).unwrap();
    let sentence = format!(
        "cannot use the scaler of first: scaler.npz ({}) does not belong to its export \
         ({} in manifest.json): give the unchanged folder of the export",
        &other[..12],
        &mine[..12]
    );
    refused(&test, &sentence);

    // A manifest without ids still has the hash of the file.
    edit_manifest(&test, "first", |manifest| {
        let manifest = manifest.as_object_mut().unwrap();
        manifest.remove("export_id");
        manifest.remove("scaler");
    });
    refused(&test, "does not belong to its export");
    edit_manifest(&test, "first", |manifest| {
        manifest["files"].as_object_mut().unwrap().remove("scaler.npz");
    });
    refused(&test, "its manifest.json lists no scaler.npz");
    fs::write(test.path("first/manifest.json"), "{}").unwrap();
    refused(&test, "cannot use the scaler of first: manifest.json: missing field");
}

#[test]
fn scaler_with_changed_values() {
    let test = ingested(12);
    let export = exported(&test, "first", "");
    let scaler = export.scaler();
    let id: Array1<u8> = NpzReader::new(File::open(test.path("first/scaler.npz")).unwrap())
        .unwrap()
        .by_name("scaler_id")
        .unwrap();
    let mut npz = NpzWriter::new(File::create(test.path("first/scaler.npz")).unwrap());
    let mut mean = scaler.mean;
    mean[scaler.normalized.iter().position(|&flag| flag).unwrap()] += 1e-12;
    for (name, values) in [("mean", mean), ("var", scaler.var), ("scale", scaler.scale)] {
        npz.add_array(name, &Array1::from(values)).unwrap();
    }
    npz.add_array("normalized", &Array1::from(scaler.normalized)).unwrap();
    npz.add_array("scaler_id", &id).unwrap();
    npz.finish().unwrap();
    refused(&test, "scaler.npz was changed since it was written");
}

#[test]
fn scaler_without_manifest() {
    let test = ingested(30);
    let first = exported(&test, "first", "");
    fs::create_dir(test.path("alone")).unwrap();
    for file in ["scaler.npz", "feature_cols.json"] {
        fs::copy(test.path("first").join(file), test.path("alone").join(file)).unwrap();
    }
    let ran = test.run("export --out out --scaler-from alone");
    assert_eq!(ran.code, 0, "{ran:#?}");
    let warning = "warning: alone has no manifest.json: the origin of its scaler is unknown\n";
    assert_eq!(ran.complaints(), warning);
    let export = Export { folder: test.path("out") };
    assert_eq!(manifest(&export)["scaler"]["fitted_in"], Value::Null);
    assert_eq!(manifest(&export)["settings"]["scaler"], "fitted in an export without an id");
    assert!(export.features("val") == first.features("val"));
}
