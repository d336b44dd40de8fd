//! The parsed settings file: one struct for each section, and every value with its location.
//!
//! Values are kept as text until [`super::check`] converts them: the files were written for PyYAML, and
//! the meaning of a spelling must not depend on the YAML reader. Sections of other programs are skipped.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Error, NonFiniteFloatPolicy, Spanned};
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

/// An optional value of a section.
#[derive(Debug, Default)]
pub(super) struct Value(pub(super) Option<Spanned<Content>>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        Spanned::deserialize(deserializer).map(|content| Value(Some(content)))
    }
}

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

/// Defines a section by its keys. A derived `Deserialize` would reject an unknown or repeated key
/// without its location, so this one keeps all keys for [`super::check`].
macro_rules! section {
    ($(#[$doc:meta])* $section:ident { $($key:ident: $value:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $section {
            /// All keys as written, known or not.
            pub(super) keys: Vec<Spanned<Content>>,
            $(pub(super) $key: $value,)*
        }

        impl $section {
            pub(super) const KEYS: &[&str] = &[$(stringify!($key)),*];
        }

        impl<'de> Deserialize<'de> for $section {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$section, D::Error> {
                struct Keys;
                impl<'de> Visitor<'de> for Keys {
                    type Value = $section;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("keys with values")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$section, A::Error> {
                        let mut section = $section::default();
                        while let Some(key) = map.next_key::<Spanned<Content>>()? {
                            match &key.value {
                                $(Content::Text(name) if name == stringify!($key) => {
                                    section.$key = map.next_value()?;
                                })*
                                _ => drop(map.next_value::<IgnoredAny>()?),
                            }
                            section.keys.push(key);
                        }
                        Ok(section)
                    }
                }
                deserializer.deserialize_map(Keys)
            }
        }
    };
}

/// The section of a command: its options with their values. The command line defines which options exist.
#[derive(Debug, Default)]
pub(super) struct Options(pub(super) Vec<(Spanned<Content>, Spanned<Content>)>);

impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Options, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Options;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("options with values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Options, A::Error> {
                let mut options = Options::default();
                while let Some(option) = map.next_entry()? {
                    options.0.push(option);
                }
                Ok(options)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

section! {
    /// The top level, including the keys of other programs.
    File {
        seed: Value,
        data: Option<Data>,
        preprocessing: Option<Preprocessing>,
        ingest: Option<Options>,
        export: Option<Options>,
    }
}

section! {
    Data {
        data_root: Value,
        processed_dir: Value,
        train_ratio: Value,
        val_ratio: Value,
        test_ratio: Value,
        split_method: Value,
    }
}

section! {
    Preprocessing {
        num_workers: Value,
        batch_size: Value,
        use_float32: Value,
        monitor_memory: Value,
        intermediate_dir: Value,
        enable_feature_engineering: Value,
        enable_masking: Value,
        parallel: Value,
        verbose: Value,
        merge_strategy: Value,
    }
}
