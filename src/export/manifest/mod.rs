//! `manifest.json`: the inputs and the files of an export.
//!
//! `scaler.id` is a hash of the scaler alone ([`Scaler::id`](crate::dataset::Scaler::id)), and is in
//! `scaler.npz` too. `export_id` is a hash of the encoder version, the settings, the inputs, the split
//! and hashes of every game, the scaler's id, and the hash of every file. So a scaler or an array
//! belongs to an export if the manifest lists its id or hash, and two exports with the same id have the
//! same content.
//!
//! A manifest holds no time and no absolute path, so that the same cache and options give the same
//! bytes anywhere. Fields that are optional here are missing in manifests of earlier versions.

pub(super) mod values;

use super::options::Layout;
use crate::cache::FeatureSchema;
use crate::dataset::{BySplit, Dtype, FeatureSet, MaskSource, ShortHash, Split, SplitMethod};
use crate::encode::ENCODER_VERSION;
use crate::gamelog::GameId;
use crate::parallel::Part;
use crate::platform::read_file;
use crate::words::shown;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use values::{FileName, HexHash, ScalerOrigin};

/// The name of the file.
pub(super) const MANIFEST_FILE: &str = "manifest.json";

/// Version of the manifest format. Manifests of version 1 do not have this field.
const MANIFEST_VERSION: u32 = 4;

/// Larger files of an export are not read into memory. A manifest of a million games has 60 MB.
pub(super) const MAX_SMALL_FILE: u64 = 1 << 30;

/// The content of `manifest.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(default = "version_1")]
    pub(super) manifest_version: u32,
    #[serde(default)]
    pub(super) prep_version: String,
    /// Missing in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) export_id: Option<HexHash>,
    #[serde(default)]
    pub(super) encoder_version: u32,
    #[serde(default)]
    pub(super) feature_schema: String,
    pub(super) settings: Settings,
    pub(super) inputs: Inputs,
    /// `None` if there were no rows to fit a scaler to.
    #[serde(default)]
    pub(super) scaler: Option<ScalerEntry>,
    pub(super) splits: BySplit<SplitEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) games_in_two_splits: Option<Vec<GameId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) identical_games: Option<Vec<IdenticalGames>>,
    /// Games that are excluded because their logs were refused or deferred, or because they do not replay.
    /// `left_out` before version 4.
    #[serde(default, alias = "left_out", skip_serializing_if = "Option::is_none")]
    pub(super) excluded: Option<Vec<RefusedGame>>,
    /// Games with the rows of an older log, because the log was refused or deferred since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from_an_older_log: Option<Vec<RefusedGame>>,
    /// Games that are included although they do not replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) does_not_replay: Option<Vec<RefusedGame>>,
    /// The number of games that an earlier version of prep stored without replaying them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) not_replayed: Option<u64>,
    /// The number of cached games that did not meet the condition, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) not_selected: Option<u64>,
    /// All files except the manifest, by name.
    pub(super) files: BTreeMap<FileName, FileEntry>,
}

/// The settings of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Shares of train, val and test.
    pub(super) split: [f64; 3],
    pub(super) split_method: SplitMethod,
    pub(super) seed: u32,
    pub(super) features: FeatureSet,
    pub(super) columns: usize,
    pub(super) masks: MaskSource,
    pub(super) normalized: bool,
    pub(super) scaler: ScalerOrigin,
    pub(super) dtype: Dtype,
    pub(super) layout: Layout,
    /// Whether games that do not replay are excluded. Missing before version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) replayable_only: Option<bool>,
    /// The condition over `game_list` that selected the games, if there was one.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    /// Which shard this is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shard: Option<Part>,
    /// In how many shards, each an export in a folder of its own, the rows are, if they are in shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shards: Option<u32>,
}

/// The inputs of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    pub(super) games: u64,
    pub(super) rows: u64,
    /// Hash over the ids of all games and the hashes of their logs.
    pub(super) blake3: HexHash,
    /// Whether the last ingest finished. It depends only on the content of the cache: every ingest that
    /// finishes leaves the same mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_ingest_finished: Option<bool>,
}

/// The scaler of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScalerEntry {
    pub(super) id: HexHash,
    /// The export in which it was fitted, if that is a different, known export.
    pub(super) fitted_in: Option<HexHash>,
}

