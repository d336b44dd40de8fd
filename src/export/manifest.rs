//! `manifest.json`: the receipt of an export.
//!
//! **The ids.** `scaler.id` is a hash of the scaler alone ([`scaler_id`]) and stands in
//! `scaler.npz` too, so that changing only val and test games leaves that file as it is.
//! `export_id` is a hash of all that makes an export what it is: encoder, settings, inputs, which
//! game is in which split and the hash of its rows, the scaler's id, and the hash of every file.
//! So a scaler belongs to an export if the export's manifest lists its id, and arrays do if it
//! lists their hashes; and two exports with one id hold the same.
//!
//! [`scaler_id`]: super::scaler_file::scaler_id

use super::fingerprint::{IdenticalGames, WrittenGame};
use super::options::ExportOptions;
use super::scaler_file::ScalerOrigin;
use super::split::Split;
use crate::cache::{FeatureSchema, GameRecord, Refusal};
use crate::encode::ENCODER_VERSION;
use crate::gamelog::GameId;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The file's name in an export.
pub(super) const MANIFEST_FILE: &str = "manifest.json";
/// `settings.scaler` of an export whose scaler was fitted on its own training rows.
pub(super) const FITTED_ON_TRAIN: &str = "fitted on train";

/// What an export was made from and how.
pub(super) struct Contents<'e> {
    pub(super) options: &'e ExportOptions,
    /// Columns of `X`.
    pub(super) columns: usize,
    pub(super) records: &'e BTreeMap<GameId, GameRecord>,
    /// Every game that was written, in the order in which it was.
    pub(super) written: &'e [WrittenGame],
    /// Id and origin of the scaler, if there is one.
    pub(super) scaler: Option<(blake3::Hash, &'e ScalerOrigin)>,
    pub(super) identical_games: &'e [IdenticalGames],
    /// Whether the cache holds all that the last ingest was to put there. Content, not history:
    /// every ingest that comes to its end leaves the same mark.
    pub(super) last_ingest_finished: bool,
    pub(super) left_out: &'e [Refusal],
    pub(super) from_an_older_log: &'e [Refusal],
}

/// The receipt, without the files. Holds no time and no absolute path, so that the same cache and
/// options give the same bytes anywhere.
pub(super) fn manifest(contents: &Contents<'_>) -> Value {
    let Contents { options, records, written, .. } = contents;
    let mut by_split = Map::new();
    for split in Split::ALL {
        let its_games: Vec<&WrittenGame> =
            written.iter().filter(|game| game.split == split).collect();
        let rows = its_games.iter().map(|game| u64::from(records[&game.game_id].rows));
        // One text for all games: as a list, the hashes would be most of the file's lines.
        let (mut log_hashes, mut row_hashes) = (String::new(), String::new());
        for game in &its_games {
            log_hashes += &log_hash(&records[&game.game_id]).to_hex()[..16];
            let _ = write!(row_hashes, "{}", game.fingerprint);
        }
        by_split.insert(
            split.name().to_owned(),
            json!({
                "games": its_games.len(),
                "rows": rows.sum::<u64>(),
                "game_ids": its_games.iter().map(|game| game.game_id).collect::<Vec<_>>(),
                "log_hashes": log_hashes,
                "row_hashes": row_hashes,
            }),
        );
    }
    let listed = |refusals: &[Refusal]| -> Vec<Value> {
        let entry =
            |refusal: &Refusal| json!({ "game_id": refusal.game_id, "why": refusal.message });
        refusals.iter().map(entry).collect()
    };
    json!({
        "prep_version": env!("CARGO_PKG_VERSION"),
        // In its place among the first lines; known when all else is.
        "export_id": null,
        "encoder_version": ENCODER_VERSION,
        "feature_schema": FeatureSchema::now().to_string(),
        "settings": {
            "split": [options.ratios.train(), options.ratios.val(), options.ratios.test()],
            "split_method": options.split_method.name(),
            "seed": options.seed,
            "features": options.features.to_string(),
            "columns": contents.columns,
            "masks": options.masks.to_string(),
            "normalized": options.normalize,
            "scaler": match contents.scaler {
                Some((_, origin)) => origin.to_string(),
                None => "none: no training rows".to_owned(),
            },
            "dtype": options.dtype.name(),
            "layout": options.layout.name(),
        },
        "inputs": {
            "games": records.len(),
            "rows": records.values().map(|record| u64::from(record.rows)).sum::<u64>(),
            "blake3": hash_of_inputs(records).to_hex().as_str(),
            "last_ingest_finished": contents.last_ingest_finished,
        },
        "scaler": contents.scaler.map(|(id, origin)| json!({
            "id": id.to_hex().as_str(),
            "fitted_in": match origin {
                ScalerOrigin::FittedIn(export_id) => Some(export_id),
                ScalerOrigin::FittedHere | ScalerOrigin::Unknown => None,
            },
        })),
        "splits": by_split,
        "games_in_two_splits": games_in_two_splits(written),
        "identical_games": contents.identical_games,
        "left_out": listed(contents.left_out),
        "from_an_older_log": listed(contents.from_an_older_log),
    })
}

/// Enters the id, which is made from what is in the manifest already.
pub(super) fn enter_export_id(manifest: &mut Value) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep export 1");
    for part in [
        "encoder_version",
        "feature_schema",
        "settings",
        "inputs",
        "scaler",
        "splits",
        "games_in_two_splits",
        "identical_games",
        "left_out",
        "from_an_older_log",
        "files",
    ] {
        // JSON says itself where it ends.
        hasher.update(manifest[part].to_string().as_bytes());
    }
    manifest["export_id"] = hasher.finalize().to_hex().as_str().into();
}

/// The manifest of an export that other means than [`export`](super::export()) wrote: enters who
/// wrote it, the encoder and the id.
///
/// # Errors
/// If it is not a JSON object.
pub fn seal_manifest(manifest: &str) -> Result<String, serde_json::Error> {
    let mut fields: Map<String, Value> = serde_json::from_str(manifest)?;
    fields.insert("prep_version".to_owned(), env!("CARGO_PKG_VERSION").into());
    fields.insert("encoder_version".to_owned(), ENCODER_VERSION.into());
    fields.insert("feature_schema".to_owned(), FeatureSchema::now().to_string().into());
    let mut manifest = Value::Object(fields);
    enter_export_id(&mut manifest);
    serde_json::to_string_pretty(&manifest)
}

/// Every game of which rows were written to two splits, or twice to one: none, or prep is broken.
fn games_in_two_splits(written: &[WrittenGame]) -> Vec<GameId> {
    let mut seen = BTreeSet::new();
    written.iter().map(|game| game.game_id).filter(|&game_id| !seen.insert(game_id)).collect()
}

/// What a game's rows were made from, whatever the encoder.
fn log_hash(record: &GameRecord) -> blake3::Hash {
    match record.key.repaired {
        false => record.key.source_hash,
        // Read as it was meant, the same log is another game.
        true => blake3::hash(record.key.source_hash.as_bytes()),
    }
}

/// One hash over the id of every game and the hash of the log its rows were made from.
fn hash_of_inputs(records: &BTreeMap<GameId, GameRecord>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for record in records.values() {
        hasher.update(&record.game_id.0.to_le_bytes());
        hasher.update(record.key.source_hash.as_bytes());
        hasher.update(&[record.key.repaired.into()]);
    }
    hasher.finalize()
}
