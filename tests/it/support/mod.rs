//! Shared code of the tests.

pub(crate) mod broken_cache;
pub(crate) mod cached;
pub(crate) mod cli;
pub(crate) mod export;
pub(crate) mod failing_io;
pub(crate) mod faults;
pub(crate) mod fuzzed;
pub(crate) mod golden;
pub(crate) mod log_text;
pub(crate) mod long_run;
pub(crate) mod plain_features;
pub(crate) mod plain_replay;
pub(crate) mod plain_rules;
pub(crate) mod positions;
pub(crate) mod power_loss;
pub(crate) mod preloaded;
pub(crate) mod python;
pub(crate) mod random_changes;