/// The games of a split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SplitEntry {
    pub(super) games: u64,
    pub(super) rows: u64,
    pub(super) game_ids: Vec<GameId>,
    /// Hash of the log of each game.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "hash_list")]
    pub(super) log_hashes: Option<Vec<ShortHash>>,
    /// Hash of the rows of each game.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "hash_list")]
    pub(super) row_hashes: Option<Vec<ShortHash>>,
}

/// A group of games with identical rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdenticalGames {
    /// Two or more ids, ascending.
    pub game_ids: Vec<GameId>,
    /// The split of each.
    pub splits: Vec<Split>,
    /// Whether they are in different splits, so that rows of one split are also in another.
    pub in_different_splits: bool,
}

/// A game whose current log is not in the export, or does not replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusedGame {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) game_id: Option<GameId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    pub(super) why: String,
}

/// A file of the export.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    pub(super) bytes: u64,
    pub(super) blake3: HexHash,
}

/// A game as the manifest lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListedGame {
    pub(super) split: Split,
    pub(super) log_hash: Option<ShortHash>,
    pub(super) row_hash: Option<ShortHash>,
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ManifestError {
    #[error("it has no {MANIFEST_FILE}: give a folder that prep export wrote")]
    Missing,
    #[error("{MANIFEST_FILE}: {0}")]
    Unreadable(io::Error),
    // Its message repeats content of the file.
    #[error("{MANIFEST_FILE}: {}", shown(&.0.to_string()))]
    Invalid(serde_json::Error),
    #[error("{MANIFEST_FILE} was written by a newer version of prep ({}): use that version", shown(.0))]
    Newer(String),
}

impl Manifest {
    /// A manifest without the optional fields.
    pub(super) fn new(settings: Settings, inputs: Inputs, splits: BySplit<SplitEntry>) -> Manifest {
        Manifest {
            manifest_version: MANIFEST_VERSION,
            prep_version: String::new(),
            export_id: None,
            encoder_version: ENCODER_VERSION,
            feature_schema: String::new(),
            settings,
            inputs,
            scaler: None,
            splits,
            games_in_two_splits: None,
            identical_games: None,
            excluded: None,
            from_an_older_log: None,
            does_not_replay: None,
            not_replayed: None,
            not_selected: None,
            files: BTreeMap::new(),
        }
    }

    /// Reads the manifest in the folder of an export.
    pub(super) fn read(export: &Path) -> Result<Manifest, ManifestError> {
        let text =
            read_file(&export.join(MANIFEST_FILE), MAX_SMALL_FILE).map_err(|error| match error
                .kind()
            {
                ErrorKind::NotFound => ManifestError::Missing,
                _ => ManifestError::Unreadable(error),
            })?;
        /// The fields that are the same in all versions of the manifest.
        #[derive(Deserialize)]
        struct Version {
            #[serde(default)]
            manifest_version: u32,
            #[serde(default)]
            prep_version: String,
        }
        let version: Version = serde_json::from_slice(&text).map_err(ManifestError::Invalid)?;
        if version.manifest_version > MANIFEST_VERSION {
            return Err(ManifestError::Newer(version.prep_version));
        }
        serde_json::from_slice(&text).map_err(ManifestError::Invalid)
    }

