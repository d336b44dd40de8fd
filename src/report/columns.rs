//! The indices of the columns that a report reads, by their names.

use crate::encode::FEATURES;
use crate::rules::{CARDS, Card, Color, MAX_DISPLAYED, MAX_RESERVED, PlayerCount, Seat};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Columns of a card: points, level, five of cost, five of bonus.
pub(super) const CARD_WIDTH: usize = 2 + 2 * Color::COUNT;

/// Indices into a row of features; of a card, that of its first column.
pub(super) struct ColumnIndices {
    pub(super) displayed: [usize; MAX_DISPLAYED],
    /// By rotated player: 0 is to move.
    pub(super) reserved: [[usize; MAX_RESERVED]; PlayerCount::MAX],
    /// 1 where this seat is to move.
    pub(super) to_move: [usize; Seat::ALL.len()],
    pub(super) points_of_mover: usize,
    pub(super) points_of_leader: usize,
}

/// The indices in a row of this encoder.
pub(super) fn columns() -> &'static ColumnIndices {
    static INDICES: LazyLock<ColumnIndices> = LazyLock::new(|| {
        let names: HashMap<&str, usize> =
            FEATURES.iter().enumerate().map(|(i, feature)| (feature.name.as_str(), i)).collect();
        let index = |name: &str| names[name];
        let reserved = |player, slot| index(&format!("player{player}_reserved{slot}_vp"));
        ColumnIndices {
            displayed: std::array::from_fn(|slot| index(&format!("card{slot}_vp"))),
            reserved: std::array::from_fn(|player| {
                std::array::from_fn(|slot| reserved(player, slot))
            }),
            to_move: std::array::from_fn(|seat| index(&format!("current_player_{seat}"))),
            points_of_mover: index("player0_vp"),
            points_of_leader: index("max_vp_among_players"),
        }
    });
    &INDICES
}

/// A card's twelve values as one number, three binary digits each; 0 is no card.
pub(super) type CardKey = u64;

/// The key with the next value of the card, in the order of its columns.
pub(super) fn then_value(key: CardKey, value: i64) -> CardKey {
    key << 3 | (value as u64 & 7)
}

/// The index in [`CARDS`] of the card with these values, if there is one.
pub(super) fn card_index(key: CardKey) -> Option<usize> {
    static INDICES: LazyLock<HashMap<CardKey, usize>> = LazyLock::new(|| {
        CARDS.iter().enumerate().map(|(index, card)| (key_of(card), index)).collect()
    });
    INDICES.get(&key).copied()
}

fn key_of(card: &Card) -> CardKey {
    let mut key = then_value(then_value(0, card.vp.into()), card.level.number().into());
    for gems in card.cost.0 {
        key = then_value(key, gems.into());
    }
    for color in Color::ALL {
        key = then_value(key, i64::from(color == card.bonus));
    }
    key
}
