//! `manifest.json` of an earlier export, read back. Exports of older versions of prep lack some of
//! it.

use super::manifest::{FITTED_ON_TRAIN, MANIFEST_FILE};
use super::split::Split;
use crate::gamelog::GameId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What later commands need of a manifest.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Receipt {
    pub(super) encoder_version: u32,
    pub(super) feature_schema: String,
    /// Since exports have an id.
    #[serde(default)]
    pub(super) export_id: Option<String>,
    pub(super) settings: ReceiptSettings,
    #[serde(default)]
    pub(super) scaler: Option<ReceiptScaler>,
    splits: BTreeMap<String, ReceiptSplit>,
    pub(super) files: BTreeMap<String, ReceiptFile>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ReceiptSettings {
    /// Where the scaler is from, in words.
    pub(super) scaler: String,
    /// Everything else, as it was written.
    #[serde(flatten)]
    pub(super) others: serde_json::Map<String, serde_json::Value>,
}

/// Which scaler an export has.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ReceiptScaler {
    pub(super) id: String,
    /// The export that it was fitted in, if that is another one and known.
    pub(super) fitted_in: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ReceiptSplit {
    pub(super) rows: u64,
    pub(super) game_ids: Vec<GameId>,
    /// 16 digits a game, in the order of the ids; not in exports of older versions.
    #[serde(default)]
    log_hashes: Option<String>,
    #[serde(default)]
    row_hashes: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ReceiptFile {
    pub(super) blake3: String,
}

/// A game by the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReceiptGame<'r> {
    pub(super) split: Split,
    pub(super) log_hash: Option<&'r str>,
    pub(super) row_hash: Option<&'r str>,
}

/// Digits of the hash of one game.
const HASH_DIGITS: usize = 16;

impl Receipt {
    /// Reads the manifest of an export; `None` if there is none. An error is a reason in words.
    pub(super) fn read_if_there(export: &Path) -> Result<Option<Receipt>, String> {
        let text = match fs::read(export.join(MANIFEST_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{MANIFEST_FILE}: {error}")),
        };
        let receipt = serde_json::from_slice(&text);
        receipt.map(Some).map_err(|error| format!("{MANIFEST_FILE}: {error}"))
    }

    /// The id of the export in which the scaler of this one was fitted, if known.
    pub(super) fn scaler_fitted_in(&self) -> Option<&str> {
        if self.settings.scaler == FITTED_ON_TRAIN {
            return self.export_id.as_deref();
        }
        self.scaler.as_ref()?.fitted_in.as_deref()
    }

    /// A split as it is listed; empty if it is not.
    pub(super) fn split(&self, split: Split) -> ReceiptSplit {
        self.splits.get(split.name()).cloned().unwrap_or_default()
    }

    /// Every game.
    pub(super) fn games(&self) -> BTreeMap<GameId, ReceiptGame<'_>> {
        let mut games = BTreeMap::new();
        for split in Split::ALL {
            let Some(listed) = self.splits.get(split.name()) else { continue };
            for (place, &game_id) in listed.game_ids.iter().enumerate() {
                let of_this = place * HASH_DIGITS..(place + 1) * HASH_DIGITS;
                let log_hash =
                    listed.log_hashes.as_deref().and_then(|all| all.get(of_this.clone()));
                let row_hash = listed.row_hashes.as_deref().and_then(|all| all.get(of_this));
                games.insert(game_id, ReceiptGame { split, log_hash, row_hash });
            }
        }
        games
    }
}