    /// Writes the manifest into the folder of an export.
    pub(super) fn write(&self, export: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(export.join(MANIFEST_FILE))?);
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.flush()
    }

    /// Sets the version of prep, and the id, which covers all other fields.
    pub(super) fn seal(&mut self) -> serde_json::Result<()> {
        self.manifest_version = MANIFEST_VERSION;
        env!("CARGO_PKG_VERSION").clone_into(&mut self.prep_version);
        self.encoder_version = ENCODER_VERSION;
        self.feature_schema = FeatureSchema::now().to_string();
        self.export_id = Some(self.compute_id()?);
        Ok(())
    }

    /// Computes the id from the other fields of the manifest. JSON values are self-delimiting, so they
    /// are hashed one after another.
    pub(super) fn compute_id(&self) -> serde_json::Result<HexHash> {
        let mut text = BufWriter::new(blake3::Hasher::new());
        text.write_all(b"splendor-prep export 1").map_err(serde_json::Error::io)?;
        serde_json::to_writer(&mut text, &self.encoder_version)?;
        serde_json::to_writer(&mut text, &self.feature_schema)?;
        serde_json::to_writer(&mut text, &self.settings)?;
        serde_json::to_writer(&mut text, &self.inputs)?;
        serde_json::to_writer(&mut text, &self.scaler)?;
        serde_json::to_writer(&mut text, &self.splits)?;
        serde_json::to_writer(&mut text, &self.games_in_two_splits)?;
        serde_json::to_writer(&mut text, &self.identical_games)?;
        serde_json::to_writer(&mut text, &self.excluded)?;
        serde_json::to_writer(&mut text, &self.from_an_older_log)?;
        // Manifests before version 3 have neither field, and keep their ids.
        if let Some(games) = &self.does_not_replay {
            serde_json::to_writer(&mut text, games)?;
        }
        if let Some(games) = &self.not_replayed {
            serde_json::to_writer(&mut text, games)?;
        }
        if let Some(games) = &self.not_selected {
            serde_json::to_writer(&mut text, games)?;
        }
        serde_json::to_writer(&mut text, &self.files)?;
        let hasher = text.into_inner().map_err(|error| serde_json::Error::io(error.into()))?;
        Ok(hasher.finalize().into())
    }

    /// The id of the export in which the scaler of this one was fitted, if known.
    pub(super) fn scaler_fitted_in(&self) -> Option<HexHash> {
        if self.settings.scaler == ScalerOrigin::FittedHere {
            return self.export_id;
        }
        self.scaler.as_ref()?.fitted_in
    }

    /// Whether the export has the outcomes of its games. Parquet files have them in columns, which a
    /// manifest does not list.
    pub(super) fn has_outcomes(&self) -> bool {
        match self.settings.layout {
            Layout::Parquet => true,
            Layout::Npz | Layout::Npy => {
                self.settings.shards.is_some()
                    || self.files.keys().any(|name| name.starts_with("outcome_"))
            }
        }
    }

    /// Every game.
    pub(super) fn games(&self) -> BTreeMap<GameId, ListedGame> {
        let mut games = BTreeMap::new();
        for (split, entry) in self.splits.iter() {
            let hash = |hashes: &Option<Vec<ShortHash>>, index: usize| {
                hashes.as_ref().and_then(|hashes| hashes.get(index).copied())
            };
            for (index, &game_id) in entry.game_ids.iter().enumerate() {
                let log_hash = hash(&entry.log_hashes, index);
                let row_hash = hash(&entry.row_hashes, index);
                games.insert(game_id, ListedGame { split, log_hash, row_hash });
            }
        }
        games
    }

    /// Groups of games with equal hashes of their rows, ordered by their lowest id. A log that was copied under
    /// another id adds the same rows to an export twice; if the copies are in different splits, a network is
    /// tested on rows that it was trained on.
    pub(super) fn find_identical_games(&self) -> Vec<IdenticalGames> {
        let mut by_hash = BTreeMap::<ShortHash, Vec<(GameId, Split)>>::new();
        for (game_id, game) in self.games() {
            if let Some(hash) = game.row_hash {
                by_hash.entry(hash).or_default().push((game_id, game.split));
            }
        }
        let mut groups: Vec<_> = by_hash.into_values().filter(|games| games.len() > 1).collect();
        groups.sort();
        let group = |games: Vec<(GameId, Split)>| IdenticalGames {
            game_ids: games.iter().map(|&(game_id, _)| game_id).collect(),
            splits: games.iter().map(|&(_, split)| split).collect(),
            in_different_splits: games.iter().any(|&(_, split)| split != games[0].1),
        };
        groups.into_iter().map(group).collect()
    }

    /// Games that are listed twice, with both of their splits: a network must not be tested on rows that
    /// it was trained on.
    pub(super) fn repeated_games(&self) -> Vec<(GameId, [Split; 2])> {
        let (mut seen, mut repeated) = (BTreeMap::new(), Vec::new());
        for (split, entry) in self.splits.iter() {
            for &game_id in &entry.game_ids {
                if let Some(other) = seen.insert(game_id, split) {
                    repeated.push((game_id, [other, split]));
                }
            }
        }
        repeated
    }
}

/// The folders of all shards of an export, if it is one of shards.
pub(super) fn shard_folders(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let files = manifest.settings.shards.map(|_| manifest.files.keys());
    files.into_iter().flatten().filter_map(|name| name.strip_suffix("/manifest.json"))
}

