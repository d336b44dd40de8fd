//! The phases of an export.

use crate::phases::{Phase, Unit, report_phases};
use std::time::Instant;

/// The timers of an export.
#[derive(Debug)]
pub(super) struct ExportPhases {
    /// Decompressing and decoding games.
    pub(super) decode: Phase,
    /// Converting to rows of the array's type.
    pub(super) normalize: Phase,
    /// Writing and hashing, in bytes.
    pub(super) write: Phase,
    /// Syncing to the disk, and replacing the old export.
    pub(super) sync: Phase,
}

impl ExportPhases {
    pub(super) const fn new() -> ExportPhases {
        ExportPhases {
            decode: Phase::new("decode", Unit::Rows),
            normalize: Phase::new("normalize", Unit::Rows),
            write: Phase::new("write", Unit::Bytes),
            sync: Phase::new("sync", Unit::Bytes),
        }
    }

    pub(super) fn report(&self, begun: Instant, threads: usize) {
        let ExportPhases { decode, normalize, write, sync } = self;
        report_phases(&[decode, normalize, write, sync], begun, threads);
    }
}
