//! From the document as written to checked [`Settings`].

use super::error::{ConfigError, Place};
use super::keys::{self, KNOWN_KEYS, Section};
use super::scalar::{self, Agreement, Misread, Reading};
use super::yaml::{Content, Document, Entry, NodeId, ScalarForm};
use super::{MAX_BATCH_SIZE, MAX_WORKERS, Settings};
use crate::dataset::{FeatureSet, MaskSource, Ratios};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const FLOAT64_HAS_NO_USE: &str = "no longer has a use: arrays are always float32, which holds \
    every value exactly, and float64 would double the disk for nothing; take the line out";

const MERGING_HAS_NO_USE: &str = "no longer has a use: rows are always combined in one way, by \
    game id and then as logged; take the line out";

/// Checks the document and returns what it sets, with a note for each thing worth saying once.
pub(super) fn settings(
    document: &Document,
    file: &Path,
) -> Result<(Settings, Vec<String>), ConfigError> {
    let mut reader = Reader {
        document,
        file,
        settings: Settings::default(),
        notes: Vec::new(),
        ratios: [None; 3],
        last_ratio: None,
        parallel: true,
    };
    if let Some(root) = document.root() {
        reader.section(Section::TopLevel, "top level", root)?;
    }
    reader.finish()
}

/// A value of one of our keys.
struct Value<'a> {
    /// The key with its section.
    key: String,
    id: NodeId,
    at: Place,
    document: &'a Document,
}

struct Reader<'a> {
    document: &'a Document,
    file: &'a Path,
    settings: Settings,
    notes: Vec<String>,
    /// Train, val and test, where the file gives them; checked together at the end.
    ratios: [Option<f64>; 3],
    last_ratio: Option<Place>,
    parallel: bool,
}

impl<'a> Reader<'a> {
    fn section(&mut self, section: Section, name: &str, id: NodeId) -> Result<(), ConfigError> {
        if self.document.is_null(id) {
            return Ok(());
        }
        let Some(entries) = self.document.entries(id) else {
            return Err(ConfigError::WrongType {
                at: Place::new(self.file, self.document.position(id)),
                key: name.to_owned(),
                found: describe(self.document.content(id)),
                expected: format!("keys there, such as `{}`", section.example()),
            });
        };
        for (index, entry) in entries.iter().enumerate() {
            let known = entry.key.filter(|key| KNOWN_KEYS.contains(&(section, key)));
            let Some(key) = known else {
                self.unknown_key(section, entry, &entries)?;
                continue;
            };
            if let Some(first) = entries[..index].iter().find(|other| other.key == Some(key)) {
                return Err(ConfigError::DoubledKey {
                    at: Place::new(self.file, entry.key_position),
                    key: section.path_of(key),
                    first_line: first.key_position.line,
                });
            }
            let value = Value {
                key: section.path_of(key),
                id: entry.value,
                at: Place::new(self.file, self.document.position(entry.value)),
                document: self.document,
            };
            self.apply(section, key, &value)?;
        }
        Ok(())
    }

