//! A position and its moves as text, as `prep inspect` shows them.
//!
//! To check a value of an export, it helps to see the position: the displayed cards, what the player
//! could pay, the chosen move and the alternatives.
//!
//! [`position()`] prints the table, [`move_in_words`] describes a logged move in one line,
//! [`legal_moves`] lists the legal moves, and [`position_as_json`] is for programs. Colors are escape
//! codes and only repeat what the text says; `anstream` removes them if they are not wanted. Lines have
//! at most 80 columns, or 40 in a narrow terminal.
//!
//! Cards and nobles have the numbers of their classes: displayed cards from 0 to 11 by flat card index,
//! reserved cards of the player to move from 12, nobles from 0. Costs are abbreviated as `3W 2K`; the
//! header above the gems explains the letters.

mod json;
mod moves;
mod paint;
mod position;
mod words;

pub use json::position_as_json;
pub use moves::{is_legal, legal_move_lines, legal_moves};
pub use paint::{letter, warned};
pub use position::position;
pub use words::{card_in_words, gems_in_words, move_in_words};
