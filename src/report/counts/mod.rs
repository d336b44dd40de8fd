//! Counts statistics in one pass over the cached rows.

pub(super) mod cards;
pub(super) mod distribution;
pub(super) mod features;
pub(super) mod games;
pub(super) mod heads;
pub(super) mod place;
pub(super) mod positions;
pub(super) mod tally;
pub(super) mod timeline;
pub(super) mod wins;
