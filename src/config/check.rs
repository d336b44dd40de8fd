//! Checks a parsed file and converts it to [`Settings`].

use super::file::{self, Content, File, Node, Section};
use super::scalar::{self, Scalar};
use super::schema::{Key, SECTIONS};
use super::settings::{
    CommandOption, ConfigError, Loaded, MAX_BATCH_SIZE, MAX_WORKERS, Place, Settings,
};
use crate::dataset::{FeatureSet, MaskSource, Ratios, SplitMethod};
use serde_saphyr::{Error, Location, Spanned};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const FLOAT64_HAS_NO_USE: &str = "is obsolete: arrays are float32, which holds every value \
                                  exactly; remove the line";

const MERGING_HAS_NO_USE: &str = "is obsolete: rows are always ordered by game id and then as \
                                  logged; remove the line";

/// Checks the text of a file and returns its settings.
pub(super) fn settings(text: &str, path: &Path) -> Result<Loaded, ConfigError> {
    let (values, notes, without_use) = Default::default();
    let mut reader = Reader { text, path, values, notes, without_use };
    let mut file = file::parse(text).map_err(|error| reader.not_read(&error))?;
    let settings = reader.settings(&mut file)?;
    let mut options = Vec::new();
    for command in ["ingest", "export"] {
        let section = file.sections.remove(command).unwrap_or_default();
        options.append(&mut reader.options(command, section)?);
    }
    let Reader { notes, without_use, .. } = reader;
    Ok(Loaded { settings, file: Some(path.to_owned()), options, notes, without_use })
}

/// Why a scalar is not a valid value of a key.
enum Mismatch {
    Type,
    Range,
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    /// The values of known keys, by names such as `data.val_ratio`.
    values: BTreeMap<String, Node>,
    notes: Vec<String>,
    without_use: Vec<String>,
}

