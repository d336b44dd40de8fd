//! A run of `prep ingest`.

use super::IngestError;
use super::examine::{BlobChecker, Examiner, Outcome};
use super::find::{FoundLogs, LogFile, find_logs, skipped_note};
use super::summary::{CacheTotals, IngestSummary};
use super::writer::Writer;
use crate::cache::{Cache, CacheError, CachedGames, PackedGame};
use crate::gamelog::{GameId, LogError, ReadOptions};
use crate::memory::report_memory;
use crate::progress::Progress;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// How to ingest.
#[derive(Clone, Debug)]
pub struct IngestOptions {
    /// The folder that holds the logs.
    pub root: PathBuf,
    /// Worker threads; 0 for one each core.
    pub jobs: usize,
    /// Games stored per commit.
    pub batch_size: NonZeroUsize,
    /// How logs are read.
    pub read: ReadOptions,
    /// Do everything but store.
    pub dry_run: bool,
    /// Look only at so many logs, those with the lowest game ids. The others are not taken for
    /// gone.
    pub max_games: Option<usize>,
    /// Remove games whose logs are gone even if they are more than a fifth of the cache.
    pub allow_delete: bool,
    /// Remove no game whose log is gone.
    pub keep_missing: bool,
    /// Report resident memory after each batch.
    pub monitor_memory: bool,
}

/// Brings the cache in line with the folder. Without a cache, as in a dry run before the first, it
/// only says what it would do.
///
/// `stop` ends the run early but cleanly: what is encoded by then is committed.
///
/// # Errors
/// If the folder cannot be searched, holds no logs, or the cache cannot be written. Logs that
/// cannot be read are no error: see [`IngestSummary::refused`].
pub fn ingest(
    cache: Option<&Cache>,
    options: &IngestOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<IngestSummary, IngestError> {
    let FoundLogs { logs, skipped } = find_logs(&options.root)?;
    for path in &skipped {
        tracing::info!("{}", skipped_note(path));
    }
    let cached = cache.map_or(Ok(CachedGames::default()), Cache::games)?;
    let refusals = cache.map_or(Ok(Vec::new()), Cache::refusals)?;
    if logs.is_empty() && !options.allow_delete {
        return Err(IngestError::NoLogs(options.root.clone()));
    }
    let game_ids: BTreeSet<GameId> = logs.iter().map(|log| log.game_id).collect();
    let looked_at = logs.len().min(options.max_games.unwrap_or(usize::MAX));

    let mut run = Run {
        options,
        writer: Writer::new(cache.filter(|_| !options.dry_run)),
        cached: &cached,
        checker: BlobChecker::new(cache.map(Cache::path))?,
        refused_before: refusals.into_iter().map(|refusal| refusal.game_id).collect(),
        refused: Vec::new(),
        summary: IngestSummary {
            cache: CacheTotals::of(cached.records.values()),
            ..Default::default()
        },
    };
    tracing::info!("{looked_at} logs in {}", options.root.display());
    report_memory(options.monitor_memory, "at the start");
    progress.begin("games", looked_at as u64);
    run.examine_all(&logs, looked_at, progress, stop)?;
    progress.end();
    run.summary.interrupted = stop.load(Ordering::Relaxed);
    if !run.summary.interrupted {
        run.remove_missing(&game_ids)?;
    }
    run.store_refusals(&game_ids)?;
    run.writer.commit()?;
    report_memory(options.monitor_memory, "at the end");
    Ok(run.into_summary())
}

struct Run<'a> {
    options: &'a IngestOptions,
    writer: Writer<'a>,
    /// The cache as it was before the run.
    cached: &'a CachedGames,
    checker: BlobChecker,
    /// Games of which the cache says that their log was refused.
    refused_before: BTreeSet<GameId>,
    refused: Vec<Refused>,
    summary: IngestSummary,
}

struct Refused {
    game_id: GameId,
    source_hash: Option<blake3::Hash>,
    error: LogError,
}

/// What a worker sends: which log, and what came of it.
type Message = (usize, Result<Outcome, CacheError>);