    /// The meaning of every key in [`KNOWN_KEYS`].
    fn apply(&mut self, section: Section, key: &str, value: &Value<'a>) -> Result<(), ConfigError> {
        match (section, key) {
            (Section::TopLevel, "data") => self.section(Section::Data, key, value.id)?,
            (Section::TopLevel, "preprocessing") => {
                self.section(Section::Preprocessing, key, value.id)?;
            }
            (Section::TopLevel, "seed") => {
                // NumPy's RandomState takes no others, and the sklearn split must repeat it.
                self.settings.seed = self.whole_number(value, 0..=u32::MAX)?;
            }
            (Section::Data, "data_root") => self.settings.data_root = value.folder()?,
            (Section::Data, "processed_dir") => self.settings.processed_dir = value.folder()?,
            (Section::Data, "train_ratio") => {
                let share = self.ratio(value)?;
                if share == 0.0 {
                    let expected = "a number above 0, for the scaler is made from these rows";
                    let text = value.plain().unwrap_or_default();
                    return Err(value.misread(Misread::OutOfRange, text, expected));
                }
                self.ratios[0] = Some(share);
            }
            (Section::Data, "val_ratio") => self.ratios[1] = Some(self.ratio(value)?),
            (Section::Data, "test_ratio") => self.ratios[2] = Some(self.ratio(value)?),
            (Section::Preprocessing, "num_workers") => {
                let workers = if self.document.is_null(value.id) {
                    0
                } else {
                    self.whole_number(value, 0..=MAX_WORKERS)?
                };
                self.settings.num_workers = NonZeroUsize::new(workers as usize);
            }
            (Section::Preprocessing, "batch_size") => {
                let games = self.whole_number(value, 1..=MAX_BATCH_SIZE)?;
                self.settings.batch_size =
                    NonZeroUsize::new(games as usize).unwrap_or(NonZeroUsize::MIN);
            }
            (Section::Preprocessing, "intermediate_dir") => {
                self.settings.intermediate_dir = value.folder()?;
            }
            (Section::Preprocessing, "monitor_memory") => {
                self.settings.monitor_memory = self.boolean(value)?;
            }
            (Section::Preprocessing, "enable_feature_engineering") => {
                self.settings.features =
                    if self.boolean(value)? { FeatureSet::All } else { FeatureSet::Base };
            }
            (Section::Preprocessing, "enable_masking") => {
                self.settings.masks =
                    if self.boolean(value)? { MaskSource::Legal } else { MaskSource::AllOnes };
            }
            (Section::Preprocessing, "parallel") => self.parallel = self.boolean(value)?,
            (Section::Preprocessing, "verbose") => self.settings.verbose = self.boolean(value)?,
            (Section::Preprocessing, "use_float32") => {
                let wants_float64 = !self.boolean(value)?;
                if wants_float64 {
                    self.note(value, FLOAT64_HAS_NO_USE);
                }
            }
            (Section::Preprocessing, "merge_strategy") => self.note(value, MERGING_HAS_NO_USE),
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(Settings, Vec<String>), ConfigError> {
        if let Some(at) = self.last_ratio {
            let default = Ratios::default();
            let [train, val, test] = self.ratios;
            let checked = Ratios::new(
                train.unwrap_or(default.train()),
                val.unwrap_or(default.val()),
                test.unwrap_or(default.test()),
            );
            self.settings.ratios = checked.map_err(|error| ConfigError::Ratios {
                at,
                error,
                some_are_defaults: self.ratios.contains(&None),
            })?;
        }
        if !self.parallel {
            self.settings.num_workers = Some(NonZeroUsize::MIN);
        }
        Ok((self.settings, self.notes))
    }

    /// Refuses the key in our sections. On top level it is somebody else's, unless it looks like
    /// a slip in one of ours, which would otherwise be passed over in silence.
    fn unknown_key(
        &mut self,
        section: Section,
        entry: &Entry<'_>,
        siblings: &[Entry<'_>],
    ) -> Result<(), ConfigError> {
        let at = Place::new(self.file, entry.key_position);
        if section == Section::TopLevel {
            if let Some(key) = entry.key
                && let Some(meant) = keys::slip_of_top_level_key(key)
                && siblings.iter().all(|sibling| sibling.key != Some(meant))
            {
                self.notes.push(format!(
                    "{at}: `{key}` is not a key of prep and is left alone; if you meant \
                     `{meant}`, correct it"
                ));
            }
            return Ok(());
        }
        let (key, advice) = match entry.key {
            Some(key) => (section.path_of(key), keys::advice(section, key)),
            None => (section.path_of("?"), "a key here is a single word".to_owned()),
        };
        Err(ConfigError::UnknownKey { at, key, advice })
    }

    fn note(&mut self, value: &Value<'_>, text: &str) {
        self.notes.push(format!("{}: `{}` {text}", value.at, value.key));
    }

    /// Passes the value on, with a note if other YAML readers would take it for text.
    fn agree<T: std::fmt::Display>(
        &mut self,
        value: &Value<'_>,
        text: &str,
        reading: Reading<T>,
    ) -> T {
        let dissenters = match reading.agreed {
            Agreement::All => return reading.value,
            Agreement::Yaml11 => "readers of YAML 1.2",
            Agreement::Yaml12 => "PyYAML and other readers of YAML 1.1",
        };
        let plain = &reading.value;
        self.note(value, &format!(
            "is written {text} and read as {plain}, but {dissenters} take it as text; write {plain}"
        ));
        reading.value
    }

    fn boolean(&mut self, value: &Value<'a>) -> Result<bool, ConfigError> {
        let wrong = || value.wrong_type("true or false".to_owned());
        let text = value.plain().ok_or_else(wrong)?;
        let reading = scalar::boolean(text).ok_or_else(wrong)?;
        Ok(self.agree(value, text, reading))
    }

    fn whole_number(
        &mut self,
        value: &Value<'a>,
        range: RangeInclusive<u32>,
    ) -> Result<u32, ConfigError> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(text) = value.plain() else { return Err(value.wrong_type(expected)) };
        let reading = scalar::whole_number(text)
            .map_err(|misread| value.misread(misread, text, &expected))?;
        match u32::try_from(reading.value) {
            Ok(number) if range.contains(&number) => {
                Ok(self.agree(value, text, Reading { value: number, agreed: reading.agreed }))
            }
            _ => Err(value.misread(Misread::OutOfRange, text, &expected)),
        }
    }

    fn ratio(&mut self, value: &Value<'a>) -> Result<f64, ConfigError> {
        let expected = "a number from 0 to 1, such as 0.1";
        let Some(text) = value.plain() else { return Err(value.wrong_type(expected.to_owned())) };
        let reading = scalar::decimal_number(text)
            .map_err(|misread| value.misread(misread, text, expected))?;
        if !(0.0..=1.0).contains(&reading.value) {
            return Err(value.misread(Misread::OutOfRange, text, expected));
        }
        self.last_ratio = Some(value.at.clone());
        Ok(self.agree(value, text, reading))
    }
}

impl<'a> Value<'a> {
    /// The text, if it is a scalar that may be more than text.
    fn plain(&self) -> Option<&'a str> {
        match self.document.content(self.id) {
            Content::Scalar { text, form: ScalarForm::Plain } => Some(text),
            _ => None,
        }
    }

    fn folder(&self) -> Result<PathBuf, ConfigError> {
        match self.document.content(self.id) {
            Content::Scalar { text, form: ScalarForm::Plain | ScalarForm::Text }
                if !text.is_empty() && !self.document.is_null(self.id) =>
            {
                Ok(PathBuf::from(text))
            }
            _ => Err(self.wrong_type("the path of a folder".to_owned())),
        }
    }

    fn wrong_type(&self, expected: String) -> ConfigError {
        let found = if self.document.is_null(self.id) {
            "empty".to_owned()
        } else {
            describe(self.document.content(self.id))
        };
        // Python took an empty value for "off" or fell over, so the default would be a guess.
        let expected = match found.as_str() {
            "empty" => format!("{expected}, or take the line out for the default"),
            _ => expected,
        };
        ConfigError::WrongType { at: self.at.clone(), key: self.key.clone(), found, expected }
    }

    fn misread(&self, misread: Misread, text: &str, expected: &str) -> ConfigError {
        let (at, key, found) = (self.at.clone(), self.key.clone(), text.to_owned());
        match misread {
            Misread::NotANumber => self.wrong_type(expected.to_owned()),
            Misread::LeadingZero => ConfigError::LeadingZero { at, key, found },
            Misread::OutOfRange => {
                ConfigError::OutOfRange { at, key, found, expected: expected.to_owned() }
            }
        }
    }
}

fn describe(content: &Content) -> String {
    match content {
        Content::Scalar { text, form: ScalarForm::Text } => format!("the quoted text {text:?}"),
        Content::Scalar { text, form: ScalarForm::Plain } => format!("`{text}`"),
        Content::Scalar { form: ScalarForm::Tagged(tag), .. } => {
            format!("tagged {tag}, which means nothing here")
        }
        Content::List(_) => "a list".to_owned(),
        Content::Mapping(_) => "a section".to_owned(),
        Content::Alias(_) => "an alias".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that is listed and has no meaning would be passed over in silence.
    #[test]
    fn every_known_key_has_a_meaning() {
        for (section, key) in KNOWN_KEYS {
            let text = match section {
                Section::TopLevel => format!("{key}: !bad x"),
                Section::Data => format!("data: {{{key}: !bad x}}"),
                Section::Preprocessing => format!("preprocessing: {{{key}: !bad x}}"),
            };
            let document = Document::parse(&text).unwrap();
            match settings(&document, Path::new("prep.yaml")) {
                Ok((_, notes)) => assert_eq!(notes.len(), 1, "{text}"),
                Err(error) => assert!(error.to_string().contains("!bad"), "{text}: {error}"),
            }
        }
    }
}
