//! Lists the legal moves of a position.

use super::paint::{BOLD, painted};
use super::words::{card_in_words, deck_in_words, gems_in_words, payment_in_words};
use crate::encode::{LabelRow, labels};
use crate::gamelog::LoggedAction;
use crate::rules::{Board, BuildFrom, ByGem, Card, Gem, Move, ReserveFrom, for_each_legal_move};
use std::fmt::Write;

/// All legal moves, in the order of the rules engine.
pub(super) fn moves_of_board(board: &Board) -> Vec<Move> {
    let mut moves = Vec::new();
    for_each_legal_move(board, |chosen| moves.push(chosen));
    moves
}

/// Whether the logged move as a whole is legal: each label may be legal under its mask, although no
/// legal move combines them.
pub fn is_legal(board: &Board, logged: &LabelRow) -> bool {
    moves_of_board(board).into_iter().any(|legal| is_logged(legal, logged))
}

fn is_logged(legal: Move, logged: &LabelRow) -> bool {
    labels(&LoggedAction::of(legal)) == *logged
}

/// The number of legal moves, then a line for each, with `>` before the logged move. Moves that differ
/// only in the gems given back share a line.
pub fn legal_moves(board: &Board, logged: &LabelRow) -> String {
    let (count, lines) = legal_move_lines(board, logged);
    if lines.is_empty() {
        return "legal moves: none: nothing to take, build or reserve\n".to_owned();
    }
    let mut text = format!("legal moves: {count}\n");
    for (line, is_logged) in &lines {
        let _ = match is_logged {
            true => writeln!(text, "{}", painted(format_args!("> {line}"), BOLD)),
            false => writeln!(text, "  {line}"),
        };
    }
    text
}

/// The number of legal moves, and a line for each with whether it is the logged one. Moves that differ
/// only in the gems given back share a line.
pub fn legal_move_lines(board: &Board, logged: &LabelRow) -> (usize, Vec<(String, bool)>) {
    let moves = moves_of_board(board);
    let mut groups: Vec<Group> = Vec::new();
    for legal in moves.iter().copied() {
        let key = without_give_back(legal);
        let is_logged = is_logged(legal, logged);
        match groups.last_mut().filter(|group| group.key == key) {
            Some(group) => {
                group.ways += 1;
                group.is_logged |= is_logged;
            }
            None => groups.push(Group { key, first: legal, ways: 1, is_logged }),
        }
    }
    let lines = groups.iter().map(|group| (group.in_words(board), group.is_logged));
    (moves.len(), lines.collect())
}

/// Moves that differ only in the gems given back; the rules engine lists them consecutively.
struct Group {
    key: Move,
    first: Move,
    ways: usize,
    is_logged: bool,
}

impl Group {
    fn in_words(&self, board: &Board) -> String {
        let mover = board.mover();
        let (what, hand) = match self.first {
            Move::Build { card, noble } => {
                let (number, whence, card) = match card {
                    BuildFrom::Displayed(place) => (place, "", displayed(board, place)),
                    BuildFrom::Reserved(place) => {
                        (12 + place, " (reserved)", mover.reserved.get(usize::from(place)))
                    }
                };
                let words = card.map_or(String::new(), |card| {
                    format!("{}, for {}", card_in_words(card), payment_in_words(mover, card))
                });
                let noble = noble.map_or(String::new(), |noble| format!("; noble {noble}"));
                (format!("build {number}{whence}: {words}{noble}"), mover.gems)
            }
            Move::Reserve { card: ReserveFrom::Displayed(place), .. } => {
                let words = displayed(board, place).map_or(String::new(), card_in_words);
                (format!("reserve {place}: {words}"), mover.gems)
            }
            Move::Reserve { card: ReserveFrom::DeckTop(level), .. } => {
                (format!("reserve {}", deck_in_words(level)), mover.gems)
            }
            Move::Take { gems, .. } => {
                (format!("take {}", gems_in_words(gems.iter())), mover.gems.plus(gems))
            }
        };
        match given_back(self.first).total() {
            0 => what,
            count => {
                let ways =
                    if self.ways == 1 { "1 way".into() } else { format!("{} ways", self.ways) };
                let hand = gems_in_words(hand.iter());
                let whole = format!("{what}; give back {count} of {hand} ({ways})");
                // A full hand can have many colors.
                match whole.chars().count() {
                    ..=WIDEST => whole,
                    _ => format!("{what}; give back {count} ({ways})"),
                }
            }
        }
    }
}

/// Width of a line after its mark.
const WIDEST: usize = 78;

fn displayed(board: &Board, place: u8) -> Option<&Card> {
    board.displayed_cards().nth(usize::from(place))
}

fn given_back(chosen: Move) -> ByGem<u8> {
    match chosen {
        Move::Take { give_back, .. } | Move::Reserve { give_back, .. } => give_back,
        Move::Build { .. } => ByGem([0; Gem::COUNT]),
    }
}

fn without_give_back(chosen: Move) -> Move {
    let give_back = ByGem([0; Gem::COUNT]);
    match chosen {
        Move::Take { gems, .. } => Move::Take { gems, give_back },
        Move::Reserve { card, .. } => Move::Reserve { card, give_back },
        build @ Move::Build { .. } => build,
    }
}
