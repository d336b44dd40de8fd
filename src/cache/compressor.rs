//! How blobs are compressed. Changing it makes no game stale: a frame unpacks however it was made.

use std::io;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// Fastest of zstd's ordinary levels. Level 3 saves a tenth of the space for a third more time.
const LEVEL: i32 = 1;

/// Where a column does not change, a match is as long as the column; what is shorter than this is not
/// worth looking for. Saves a hundredth of the space.
const SHORTEST_MATCH: u32 = 7;

/// Places that zstd remembers to look for matches, as a power of two. Fewer than it would choose: they
/// stay in a core's nearest cache, and the file is no larger.
const REMEMBERED_PLACES: u32 = 11;

/// A compressor with its tables.
///
/// # Errors
/// If zstd cannot allocate them.
pub(super) fn compressor() -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::MinMatch(SHORTEST_MATCH))?;
    compressor.set_parameter(CParameter::HashLog(REMEMBERED_PLACES))?;
    Ok(compressor)
}
