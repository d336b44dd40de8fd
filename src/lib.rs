//! `prep` turns Splendor self-play logs into the arrays a network trains on, encoding each game once.
//!
//! ```text
//!   CSV logs ──▶ gamelog ──▶ encode ──▶ cache ──▶ export ──▶ X_train.npy, labels, masks, ...
//!                bytes to    a turn     a game's   split,
//!                turns       to numbers rows in    normalise,
//!                   ▲           ▲       SQLite     publish
//!                   └── rules ──┘          ▲
//!                      the rules        ingest: find, hash, decide, encode in parallel, store
//! ```
//!
//! One turn becomes 1,308 features, 7 labels and 7 masks. Everything that depends on one row only
//! is done once per row, on the way into the cache; what depends on all rows (split, mean and
//! deviation) is done on the way out, from exact whole-number sums.
//!
//! The rooms, each of which may use only those above it (`tests/it/architecture.rs` holds that):
//!
//! | room | what it does |
//! | --- | --- |
//! | [`accounting`] | counting what was done against what there was |
//! | [`parallel`] | one ordered parallel map |
//! | [`platform`] | calls that need one operating system, with plain fallbacks |
//! | [`words`] | numbers as people write them |
//! | [`rules`] | gems, cards, nobles, seats, the board, legal moves, play: pure rules |
//! | [`gamelog`] | a log's bytes to typed turns and back; every input error is born here |
//! | [`encode`] | a turn to its features, labels and masks: pure |
//! | [`table`] | a position and its moves for people to read: pure |
//! | [`simulate`] | games to try things on |
//! | [`disk_space`] | how much room the disk has, in words |
//! | [`cache`] | the SQLite file: key, staleness, blobs, migrations |
//! | [`dataset`] | what consumers of the cache share: which games, split, columns, scaler |
//! | [`config`] | YAML to checked settings |
//! | [`memory`], [`phases`], [`progress`] | what long runs report |
//! | [`ingest`] | the glue from logs to cache |
//! | [`export`] | the glue from cache to arrays |
//! | [`report`] | the glue from cache and export to numbers about them |
//! | [`cli`] | the command line |
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

pub mod cache;

pub mod dataset;

pub mod config;

pub mod memory;
pub mod phases;
pub mod progress;

pub mod ingest;

pub mod export;

pub mod report;

pub mod cli;