impl Run<'_> {
    /// Spreads the first `looked_at` logs over worker threads and stores what they send.
    fn examine_all(
        &mut self,
        logs: &[LogFile],
        looked_at: usize,
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Result<(), IngestError> {
        let (options, cached) = (self.options, self.cached);
        let checker = std::mem::take(&mut self.checker);
        let workers = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build()?;
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let (sender, receiver) = mpsc::sync_channel(OUTCOMES_UNDER_WAY);
        let work = |sender: &mpsc::SyncSender<Message>| {
            let mut examiner = match Examiner::new(options.read, &checker) {
                Ok(examiner) => examiner,
                Err(error) => {
                    // The writer is gone only if it failed itself, and says so.
                    let _ = sender.send((0, Err(error.into())));
                    return;
                }
            };
            while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(log) = logs[..looked_at].get(place) else { return };
                let outcome = match twin_of(logs, place) {
                    Some(twin) => Ok(game_in_two_files(log, twin)),
                    None => examiner.examine(&options.root, log, cached),
                };
                if sender.send((place, outcome)).is_err() {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            let workers = &workers;
            scope.spawn(move || workers.broadcast(|_| work(&sender.clone())));
            let received = self.receive(&receiver, logs, progress);
            failed.store(received.is_err(), Ordering::Relaxed);
            drop(receiver);
            received
        })
    }

    fn receive(
        &mut self,
        outcomes: &mpsc::Receiver<Message>,
        logs: &[LogFile],
        progress: &dyn Progress,
    ) -> Result<(), IngestError> {
        for (place, outcome) in outcomes {
            let log = &logs[place];
            self.summary.logs += 1;
            match outcome? {
                Outcome::UpToDate => {
                    self.summary.up_to_date += 1;
                    self.note_moved(log)?;
                    self.note_mended(log)?;
                }
                Outcome::Encoded { game, why } => {
                    *self.summary.encoded.entry(why.name()).or_default() += 1;
                    self.note_mended(log)?;
                    self.store(&game)?;
                }
                Outcome::Refused { error, source_hash } => {
                    self.refused.push(Refused { game_id: log.game_id, source_hash, error });
                }
            }
            progress.advance(1);
        }
        Ok(())
    }

    fn store(&mut self, game: &PackedGame) -> Result<(), CacheError> {
        let in_batch = self.writer.put(game)?;
        if let Some(old) = self.cached.records.get(&game.record.game_id) {
            self.summary.cache.remove(old);
        }
        self.summary.cache.add(&game.record);
        self.summary.just_encoded.add(&game.record);
        if in_batch == self.options.batch_size.get() {
            self.writer.commit()?;
            report_memory(self.options.monitor_memory, "after a batch");
        }
        Ok(())
    }

    /// A log that only lies elsewhere keeps its rows.
    fn note_moved(&mut self, log: &LogFile) -> Result<(), CacheError> {
        let source_path = log.source_path();
        match self.cached.records.get(&log.game_id) {
            Some(record) if record.source_path != source_path => {
                self.writer.write(|batch| batch.set_source_path(log.game_id, &source_path))
            }
            _ => Ok(()),
        }
    }

    /// A log that can be read is no longer refused. In one transaction with its rows: whatever
    /// becomes of this run, no export says of them that they are from an older log.
    fn note_mended(&mut self, log: &LogFile) -> Result<(), CacheError> {
        if self.refused_before.contains(&log.game_id) {
            self.writer.write(|batch| batch.clear_refusals_of(log.game_id))?;
        }
        Ok(())
    }

    /// Makes the cache mirror the folder, unless so much is gone that the folder is the suspect.
    fn remove_missing(&mut self, game_ids: &BTreeSet<GameId>) -> Result<(), CacheError> {
        let missing: Vec<GameId> =
            self.cached.game_ids().filter(|game_id| !game_ids.contains(game_id)).collect();
        let too_many = missing.len() * MOST_MISSING_PARTS > self.cached.game_ids().count();
        if self.options.keep_missing || (too_many && !self.options.allow_delete) {
            self.summary.missing_kept = missing.len();
            self.summary.removal_blocked = !self.options.keep_missing;
            return Ok(());
        }
        for game_id in missing {
            self.writer.write(|batch| batch.remove(game_id))?;
            if let Some(record) = self.cached.records.get(&game_id) {
                self.summary.cache.remove(record);
            }
            self.summary.removed += 1;
        }
        Ok(())
    }

    /// Keeps the refusals of this run, and those of logs that are there but were not looked at.
    fn store_refusals(&mut self, game_ids: &BTreeSet<GameId>) -> Result<(), CacheError> {
        self.refused.sort_by(|a, b| a.error.file.cmp(&b.error.file));
        let looked_at_all = self.options.max_games.is_none() && !self.summary.interrupted;
        let refused_now: BTreeSet<GameId> =
            self.refused.iter().map(|refused| refused.game_id).collect();
        for &game_id in &self.refused_before {
            let is_stale = looked_at_all || !game_ids.contains(&game_id);
            if is_stale || refused_now.contains(&game_id) {
                self.writer.write(|batch| batch.clear_refusals_of(game_id))?;
            }
        }
        for refused in &self.refused {
            self.writer.write(|batch| {
                batch.put_refusal(refused.game_id, refused.source_hash, &refused.error)
            })?;
        }
        Ok(())
    }

    fn into_summary(self) -> IngestSummary {
        let mut summary = self.summary;
        for refused in self.refused {
            if self.cached.records.contains_key(&refused.game_id) {
                summary.older_version_kept.insert(refused.game_id);
            }
            summary.refused.push(refused.error);
        }
        summary
    }
}

/// Outcomes that wait for the writer: enough that workers go on while it commits, however many
/// there are, and few enough not to count.
const OUTCOMES_UNDER_WAY: usize = 64;

/// One part in so many may go missing before the folder is the suspect: a fifth.
const MOST_MISSING_PARTS: usize = 5;

/// Another file of the same game. Logs are sorted by game id, so that it can only be a neighbour.
pub(super) fn twin_of(logs: &[LogFile], place: usize) -> Option<&LogFile> {
    let is_twin = |other: &&LogFile| other.game_id == logs[place].game_id;
    let before = place.checked_sub(1).and_then(|before| logs.get(before));
    before.filter(is_twin).or_else(|| logs.get(place + 1).filter(is_twin))
}

fn game_in_two_files(log: &LogFile, twin: &LogFile) -> Outcome {
    let error = LogError::game_in_two_files(log.game_id, &log.relative_path, &twin.relative_path);
    Outcome::Refused { error, source_hash: None }
}
