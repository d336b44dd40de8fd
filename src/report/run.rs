//! A run of `prep report`, as far as numbers go: one pass over the games of a cache.

use super::error::ReportError;
use super::features::ColumnReport;
use super::tally::Tally;
use crate::accounting::check_all_done;
use crate::cache::{CacheError, GameRecord, PackedGame, Reader, Refusal, Unpacker};
use crate::export::{ExportDiff, ExportOverview, diff_exports, overview};
use crate::gamelog::GameId;
use crate::progress::{Amount, Progress};
use crate::rules::PlayerCount;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

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
    /// Games that another version of prep encoded: left out, their columns are not known.
    pub other_encoder: u64,
    /// Rows with the known gem fault of old logs, and how many of those were read as they were meant.
    pub gem_fault_rows: u64,
    /// Of those, rows that `--repair` read as they were meant.
    pub repaired_rows: u64,
    /// Rows whose gems do not add up to the supply.
    pub unbalanced_rows: u64,
    /// Logs that the last ingest refused or set aside, by game.
    pub refusals: Vec<Refusal>,
    /// Of those, games of which an older version is cached.
    pub from_an_older_log: BTreeSet<GameId>,
    /// Whether the last ingest came to its end.
    pub last_ingest_finished: bool,
}

/// What one night brought, as far as it is in the cache still. By number of players, in the order
/// of [`PlayerCount::ALL`].
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
    // Before the long part: a mistyped folder should be told at once.
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
    Ok(CacheFacts {
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

/// Games that wait to be unpacked, for each thread: enough that none waits for the file.
const AHEAD: usize = 4;

/// Counts all games on so many threads; also tells how many bytes they take.
fn count(
    cache: &Reader,
    records: &BTreeMap<GameId, GameRecord>,
    jobs: usize,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<(Tally, u64), ReportError> {
    std::thread::scope(|scope| {
        let (sender, games) = mpsc::sync_channel::<PackedGame>(AHEAD * jobs);
        // Shared by the threads and by nobody else: once all of them have ended, sending fails
        // instead of waiting for ever.
        let games = Arc::new(Mutex::new(games));
        let threads: Vec<_> = (0..jobs)
            .map(|_| {
                let games = Arc::clone(&games);
                scope.spawn(move || count_all(&games))
            })
            .collect();
        drop(games);
        let mut packed_bytes = 0;
        let mut read = Ok(());
        for record in records.values() {
            if stop.load(Ordering::Relaxed) {
                read = Err(ReportError::Interrupted);
                break;
            }
            match cache.packed(record.game_id) {
                Ok(None) => {}
                Ok(Some(game)) => {
                    packed_bytes += game.packed_bytes();
                    if sender.send(game).is_err() {
                        break;
                    }
                    progress.advance(record.rows.into());
                }
                Err(error) => {
                    read = Err(error.into());
                    break;
                }
            }
        }
        drop(sender);
        let mut total = Tally::new();
        let mut counted = Ok(());
        for thread in threads {
            match thread.join() {
                Ok(Ok(tally)) => total.merge(&tally),
                Ok(Err(error)) => counted = Err(error),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read?;
        counted?;
        Ok((total, packed_bytes))
    })
}

/// Unpacks and counts games until there are no more.
fn count_all(games: &Mutex<mpsc::Receiver<PackedGame>>) -> Result<Tally, CacheError> {
    let mut unpacker = Unpacker::new()?;
    let mut tally = Tally::new();
    let next = || games.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(game) = next() {
        tally.add_game(&game.record, unpacker.unpack(&game)?);
    }
    Ok(tally)
}