fn version_1() -> u32 {
    1
}

/// Serializes hashes as one string: as a list, they would make up most lines of the file.
mod hash_list {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        hashes: &Option<Vec<ShortHash>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        for hash in hashes.iter().flatten() {
            let _ = write!(text, "{hash}");
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<ShortHash>>, D::Error> {
        let text = String::deserialize(deserializer)?;
        ShortHash::parse_all(&text)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom("hashes are not 16 digits for each game"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written before `manifest_version` existed.
    const VERSION_1: &str = include_str!("../../../tests/data/manifest_1.json");

    #[test]
    fn older_versions_are_read_with_their_ids() {
        let manifest: Manifest = serde_json::from_str(VERSION_1).unwrap();
        assert_eq!(manifest.export_id, Some(manifest.compute_id().unwrap()));
        assert_eq!(manifest.games().len(), 12);
        assert!(manifest.games().values().all(|game| game.row_hash.is_some()));
        let written = serde_json::to_string_pretty(&manifest).unwrap();
        let written = written.replacen("\n  \"manifest_version\": 1,", "", 1);
        assert_eq!(written.replacen("\"excluded\"", "\"left_out\"", 1), VERSION_1.trim_end());
        // Version 2 has the same fields and `manifest_version`.
        let version_2 = VERSION_1.replacen('{', "{\"manifest_version\": 2,", 1);
        let manifest: Manifest = serde_json::from_str(&version_2).unwrap();
        assert_eq!(manifest.export_id, Some(manifest.compute_id().unwrap()));
    }

    #[test]
    fn every_edit_is_noticed() {
        for (from, to) in [
            ("\"seed\": 42", "\"seed\": 43"),
            ("\"rows\": 1041", "\"rows\": 1040"),
            ("\"split_method\": \"hash\"", "\"split_method\": \"sklearn\""),
            (
                "\"fitted_in\": null",
                "\"fitted_in\": \"3ec66a2dbfb2d0cafe7e8cab8b932c77c24c38afec79ba773331938b05f1a09a\"",
            ),
        ] {
            assert!(VERSION_1.contains(from), "{from}");
            let edited: Manifest = serde_json::from_str(&VERSION_1.replace(from, to)).unwrap();
            assert_ne!(edited.export_id, Some(edited.compute_id().unwrap()), "{to}");
        }
        for (from, to) in [
            ("\"seed\": 42", "\"replayable_only\": true, \"seed\": 42"),
            ("{", "{\"does_not_replay\": [{\"game_id\": 1, \"why\": \"\"}],"),
            ("{", "{\"not_replayed\": 1,"),
        ] {
            let edited = VERSION_1.replacen(from, to, 1);
            let edited: Manifest = serde_json::from_str(&edited).unwrap();
            assert_ne!(edited.export_id, Some(edited.compute_id().unwrap()), "{to}");
        }
        let unknown = VERSION_1.replacen("\"seed\": 42", "\"seed\": 42, \"more\": 1", 1);
        assert!(serde_json::from_str::<Manifest>(&unknown).is_err());
    }

    #[test]
    fn values_are_typed() {
        for (from, to) in [
            ("\"X_train.npy\"", "\"../X_train.npy\""),
            ("\"X_train.npy\"", "\"/dev/zero\""),
            ("\"seed\": 42", "\"seed\": \"42; touch x\""),
            ("\"layout\": \"npz\"", "\"layout\": \"npz; touch x\""),
            ("\"scaler\": \"fitted on train\"", "\"scaler\": \"$(touch x)\""),
            ("\"fitted_in\": null", "\"fitted_in\": \"\\u001b[31m\""),
        ] {
            assert!(VERSION_1.contains(from), "{from}");
            let edited = serde_json::from_str::<Manifest>(&VERSION_1.replacen(from, to, 1));
            assert!(edited.is_err(), "{to}");
        }
    }

    #[test]
    fn newer_version() {
        let folder = tempfile::tempdir().unwrap();
        let newer = VERSION_1.replacen('{', "{\"manifest_version\": 5, \"new\": 1,", 1);
        std::fs::write(folder.path().join(MANIFEST_FILE), newer).unwrap();
        let error = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("written by a newer version of prep (0.1.0)"), "{error}");
    }
}
