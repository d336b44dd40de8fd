//! The integration tests as one binary, with a module for each topic, and shared code in `support`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

mod allocations;
mod architecture;
mod changing_inputs;
mod cli_conventions;
mod concurrency;
mod corruption;
mod diff;
mod docs;
mod error_messages;
mod export;
mod features;
mod full_disk;
mod fuzz_regressions;
mod golden_encoder;
mod golden_export;
mod help;
mod incremental;
mod inspect;
mod kills;
mod legal_moves;
mod live_positions;
mod log_reader;
mod memory;
mod merge;
mod nightly;
mod places;
mod power_loss;
mod preemption;
mod progress;
mod queries;
mod refusals;
mod replay;
mod report;
mod sample_games;
mod settings;
mod shards;
mod status;
mod stream;
mod untrusted;
mod verify;
mod walkthrough;