impl Reader<'_> {
    fn settings(&mut self, file: &mut File) -> Result<Settings, ConfigError> {
        self.check_keys("", file.keys.iter(), &File::KEYS)?;
        self.notes = self.likely_typos(&file.keys);
        self.values.extend(file.seed.take().map(|seed| ("seed".to_owned(), seed)));
        for (section, known) in SECTIONS {
            let Section(entries) = file.sections.remove(section).unwrap_or_default();
            let section = format!("{section}.");
            let known: Vec<&str> = known.iter().map(|(key, ..)| *key).collect();
            self.check_keys(&section, entries.iter().map(|(key, _)| key), &known)?;
            for (key, value) in entries {
                self.values.insert(section.clone() + self.name(&key), value);
            }
        }

        let mut settings = Settings::default();
        // The range of NumPy's RandomState, which the sklearn split reproduces.
        self.whole_number("seed", 0..=u32::MAX, &mut settings.seed)?;
        self.folder("data.data_root", &mut settings.data_root)?;
        self.folder("data.processed_dir", &mut settings.processed_dir)?;
        settings.ratios = self.ratios()?;
        if let Some(method) = self.values.get("data.split_method") {
            settings.split_method = self.split_method(method)?;
        }

        let (mut workers, mut games) = (0, settings.batch_size.get() as u32);
        let key = "preprocessing.num_workers";
        if !matches!(self.values.get(key), Some(Spanned { value: Content::Empty, .. })) {
            self.whole_number(key, 0..=MAX_WORKERS, &mut workers)?;
        }
        self.whole_number("preprocessing.batch_size", 1..=MAX_BATCH_SIZE, &mut games)?;
        settings.batch_size = NonZeroUsize::new(games as usize).unwrap_or(settings.batch_size);
        let key = "preprocessing.intermediate_dir";
        self.folder(key, &mut settings.intermediate_dir)?;
        settings.monitor_memory = self.boolean("preprocessing.monitor_memory", false)?;
        settings.verbose = self.boolean("preprocessing.verbose", false)?;
        if !self.boolean("preprocessing.enable_feature_engineering", true)? {
            settings.features = FeatureSet::Base;
        }
        if !self.boolean("preprocessing.enable_masking", true)? {
            settings.masks = MaskSource::AllOnes;
        }
        if !self.boolean("preprocessing.parallel", true)? {
            workers = 1;
        }
        settings.num_workers = NonZeroUsize::new(workers as usize);
        if !self.boolean("preprocessing.use_float32", true)? {
            let note = self.remark("preprocessing.use_float32", FLOAT64_HAS_NO_USE);
            self.without_use.extend(note);
        }
        let note = self.remark("preprocessing.merge_strategy", MERGING_HAS_NO_USE);
        self.without_use.extend(note);
        Ok(settings)
    }

    /// A note for each key of another program that looks like a typo in one of prep's: the section would
    /// be ignored silently.
    fn likely_typos(&self, keys: &[Node]) -> Vec<String> {
        let is_given = |known| keys.iter().any(|key| self.name(key) == known);
        let mut notes = Vec::new();
        for key in keys {
            let name = self.name(key);
            let meant = File::KEYS.iter().find(|known| {
                // One typo, or two in a long word.
                let typos = if known.len() > 8 { 2 } else { 1 };
                strsim::damerau_levenshtein(&name.to_lowercase(), known) <= typos
            });
            if let Some(meant) = meant.filter(|&&meant| !is_given(meant)) {
                let at = self.place(key.referenced);
                notes.push(format!(
                    "{at}: `{name}` is not a key of prep and is ignored; if you meant `{meant}`, \
                     correct it"
                ));
            }
        }
        notes
    }

    fn check_keys<'k>(
        &self,
        section: &str,
        keys: impl Iterator<Item = &'k Node>,
        known: &[&str],
    ) -> Result<(), ConfigError> {
        let (known_keys, unknown): (Vec<&Node>, Vec<&Node>) =
            keys.partition(|key| known.contains(&self.name(key)));
        self.check_repeats(section, known_keys.into_iter())?;
        for key in unknown {
            let name = self.name(key);
            let message = match section_of(name) {
                _ if !section.is_empty() => {
                    format!("unknown key `{section}{name}`; {}", advice(section, name, known))
                }
                Some(right) => format!("`{name}` is a key of `{right}`; write it below `{right}:`"),
                // A key of another program.
                None => continue,
            };
            return Err(self.invalid(key.referenced, message));
        }
        Ok(())
    }

    fn check_repeats<'k>(
        &self,
        section: &str,
        keys: impl Iterator<Item = &'k Node>,
    ) -> Result<(), ConfigError> {
        let mut lines = BTreeMap::new();
        for key in keys {
            let name = self.name(key);
            if let Some(first) = lines.insert(name, key.referenced.line()) {
                let message = format!(
                    "`{section}{name}` is given twice, first on line {first}; keep one of them"
                );
                return Err(self.invalid(key.referenced, message));
            }
        }
        Ok(())
    }

    fn ratios(&mut self) -> Result<Ratios, ConfigError> {
        let default = Ratios::default();
        let mut parts = default.parts();
        let keys = ["data.train_ratio", "data.val_ratio", "data.test_ratio"];
        for (part, key) in parts.iter_mut().zip(keys) {
            let expected = "a number from 0 to 1, such as 0.1";
            let read = self.scalar(key, expected, |scalar| match scalar {
                Scalar::Whole(n) | Scalar::Decimal(n) if (0.0..=1.0).contains(&n) => Ok(n),
                Scalar::Whole(_) | Scalar::Decimal(_) => Err(Mismatch::Range),
                _ => Err(Mismatch::Type),
            })?;
            *part = read.unwrap_or(*part);
        }
        let given = || keys.iter().filter_map(|key| self.values.get(*key));
        let [train, val, test] = parts;
        Ratios::new(train, val, test).map_err(|error| {
            let last =
                given().map(|value| value.referenced).max_by_key(|at| (at.line(), at.column()));
            let mut message = error.to_string();
            if given().count() < keys.len() {
                message += " (ratios missing from the file have their defaults: 0.8, 0.1, 0.1)";
            }
            self.invalid(last.unwrap_or(Location::UNKNOWN), message)
        })
    }

    fn split_method(&self, value: &Node) -> Result<SplitMethod, ConfigError> {
        let names = SplitMethod::ALL.map(SplitMethod::name).join(" or ");
        let named = |text: &str| SplitMethod::ALL.into_iter().find(|method| method.name() == text);
        match &value.value {
            Content::Text(text) => named(text),
            _ => None,
        }
        .ok_or_else(|| self.wrong_type("data.split_method", value, &names))
    }

    /// The options of a command, each at most once.
    fn options(
        &self,
        command: &'static str,
        section: Section,
    ) -> Result<Vec<CommandOption>, ConfigError> {
        self.check_repeats(&format!("{command}."), section.0.iter().map(|(key, _)| key))?;
        let mut options = Vec::new();
        for (key, value) in &section.0 {
            let name = format!("{command}.{}", self.name(key));
            let text = match &value.value {
                Content::Text(text) => self.in_home(text, value.referenced)?,
                Content::Plain => self.spelling(value).to_owned(),
                _ => return Err(self.wrong_type(&name, value, "the value of the flag")),
            };
            options.push(CommandOption {
                command,
                key: self.name(key).to_owned(),
                value: text,
                key_at: self.place(key.referenced),
                value_at: self.place(value.referenced),
            });
        }
        Ok(options)
    }

    /// Replaces `~` or `$HOME` at the beginning by the home folder, as a shell does.
    fn in_home(&self, text: &str, at: Location) -> Result<String, ConfigError> {
        let rest = ["~", "$HOME", "${HOME}"].iter().find_map(|home| text.strip_prefix(home));
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return Ok(text.to_owned());
        };
        let home = std::env::home_dir().and_then(|home| home.into_os_string().into_string().ok());
        let message = "there is no home folder; write the whole path";
        Ok(home.ok_or_else(|| self.invalid(at, message.to_owned()))? + rest)
    }

    fn folder(&self, key: &str, folder: &mut PathBuf) -> Result<(), ConfigError> {
        let Some(value) = self.values.get(key) else { return Ok(()) };
        *folder = match &value.value {
            Content::Text(path) if !path.is_empty() => self.in_home(path, value.referenced)?.into(),
            // For example a year.
            Content::Plain => self.spelling(value).into(),
            _ => return Err(self.wrong_type(key, value, "the path of a folder")),
        };
        Ok(())
    }

    fn boolean(&mut self, key: &str, default: bool) -> Result<bool, ConfigError> {
        let read = self.scalar(key, "true or false", |scalar| match scalar {
            Scalar::Boolean(value) => Ok(value),
            _ => Err(Mismatch::Type),
        })?;
        Ok(read.unwrap_or(default))
    }

    fn whole_number(
        &mut self,
        key: &str,
        range: RangeInclusive<u32>,
        number: &mut u32,
    ) -> Result<(), ConfigError> {
        let (min, max) = (*range.start(), *range.end());
        let expected = format!("a whole number from {min} to {max}");
        let read = self.scalar(key, &expected, |scalar| match scalar {
            Scalar::Whole(n) if (f64::from(min)..=f64::from(max)).contains(&n) => Ok(n as u32),
            Scalar::Whole(_) => Err(Mismatch::Range),
            _ => Err(Mismatch::Type),
        })?;
        *number = read.unwrap_or(*number);
        Ok(())
    }

    /// Converts a scalar, with a note if other YAML readers treat it as text.
    fn scalar<T: Display>(
        &mut self,
        key: &str,
        expected: &str,
        convert: impl Fn(Scalar) -> Result<T, Mismatch>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        let word = self.spelling(value);
        let (scalar, text_to) = match value.value {
            Content::Plain => scalar::read(word),
            _ => (Scalar::Text, None),
        };
        let message = match (convert(scalar), text_to) {
            (Ok(converted), None) => return Ok(Some(converted)),
            (Ok(converted), Some(readers)) => {
                let note = format!(
                    "is written {word} and read as {converted}, but {readers} treat it as text; \
                     write {converted}"
                );
                let note = self.remark(key, &note);
                self.notes.extend(note);
                return Ok(Some(converted));
            }
            (Err(_), _) if scalar == Scalar::LeadingZero => format!(
                "`{key}` is {word}, which some YAML readers treat as octal and some as decimal; \
                 write it without the leading zero"
            ),
            (Err(Mismatch::Range), _) => {
                format!("`{key}` is {word}, which is out of range; write {expected}")
            }
            (Err(Mismatch::Type), _) => return Err(self.wrong_type(key, value, expected)),
        };
        Err(self.invalid(value.referenced, message))
    }

    fn wrong_type(&self, key: &str, value: &Node, expected: &str) -> ConfigError {
        let found = match &value.value {
            Content::Empty => "empty".to_owned(),
            Content::Text(text) => format!("the text {text:?}"),
            Content::Plain => format!("`{}`", self.spelling(value)),
            Content::List => "a list".to_owned(),
            Content::Section => "a section".to_owned(),
        };
        // Python programs read an empty value as "off" or failed, so using the default would be a guess.
        let or_default = match value.value {
            Content::Empty => ", or remove the line for the default",
            _ => "",
        };
        let message = format!("`{key}` is {found}; write {expected}{or_default}");
        self.invalid(value.referenced, message)
    }

    fn remark(&self, key: &str, text: &str) -> Option<String> {
        let value = self.values.get(key)?;
        Some(format!("{}: `{key}` {text}", self.place(value.referenced)))
    }

    /// Errors of serde-saphyr: text that is not YAML, and values in the place of sections.
    fn not_read(&self, error: &Error) -> ConfigError {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        let message = match error {
            Error::Unexpected { expected: "mapping start", .. } => {
                "expected a section: write its keys below its name, such as `batch_size: 500` below \
                 `preprocessing:`"
                    .to_owned()
            }
            Error::MultipleDocuments { .. } => {
                "not valid YAML: a second document begins here; keep one of them".to_owned()
            }
            Error::RecursiveReferencesRequireWeakTypes { .. } => {
                "an alias inside its own anchor; write the value out".to_owned()
            }
            error => {
                let words = error.to_string();
                let reason = words.split(" at line ").next().unwrap_or_default();
                match reason.contains("tabs disallowed") {
                    true => "not valid YAML: a tab in the indentation; use spaces".to_owned(),
                    false => format!("not valid YAML: {reason}; check that line and the one above"),
                }
            }
        };
        self.invalid(location, message)
    }

    fn invalid(&self, at: Location, message: String) -> ConfigError {
        ConfigError::Invalid { at: self.place(at), message }
    }

    fn place(&self, at: Location) -> Place {
        let (line, column) = (at.line().max(1) as usize, at.column().max(1) as usize);
        let source = self.text.lines().nth(line - 1).unwrap_or_default().to_owned();
        let length = at.span().len().max(1) as usize;
        Place { file: self.path.to_owned(), line, column, length, source }
    }

    /// A key's name; `?` for a list or a section.
    fn name<'k>(&'k self, key: &'k Node) -> &'k str {
        match &key.value {
            Content::Text(name) => name,
            Content::Plain => self.spelling(key),
            Content::Empty | Content::List | Content::Section => "?",
        }
    }

    /// A plain scalar as it is written in the file.
    fn spelling(&self, value: &Node) -> &str {
        let span = value.defined.span();
        let range = span.byte_offset().zip(span.byte_len());
        let range = range.map(|(offset, len)| offset as usize..(offset + len) as usize);
        range.and_then(|range| self.text.get(range)).unwrap_or_default().trim_end()
    }
}

/// The section that has this key, if any.
fn section_of(key: &str) -> Option<&'static str> {
    let has_it = |(_, keys): &&(_, &[Key])| keys.iter().any(|(name, ..)| *name == key);
    SECTIONS.iter().find(has_it).map(|(section, _)| *section)
}

/// Suggests a replacement for an unknown key.
fn advice(section: &str, key: &str, known: &[&str]) -> String {
    let top = File::KEYS.map(|key| ("", key.to_owned()));
    let below = SECTIONS.iter().flat_map(|(section, keys)| {
        keys.iter().map(move |(key, ..)| (*section, format!("{section}.{key}")))
    });
    let nearest = top
        .into_iter()
        .chain(below)
        .map(|(of, known)| {
            // Of two equally similar keys, prefers the one in this section.
            let name = known.rsplit('.').next().unwrap_or_default();
            let likeness = strsim::jaro_winkler(&key.to_lowercase(), name);
            (likeness, of == section.trim_end_matches('.'), known)
        })
        .max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    match nearest {
        Some((likeness, _, known)) if likeness >= 0.75 => format!("did you mean `{known}`?"),
        _ => format!("the keys here are {}", known.join(", ")),
    }
}
