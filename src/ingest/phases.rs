//! The phases of an ingest.

use crate::phases::{Phase, Unit, report_phases};
use std::time::Instant;

/// The timers of an ingest.
#[derive(Debug)]
pub(super) struct IngestPhases {
    /// Reading and hashing logs, in bytes of logs.
    pub(super) hash: Phase,
    /// Checking the checksums of cached games.
    pub(super) check: Phase,
    /// Parsing logs, in bytes of logs.
    pub(super) read: Phase,
    /// Encoding turns.
    pub(super) encode: Phase,
    /// Compressing, in bytes as stored.
    pub(super) compress: Phase,
    /// Writing, which runs beside the other phases, in bytes as stored.
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
