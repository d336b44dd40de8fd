//! A run of `prep ingest`.

use super::IngestError;
use super::disk_full::Shortage;
use super::examine::{Examined, Examiner, NewGame, Outcome, Purpose};
use super::find::{FoundLogs, find_logs, loop_note, skipped_note};
use super::game_status::{GONE, REFUSED, SET_ASIDE, UP_TO_DATE};
use super::log_list::LogList;
use super::missing::Missing;
use super::phases::IngestPhases;
use super::summary::IngestSummary;
use super::workers::spread;
use super::writer::Writer;
use crate::accounting::check_all_done;
use crate::cache::{Cache, CacheError, CachedGame};
use crate::gamelog::{GameId, LogError, ReadOptions};
use crate::memory::report_memory;
use crate::progress::{Amount, Progress};
use crate::words::counted;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

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
    progress.begin("looking for logs", Amount::Unknown);
    let found = find_logs(&options.root)?;
    progress.end();
    if found.logs.is_empty() && !options.allow_delete {
        return Err(IngestError::no_logs(&options.root, &found));
    }
    let FoundLogs { logs, skipped, loops, .. } = found;
    for path in &loops {
        tracing::warn!("{}", loop_note(path));
    }
    for path in &skipped {
        tracing::info!("{}", skipped_note(path));
    }
    let refusals = cache.map_or(Ok(Vec::new()), Cache::refusals)?;
    let looked_at = logs.len().min(options.max_games.unwrap_or(usize::MAX));

    let (begun, phases) = (Instant::now(), IngestPhases::new());
    let mut run = Run {
        options,
        phases: &phases,
        writer: Writer::new(
            cache.filter(|_| !options.dry_run),
            logs.len(),
            options.batch_size,
            stop,
        ),
        logs: &logs,
        missing: Missing::default(),
        cache,
        refused_before: refusals.into_iter().map(|refusal| refusal.game_id).collect(),
        not_taken: BTreeSet::new(),
        summary: IngestSummary::default(),
    };
    tracing::debug!("{} in {}", counted(looked_at, "log"), options.root.display());
    report_memory(options.monitor_memory, "at the start");
    progress.begin("ingesting", Amount::Games(looked_at as u64));
    let gone_through = run.go_through(looked_at, progress, stop);
    if let (Err(IngestError::Cache(CacheError::DiskFull { .. })), Some(cache)) =
        (&gone_through, cache)
    {
        return Err(IngestError::DiskFull(run.shortage(cache, looked_at)));
    }
    phases.report(begun, gone_through?);
    report_memory(options.monitor_memory, "at the end");
    Ok(run.into_summary())
}

struct Run<'a> {
    options: &'a IngestOptions,
    phases: &'a IngestPhases,
    writer: Writer<'a>,
    logs: &'a LogList,
    /// Games that were cached before the run and have no log.
    missing: Missing,
    cache: Option<&'a Cache>,
    /// Games of which the cache says that their log was refused or set aside.
    refused_before: BTreeSet<GameId>,
    /// Games whose logs did not go in, so far.
    not_taken: BTreeSet<GameId>,
    summary: IngestSummary,
}

