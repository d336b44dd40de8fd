//! Counts the games of a cache in one pass.

use super::error::ReportError;
use super::features::ColumnReport;
use super::tally::Tally;
use crate::accounting::check_all_done;
use crate::cache::{CacheError, GameRecord, Reader, Refusal, Unpacker};
use crate::export::{ExportDiff, ExportOverview, diff_exports, overview};
use crate::gamelog::{Ending, GameId, ReplayFault};
use crate::parallel::ordered_map;
use crate::progress::{Amount, Progress};
use crate::rules::PlayerCount;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// What to report on.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// An export to tell about as well.
    pub export: Option<PathBuf>,
    /// An older export to compare that one with.
    pub against: Option<PathBuf>,
    /// Worker threads, at least 1.
    pub jobs: usize,
}

/// Numbers about a cache, and about an export if one was given.
pub struct Report {
    /// What is cached.
    pub cache: CacheFacts,
    /// Games by the day in UTC on which they were encoded, as `2026-01-31`.
    pub nights: BTreeMap<String, Night>,
    /// What was counted over all rows.
    pub tally: Tally,
    /// How the values of each column are spread, in column order.
    pub columns: Vec<ColumnReport>,
    /// The export.
    pub export: Option<ExportReport>,
}

/// What is cached, without a look into the rows.
#[derive(Clone, Debug)]
pub struct CacheFacts {
    /// Where.
    pub path: PathBuf,
    /// Games reported on.
    pub games: u64,
    /// Bytes of their logs.
    pub log_bytes: u64,
    /// Bytes of their rows in the cache.
    pub packed_bytes: u64,
    /// Games that another version of prep encoded: they are excluded, because their columns are unknown.
    pub other_encoder: u64,
    /// Rows with the known gem fault of old logs.
    pub gem_fault_rows: u64,
    /// Of those, rows that `--repair` corrected.
    pub repaired_rows: u64,
    /// Rows whose gems do not add up to the supply.
    pub unbalanced_rows: u64,
    /// Games by how they ended, in the order of [`Ending::ALL`].
    pub endings: [u64; Ending::ALL.len()],
    /// Games that an older prep stored and that have not been replayed since.
    pub not_replayed: u64,
    /// Games that do not replay, in ascending order.
    pub does_not_replay: Vec<FaultyGame>,
    /// Logs that the last ingest refused or deferred, by game.
    pub refusals: Vec<Refusal>,
    /// Of those, games of which an older version is cached.
    pub from_an_older_log: BTreeSet<GameId>,
    /// Whether the last ingest came to its end.
    pub last_ingest_finished: bool,
}

/// A game in which a row does not follow from the row before.
#[derive(Clone, Debug)]
pub struct FaultyGame {
    /// The game.
    pub game_id: GameId,
    /// Its log, below the data folder.
    pub source_path: String,
    /// Rows that do not follow.
    pub fault_rows: u32,
    /// The first of them.
    pub faults: Vec<ReplayFault>,
}

/// The games of one night that are still in the cache, by number of players in the order of
/// [`PlayerCount::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Night {
    /// Games.
    pub games: [u64; PlayerCount::ALL.len()],
    /// Rows of those games.
    pub rows: [u64; PlayerCount::ALL.len()],
}

/// What is told of an export.
pub struct ExportReport {
    /// Where it lies.
    pub folder: PathBuf,
    /// What it holds.
    pub overview: ExportOverview,
    /// Games of the cache that it does not have.
    pub games_only_in_cache: u64,
    /// Games that it has and the cache does not.
    pub games_only_in_export: u64,
    /// The older export's folder, and what changed since.
    pub since: Option<(PathBuf, ExportDiff)>,
}

