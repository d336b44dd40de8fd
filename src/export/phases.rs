//! The phases of an export.

use crate::phases::{Phase, Unit, report_phases};
use std::time::Instant;

/// What the threads of an export do.
#[derive(Debug)]
pub(super) struct ExportPhases {
    /// Packed games out of the cache, in bytes as stored.
    pub(super) read: Phase,
    /// From packed games to columns.
    pub(super) decode: Phase,
    /// From columns to rows of the array's type.
    pub(super) normalize: Phase,
    /// Handing to the kernel, in bytes.
    pub(super) write: Phase,
    /// Hashing the features beside that, in bytes.
    pub(super) hash: Phase,
    /// What is left to go from the kernel to the disk, and the exchange with the old export.
    pub(super) sync: Phase,
}

impl ExportPhases {
    pub(super) const fn new() -> ExportPhases {
        ExportPhases {
            read: Phase::new("read", Unit::Bytes),
            decode: Phase::new("decode", Unit::Rows),
            normalize: Phase::new("normalise", Unit::Rows),
            write: Phase::new("write", Unit::Bytes),
            hash: Phase::new("hash", Unit::Bytes),
            sync: Phase::new("sync", Unit::Bytes),
        }
    }

    pub(super) fn report(&self, begun: Instant, threads: usize) {
        let ExportPhases { read, decode, normalize, write, hash, sync } = self;
        report_phases(&[read, decode, normalize, write, hash, sync], begun, threads);
    }
}
