//! `label_mappings.json`: the meanings of the classes.

use crate::encode::{REMOVALS, TAKE3_SETS};
use crate::gamelog::ActionType;
use crate::rules::Color;
use serde_json::{Map, Value, json};

/// Holds [`label_mappings`].
pub(super) const LABEL_MAPPINGS_FILE: &str = "label_mappings.json";

/// Class numbers of the heads whose classes are not simply places.
pub(super) fn label_mappings() -> Value {
    let action_types: Map<String, Value> = ActionType::ALL
        .into_iter()
        .map(|action_type| (action_type.logged_name().to_owned(), (action_type as u8).into()))
        .collect();
    let take3: Map<String, Value> = TAKE3_SETS
        .iter()
        .enumerate()
        .map(|(class, set)| {
            let colors = Color::ALL.into_iter().filter(|&color| set[color] == 1);
            (class.to_string(), colors.map(Color::name).collect())
        })
        .collect();
    let removals: Map<String, Value> = REMOVALS
        .iter()
        .enumerate()
        .map(|(class, removal)| (class.to_string(), json!(removal.0)))
        .collect();
    json!({
        "action_type": action_types,
        "gem_take3_classes": take3,
        "gem_removal_classes": removals,
    })
}