impl Run<'_> {
    /// Returns how many threads worked.
    fn go_through(
        &mut self,
        looked_at: usize,
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Result<usize, IngestError> {
        let threads = self.examine_all(looked_at, progress, stop)?;
        progress.begin("committing", Amount::Unknown);
        self.summary.interrupted = stop.load(Ordering::Relaxed);
        if !self.summary.interrupted {
            // Logs that are not among the first `looked_at` are left out because of `max_games`.
            let examined = self.summary.logs as u64;
            if let Err(error) = check_all_done("logs were examined", examined, looked_at as u64) {
                self.writer.leave_unfinished()?;
                return Err(error.into());
            }
            self.remove_missing()?;
        }
        self.forget_refusals()?;
        if !self.summary.interrupted {
            self.writer.finish()?;
        }
        self.phases.store.time(|| self.writer.commit())?;
        progress.end();
        Ok(threads)
    }

    /// After the disk was full: what was not committed is gone by now.
    fn shortage(self, cache: &Cache, looked_at: usize) -> Shortage {
        let packed = self.writer.packed();
        // Rolls back what is open.
        drop(self.writer);
        cache.try_to_empty_write_ahead_log();
        let logs = self.logs.iter().take(looked_at);
        // What cannot be read is encoded anew.
        let record = |game_id| cache.plain_columns(game_id).ok().flatten()?.ok();
        Shortage::of(cache.path(), &self.options.root, logs, record, packed)
    }

    /// Spreads the first `looked_at` logs over worker threads, stores what they send, and returns
    /// how many threads there were.
    fn examine_all(
        &mut self,
        looked_at: usize,
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Result<usize, IngestError> {
        let (options, logs) = (self.options, self.logs);
        let (cache_file, phases) = (self.cache.map(Cache::path), self.phases);
        let begin = || Examiner::new(options.read, Purpose::Encode, cache_file, phases);
        let work = |examiner: &mut Examiner<'_>, place: usize| {
            examiner.examine(&options.root, logs, place)
        };
        let rest = |examiner: &mut Examiner<'_>| examiner.rest();
        spread(options.jobs, looked_at, stop, begin, work, rest, |results| {
            self.look_at_the_cache()?;
            for result in results {
                self.take(result?)?;
                progress.advance(1);
            }
            Ok(())
        })
    }

    /// Finds out what is in the cache, and which of its games have no log. Reads the plain columns of
    /// every game, so that a file that does not hang together is found out before anything is written
    /// to it.
    fn look_at_the_cache(&mut self) -> Result<(), CacheError> {
        let Some(cache) = self.cache else { return Ok(()) };
        cache.each_game(|game_id, record| {
            if let Ok(record) = &record {
                self.summary.cache.add(record);
            }
            self.missing.look_at(game_id, record.ok().as_ref(), self.logs);
        })
    }

    fn take(&mut self, examined: Examined) -> Result<(), IngestError> {
        let Examined { game_id, source_path, outcome, cached, key, .. } = examined;
        self.summary.logs += 1;
        match outcome {
            Outcome::UpToDate => {
                self.summary.count(UP_TO_DATE);
                self.note_moved(game_id, &source_path, cached)?;
                self.note_mended(game_id)?;
            }
            Outcome::Stale { why, game } => {
                if cached.as_ref().is_some_and(|cached| cached.damage().is_some()) {
                    self.writer.check_structure()?;
                }
                self.summary.count(why.name());
                self.note_mended(game_id)?;
                if let Some(game) = game {
                    self.store(*game, cached)?;
                }
            }
            Outcome::NotTaken(error) => {
                let source_hash = key.map(|key| key.source_hash);
                self.refuse(game_id, source_hash, error, cached.is_some())?;
            }
        }
        Ok(())
    }

    /// Stores a game in the place of what is cached of it.
    fn store(&mut self, game: NewGame, old: Option<CachedGame>) -> Result<(), CacheError> {
        let packed = &game.packed;
        if let Some(CachedGame { record: Ok(old), .. }) = old {
            self.summary.cache.remove(&old);
        }
        self.summary.cache.add(&packed.record);
        self.summary.just_encoded.add(&packed.record);
        let (begun, bytes) = (Instant::now(), packed.packed_bytes());
        let ended_batch = self.writer.put(game)?;
        self.phases.store.add(begun.elapsed(), bytes);
        report_memory(self.options.monitor_memory && ended_batch, "after a batch");
        Ok(())
    }

    /// Notes that a log did not go in: with the batch, so that a run that is killed has said it of
    /// every log it got to.
    fn refuse(
        &mut self,
        game_id: GameId,
        source_hash: Option<blake3::Hash>,
        error: LogError,
        is_cached: bool,
    ) -> Result<(), CacheError> {
        let is_set_aside = error.fault.kind.may_be_unfinished();
        let is_first_of_game = self.not_taken.insert(game_id);
        if is_first_of_game {
            // What was said of the game before may be about a file that lies elsewhere now.
            if self.refused_before.contains(&game_id) {
                self.writer.write(|batch| batch.clear_refusals_of(game_id))?;
            }
            if is_cached {
                self.summary.older_version_kept.insert(game_id);
            }
            self.summary.count(if is_set_aside { SET_ASIDE } else { REFUSED });
        }
        self.writer.write(|batch| batch.put_refusal(game_id, source_hash, &error))?;
        self.writer.end_game(0)?;
        let list = match is_set_aside {
            true => &mut self.summary.set_aside,
            false => &mut self.summary.refused,
        };
        list.push(error);
        Ok(())
    }

    /// A log that only lies elsewhere keeps its rows.
    fn note_moved(
        &mut self,
        game_id: GameId,
        source_path: &str,
        cached: Option<CachedGame>,
    ) -> Result<(), CacheError> {
        match cached.map(|cached| cached.record) {
            Some(Ok(record)) if record.source_path != source_path => {
                self.writer.write(|batch| batch.set_source_path(game_id, source_path))?;
                // With a path of another length, all of the game's row is written anew.
                self.writer.end_game(u64::from(record.rows) * PACKED_BYTES_A_ROW)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A log that can be read is no longer refused. In one transaction with its rows: whatever
    /// becomes of this run, no export says of them that they are from an older log.
    fn note_mended(&mut self, game_id: GameId) -> Result<(), CacheError> {
        if self.refused_before.contains(&game_id) {
            self.writer.write(|batch| batch.clear_refusals_of(game_id))?;
        }
        Ok(())
    }

    /// Makes the cache mirror the folder, unless so much is gone that the folder is the suspect.
    fn remove_missing(&mut self) -> Result<(), CacheError> {
        let missing = self.missing.game_ids();
        if !missing.is_empty() {
            self.summary.counts.insert(GONE, missing.len());
        }
        self.summary.gone = missing.to_vec();
        let is_suspect = self.missing.are_too_many() && !self.options.allow_delete;
        if self.options.keep_missing || is_suspect {
            self.summary.missing_kept = missing.len();
            self.summary.removal_blocked = !self.options.keep_missing;
            return Ok(());
        }
        if !missing.is_empty() {
            self.writer.check_structure()?;
        }
        for &game_id in missing {
            self.writer.write(|batch| batch.remove(game_id))?;
        }
        self.summary.cache.remove_all(self.missing.totals());
        Ok(())
    }

    /// Forgets the refusals of games that have no log any more. Those of logs that this run looked
    /// at are right by now, and the others stay.
    fn forget_refusals(&mut self) -> Result<(), CacheError> {
        for &game_id in &self.refused_before {
            if !self.logs.contains(game_id) {
                self.writer.write(|batch| batch.clear_refusals_of(game_id))?;
                // It may never have been cached; then nothing has counted it yet.
                if !self.missing.contains(game_id) && !self.summary.interrupted {
                    self.summary.count(GONE);
                }
            }
        }
        Ok(())
    }

    fn into_summary(self) -> IngestSummary {
        let mut summary = self.summary;
        for list in [&mut summary.refused, &mut summary.set_aside] {
            list.sort_by(|a, b| a.file.cmp(&b.file));
        }
        summary
    }
}

/// What a row of a game takes in the cache, about.
const PACKED_BYTES_A_ROW: u64 = 200;
