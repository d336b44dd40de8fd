//! `prep` converts Splendor self-play logs to arrays for training neural networks.
//!
//! ```text
//!   CSV logs ──▶ gamelog ──▶ encode ──▶ cache ──▶ dataset ──▶ export, stream, report
//!                bytes to    a turn to  one       games, split,
//!                turns       a position SQLite    scaler, rows
//!                            and labels file      in order
//! ```
//!
//! Each turn becomes a row of features, 7 labels and 7 masks. The cache holds the base features of each
//! position as float32; the same encoder computes the derived features when rows are read. Values that
//! depend on several rows (split and scaler) are computed when data leaves the cache, from exact integer
//! sums.
//!
//! `docs/architecture.md` describes the modules and their dependencies; `tests/it/architecture.rs`
//! compares it with the code.
//!
//! # Use as a library
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