/// Looks at every game of the cache once, and at the small files of the exports.
///
/// # Errors
/// If the cache holds no games that can be read, a game is damaged, or a folder is no export.
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
    // Before the long part, so that a mistyped folder is reported at once.
    let export = options.export.as_ref().map(|folder| {
        let overview = overview(folder)?;
        let since = match &options.against {
            Some(older) => Some((older.clone(), diff_exports(older, folder)?)),
            None => None,
        };
        let in_export = || overview.splits.iter().flat_map(|split| &split.game_ids);
        let shared = in_export().filter(|game_id| records.contains_key(game_id)).count();
        Ok::<_, ReportError>(ExportReport {
            folder: folder.clone(),
            games_only_in_cache: (all - shared) as u64,
            games_only_in_export: (in_export().count() - shared) as u64,
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
    progress.begin("counting", Amount::Rows(rows));
    let counted = count(cache, &records, options.jobs.max(1), progress, stop);
    progress.end();
    let (tally, packed_bytes) = counted?;
    check_all_done("rows were counted", tally.rows(), rows)?;
    let facts = facts(cache, &records, packed_bytes, (all - records.len()) as u64)?;
    let nights = nights(cache, &records)?;
    Ok(Report { cache: facts, nights, columns: tally.columns(), tally, export })
}

fn facts(
    cache: &Reader,
    records: &BTreeMap<GameId, GameRecord>,
    packed_bytes: u64,
    other_encoder: u64,
) -> Result<CacheFacts, CacheError> {
    let sum = |number: fn(&GameRecord) -> u64| records.values().map(number).sum();
    let refusals = cache.refusals()?;
    let plays = || records.values().filter_map(|record| record.play);
    let mut faults = cache.replay_faults()?;
    let faulty = records.values().filter(|record| record.replays() == Some(false));
    let faulty = faulty.map(|record| FaultyGame {
        game_id: record.game_id,
        source_path: record.source_path.clone(),
        fault_rows: record.play.map_or(0, |play| play.replay_fault_rows),
        faults: faults.remove(&record.game_id).unwrap_or_default(),
    });
    Ok(CacheFacts {
        endings: Ending::ALL
            .map(|ending| plays().filter(|play| play.result.ending == ending).count() as u64),
        not_replayed: (records.len() - plays().count()) as u64,
        does_not_replay: faulty.collect(),
        path: cache.path().to_owned(),
        games: records.len() as u64,
        log_bytes: sum(|record| record.source_bytes),
        packed_bytes,
        other_encoder,
        gem_fault_rows: sum(|record| record.gem_fault_rows.into()),
        repaired_rows: sum(
            |record| {
                if record.key.repaired { record.gem_fault_rows.into() } else { 0 }
            },
        ),
        unbalanced_rows: sum(|record| record.unbalanced_rows.into()),
        from_an_older_log: refusals
            .iter()
            .map(|refusal| refusal.game_id)
            .filter(|game_id| records.contains_key(game_id))
            .collect(),
        refusals,
        last_ingest_finished: cache.last_ingest_finished()?,
    })
}

fn nights(
    cache: &Reader,
    records: &BTreeMap<GameId, GameRecord>,
) -> Result<BTreeMap<String, Night>, CacheError> {
    let mut nights: BTreeMap<String, Night> = BTreeMap::new();
    for (game_id, day) in cache.ingest_days()? {
        let Some(record) = records.get(&game_id) else { continue };
        let players = PlayerCount::ALL.iter().position(|count| count.get() == record.players);
        if let Some(place) = players {
            let night = nights.entry(day).or_default();
            night.games[place] += 1;
            night.rows[place] += u64::from(record.rows);
        }
    }
    Ok(nights)
}

/// Counts all games on several threads. Also returns the bytes that they take in the cache.
fn count(
    cache: &Reader,
    records: &BTreeMap<GameId, GameRecord>,
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
        |(bytes, rows)| {
            packed_bytes += bytes;
            progress.advance(rows);
            Ok::<_, ReportError>(())
        },
    )?;
    if stop.load(Ordering::Relaxed) {
        return Err(ReportError::Interrupted);
    }
    Ok((total.into_inner().unwrap_or_else(PoisonError::into_inner), packed_bytes))
}

/// The counts of one thread, which are added to the total when the thread ends.
struct Counter<'t> {
    unpacker: Unpacker,
    tally: Tally,
    total: &'t Mutex<Tally>,
}

impl Counter<'_> {
    /// Counts a game; returns its bytes in the cache and its rows.
    fn add(&mut self, cache: &Reader, game_id: GameId) -> Result<(u64, u64), ReportError> {
        // Only a game that is not there is skipped, and then rows are missing in the end.
        let Some(game) = cache.packed(game_id)? else { return Ok((0, 0)) };
        self.tally.add_game(&game.record, self.unpacker.unpack(&game)?);
        Ok((game.packed_bytes(), game.record.rows.into()))
    }
}

impl Drop for Counter<'_> {
    fn drop(&mut self) {
        self.total.lock().unwrap_or_else(PoisonError::into_inner).merge(&self.tally);
    }
}
