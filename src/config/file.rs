//! The parsed settings file: keys and values with their locations.
//!
//! Values are kept as text until [`super::check`] converts them: the files were written for PyYAML, and
//! the meaning of a spelling must not depend on the YAML reader. Sections of other programs are skipped.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Error, NonFiniteFloatPolicy, Spanned};
use std::collections::BTreeMap;
use std::fmt;

/// Reads a document; an empty one has no section.
pub(super) fn parse(text: &str) -> Result<File, Error> {
    let options = serde_saphyr::options! {
        // Repeated keys and infinite numbers in sections of other programs are not errors.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        ignore_binary_tag_for_string: true,
        with_snippet: false,
    };
    // The only standard tag that fails even if the value is skipped. Spaces keep all locations.
    let text = text.replace("!!timestamp", "           ");
    let file = serde_saphyr::from_str_with_options::<Option<File>>(&text, options);
    file.map(Option::unwrap_or_default)
}

/// A key or a value with its location.
pub(super) type Node = Spanned<Content>;

/// The content of a value or a key.
#[derive(Debug)]
pub(super) enum Content {
    /// Empty, or null.
    Empty,
    /// Text for every YAML reader, such as a quoted string.
    Text(String),
    /// A plain scalar, which may be a number or a boolean. Its spelling is in the file.
    Plain,
    List,
    Section,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        struct AnyContent;
        impl<'de> Visitor<'de> for AnyContent {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content::Empty)
            }
            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content::Text(text.to_owned()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
                Ok(Content::Plain)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
                Ok(Content::Plain)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
                Ok(Content::Plain)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
                Ok(Content::Plain)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Content, A::Error> {
                IgnoredAny.visit_seq(list).map(|_| Content::List)
            }
            fn visit_map<A: MapAccess<'de>>(self, section: A) -> Result<Content, A::Error> {
                IgnoredAny.visit_map(section).map(|_| Content::Section)
            }
        }
        deserializer.deserialize_any(AnyContent)
    }
}

/// The top level.
#[derive(Debug, Default)]
pub(super) struct File {
    /// All keys as written, with those of other programs.
    pub(super) keys: Vec<Node>,
    pub(super) seed: Option<Node>,
    pub(super) sections: BTreeMap<&'static str, Section>,
}

impl File {
    pub(super) const KEYS: [&str; 5] = ["seed", "data", "preprocessing", "ingest", "export"];
}

/// The keys of a section with their values, known or not. A derived `Deserialize` would reject an unknown
/// or repeated key without its location.
#[derive(Debug, Default)]
pub(super) struct Section(pub(super) Vec<(Node, Node)>);

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<File, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = File;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys with values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<File, A::Error> {
                let mut file = File::default();
                while let Some(key) = map.next_key::<Node>()? {
                    let name = if let Content::Text(name) = &key.value { name } else { "" };
                    match File::KEYS.into_iter().find(|known| *known == name) {
                        Some("seed") => file.seed = Some(map.next_value()?),
                        Some(section) => {
                            let entries: Option<Section> = map.next_value()?;
                            file.sections.insert(section, entries.unwrap_or_default());
                        }
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                    file.keys.push(key);
                }
                Ok(file)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Section, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Section;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys with values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Section, A::Error> {
                let mut section = Section::default();
                while let Some(entry) = map.next_entry()? {
                    section.0.push(entry);
                }
                Ok(section)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
