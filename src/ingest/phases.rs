//! The phases of an ingest.

use crate::phases::{Phase, Unit, report_phases};
use std::time::Instant;

/// What the threads of an ingest do.
#[derive(Debug)]
pub(super) struct IngestPhases {
    /// Reading a file and hashing it, in bytes of logs.
    pub(super) hash: Phase,
    /// Looking whether the cached rows of games are what was stored.
    pub(super) check: Phase,
    /// From bytes to turns, in bytes of logs.
    pub(super) read: Phase,
    /// From turns to rows.
    pub(super) encode: Phase,
    /// In bytes as stored.
    pub(super) compress: Phase,
    /// The writer's, beside the others: in bytes as stored.
    pub(super) store: Phase,
}

impl IngestPhases {
    pub(super) const fn new() -> IngestPhases {
        IngestPhases {
            hash: Phase::new("hash", Unit::Bytes),
            check: Phase::new("check", Unit::Rows),
            read: Phase::new("read", Unit::Bytes),
            encode: Phase::new("encode", Unit::Rows),
            compress: Phase::new("compress", Unit::Bytes),
            store: Phase::new("store", Unit::Bytes),
        }
    }

    pub(super) fn report(&self, begun: Instant, threads: usize) {
        let IngestPhases { hash, check, read, encode, compress, store } = self;
        report_phases(&[hash, check, read, encode, compress, store], begun, threads);
    }
}
