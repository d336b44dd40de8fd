//! Counts the games of a cache in one pass.

use super::counts::features::ColumnReport;
use super::counts::place::Place;
use super::counts::positions::{Position, notable_rows, read};
use super::counts::tally::Tally;
use super::counts::timeline::{Timeline, TimelineTally};
use super::error::ReportError;
use super::facts::{CacheFacts, facts};
use crate::accounting::check_all_done;
use crate::cache::{CacheError, GameRecord, IngestLine, Reader, Unpacker};
use crate::dataset::{ShortHash, log_hash};
use crate::encode::ColumnSums;
use crate::export::overview;
use crate::export::{ExportDiff, ExportOverview, diff_exports};
use crate::gamelog::GameId;
use crate::parallel::ordered_map;
use crate::progress::{Amount, Progress};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The options of a report.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// An export to include.
    pub export: Option<PathBuf>,
    /// An older export to compare with.
    pub against: Option<PathBuf>,
    /// Worker threads, at least 1.
    pub jobs: usize,
}

/// Statistics about a cache, and about an export if one was given.
pub struct Report {
    pub(crate) cache: CacheFacts,
    pub(crate) timeline: Timeline,
    /// The ingests that changed the cache, oldest first.
    pub(crate) ingests: Vec<IngestLine>,
    /// The positions behind outliers, faults and rare classes.
    pub(crate) positions: BTreeMap<Place, Position>,
    pub(crate) tally: Tally,
    pub(crate) columns: Vec<ColumnReport>,
    pub(crate) export: Option<ExportReport>,
}

/// Statistics about an export.
pub(crate) struct ExportReport {
    pub(crate) folder: PathBuf,
    pub(crate) overview: ExportOverview,
    /// Number of games of the cache that it does not have.
    pub(crate) games_only_in_cache: u64,
    /// Number of its games that the cache does not have.
    pub(crate) games_only_in_export: u64,
    /// Number of games that the cache has with a different log.
    pub(crate) games_with_other_logs: u64,
    /// The folder of the older export, and the differences.
    pub(crate) since: Option<(PathBuf, ExportDiff)>,
}

/// Reads every game of the cache once, and the small files of the exports.
///
/// # Errors
/// If the cache holds no readable games, a game is damaged, or a folder is not an export.
pub fn report(
    cache: &Reader,
    options: &ReportOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Report, ReportError> {
    let mut records = cache.records()?;
    let all = records.len();
    if all == 0 {
        return Err(ReportError::NoGames { cache: cache.path().to_owned() });
    }
    // Before the long part, so that a mistyped folder is reported immediately.
    let export = options.export.as_ref().map(|folder| {
        let overview = overview(folder)?;
        let since = match &options.against {
            Some(older) => Some((older.clone(), diff_exports(older, folder)?)),
            None => None,
        };
        let in_export = || overview.splits.iter().flat_map(|split| &split.game_ids);
        let shared = in_export().filter(|game_id| records.contains_key(game_id)).count();
        let differs = |(game_id, hash): (&GameId, &ShortHash)| {
            records.get(game_id).is_some_and(|record| log_hash(record) != *hash)
        };
        let with_other_logs = overview.splits.iter().map(|split| {
            let hashes = split.log_hashes.iter().flatten();
            split.game_ids.iter().zip(hashes).filter(|&game| differs(game)).count() as u64
        });
        Ok::<_, ReportError>(ExportReport {
            folder: folder.clone(),
            games_only_in_cache: (all - shared) as u64,
            games_only_in_export: (in_export().count() - shared) as u64,
            games_with_other_logs: with_other_logs.sum(),
            overview,
            since,
        })
    });
    let export = export.transpose()?;
    records.retain(|_, record| record.is_of_this_encoder());
    if records.is_empty() {
        return Err(ReportError::OtherEncoder { cache: cache.path().to_owned(), games: all });
    }

    let rows: u64 = records.values().map(|record| u64::from(record.rows)).sum();
    let mut timeline = TimelineTally::new(&records, &cache.ingest_days()?);
    progress.begin("counting", Amount::Rows(rows));
    let counted = count(cache, &records, &mut timeline, options.jobs.max(1), progress, stop);
    progress.end();
    let (tally, packed_bytes) = counted?;
    check_all_done("rows were counted", tally.rows(), rows)?;
    let facts = facts(cache, &records, packed_bytes, (all - records.len()) as u64)?;
    let columns = tally.columns();
    let places = notable_rows(&facts.does_not_replay, &tally, &columns);
    let in_export = export.iter().flat_map(|export| &export.overview.splits);
    let in_export = in_export.flat_map(|split| split.game_ids.iter().copied());
    Ok(Report {
        timeline: timeline.finish(in_export),
        ingests: cache.ingests()?,
        positions: read(cache, &places, &columns)?,
        cache: facts,
        columns,
        tally,
        export,
    })
}

/// Counts all games on several threads. Also returns their size in the cache in bytes.
fn count(
    cache: &Reader,
    records: &BTreeMap<GameId, GameRecord>,
    timeline: &mut TimelineTally,
    jobs: usize,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<(Tally, u64), ReportError> {
    let total = Mutex::new(Tally::new());
    let mut packed_bytes = 0;
    ordered_map(
        jobs,
        records.keys().copied(),
        stop,
        || {
            let unpacker = Unpacker::new().map_err(CacheError::from)?;
            Ok(Counter { unpacker, tally: Tally::new(), total: &total })
        },
        |counter, game_id| counter.add(cache, game_id),
        |counted| {
            // Only a missing game is skipped, and then the final count of rows fails.
            if let Some((game_id, bytes, sums)) = counted {
                packed_bytes += bytes;
                progress.advance(sums.rows);
                timeline.add(game_id, &sums);
            }
            Ok::<_, ReportError>(())
        },
    )?;
    if stop.load(Ordering::Relaxed) {
        return Err(ReportError::Interrupted);
    }
    Ok((total.into_inner().unwrap_or_else(PoisonError::into_inner), packed_bytes))
}

/// The counts of a thread, which are added to the total when the thread ends.
struct Counter<'t> {
    unpacker: Unpacker,
    tally: Tally,
    total: &'t Mutex<Tally>,
}

impl Counter<'_> {
    /// Counts a game; returns its size in the cache and the sums of its columns.
    fn add(
        &mut self,
        cache: &Reader,
        game_id: GameId,
    ) -> Result<Option<(GameId, u64, ColumnSums)>, ReportError> {
        let Some(game) = cache.packed(game_id)? else { return Ok(None) };
        let sums = self.unpacker.column_sums(&game)?;
        self.tally.add_game(&game.record, self.unpacker.unpack(&game)?);
        Ok(Some((game_id, game.packed_bytes(), sums)))
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        self.total.lock().unwrap_or_else(PoisonError::into_inner).merge(&self.tally);
    }
}
