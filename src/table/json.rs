//! A position as JSON.

use super::moves::{is_legal, moves_of_board};
use super::words::move_in_words;
use crate::encode::{Head, LabelRow, NO_LABEL, labels};
use crate::gamelog::LoggedAction;
use crate::rules::{Board, Card, Color, Gem, Level, MAX_DISPLAYED, NOBLE_VP, RotatedIndex};
use serde_json::{Map, Value, json};

/// A position with the logged move and the legal moves: an object with `board`, `move`, `labels` (of the
/// heads that apply), `is_legal`, and `legal_moves`, each with its text and labels.
pub fn position_as_json(board: &Board, logged: &LabelRow) -> Value {
    let legal_moves: Vec<Value> = moves_of_board(board)
        .into_iter()
        .map(|legal| {
            let row = labels(&LoggedAction::of(legal));
            json!({ "move": move_in_words(board, &row), "labels": labels_as_json(&row) })
        })
        .collect();
    json!({
        "board": board_as_json(board),
        "move": move_in_words(board, logged),
        "labels": labels_as_json(logged),
        "is_legal": is_legal(board, logged),
        "legal_moves": legal_moves,
    })
}

fn labels_as_json(row: &LabelRow) -> Value {
    let named = Head::ALL.into_iter().map(|head| (head.name(), row[head.index()]));
    named
        .filter(|&(_, label)| label != NO_LABEL)
        .map(|(name, label)| (name.to_owned(), label.into()))
        .collect::<Map<_, _>>()
        .into()
}

fn board_as_json(board: &Board) -> Value {
    let count = board.player_count();
    let decks = Level::ALL
        .map(|level| (format!("level{}", level.number()), Value::from(board.decks[level.index()])));
    let mut players = vec![Value::Null; board.players.len()];
    for rotated in RotatedIndex::ALL {
        let Some(seat) = rotated.seat(board.to_move, count) else { break };
        let player = &board.players[seat.index()];
        let reserved = player.reserved.iter().enumerate();
        let first = (rotated.index() == 0).then_some(MAX_DISPLAYED);
        players[seat.index()] = json!({
            "seat": seat.index(),
            "rotated_index": rotated.index(),
            "points": player.vp,
            "gems": by_name(&Gem::ALL.map(Gem::name), &player.gems.0),
            "reductions": by_name(&Color::ALL.map(Color::name), &player.reduction.0),
            "reserved": reserved
                .map(|(place, card)| card_as_json(card, first.map(|first| first + place)))
                .collect::<Vec<_>>(),
        });
    }
    let nobles = board.nobles.iter().enumerate().map(|(place, noble)| {
        json!({
            "class": place,
            "points": NOBLE_VP,
            "requirement": by_name(&Color::ALL.map(Color::name), &noble.requirement.0),
        })
    });
    let cards = board.displayed_cards().enumerate();
    json!({
        "seat_to_move": board.to_move.index(),
        "gems": by_name(&Gem::ALL.map(Gem::name), &board.gems.0),
        "displayed": cards.map(|(place, card)| card_as_json(card, Some(place))).collect::<Vec<_>>(),
        "decks": decks.into_iter().collect::<Map<_, _>>(),
        "nobles": nobles.collect::<Vec<_>>(),
        "players": players,
    })
}

/// `class` is the class of `card_selection`; null for another player's reserve.
fn card_as_json(card: &Card, class: Option<usize>) -> Value {
    json!({
        "class": class,
        "level": card.level.number(),
        "points": card.vp,
        "bonus": card.bonus.name(),
        "cost": by_name(&Color::ALL.map(Color::name), &card.cost.0),
    })
}

fn by_name(names: &[&str], counts: &[u8]) -> Value {
    let named = names.iter().zip(counts);
    named.map(|(name, &count)| ((*name).to_owned(), count.into())).collect::<Map<_, _>>().into()
}
