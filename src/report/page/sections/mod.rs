//! The sections of the page, one file per section.

pub(super) mod cards;
pub(super) mod export;
pub(super) mod features;
pub(super) mod games;
pub(super) mod heads;
pub(super) mod play;
pub(super) mod replay;
pub(super) mod time;
pub(super) mod wins;
