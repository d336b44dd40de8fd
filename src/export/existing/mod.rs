//! Reads an existing export: to verify it, to compare it with another, and to check whether it is up to
//! date.

pub(super) mod arrays;
pub(super) mod diff;
pub(super) mod folder;
pub(super) mod freshness;
pub(super) mod overview;
pub(super) mod parquet_shape;
pub(super) mod verify;
