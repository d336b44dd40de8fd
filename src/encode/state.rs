//! Part 1: the position as logged, 375 values.
//!
//! The log's state columns in log order, without those that part 4 spells out (`num_players`,
//! `current_player`, the positions) and `turn_number`. Players are *rotated*: `player0_*` is to
//! move. Missing is 0. Displayed cards are compacted: those that are there first, then zeros.

use super::feature::{Family, FeatureList, Value, read, take};
use crate::column_name::ColumnName;
use crate::rules::{
    Board, ByColor, ByGem, Card, Color, Gem, HAND_LIMIT, Level, MAX_DISPLAYED, MAX_NOBLES,
    MAX_REDUCTION, MAX_RESERVED, MAX_VP, NOBLE_VP, Noble, Player, PlayerCount, RotatedIndex, Seat,
};
use arrayvec::ArrayVec;

const CARD_WIDTH: usize = 2 + 2 * Color::COUNT;
const NOBLE_WIDTH: usize = 1 + Color::COUNT;
const PLAYER_WIDTH: usize = 1 + Gem::COUNT + Color::COUNT + MAX_RESERVED * CARD_WIDTH;

pub(super) const WIDTH: usize = Gem::COUNT
    + MAX_DISPLAYED * CARD_WIDTH
    + Level::COUNT
    + MAX_NOBLES * NOBLE_WIDTH
    + PlayerCount::MAX * PLAYER_WIDTH;

pub(super) const fn describe<const N: usize>(list: &mut FeatureList<N>) {
    list.begin(Family::State);
    let board = ColumnName::new("gems_board_");
    list.quantities_by_color(board, "gems of this colour on the table");
    list.quantity(board.then("gold"), "gold gems on the table");
    let mut slot = 0;
    while slot < MAX_DISPLAYED {
        describe_card(list, ColumnName::new("card").then_number(slot));
        slot += 1;
    }
    let mut level = 1;
    while level <= Level::COUNT {
        let name = ColumnName::new("deck_level").then_number(level).then("_remaining");
        list.quantity(name, "face-down cards left of this level");
        level += 1;
    }
    let mut slot = 0;
    while slot < MAX_NOBLES {
        let noble = ColumnName::new("noble").then_number(slot);
        list.quantity(noble.then("_vp"), "points of the noble, 0 if there is none");
        list.quantities_by_color(noble.then("_req_"), "reductions of this colour the noble asks");
        slot += 1;
    }
    let mut rotated = 0;
    while rotated < PlayerCount::MAX {
        let player = ColumnName::new("player").then_number(rotated);
        list.quantity(player.then("_vp"), "points of the player (0 is to move)");
        let gems = player.then("_gems_");
        list.quantities_by_color(gems, "gems of this colour in the player's hand (0 is to move)");
        list.quantity(gems.then("gold"), "gold gems in the player's hand (0 is to move)");
        list.quantities_by_color(
            player.then("_reduction_"),
            "reductions of this colour from built cards (0 is to move)",
        );
        let mut place = 0;
        while place < MAX_RESERVED {
            describe_card(list, player.then("_reserved").then_number(place));
            place += 1;
        }
        rotated += 1;
    }
}

const fn describe_card<const N: usize>(list: &mut FeatureList<N>, card: ColumnName) {
    list.quantity(card.then("_vp"), "points of the card, 0 if there is none");
    list.quantity(card.then("_level"), "level of the card, 0 if there is none");
    list.quantities_by_color(card.then("_cost_"), "printed cost of the card in this colour");
    list.flags_by_color(card.then("_bonus_"), "1 if the card gives a reduction of this colour");
}

