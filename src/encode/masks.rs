//! Masks: the legal moves as seven masks.

use super::classes::{removal_class, take3_class};
use super::head::{Head, MASK_WIDTH};
use crate::gamelog::{ActionType, reservation_code, selection_code};
use crate::rules::{Board, ByGem, Move, for_each_legal_move};

/// The masks of one row: 1 where a class is legal, 0 elsewhere; see [`Head::mask_range`].
pub type MaskRow = [i8; MASK_WIDTH];

/// The masks of the player to move. The mask of a head that no legal move uses is all zeros, except that
/// giving back nothing is always legal.
pub fn masks(board: &Board) -> MaskRow {
    let mut row = [0; MASK_WIDTH];
    let mut allow = |head: Head, class: usize| row[head.mask_range().start + class] = 1;

    let nothing = ByGem::default();
    allow(Head::GemsRemoved, removal_class(&nothing));
    for_each_legal_move(board, |legal| match legal {
        Move::Build { card, noble } => {
            allow(Head::ActionType, ActionType::Build as usize);
            allow(Head::CardSelection, selection_code(card).into());
            if let Some(noble) = noble {
                allow(Head::Noble, noble.into());
            }
        }
        Move::Reserve { card, give_back } => {
            allow(Head::ActionType, ActionType::Reserve as usize);
            allow(Head::CardReservation, reservation_code(card).into());
            if give_back != nothing {
                allow(Head::GemsRemoved, removal_class(&give_back));
            }
        }
        Move::Take { gems, give_back } => {
            match gems.0.iter().position(|&count| count == 2) {
                Some(color) => {
                    allow(Head::ActionType, ActionType::Take2 as usize);
                    allow(Head::GemTake2, color);
                }
                None => {
                    allow(Head::ActionType, ActionType::Take3 as usize);
                    allow(Head::GemTake3, take3_class(&gems));
                }
            }
            if give_back != nothing {
                allow(Head::GemsRemoved, removal_class(&give_back));
            }
        }
    });
    row
}
