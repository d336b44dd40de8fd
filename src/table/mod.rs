//! A position as it lies on the table, for people to read.
//!
//! **Why it is so.** Whoever doubts a number of an export wants to see what it stands for: the cards
//! that were on display, what the player could pay, the move that was chosen and those that were
//! not. A row of 1,308 numbers holds all of that and shows none of it.
//!
//! **How it works.** Text out of a [`Board`](crate::rules::Board) and a row of labels, nothing
//! else: [`position()`] lays the table out, [`move_in_words`] says a logged move in one line,
//! [`legal_moves`] lists what it was chosen from, and [`position_as_json`] is for programs. Colors
//! are marked with escape codes, and say nothing that the words do not: without them (see
//! `anstream`) the same text stands there. No line is wider than 80 columns.
//!
//! **How things are called.** Cards and nobles go by the numbers of the classes: displayed cards
//! from 0 to 11 by flat card index, those in the mover's reserve from 12, nobles from 0. Costs are
//! short, `3W 2K`; the header over the gems says which letter is which color.
//!
//! What this room does not do: find games, read files, or decide whether there is a terminal.

mod json;
mod moves;
mod paint;
mod position;
mod words;

pub use json::position_as_json;
pub use moves::{is_legal, legal_moves};
pub use paint::warned;
pub use position::position;
pub use words::move_in_words;