/// Writes into `out`, which holds zeros.
pub(super) fn encode(board: &Board, out: &mut [Value; WIDTH]) {
    let mut rest = &mut out[..];
    put(take(&mut rest), board.gems.0);

    let cards = take::<{ MAX_DISPLAYED * CARD_WIDTH }>(&mut rest);
    for (card, out) in board.displayed_cards().zip(cards.as_chunks_mut().0) {
        put_card(card, out);
    }
    put(take(&mut rest), board.decks);

    let nobles = take::<{ MAX_NOBLES * NOBLE_WIDTH }>(&mut rest);
    for (noble, out) in board.nobles.iter().zip(nobles.as_chunks_mut::<NOBLE_WIDTH>().0) {
        let [white, blue, green, red, black] = noble.requirement.0;
        put(out, [NOBLE_VP, white, blue, green, red, black]);
    }

    let count = board.player_count();
    for (rotated, out) in RotatedIndex::ALL.into_iter().zip(rest.chunks_exact_mut(PLAYER_WIDTH)) {
        let Some(seat) = rotated.seat(board.to_move, count) else { break };
        let player = &board.players[seat.index()];
        let mut rest = out;
        put(take(&mut rest), [player.vp]);
        put(take(&mut rest), player.gems.0);
        put(take(&mut rest), player.reduction.0);
        for (card, out) in player.reserved.iter().zip(rest.as_chunks_mut().0) {
            put_card(card, out);
        }
    }
}

fn put_card(card: &Card, out: &mut [Value; CARD_WIDTH]) {
    let mut rest = &mut out[..];
    put(take(&mut rest), [card.vp, card.level.number()]);
    put(take(&mut rest), card.cost.0);
    rest[card.bonus.index()] = 1;
}

fn put<const N: usize>(out: &mut [Value; N], values: [u8; N]) {
    *out = values.map(|value| value as Value);
}

/// The position that these values tell, if they tell one; the seats are not among them.
///
/// Only what [`encode`] writes needs to be read right: the caller encodes what comes out again.
/// Numbers that no log may have are no position.
pub(super) fn decode(values: &[Value; WIDTH], to_move: Seat, count: PlayerCount) -> Option<Board> {
    let mut rest = &values[..];
    let gems = ByGem(read(&mut rest)?);
    let mut displayed: [ArrayVec<Card, _>; Level::COUNT] = Default::default();
    for _ in 0..MAX_DISPLAYED {
        if let Some(card) = read_card(&mut rest)? {
            displayed[card.level.index()].try_push(card).ok()?;
        }
    }
    let decks = read(&mut rest)?;
    let mut nobles = ArrayVec::new();
    for _ in 0..MAX_NOBLES {
        let [points, requirement @ ..]: [u8; NOBLE_WIDTH] = read(&mut rest)?;
        if points > 0 {
            nobles.push(Noble::find(points, ByColor(requirement))?);
        }
    }
    let mut by_seat: [Option<Player>; PlayerCount::MAX] = Default::default();
    for (rotated, mut rest) in RotatedIndex::ALL.into_iter().zip(rest.chunks_exact(PLAYER_WIDTH)) {
        let Some(seat) = rotated.seat(to_move, count) else { break };
        let [vp] = read(&mut rest)?;
        let (gems, reduction) = (read(&mut rest)?, read(&mut rest)?);
        // More than a log may say, and sums over it might not fit.
        let is_possible = vp <= MAX_VP
            && gems.into_iter().map(usize::from).sum::<usize>() <= usize::from(HAND_LIMIT)
            && reduction.into_iter().all(|cards| cards <= MAX_REDUCTION);
        if !is_possible {
            return None;
        }
        let (gems, reduction) = (ByGem(gems), ByColor(reduction));
        let mut player = Player { vp, gems, reduction, reserved: ArrayVec::new() };
        for _ in 0..MAX_RESERVED {
            player.reserved.extend(read_card(&mut rest)?);
        }
        by_seat[seat.index()] = Some(player);
    }
    let players = by_seat.into_iter().flatten().collect();
    Some(Board { to_move, gems, displayed, decks, nobles, players })
}

/// A card or an empty slot; `None` if it is neither.
fn read_card(rest: &mut &[Value]) -> Option<Option<Card>> {
    let values: [u8; CARD_WIDTH] = read(rest)?;
    if values == [0; CARD_WIDTH] {
        return Some(None);
    }
    let [vp, level, white, blue, green, red, black, bonus @ ..] = values;
    let bonus = Color::ALL.into_iter().find(|color| bonus[color.index()] == 1)?;
    Card::find(level, vp, bonus, ByColor([white, blue, green, red, black])).map(Some)
}
