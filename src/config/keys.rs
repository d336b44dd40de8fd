//! The keys that are ours, and what to say of one that is nearly ours.

/// A place for keys that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    TopLevel,
    Data,
    Preprocessing,
}

impl Section {
    /// The key with its section, as messages name it.
    pub(super) fn path_of(self, key: &str) -> String {
        match self {
            Section::TopLevel => key.to_owned(),
            Section::Data => format!("data.{key}"),
            Section::Preprocessing => format!("preprocessing.{key}"),
        }
    }

    /// A line that could stand in the section.
    pub(super) fn example(self) -> &'static str {
        match self {
            Section::TopLevel => "seed: 42",
            Section::Data => "data_root: data/raw",
            Section::Preprocessing => "batch_size: 500",
        }
    }
}

/// Every key with a meaning, for suggestions. What each means is in [`super::read`].
pub(super) const KNOWN_KEYS: [(Section, &str); 18] = [
    (Section::TopLevel, "seed"),
    (Section::TopLevel, "data"),
    (Section::TopLevel, "preprocessing"),
    (Section::Data, "data_root"),
    (Section::Data, "processed_dir"),
    (Section::Data, "train_ratio"),
    (Section::Data, "val_ratio"),
    (Section::Data, "test_ratio"),
    (Section::Preprocessing, "num_workers"),
    (Section::Preprocessing, "batch_size"),
    (Section::Preprocessing, "use_float32"),
    (Section::Preprocessing, "monitor_memory"),
    (Section::Preprocessing, "intermediate_dir"),
    (Section::Preprocessing, "enable_feature_engineering"),
    (Section::Preprocessing, "enable_masking"),
    (Section::Preprocessing, "parallel"),
    (Section::Preprocessing, "verbose"),
    (Section::Preprocessing, "merge_strategy"),
];

/// The key of ours that a top-level key seems to be meant as: one slip, or two in a long word.
pub(super) fn slip_of_top_level_key(key: &str) -> Option<&'static str> {
    KNOWN_KEYS
        .iter()
        .filter(|(section, _)| *section == Section::TopLevel)
        .map(|&(_, known)| known)
        .find(|known| {
            let slips = if known.len() > 8 { 2 } else { 1 };
            strsim::damerau_levenshtein(&key.to_lowercase(), known) <= slips
        })
}

/// What to write instead of an unknown key.
pub(super) fn advice(section: Section, key: &str) -> String {
    let likeness = |&(place, known): &(Section, &str)| {
        let likeness = strsim::jaro_winkler(&key.to_lowercase(), known);
        // Of two that are as near, the one in this section.
        (likeness, place == section)
    };
    let nearest = KNOWN_KEYS
        .iter()
        .map(|known| (likeness(known), known))
        .max_by(|(left, _), (right, _)| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
    match nearest {
        Some(((likeness, _), &(place, known))) if likeness >= 0.75 => {
            format!("did you mean `{}`?", place.path_of(known))
        }
        _ => {
            let known: Vec<&str> = KNOWN_KEYS
                .iter()
                .filter(|(place, _)| *place == section)
                .map(|&(_, known)| known)
                .collect();
            format!("the keys here are {}", known.join(", "))
        }
    }
}
