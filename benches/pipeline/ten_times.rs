//! Checks with ten times as many games that memory stays the same and time grows by ten.

use crate::prep::{self, Ran};
use crate::stopwatch::Rounds;
use crate::table::Row;
use crate::{MOST_MEGABYTES, check_export, free_bytes};
use anyhow::{Result, ensure};
use std::fs;
use std::path::Path;

/// Disk space per game: its log, its rows in the cache, its arrays, and a reserve.
const BYTES_OF_GAME: u64 = 600_000;

/// Ingests and exports simulated games, then ten times as many.
pub(crate) fn run(work: &Path, games: u32) -> Result<Vec<Row>> {
    let needed = 10 * u64::from(games) * BYTES_OF_GAME;
    let free = free_bytes(work)?;
    ensure!(
        free > needed,
        "--ten-times needs {:.0} GB of disk at {}, {:.0} are free: choose fewer --games",
        needed as f64 / 1e9,
        work.display(),
        free as f64 / 1e9
    );
    let few = ingest_and_export(work, games)?;
    let many = ingest_and_export(work, 10 * games)?;

    let mut rows = Vec::new();
    for ((command, many), (_, few)) in many.into_iter().zip(few) {
        let rounds = |ran: &Ran| {
            let mut rounds = Rounds::default();
            rounds.push(ran.took);
            rounds
        };
        let case = format!("{command}, ten times the games, simulated");
        rows.push(Row::at_most(&case, &rounds(&many), "once the games", &rounds(&few), 10.5));
        if let (Some(few), Some(many)) = (few.peak_megabytes, many.peak_megabytes) {
            let case = format!("peak memory, {case}");
            rows.push(Row::megabytes(&case, many, ("once the games", few), 1.1));
            rows.push(Row::under(&case, many, MOST_MEGABYTES));
        }
    }
    Ok(rows)
}

fn ingest_and_export(work: &Path, games: u32) -> Result<[(&'static str, Ran); 2]> {
    eprintln!("simulating, ingesting and exporting {games} games");
    let folder = work.join(games.to_string());
    fs::create_dir(&folder)?;
    let (logs, cache, out) =
        (folder.join("logs"), folder.join("prep.sqlite"), folder.join("export"));
    prep::simulate(&logs, games, 1)?;
    let (ingest, ingested) = prep::ingest(&logs, &cache)?;
    let expected = (u64::from(games), u64::from(games));
    ensure!((ingested.encoded, ingested.games) == expected, "{ingested:?}");
    let export = prep::export(&cache, &out)?;
    check_export(&out, ingested.rows)?;
    fs::remove_dir_all(&folder)?;
    Ok([("ingest", ingest), ("export", export)])
}
