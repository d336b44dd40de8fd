//! Where the columns stand that a report looks at, by their names.

use crate::encode::FEATURES;
use crate::rules::{CARDS, Card, Color, MAX_DISPLAYED, MAX_RESERVED, PlayerCount, Seat};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Columns of a card: points, level, five of cost, five of bonus.
pub(super) const CARD_WIDTH: usize = 2 + 2 * Color::COUNT;

/// The first column of a card's group, or a column by itself, as places in a row of features.
pub(super) struct Places {
    pub(super) displayed: [usize; MAX_DISPLAYED],
    /// By rotated player: 0 is to move.
    pub(super) reserved: [[usize; MAX_RESERVED]; PlayerCount::MAX],
    /// 1 where this seat is to move.
    pub(super) to_move: [usize; Seat::ALL.len()],
    pub(super) points_of_mover: usize,
    pub(super) points_of_leader: usize,
}

/// The places in a row of this program's encoder.
pub(super) fn places() -> &'static Places {
    static PLACES: LazyLock<Places> = LazyLock::new(|| {
        let names: HashMap<&str, usize> =
            FEATURES.iter().enumerate().map(|(i, feature)| (feature.name.as_str(), i)).collect();
        let place = |name: &str| names[name];
        let reserved = |player, slot| place(&format!("player{player}_reserved{slot}_vp"));
        Places {
            displayed: std::array::from_fn(|slot| place(&format!("card{slot}_vp"))),
            reserved: std::array::from_fn(|player| {
                std::array::from_fn(|slot| reserved(player, slot))
            }),
            to_move: std::array::from_fn(|seat| place(&format!("current_player_{seat}"))),
            points_of_mover: place("player0_vp"),
            points_of_leader: place("max_vp_among_players"),
        }
    });
    &PLACES
}

/// A card's twelve values as one number, three binary digits each; 0 is no card.
pub(super) type CardKey = u64;

/// Adds the next of a card's values, in the order of its columns.
pub(super) fn then_value(key: CardKey, value: i64) -> CardKey {
    key << 3 | (value as u64 & 7)
}

/// The place in [`CARDS`] of the card with these values; `None` if there is none.
pub(super) fn card_place(key: CardKey) -> Option<usize> {
    static PLACES: LazyLock<HashMap<CardKey, usize>> = LazyLock::new(|| {
        CARDS.iter().enumerate().map(|(place, card)| (key_of(card), place)).collect()
    });
    PLACES.get(&key).copied()
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
