//! A position and its moves as text, as `prep inspect` shows them.
//!
//! Someone who doubts a number of an export wants to see what it describes: the cards that were on
//! display, what the player could pay, the move that was chosen and those that were not.
//!
//! [`position()`] lays out the table, [`move_in_words`] describes a logged move in one line,
//! [`legal_moves`] lists the legal ones, and [`position_as_json`] is for programs. Colors are escape
//! codes, and repeat only what the words say; `anstream` removes them where they are not wanted. No
//! line is wider than 80 columns.
//!
//! Cards and nobles have the numbers of the classes: displayed cards from 0 to 11 by flat card index,
//! those in the reserve of the player to move from 12, nobles from 0. Costs are short, `3W 2K`; the
//! header above the gems says which letter is which color.

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
