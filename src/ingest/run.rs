//! Runs an ingest.

use super::IngestError;
use super::batch::Batches;
use super::cached::{CachedGames, has_log};
use super::examine::{Examination, Examined, Outcome, Played, removed_by};
use super::find::{FoundLogs, LogFile, find_logs, no_logs, skipped_note};
use super::game_status::{DEFERRED, REFUSAL_DELETED, REFUSED, UP_TO_DATE};
use super::phases::IngestPhases;
use super::summary::IngestSummary;
use crate::accounting::check_all_done;
use crate::cache::{CachedGame, GameRecord, PackedGame, Reader, Refusal, Writer, too_many_missing};
use crate::gamelog::{GameId, LogError, LogErrorKind, ReadOptions, ReplayFault};
use crate::memory::report_memory;
use crate::parallel::Part;
use crate::progress::{Amount, Progress};
use crate::words::{counted, shown};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The options of an ingest.
#[derive(Clone, Debug)]
pub struct IngestOptions {
    /// The folder with the logs.
    pub root: PathBuf,
    /// Number of worker threads.
    pub jobs: usize,
    /// Number of games per commit.
    pub batch_size: NonZeroUsize,
    /// How logs are read.
    pub read: ReadOptions,
    /// Time after its last modification during which an incomplete log may still be written.
    pub settle: Duration,
    /// Process only this many games with the lowest ids. The others are not treated as deleted, and an earlier
    /// ingest that did not finish still counts as the last one.
    pub max_games: Option<usize>,
    /// Process only the games of this part, which depends on the id of a game alone. Games of other parts
    /// are treated as deleted.
    pub part: Option<Part>,
    /// Remove games whose logs were deleted even if they are more than a fifth of the cache.
    pub allow_delete: bool,
    /// Keep games whose logs were deleted.
    pub keep_missing: bool,
    /// Games that have a log, as far as the caller knows. The folders are listed again if one is not found, as
    /// if it were cached.
    pub known_games: Vec<GameId>,
    /// Report resident memory after each batch.
    pub monitor_memory: bool,
}

