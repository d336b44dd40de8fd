//! One file for each command: its arguments, what it calls, and what it prints.

pub(super) mod completions;
pub(super) mod demo;
pub(super) mod diff;
pub(super) mod export;
pub(super) mod ingest;
pub(super) mod inspect;
pub(super) mod join;
pub(super) mod man;
pub(super) mod merge;
pub(super) mod report;
pub(super) mod schema;
pub(super) mod simulate;
pub(super) mod status;
pub(super) mod verify;
