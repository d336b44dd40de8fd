//! `prep` turns Splendor self-play logs into the arrays a network trains on.
//!
//! ```text
//!   CSV logs ──▶ gamelog ──▶ encode ──▶ cache ──▶ dataset ──▶ export, stream, report
//!                bytes to    a turn to  one       games, split,
//!                turns       a position SQLite    scaler, rows
//!                            and labels file      in order
//! ```
//!
//! One turn becomes 1,308 features, 7 labels and 7 masks. The cache holds the 422 base features of each
//! position as float32; the derived features are computed by the same encoder when rows are read. What
//! depends on several rows (split and scaler) is computed on the way out, from exact whole-number sums.
//!
//! `docs/architecture.md` has the table of modules with the duty of each and what it may use;
//! `tests/it/architecture.rs` compares it with the code.
//!
//! # As a library
//! ```
//! use splendor_prep::encode::{EncodedGame, Head};
//! use splendor_prep::simulate::simulate_game;
//! use splendor_prep::rules::PlayerCount;
//!
//! let mut game = EncodedGame::default();
//! for turn in simulate_game(PlayerCount::Two, 42) {
//!     game.push(&turn);
//! }
//! let label = game.labels()[0][Head::ActionType.index()];
//! let mask = &game.masks()[0][Head::ActionType.mask_range()];
//! assert_eq!(mask[label as usize], 1, "the first move is legal");
//! ```

pub mod accounting;
pub mod parallel;
pub mod platform;
pub mod rules;
pub mod words;

pub mod gamelog;

pub mod encode;

pub mod table;

pub mod simulate;

pub mod disk_space;
pub mod folders;

pub mod cache;

pub mod dataset;

pub mod config;

pub mod memory;
pub mod phases;
pub mod progress;

pub mod ingest;

pub mod export;

pub mod stream;

pub mod report;

pub mod cli;
