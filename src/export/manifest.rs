//! `manifest.json`: the receipt of an export.

use super::options::ExportOptions;
use super::split::Split;
use crate::cache::{FeatureSchema, GameRecord, Refusal};
use crate::encode::ENCODER_VERSION;
use crate::gamelog::GameId;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What an export was made from and how. Holds no time and no absolute path, so that the same cache and
/// options give the same bytes anywhere.
pub(super) fn manifest(
    options: &ExportOptions,
    columns: usize,
    records: &BTreeMap<GameId, GameRecord>,
    splits: &[Split],
    left_out: &[Refusal],
    from_an_older_log: &[Refusal],
) -> Value {
    let mut by_split = Map::new();
    for split in Split::ALL {
        let games: Vec<&GameRecord> = records
            .values()
            .zip(splits)
            .filter(|&(_, &its_split)| its_split == split)
            .map(|(record, _)| record)
            .collect();
        by_split.insert(
            split.name().to_owned(),
            json!({
                "games": games.len(),
                "rows": games.iter().map(|record| u64::from(record.rows)).sum::<u64>(),
                "game_ids": games.iter().map(|record| record.game_id).collect::<Vec<_>>(),
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
        "encoder_version": ENCODER_VERSION,
        "feature_schema": FeatureSchema::now().to_string(),
        "settings": {
            "split": [options.ratios.train(), options.ratios.val(), options.ratios.test()],
            "split_method": options.split_method.name(),
            "seed": options.seed,
            "features": options.features.to_string(),
            "columns": columns,
            "masks": options.masks.to_string(),
            "normalized": options.normalize,
            "scaler": if options.scaler_from.is_some() { "from an earlier export" } else { "fitted on train" },
            "dtype": "float32",
            "layout": options.layout.name(),
        },
        "inputs": {
            "games": records.len(),
            "rows": records.values().map(|record| u64::from(record.rows)).sum::<u64>(),
            "blake3": hash_of_inputs(records).to_hex().as_str(),
        },
        "splits": by_split,
        "left_out": listed(left_out),
        "from_an_older_log": listed(from_an_older_log),
    })
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
