//! The 403 columns of a log: where each stands in canonical order, its name and its range.
//!
//! Files may hold the columns in any order. The reader sorts every row into the order given here,
//! so that the rest of the room can use these constants.

use crate::column_name::ColumnName;
use crate::rules::{
    Color, DISPLAYED_PER_LEVEL, GOLD_SUPPLY, Gem, Level, MAX_DISPLAYED, MAX_GIVE_BACK, MAX_NOBLES,
    MAX_REDUCTION, MAX_RESERVED, MAX_VP, NOBLE_VP, PlayerCount,
};

/// A card: points, level, five costs, five bonuses of which one is 1.
pub(super) const CARD_WIDTH: usize = 2 + 2 * Color::COUNT;
/// A noble: points and five requirements.
pub(super) const NOBLE_WIDTH: usize = 1 + Color::COUNT;
/// A player: position, points, six gems, five reductions, three reserved cards.
pub(super) const PLAYER_WIDTH: usize = PLAYER_RESERVED + MAX_RESERVED * CARD_WIDTH;

pub(super) const CARD_VP: usize = 0;
pub(super) const CARD_LEVEL: usize = CARD_VP + 1;
pub(super) const CARD_COST: usize = CARD_LEVEL + 1;
pub(super) const CARD_BONUS: usize = CARD_COST + Color::COUNT;

pub(super) const NOBLE_POINTS: usize = 0;
pub(super) const NOBLE_REQUIREMENT: usize = NOBLE_POINTS + 1;

pub(super) const PLAYER_POSITION: usize = 0;
pub(super) const PLAYER_VP: usize = PLAYER_POSITION + 1;
pub(super) const PLAYER_GEMS: usize = PLAYER_VP + 1;
pub(super) const PLAYER_REDUCTION: usize = PLAYER_GEMS + Gem::COUNT;
pub(super) const PLAYER_RESERVED: usize = PLAYER_REDUCTION + Color::COUNT;

pub(super) const GAME_ID: usize = 0;
pub(super) const NUM_PLAYERS: usize = GAME_ID + 1;
pub(super) const TURN_NUMBER: usize = NUM_PLAYERS + 1;
pub(super) const CURRENT_PLAYER: usize = TURN_NUMBER + 1;
pub(super) const GEMS_BOARD: usize = CURRENT_PLAYER + 1;
pub(super) const DISPLAYED: usize = GEMS_BOARD + Gem::COUNT;
pub(super) const DECKS: usize = DISPLAYED + MAX_DISPLAYED * CARD_WIDTH;
pub(super) const NOBLES: usize = DECKS + Level::COUNT;
pub(super) const PLAYERS: usize = NOBLES + MAX_NOBLES * NOBLE_WIDTH;
pub(super) const ACTION_TYPE: usize = PLAYERS + PlayerCount::MAX * PLAYER_WIDTH;
pub(super) const CARD_SELECTION: usize = ACTION_TYPE + 1;
pub(super) const CARD_RESERVATION: usize = CARD_SELECTION + 1;
pub(super) const GEM_TAKE3: usize = CARD_RESERVATION + 1;
pub(super) const GEM_TAKE2: usize = GEM_TAKE3 + Color::COUNT;
pub(super) const NOBLE_SELECTION: usize = GEM_TAKE2 + Color::COUNT;
pub(super) const GEMS_REMOVED: usize = NOBLE_SELECTION + 1;

/// Columns of a log.
pub const COLUMN_COUNT: usize = GEMS_REMOVED + Gem::COUNT;

/// Columns that describe a position: those of a log without `game_id` and the action.
pub const STATE_COLUMN_COUNT: usize = ACTION_TYPE - NUM_PLAYERS;
const _: () = assert!(COLUMN_COUNT == 403 && STATE_COLUMN_COUNT == 382);

/// What a column may hold.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) name: ColumnName,
    /// Smallest and largest value.
    pub(super) min: i16,
    pub(super) max: i16,
    /// Whether it may be missing on its own account. Whether a whole group may be missing is the
    /// business of [`super::row`].
    pub(super) may_be_missing: bool,
}

