//! Values of a manifest that are validated when it is read. A manifest may come from an untrusted
//! source, so file names must stay in the folder, and other values must not contain arbitrary text that
//! ends up in a command or message.

use crate::words::{is_shown_as_it_is, shown};
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

/// The relative path of a file in the folder of the export, with `/`. It never leads out of the folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::export) struct FileName(String);

impl TryFrom<String> for FileName {
    type Error = String;

    fn try_from(name: String) -> Result<FileName, String> {
        let is_plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.contains(['\\', ':'])
                && is_shown_as_it_is(part)
        };
        match name.split('/').all(is_plain) {
            true => Ok(FileName(name)),
            false => Err(format!("`{}` is not the name of a file in the export", shown(&name))),
        }
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> String {
        name.0
    }
}

impl Borrow<str> for FileName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Deref for FileName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A blake3 hash as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::export) struct HexHash(blake3::Hash);

impl From<blake3::Hash> for HexHash {
    fn from(hash: blake3::Hash) -> HexHash {
        HexHash(hash)
    }
}

impl PartialEq<blake3::Hash> for HexHash {
    fn eq(&self, hash: &blake3::Hash) -> bool {
        self.0 == *hash
    }
}

impl TryFrom<String> for HexHash {
    type Error = String;

    fn try_from(digits: String) -> Result<HexHash, String> {
        let hash = blake3::Hash::from_hex(&digits);
        hash.map(HexHash).map_err(|_| format!("`{}` is not a blake3 hash in hex", shown(&digits)))
    }
}

impl From<HexHash> for String {
    fn from(hash: HexHash) -> String {
        hash.0.to_hex().to_string()
    }
}

impl fmt::Display for HexHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_hex())
    }
}

/// The origin of an export's scaler: `settings.scaler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::export) enum ScalerOrigin {
    /// Fitted on the training rows of this export.
    FittedHere,
    /// Fitted in the export with this id.
    FittedIn(HexHash),
    /// Fitted in an export without an id or without a manifest.
    Unknown,
    /// Fitted in another export, in manifests of the first version.
    Earlier,
    /// There is no scaler.
    NoTrainingRows,
}

const FITTED_HERE: &str = "fitted on train";
const FITTED_IN: &str = "fitted in export ";
const UNKNOWN: &str = "fitted in an export without an id";
const EARLIER: &str = "from an earlier export";
const NO_TRAINING_ROWS: &str = "none: no training rows";

impl ScalerOrigin {
    /// The id of another export, if it is known.
    pub(in crate::export) fn fitted_in(self) -> Option<HexHash> {
        match self {
            ScalerOrigin::FittedIn(export_id) => Some(export_id),
            _ => None,
        }
    }
}

impl TryFrom<String> for ScalerOrigin {
    type Error = String;

    fn try_from(text: String) -> Result<ScalerOrigin, String> {
        match text.as_str() {
            FITTED_HERE => Ok(ScalerOrigin::FittedHere),
            UNKNOWN => Ok(ScalerOrigin::Unknown),
            EARLIER => Ok(ScalerOrigin::Earlier),
            NO_TRAINING_ROWS => Ok(ScalerOrigin::NoTrainingRows),
            _ => match text.strip_prefix(FITTED_IN) {
                Some(id) => HexHash::try_from(id.to_owned()).map(ScalerOrigin::FittedIn),
                None => Err(format!("`{}` is not a known origin of a scaler", shown(&text))),
            },
        }
    }
}

impl From<ScalerOrigin> for String {
    fn from(origin: ScalerOrigin) -> String {
        match origin {
            ScalerOrigin::FittedHere => FITTED_HERE.to_owned(),
            ScalerOrigin::FittedIn(export_id) => format!("{FITTED_IN}{export_id}"),
            ScalerOrigin::Unknown => UNKNOWN.to_owned(),
            ScalerOrigin::Earlier => EARLIER.to_owned(),
            ScalerOrigin::NoTrainingRows => NO_TRAINING_ROWS.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_folder() {
        for name in ["X_train.npy", "train-00001/X.npy", "..X", "a b"] {
            assert!(FileName::try_from(name.to_owned()).is_ok(), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "..",
            "../X",
            "a/../../X",
            "a/",
            "a//b",
            ".",
            "./X",
            "C:\\X",
            "C:X",
            "a\0",
            "a\nb",
            "\u{1b}[31m",
            "\u{202e}gnp",
        ] {
            assert!(FileName::try_from(name.to_owned()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn origins_of_scalers() {
        let id = HexHash::from(blake3::hash(b"export"));
        for origin in [
            ScalerOrigin::FittedHere,
            ScalerOrigin::FittedIn(id),
            ScalerOrigin::Unknown,
            ScalerOrigin::Earlier,
            ScalerOrigin::NoTrainingRows,
        ] {
            assert_eq!(ScalerOrigin::try_from(String::from(origin)), Ok(origin));
        }
        for text in ["", "fitted in export 0; rm -rf", "fitted on train "] {
            assert!(ScalerOrigin::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
