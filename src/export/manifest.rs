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

use super::fingerprint::IdenticalGames;
use super::games::{ExportedGame, ExportedGames};
use super::options::ExportOptions;
use super::scaler_file::ScalerOrigin;
use super::split::Split;
use crate::cache::{FeatureSchema, Refusal};
use crate::encode::ENCODER_VERSION;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::fmt;
use std::io::{BufWriter, Write};

/// The file's name in an export.
pub(super) const MANIFEST_FILE: &str = "manifest.json";
/// `settings.scaler` of an export whose scaler was fitted on its own training rows.
pub(super) const FITTED_ON_TRAIN: &str = "fitted on train";

/// What an export was made from and how.
pub(super) struct Contents<'e> {
    pub(super) options: &'e ExportOptions,
    /// Columns of `X`.
    pub(super) columns: usize,
    /// With what was written of each.
    pub(super) games: &'e ExportedGames,
    /// Id and origin of the scaler, if there is one.
    pub(super) scaler: Option<(blake3::Hash, &'e ScalerOrigin)>,
    pub(super) identical_games: &'e [IdenticalGames],
    /// Whether the cache holds all that the last ingest was to put there. Content, not history:
    /// every ingest that comes to its end leaves the same mark.
    pub(super) last_ingest_finished: bool,
    pub(super) left_out: &'e [Refusal],
    pub(super) from_an_older_log: &'e [Refusal],
}

/// The receipt. Its lists of games are never in memory as text: those are most of it.
pub(super) struct Manifest<'e> {
    /// With `null` in the place of the splits.
    fields: Map<String, Value>,
    splits: Splits<'e>,
}

impl<'e> Manifest<'e> {
    /// Without the files. Holds no time and no absolute path, so that the same cache and options give
    /// the same bytes anywhere.
    pub(super) fn of(contents: &Contents<'e>) -> Manifest<'e> {
        let fields = match fields_of(contents) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Manifest { fields, splits: Splits(contents.games) }
    }

    /// Enters the files, and the id, which is made from all that is in it by then.
    pub(super) fn seal(&mut self, files: Map<String, Value>) -> serde_json::Result<()> {
        self.fields.insert("files".to_owned(), files.into());
        let id = export_id(&self.fields, &self.splits)?;
        self.fields.insert("export_id".to_owned(), id.into());
        Ok(())
    }
}

impl Serialize for Manifest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            match name.as_str() {
                SPLITS => map.serialize_entry(name, &self.splits)?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

const SPLITS: &str = "splits";

/// The games of each split that were written.
struct Splits<'e>(&'e ExportedGames);

impl Serialize for Splits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Split::ALL.map(|split| (split.name(), GamesOf(self.0, split))))
    }
}

#[derive(Clone, Copy)]
struct GamesOf<'e>(&'e ExportedGames, Split);

impl<'e> GamesOf<'e> {
    fn each(self) -> impl Iterator<Item = &'e ExportedGame> {
        let GamesOf(games, split) = self;
        games.written().filter(move |game| game.split == split)
    }
}

impl Serialize for GamesOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows: u64 = self.each().map(|game| u64::from(game.rows)).sum();
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("games", &self.each().count())?;
        map.serialize_entry("rows", &rows)?;
        map.serialize_entry("game_ids", &InTurn(|| self.each().map(|game| game.game_id)))?;
        // One text for all games: as a list, the hashes would be most of the file's lines.
        map.serialize_entry("log_hashes", &AsOneText(|| self.each().map(|game| game.log)))?;
        map.serialize_entry("row_hashes", &AsOneText(|| self.each().map(|game| game.fingerprint)))?;
        map.end()
    }
}

/// A list whose entries are made one after another.
struct InTurn<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for InTurn<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// A text whose parts are made one after another.
struct AsOneText<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: fmt::Display>> fmt::Display for AsOneText<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)().try_for_each(|part| part.fmt(f))
    }
}

impl<F: Fn() -> I, I: Iterator<Item: fmt::Display>> Serialize for AsOneText<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn fields_of(contents: &Contents<'_>) -> Value {
    let Contents { options, games, .. } = contents;
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
            "games": games.len(),
            "rows": Split::ALL.map(|split| games.rows_in(split)).iter().sum::<u64>(),
            "blake3": games.hash_of_inputs().to_hex().as_str(),
            "last_ingest_finished": contents.last_ingest_finished,
        },
        "scaler": contents.scaler.map(|(id, origin)| json!({
            "id": id.to_hex().as_str(),
            "fitted_in": match origin {
                ScalerOrigin::FittedIn(export_id) => Some(export_id),
                ScalerOrigin::FittedHere | ScalerOrigin::Unknown => None,
            },
        })),
        SPLITS: null,
        "games_in_two_splits": games.written_twice(),
        "identical_games": contents.identical_games,
        "left_out": listed(contents.left_out),
        "from_an_older_log": listed(contents.from_an_older_log),
    })
}

/// The id of an export with these fields, whatever they say of its splits, and these splits.
fn export_id(fields: &Map<String, Value>, splits: &impl Serialize) -> serde_json::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep export 1");
    // Numbers come to it one by one.
    let mut into_hash = BufWriter::new(&mut hasher);
    for part in [
        "encoder_version",
        "feature_schema",
        "settings",
        "inputs",
        "scaler",
        SPLITS,
        "games_in_two_splits",
        "identical_games",
        "left_out",
        "from_an_older_log",
        "files",
    ] {
        // JSON says itself where it ends.
        match part {
            SPLITS => serde_json::to_writer(&mut into_hash, splits)?,
            _ => serde_json::to_writer(&mut into_hash, &fields.get(part))?,
        }
    }
    into_hash.flush().map_err(serde_json::Error::io)?;
    drop(into_hash);
    Ok(hasher.finalize().to_hex().to_string())
}

/// The id of the export with this manifest.
pub(super) fn export_id_of(manifest: &Map<String, Value>) -> serde_json::Result<String> {
    export_id(manifest, &manifest.get(SPLITS))
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
    let id = export_id_of(&fields)?;
    fields.insert("export_id".to_owned(), id.into());
    serde_json::to_string_pretty(&fields)
}
