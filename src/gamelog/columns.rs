//! The names and ranges of the 403 columns of a log, in canonical order.
//!
//! Files may have the columns in any order. The reader converts every row to this order.

use crate::rules::{
    Color, GOLD_SUPPLY, Gem, Level, MAX_DISPLAYED, MAX_GIVE_BACK, MAX_NOBLES, MAX_REDUCTION,
    MAX_RESERVED, MAX_VP, NOBLE_VP, PlayerCount,
};
use std::sync::LazyLock;

/// A card: points, level, five costs, and five bonuses, exactly one of which is 1.
pub(super) const CARD_WIDTH: usize = 2 + 2 * Color::COUNT;
/// A noble: points and five requirements.
pub(super) const NOBLE_WIDTH: usize = 1 + Color::COUNT;
/// A player without reserved cards: position, points, six gems, five reductions.
pub(super) const HOLDINGS_WIDTH: usize = 2 + Gem::COUNT + Color::COUNT;
const PLAYER_WIDTH: usize = HOLDINGS_WIDTH + MAX_RESERVED * CARD_WIDTH;

/// Number of columns that describe a position: all except `game_id` and the action.
pub const STATE_COLUMN_COUNT: usize = 3
    + Gem::COUNT
    + MAX_DISPLAYED * CARD_WIDTH
    + Level::COUNT
    + MAX_NOBLES * NOBLE_WIDTH
    + PlayerCount::MAX * PLAYER_WIDTH;

/// Indices of columns in canonical order.
pub(super) const GAME_ID: usize = 0;
pub(super) const NUM_PLAYERS: usize = 1;
pub(super) const TURN_NUMBER: usize = 2;
pub(super) const CURRENT_PLAYER: usize = 3;
pub(super) const ACTION_TYPE: usize = NUM_PLAYERS + STATE_COLUMN_COUNT;
pub(super) const NOBLE_SELECTION: usize = ACTION_TYPE + 3 + 2 * Color::COUNT;
pub(super) const GEMS_REMOVED: usize = NOBLE_SELECTION + 1;

/// Number of columns of a log.
pub const COLUMN_COUNT: usize = GEMS_REMOVED + Gem::COUNT;
const _: () = assert!(COLUMN_COUNT == 403 && STATE_COLUMN_COUNT == 382);

/// The allowed values of a column.
pub(super) struct Column {
    pub(super) name: String,
    /// Minimum and maximum.
    pub(super) min: i16,
    pub(super) max: i16,
    /// Whether the value may be missing on its own; [`super::row`] defines which groups may be missing.
    pub(super) may_be_missing: bool,
}

/// All columns in canonical order. `game_id` and `action_type` have an empty range: the former may be
/// any 64-bit number, the latter is text.
pub(super) static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let mut list = ColumnList(Vec::with_capacity(COLUMN_COUNT));
    list.required("game_id", 0, -1);
    list.required("num_players", 2, PlayerCount::MAX as i16);
    list.required("turn_number", 1, 10_000);
    list.required("current_player", 0, PlayerCount::MAX as i16 - 1);
    list.gems("gems_board", false);
    for slot in 0..MAX_DISPLAYED {
        list.card(&format!("card{slot}"));
    }
    for level in Level::ALL {
        let name = format!("deck_level{}_remaining", level.number());
        list.required(name, 0, level.deck_capacity().into());
    }
    for slot in 0..MAX_NOBLES {
        list.optional(format!("noble{slot}_vp"), 0, NOBLE_VP.into());
        list.colors(&format!("noble{slot}_req"), 4);
    }
    for rotated in 0..PlayerCount::MAX {
        let player = format!("player{rotated}");
        list.optional(format!("{player}_position"), 0, PlayerCount::MAX as i16 - 1);
        list.optional(format!("{player}_vp"), 0, MAX_VP.into());
        list.gems(&format!("{player}_gems"), true);
        list.colors(&format!("{player}_reduction"), MAX_REDUCTION.into());
        for place in 0..MAX_RESERVED {
            list.card(&format!("{player}_reserved{place}"));
        }
    }
    list.required("action_type", 0, -1);
    list.optional("card_selection", 0, 14);
    list.optional("card_reservation", 0, 14);
    list.colors("gem_take3", 1);
    list.colors("gem_take2", 2);
    list.optional("noble_selection", -1, MAX_NOBLES as i16 - 1);
    for gem in Gem::ALL {
        list.optional(format!("gems_removed_{gem}"), 0, MAX_GIVE_BACK.into());
    }
    list.0
});

struct ColumnList(Vec<Column>);

impl ColumnList {
    fn push(&mut self, name: String, may_be_missing: bool, min: i16, max: i16) {
        self.0.push(Column { name, min, max, may_be_missing });
    }

    fn required(&mut self, name: impl Into<String>, min: i16, max: i16) {
        self.push(name.into(), false, min, max);
    }

    fn optional(&mut self, name: impl Into<String>, min: i16, max: i16) {
        self.push(name.into(), true, min, max);
    }

    fn colors(&mut self, prefix: &str, max: i16) {
        for color in Color::ALL {
            self.optional(format!("{prefix}_{color}"), 0, max);
        }
    }

    /// Gems in one place: up to the largest supply. The supply of the actual game is checked when the
    /// number of players is known.
    fn gems(&mut self, prefix: &str, may_be_missing: bool) {
        for gem in Gem::ALL {
            let supply = PlayerCount::Four.color_supply();
            let max = if gem == Gem::Gold { GOLD_SUPPLY } else { supply };
            self.push(format!("{prefix}_{gem}"), may_be_missing, 0, max.into());
        }
    }

    fn card(&mut self, prefix: &str) {
        self.optional(format!("{prefix}_vp"), 0, 5);
        self.optional(format!("{prefix}_level"), 0, Level::COUNT as i16);
        self.colors(&format!("{prefix}_cost"), 7);
        self.colors(&format!("{prefix}_bonus"), 1);
    }
}

/// The column names of a log, in the order in which `simulate` writes them.
pub fn column_names() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|column| column.name.as_str())
}

/// The columns that describe a position, in canonical order.
pub fn state_column_names() -> impl Iterator<Item = &'static str> {
    column_names().skip(NUM_PLAYERS).take(STATE_COLUMN_COUNT)
}

/// The columns that describe the move, in canonical order.
pub fn action_column_names() -> impl Iterator<Item = &'static str> {
    column_names().skip(ACTION_TYPE)
}
