//! Reorders slots whose order has no meaning: the displayed cards of a level, the nobles, and the
//! reserved cards of a player. A reordered position is equivalent, so reordered rows are additional
//! training examples.
//!
//! Colors and seats have no such symmetry: the cards differ by color.

use super::head::Head;
use super::packed_row::PackedRow;
use crate::rules::{CARDS, Level, MAX_DISPLAYED, NO_CARD};

/// The class of a reservation that is both the twelfth displayed card and the top of the level 1 deck.
const LAST_DISPLAYED: usize = MAX_DISPLAYED - 1;

impl PackedRow {
    /// Reorders the slots, labels and masks of a row.
    ///
    /// For a uniform random number, all orders are equally probable, with one exception. A reservation
    /// of class 11 may be the twelfth displayed card or the top of the level 1 deck, and the row does
    /// not tell which. That card then keeps its slot, so that the label stays correct.
    ///
    /// The mask of reservations does not depend on the order: if one card can be reserved, all can.
    pub fn reorder_slots(&mut self, random: u64) {
        let mut random = Digits(random);
        let mut displayed = [0_u8; MAX_DISPLAYED];
        (0..).zip(&mut displayed).for_each(|(slot, to)| *to = slot);
        let cards = self.board.displayed;
        let level =
            |card: u8| if card == NO_CARD { None } else { Some(CARDS[usize::from(card)].level) };
        let is_fixed = self.label(Head::CardReservation) == LAST_DISPLAYED as i32;
        let mut first = 0;
        for of in Level::ALL {
            let mut end = first;
            while end < MAX_DISPLAYED && level(cards[end]) == Some(of) {
                end += 1;
            }
            let last = if is_fixed { end.min(LAST_DISPLAYED) } else { end };
            random.shuffle(&mut displayed[first..last]);
            first = end;
        }
        self.board.displayed = displayed.map(|from| cards[usize::from(from)]);

        let mut nobles = [0, 1, 2, 3, 4];
        let on_table = self.board.nobles;
        random.shuffle(&mut nobles[..count(&on_table)]);
        self.board.nobles = nobles.map(|from| on_table[usize::from(from)]);

        let mover = self.board.to_move.index();
        let mut own = [0, 1, 2];
        for (seat, player) in self.board.by_seat.iter_mut().enumerate() {
            let (mut order, reserved) = ([0, 1, 2], player.reserved);
            random.shuffle(&mut order[..count(&reserved)]);
            player.reserved = order.map(|from: u8| reserved[usize::from(from)]);
            if seat == mover {
                own = order;
            }
        }

        let mut selection = [0; MAX_DISPLAYED + 3];
        selection[..MAX_DISPLAYED].copy_from_slice(&displayed);
        for (to, from) in selection[MAX_DISPLAYED..].iter_mut().zip(own) {
            *to = MAX_DISPLAYED as u8 + from;
        }
        self.reorder_classes(Head::CardSelection, &selection);
        self.reorder_classes(Head::Noble, &nobles);
        self.reorder_label(Head::CardReservation, &displayed);
    }

    /// `order` has the source of each class.
    fn reorder_classes(&mut self, head: Head, order: &[u8]) {
        self.reorder_label(head, order);
        self.masks.reorder(head.mask_range().start, order);
    }

    fn reorder_label(&mut self, head: Head, order: &[u8]) {
        let label = self.label(head);
        if let Some(place) = order.iter().position(|&from| i32::from(from) == label) {
            self.set_label(head, place as i8);
        }
    }
}

/// The number of filled slots; slots are filled from the first.
fn count(slots: &[u8]) -> usize {
    slots.iter().take_while(|&&slot| slot != NO_CARD).count()
}

/// Splits a large random number into small ones.
struct Digits(u64);

impl Digits {
    /// A number from 0 to `n - 1`. All numbers of a row together have 2 * 10^9 possible values, so the
    /// bias is at most 2^-32.
    fn below(&mut self, n: usize) -> usize {
        let product = u128::from(self.0) * n as u128;
        self.0 = product as u64;
        (product >> 64) as usize
    }

    fn shuffle(&mut self, slots: &mut [u8]) {
        for last in (1..slots.len()).rev() {
            slots.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn orders_are_uniform() {
        let mut counts = HashMap::new();
        let mut number = 0_u64;
        for _ in 0..24_000 {
            number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let (mut order, mut digits) = ([0, 1, 2, 3], Digits(number));
            digits.shuffle(&mut [0, 1, 2, 3, 4]);
            digits.shuffle(&mut order);
            *counts.entry(order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
