//! The keys of the settings file, and their JSON schema, which editors use for completion and checks.

use super::settings::{MAX_BATCH_SIZE, MAX_WORKERS, Settings};
use serde_json::{Map, Value, json};

/// The type of a key.
pub(super) enum Kind {
    Whole(u32, u32),
    Ratio(f64),
    Folder(&'static str),
    Boolean(bool),
    Words(&'static [&'static str]),
    /// Anything, because the key is obsolete.
    Anything,
}

use Kind::{Anything, Boolean, Folder, Ratio, Whole, Words};

/// A key, its type, and its meaning.
pub(super) type Key = (&'static str, Kind, &'static str);

/// The sections with checked keys.
pub(super) const SECTIONS: [(&str, &[Key]); 2] =
    [("data", &DATA), ("preprocessing", &PREPROCESSING)];

const DATA: [Key; 6] = [
    ("data_root", Folder("data/raw"), "Folder of the logs, including its subfolders"),
    ("processed_dir", Folder("data/processed"), "Folder of the export"),
    ("train_ratio", Ratio(0.8), "Share of the games for train"),
    ("val_ratio", Ratio(0.1), "Share of the games for val"),
    ("test_ratio", Ratio(0.1), "Share of the games for test"),
    ("split_method", Words(&["hash", "sklearn"]), "How games are assigned to the splits"),
];

const PREPROCESSING: [Key; 10] = [
    ("num_workers", Whole(0, MAX_WORKERS), "Threads; null or 0 means one per core, at most 16"),
    ("batch_size", Whole(1, MAX_BATCH_SIZE), "Games per commit"),
    ("use_float32", Boolean(true), "Obsolete: arrays are float32"),
    ("monitor_memory", Boolean(false), "Print resident memory during a run"),
    ("intermediate_dir", Folder("data/intermediate"), "Folder of the cache, prep.sqlite"),
    ("enable_feature_engineering", Boolean(true), "false: the base features only"),
    ("enable_masking", Boolean(true), "false: masks that allow every class"),
    ("parallel", Boolean(true), "false: one thread"),
    ("verbose", Boolean(false), "Print more messages"),
    ("merge_strategy", Anything, "Obsolete"),
];

impl Settings {
    /// The JSON Schema (draft 2020-12) of the keys above. `commands` has the names of the command
    /// sections and the schema of each option.
    pub fn json_schema(commands: impl IntoIterator<Item = (String, Map<String, Value>)>) -> Value {
        let mut properties = Map::new();
        properties.insert("seed".into(), Whole(0, u32::MAX).schema("Seed of the split"));
        for (name, keys) in SECTIONS {
            let keys =
                keys.iter().map(|(key, kind, meaning)| ((*key).into(), kind.schema(meaning)));
            properties.insert(name.into(), section(keys.collect()));
        }
        properties.extend(commands.into_iter().map(|(name, options)| (name, section(options))));
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Settings of prep",
            "type": ["object", "null"],
            "properties": properties,
        })
    }
}

fn section(properties: Map<String, Value>) -> Value {
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}

impl Kind {
    fn schema(&self, meaning: &str) -> Value {
        let mut schema = match self {
            // `null` means one per core.
            Whole(min @ 0, max @ MAX_WORKERS) => {
                json!({ "type": ["integer", "null"], "minimum": min, "maximum": max })
            }
            Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Ratio(default) => {
                json!({ "type": "number", "minimum": 0, "maximum": 1, "default": default })
            }
            Folder(default) => json!({ "type": "string", "minLength": 1, "default": default }),
            Boolean(default) => json!({ "type": "boolean", "default": default }),
            Words(words) => json!({ "enum": words, "default": words[0] }),
            Anything => json!({ "deprecated": true }),
        };
        schema["description"] = meaning.into();
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The schema accepts the same values as the reader.
    #[test]
    fn schema_is_what_the_reader_takes() {
        let keys =
            SECTIONS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| (section, key)));
        for (section, (key, kind, _)) in keys {
            let read = |value: &str| {
                let text = format!("{section}: {{{key}: {value}}}");
                Settings::parse(&text, Path::new("prep.yaml")).map(|loaded| loaded.settings)
            };
            match kind {
                Whole(min, max) => {
                    assert!(read(&min.to_string()).is_ok() && read(&max.to_string()).is_ok());
                    assert!(read(&(i64::from(*min) - 1).to_string()).is_err(), "{key}");
                    assert!(read(&(u64::from(*max) + 1).to_string()).is_err(), "{key}");
                }
                Ratio(default) => {
                    assert_eq!(read(&default.to_string()).unwrap(), Settings::default(), "{key}");
                    assert!(read("1.5").is_err() && read("-0.5").is_err(), "{key}");
                }
                Folder(word) => assert_eq!(read(word).unwrap(), Settings::default(), "{key}"),
                Words(words) => {
                    assert_eq!(read(words[0]).unwrap(), Settings::default(), "{key}");
                    assert!(words.iter().all(|word| read(word).is_ok()), "{key}");
                    assert!(read("other").is_err(), "{key}");
                }
                Boolean(default) => {
                    assert_eq!(read(&default.to_string()).unwrap(), Settings::default(), "{key}");
                    assert!(read(&(!default).to_string()).is_ok() && read("7").is_err(), "{key}");
                }
                Anything => assert!(read("[1, 2]").is_ok(), "{key}"),
            }
        }
    }
}