/// Every column in canonical order. The range of `game_id` and of `action_type` is not kept here:
/// the one is wider, the other is words. Theirs holds no number at all.
pub(super) static COLUMNS: [Column; COLUMN_COUNT] = {
    let mut list = ColumnList::new();
    list.push(ColumnName::new("game_id"), REQUIRED, 0, -1);
    list.push(ColumnName::new("num_players"), REQUIRED, 2, PlayerCount::MAX as i16);
    list.push(ColumnName::new("turn_number"), REQUIRED, 1, 10_000);
    list.push(ColumnName::new("current_player"), REQUIRED, 0, PlayerCount::MAX as i16 - 1);
    list.push_gems(ColumnName::new("gems_board_"), REQUIRED);
    let mut slot = 0;
    while slot < MAX_DISPLAYED {
        list.push_card(ColumnName::new("card").then_number(slot));
        slot += 1;
    }
    let mut level = 0;
    while level < Level::COUNT {
        let name = ColumnName::new("deck_level").then_number(level + 1).then("_remaining");
        list.push(name, REQUIRED, 0, Level::ALL[level].deck_capacity() as i16);
        level += 1;
    }
    let mut slot = 0;
    while slot < MAX_NOBLES {
        let noble = ColumnName::new("noble").then_number(slot);
        list.push(noble.then("_vp"), OPTIONAL, 0, NOBLE_VP as i16);
        list.push_colors(noble.then("_req_"), OPTIONAL, 4);
        slot += 1;
    }
    let mut rotated = 0;
    while rotated < PlayerCount::MAX {
        let player = ColumnName::new("player").then_number(rotated);
        list.push(player.then("_position"), OPTIONAL, 0, PlayerCount::MAX as i16 - 1);
        list.push(player.then("_vp"), OPTIONAL, 0, MAX_VP as i16);
        list.push_gems(player.then("_gems_"), OPTIONAL);
        list.push_colors(player.then("_reduction_"), OPTIONAL, MAX_REDUCTION as i16);
        let mut place = 0;
        while place < MAX_RESERVED {
            list.push_card(player.then("_reserved").then_number(place));
            place += 1;
        }
        rotated += 1;
    }
    list.push(ColumnName::new("action_type"), REQUIRED, 0, -1);
    list.push(ColumnName::new("card_selection"), OPTIONAL, 0, 14);
    list.push(ColumnName::new("card_reservation"), OPTIONAL, 0, 14);
    list.push_colors(ColumnName::new("gem_take3_"), OPTIONAL, 1);
    list.push_colors(ColumnName::new("gem_take2_"), OPTIONAL, 2);
    list.push(ColumnName::new("noble_selection"), OPTIONAL, -1, MAX_NOBLES as i16 - 1);
    let mut gem = 0;
    while gem < Gem::COUNT {
        let name = ColumnName::new("gems_removed_").then(Gem::ALL[gem].name());
        list.push(name, OPTIONAL, 0, MAX_GIVE_BACK as i16);
        gem += 1;
    }
    assert!(list.len == COLUMN_COUNT);
    list.columns
};

/// Smallest and largest value of each column, in canonical order: apart from the names, so that they
/// stay near the processor.
pub(super) static RANGES: [(i16, i16); COLUMN_COUNT] = {
    let mut ranges = [(0, 0); COLUMN_COUNT];
    let mut i = 0;
    while i < COLUMN_COUNT {
        ranges[i] = (COLUMNS[i].min, COLUMNS[i].max);
        i += 1;
    }
    ranges
};

const REQUIRED: bool = false;
const OPTIONAL: bool = true;

/// Fills [`COLUMNS`] at compile time.
struct ColumnList {
    columns: [Column; COLUMN_COUNT],
    len: usize,
}

impl ColumnList {
    const fn new() -> ColumnList {
        let blank = Column { name: ColumnName::new(""), min: 0, max: 0, may_be_missing: false };
        ColumnList { columns: [blank; COLUMN_COUNT], len: 0 }
    }

    const fn push(&mut self, name: ColumnName, may_be_missing: bool, min: i16, max: i16) {
        self.columns[self.len] = Column { name, min, max, may_be_missing };
        self.len += 1;
    }

    const fn push_colors(&mut self, prefix: ColumnName, may_be_missing: bool, max: i16) {
        let mut color = 0;
        while color < Color::COUNT {
            self.push(prefix.then(Color::ALL[color].name()), may_be_missing, 0, max);
            color += 1;
        }
    }

    /// Gems in one place: up to the largest supply. The supply of the game at hand is checked once
    /// the number of players is known.
    const fn push_gems(&mut self, prefix: ColumnName, may_be_missing: bool) {
        self.push_colors(prefix, may_be_missing, PlayerCount::Four.color_supply() as i16);
        self.push(prefix.then("gold"), may_be_missing, 0, GOLD_SUPPLY as i16);
    }

    const fn push_card(&mut self, card: ColumnName) {
        self.push(card.then("_vp"), OPTIONAL, 0, 5);
        self.push(card.then("_level"), OPTIONAL, 0, Level::COUNT as i16);
        self.push_colors(card.then("_cost_"), OPTIONAL, 7);
        self.push_colors(card.then("_bonus_"), OPTIONAL, 1);
    }
}

/// First column of a displayed card. Slots 0-3 are level 1, 4-7 level 2, 8-11 level 3.
pub(super) const fn displayed_card(level: usize, slot: usize) -> usize {
    DISPLAYED + (level * DISPLAYED_PER_LEVEL + slot) * CARD_WIDTH
}

/// First column of a noble.
pub(super) const fn noble(slot: usize) -> usize {
    NOBLES + slot * NOBLE_WIDTH
}

/// First column of a player by rotated index.
pub(super) const fn player(rotated: usize) -> usize {
    PLAYERS + rotated * PLAYER_WIDTH
}

/// First column of a reserved card.
pub(super) const fn reserved_card(rotated: usize, place: usize) -> usize {
    player(rotated) + PLAYER_RESERVED + place * CARD_WIDTH
}

/// The column names of a log, in the order that `simulate` writes them.
pub fn column_names() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|column| column.name.as_str())
}