/// Makes the cache match the folder. `before` is the cache before the run, `None` if it is new. Without
/// a `writer`, it is a dry run that only reports what it would do.
///
/// `stop` ends the run early: the games encoded so far are committed.
///
/// # Errors
/// If the folder cannot be searched, holds no logs, or disappears during the run, or the cache cannot be written;
/// [`IngestError::Interrupted`] if it was stopped before the first log. Logs and folders that cannot be read
/// are no error: see [`IngestSummary::refused`] and [`IngestSummary::unreadable`].
pub fn ingest(
    before: Option<Reader>,
    writer: Option<&Writer<'_>>,
    options: &IngestOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<IngestSummary, IngestError> {
    let mut found = look_for_logs(options, progress, stop)?;
    progress.begin("reading the cache", Amount::Unknown);
    let (begun, phases) = (Instant::now(), IngestPhases::new());
    let cached = CachedGames::load(before.as_ref(), options.jobs, &phases, stop)?;
    // A commit waits for readers.
    drop(before);
    look_for_missing_logs(&mut found, &cached, options, stop)?;
    let games: Vec<_> = found.games().take(options.max_games.unwrap_or(usize::MAX)).collect();
    progress.end();
    tracing::debug!("{} in {}", counted(games.len(), "game"), shown(&options.root));
    report_memory(options.monitor_memory, "at the start");

    let mut run = Run {
        options,
        phases: &phases,
        begun,
        batches: Batches::new(writer, options.batch_size, found.logs.len()),
        logs: &found.logs,
        cached: &cached,
        stored_games: cached.games.len(),
        stored_refusals: cached.refused.len(),
        refused_before: cached.refused_games(),
        summary: IngestSummary { unreadable: found.unreadable.clone(), ..Default::default() },
    };
    cached.games.values().flat_map(|game| &game.record).for_each(|record| {
        run.summary.cache.add(record);
    });
    if games.iter().any(|logs| run.is_new(logs[0].game_id)) {
        // New games have the highest ids; if the run is killed before them, they are missing.
        run.batches.begin()?;
    }
    run.examine(&games, progress, stop)?;
    progress.begin("committing", Amount::Unknown);
    run.finish(&games, stop)?;
    progress.end();
    phases.report(begun, options.jobs);
    report_memory(options.monitor_memory, "at the end");
    Ok(run.summary)
}

fn look_for_logs(
    options: &IngestOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<FoundLogs, IngestError> {
    progress.begin("looking for logs", Amount::Unknown);
    let mut found = find_logs(&options.root, stop)?;
    progress.end();
    if found.logs.is_empty() && !options.allow_delete {
        return Err(no_logs(&options.root, &found));
    }
    found.retain_part(options.part);
    found.warn();
    for path in &found.skipped {
        tracing::info!("{}", skipped_note(path));
    }
    Ok(found)
}

/// Looks again if a game has no log: one that is moved, renamed or compressed while the folders are listed
/// may be in none of them.
fn look_for_missing_logs(
    found: &mut FoundLogs,
    cached: &CachedGames,
    options: &IngestOptions,
    stop: &AtomicBool,
) -> Result<(), IngestError> {
    let cached = cached.games.keys().copied().chain(cached.refused_games());
    let mut known = cached.chain(options.known_games.iter().copied());
    if !found.unreadable.is_empty() || known.all(|game_id| has_log(&found.logs, game_id)) {
        return Ok(());
    }
    let mut again = find_logs(&options.root, stop)?;
    again.retain_part(options.part);
    again.logs.retain(|log| !has_log(&found.logs, log.game_id));
    found.logs.append(&mut again.logs);
    found.logs.sort();
    found.unreadable = again.unreadable;
    Ok(())
}

struct Run<'a> {
    options: &'a IngestOptions,
    phases: &'a IngestPhases,
    begun: Instant,
    batches: Batches<'a>,
    logs: &'a [LogFile],
    cached: &'a CachedGames,
    /// The number of games in the cache after the run.
    stored_games: usize,
    /// The number of refused and deferred logs in the cache after the run.
    stored_refusals: usize,
    /// Games with a refused or deferred log in the cache.
    refused_before: BTreeSet<GameId>,
    summary: IngestSummary,
}

impl Run<'_> {
    fn is_new(&self, game_id: GameId) -> bool {
        !self.cached.games.contains_key(&game_id) && !self.refused_before.contains(&game_id)
    }

    /// Examines the logs on all threads, and stores the results.
    fn examine(
        &mut self,
        games: &[&[LogFile]],
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Result<(), IngestError> {
        progress.begin("ingesting", Amount::Games(games.len() as u64));
        let examination = Examination {
            root: &self.options.root,
            read: self.options.read,
            settle: self.options.settle,
            encode: true,
            cached: self.cached,
            phases: self.phases,
        };
        let mut last = None;
        examination.run(games, self.options.jobs, stop, |examined| {
            let is_first_of_game = last.replace(examined.game_id) != Some(examined.game_id);
            progress.advance(is_first_of_game.into());
            self.take(examined, is_first_of_game)
        })
    }

    fn take(&mut self, examined: Examined, is_first_of_game: bool) -> Result<(), IngestError> {
        let Examined { game_id, source_path, outcome, key, bytes, files } = examined;
        let cached = self.cached.games.get(&game_id);
        self.summary.logs += files;
        self.summary.log_bytes += bytes;
        if is_first_of_game && self.refused_before.contains(&game_id) {
            // The log can be read now, or is refused again, possibly with another path. Removed in the
            // same transaction as the rows are stored, so that no export lists them as outdated.
            self.remove_refusals(game_id)?;
        }
        match outcome {
            Outcome::UpToDate { replayed } => {
                self.summary.count(UP_TO_DATE);
                self.update_path(&source_path, cached)?;
                match (replayed, cached.and_then(|cached| cached.record.as_ref())) {
                    (Some(played), Some(record)) => self.store_play(record, &source_path, *played),
                    _ => Ok(()),
                }
            }
            Outcome::Stale { why, played, packed } => {
                self.summary.count(why.name());
                self.summary.does_not_replay.add(&source_path, &played.faults);
                packed.map_or(Ok(()), |packed| self.store(&packed, &played.faults, cached))
            }
            Outcome::Refused(error) => {
                if is_first_of_game {
                    self.summary.count(match error.fault.deferred {
                        true => DEFERRED,
                        false => REFUSED,
                    });
                }
                self.refuse(game_id, key.map(|key| key.source_hash), error)
            }
        }
    }

    /// Stores the replay result of a game whose rows are cached already.
    fn store_play(
        &mut self,
        old: &GameRecord,
        source_path: &str,
        played: Played,
    ) -> Result<(), IngestError> {
        let Played { play, faults } = played;
        self.summary.does_not_replay.add(source_path, &faults);
        self.summary.cache.subtract(old);
        self.summary.cache.add(&GameRecord { play: Some(play), ..old.clone() });
        self.batches.write(|writer| writer.put_play(old, &play, &faults))?;
        self.batches.end_game(0)?;
        Ok(())
    }

    /// Stores a game, replacing its cached version.
    fn store(
        &mut self,
        game: &PackedGame,
        faults: &[ReplayFault],
        old: Option<&CachedGame>,
    ) -> Result<(), IngestError> {
        if old.is_some_and(|old| old.damage.is_some()) {
            self.batches.check_structure()?;
        }
        let record = &game.record;
        if let Some(old) = old.and_then(|old| old.record.as_ref()) {
            self.summary.cache.subtract(old);
        }
        self.stored_games += usize::from(old.is_none());
        self.summary.cache.add(record);
        self.summary.just_encoded.add(record);
        let (begun, bytes) = (Instant::now(), game.packed_bytes());
        let ended_batch = self.batches.put(game, faults)?;
        self.phases.store.add(begun.elapsed(), bytes);
        report_memory(self.options.monitor_memory && ended_batch, "after a batch");
        Ok(())
    }

    /// Records that a log was refused or deferred, as part of the batch, so that a killed run has
    /// recorded it for all logs that it processed.
    fn refuse(
        &mut self,
        game_id: GameId,
        source_hash: Option<blake3::Hash>,
        error: LogError,
    ) -> Result<(), IngestError> {
        let cached = self.cached.games.get(&game_id);
        if let Some(record) = cached.and_then(|cached| removed_by(&error, cached)) {
            self.batches.check_structure()?;
            self.batches.write(|writer| writer.remove(game_id))?;
            self.stored_games -= 1;
            self.summary.cache.subtract(record);
        } else if cached.is_some() {
            self.summary.older_version_kept.insert(game_id);
        }
        self.batches.write(|writer| writer.put_refusal(game_id, source_hash, &error))?;
        self.stored_refusals += 1;
        self.batches.end_game(0)?;
        if error.fault.deferred {
            self.summary.deferred.push(error);
            return Ok(());
        }
        // The same content, or the same reason why it cannot be read.
        let is_same = |before: &Refusal| match (before.source_hash, source_hash) {
            (None, None) => before.message == error.to_string(),
            (before, now) => before == now,
        };
        let mut before = self.cached.refusals_of(game_id).iter().filter(|before| !before.deferred);
        if before.any(is_same) {
            self.summary.refused_before.insert(error.file.clone());
        } else {
            self.summary.newly_refused.insert(game_id);
        }
        self.summary.refused.push(error);
        Ok(())
    }

    fn remove_refusals(&mut self, game_id: GameId) -> Result<(), IngestError> {
        self.stored_refusals -= self.cached.refusals_of(game_id).len();
        Ok(self.batches.write(|writer| writer.remove_refusals(game_id))?)
    }

    /// A log that was only moved keeps its rows.
    fn update_path(
        &mut self,
        source_path: &str,
        cached: Option<&CachedGame>,
    ) -> Result<(), IngestError> {
        /// Approximate size of a row in the cache.
        const BYTES_PER_ROW: u64 = 200;
        match cached.and_then(|cached| cached.record.as_ref()) {
            Some(record) if record.source_path != source_path => {
                self.batches.write(|writer| writer.set_source_path(record, source_path))?;
                // A path of a different length makes SQLite write the whole row again.
                self.batches.end_game(u64::from(record.rows) * BYTES_PER_ROW)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Removes games that no longer have a log, and commits.
    fn finish(&mut self, games: &[&[LogFile]], stop: &AtomicBool) -> Result<(), IngestError> {
        for list in [&mut self.summary.refused, &mut self.summary.deferred] {
            list.sort_by(|a, b| a.file.cmp(&b.file));
        }
        self.summary.interrupted = stop.load(Ordering::Relaxed);
        if self.summary.interrupted {
            return Ok(self.batches.commit()?);
        }
        let found: usize = games.iter().map(|logs| logs.len()).sum();
        if let Err(error) =
            check_all_done("logs were examined", self.summary.logs as u64, found as u64)
        {
            self.batches.leave_unfinished()?;
            return Err(error.into());
        }
        if let Err(error) = self.check_folder() {
            self.batches.leave_unfinished()?;
            return Err(error);
        }
        self.remove_missing()?;
        let Run { batches, phases, cached, summary, begun, logs, .. } = self;
        let (games, refusals) = (self.stored_games, self.stored_refusals);
        phases.store.time(|| -> Result<(), IngestError> {
            if let Err(error) = batches.check_stored(games, refusals) {
                batches.leave_unfinished()?;
                return Err(error.into());
            }
            if !summary.is_finished() {
                return Ok(batches.leave_unfinished()?);
            }
            // Other games may be missing of an ingest that did not finish.
            let is_sample = found < logs.len();
            if is_sample && !cached.last_ingest_finished {
                return Ok(batches.commit()?);
            }
            let done = summary.line(begun.elapsed());
            Ok(batches.finish(cached.last_ingest_finished, &done)?)
        })
    }

    /// A log that was deleted after the search of the folder is deferred. If these are many, the disk of the
    /// folder was probably unmounted, and the next run finds them again.
    fn check_folder(&self) -> Result<(), IngestError> {
        let root = &self.options.root;
        let is_deleted = |error: &&LogError| {
            error.fault.kind == LogErrorKind::ChangedWhileRead
                && root.join(&error.file).symlink_metadata().is_err()
        };
        let deleted = self.summary.deferred.iter().filter(is_deleted).count();
        match root.is_dir() && !too_many_missing(deleted, self.summary.logs) {
            true => Ok(()),
            false => Err(IngestError::Vanished { root: root.clone(), deleted }),
        }
    }

    /// Removes games without a log, unless they are so many that the folder is probably incomplete, or a part
    /// of it could not be searched.
    fn remove_missing(&mut self) -> Result<(), IngestError> {
        let missing = self.cached.without_log(self.logs);
        if !self.summary.unreadable.is_empty() {
            self.summary.not_found = missing.len();
            return Ok(());
        }
        let is_suspect = too_many_missing(missing.len(), self.cached.games.len());
        self.summary.add_deleted(missing);
        let keep_missing = self.options.keep_missing;
        self.summary.removal_blocked = is_suspect && !keep_missing && !self.options.allow_delete;
        if keep_missing || self.summary.removal_blocked {
            self.summary.deleted_but_kept = self.summary.deleted.len();
        }
        if self.summary.removal_blocked {
            return Ok(());
        }
        for game_id in self.refused_before.clone() {
            let is_cached = self.cached.games.contains_key(&game_id);
            // An older version that is kept still has a refused log.
            if has_log(self.logs, game_id) || keep_missing && is_cached {
                continue;
            }
            self.remove_refusals(game_id)?;
            if !is_cached {
                self.summary.count(REFUSAL_DELETED);
                if self.cached.refusals_of(game_id).iter().any(|refusal| !refusal.deferred) {
                    self.summary.refused_and_deleted.push(game_id);
                }
            }
        }
        if keep_missing {
            return Ok(());
        }
        for &game_id in &self.summary.deleted {
            self.batches.check_structure()?;
            self.batches.write(|writer| writer.remove(game_id))?;
            self.stored_games -= 1;
            if let Some(record) = &self.cached.games[&game_id].record {
                self.summary.cache.subtract(record);
            }
        }
        Ok(())
    }
}
