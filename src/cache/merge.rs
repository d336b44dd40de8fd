//! Several caches as one: self-play runs on several machines, each of which ingests its own logs.
//!
//! Games go by id. The same content in several caches is one game; different content under one id is a
//! conflict, and the game is left out: which of the two is right, only its owner knows. So is a game of which
//! another cache has refused a log, as one ingest of all logs would refuse both files. Neither the order of
//! the caches nor how the logs were spread over them changes what is stored, except for the sentences about
//! conflicts.

use super::blob::{Blob, PackedGame, checksum};
use super::database::check;
use super::database::files::JOURNALS;
use super::database::lock::{beside, real_path};
use super::error::CacheError;
use super::ingests::IngestCounts;
use super::key::GameRecord;
use super::reader::Reader;
use super::rebuild::{REBUILD, Rebuild};
use super::writer::{Writer, too_many_missing};
use crate::gamelog::{GameId, LogError, ReplayFault};
use crate::platform::FileId;
use rusqlite::types::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Games per commit.
const BATCH: usize = 500;

/// A cache to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeInput {
    /// The cache file.
    pub path: PathBuf,
    /// Added to the ids of its games, so that those of several machines can be kept apart.
    pub offset: i64,
}

/// What a merge did. Games read = stored + duplicates + those of conflicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeSummary {
    /// Games in the new cache.
    pub games: u64,
    /// Their rows.
    pub rows: u64,
    /// Games that were in a further cache with the same content.
    pub duplicates: u64,
    /// Games that are left out, in ascending order.
    pub conflicts: Vec<MergeConflict>,
    /// Logs that were refused or deferred in one of the caches, and whose game no other cache has.
    pub refusals: usize,
    /// Whether the last ingest into each cache finished.
    pub all_ingests_finished: bool,
}

/// A game of which two caches have different content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeConflict {
    /// The game, with the offset.
    pub game_id: GameId,
    /// Each cache that has it, with the path of the log.
    pub found: Vec<(PathBuf, String)>,
}

struct Input {
    reader: Reader,
    offset: i64,
    records: BTreeMap<GameId, GameRecord>,
    faults: BTreeMap<GameId, Vec<ReplayFault>>,
}

/// Makes a cache of the games of several, in the place of the one at `target`, if there is one. Until it
/// is complete, that is as it was. Returns `None` if the run was stopped.
///
/// # Errors
/// If a cache cannot be read or holds a damaged game, or one of another encoder; if `target` is no cache,
/// is one of the inputs, or cannot be written; if more than a fifth of its games would be lost and
/// `allow_delete` is false; if an id with its offset is out of range.
pub fn merge(
    target: &Path,
    inputs: &[MergeInput],
    allow_delete: bool,
    wait: Duration,
    stop: &AtomicBool,
) -> Result<Option<MergeSummary>, CacheError> {
    for input in inputs {
        if is_replaced(&input.path, target) {
            return Err(CacheError::cannot_merge(
                &input.path,
                "it is to be replaced by the result",
            ));
        }
    }
    // What is no cache is not ours to replace.
    check(target)?;
    let inputs: Vec<Input> = inputs.iter().map(open).collect::<Result<_, _>>()?;
    if !allow_delete {
        check_losses(target, &inputs)?;
    }
    let fresh = Rebuild::begin(target, wait)?;
    let writer = fresh.writer(stop)?;
    let Some(summary) = fill(&writer, &inputs, stop)? else { return Ok(None) };
    drop(writer);
    // Another merge may replace one of them and read this result.
    drop(inputs);
    if let Some(old) = fresh.finish(stop)? {
        for file in [""].into_iter().chain(JOURNALS).map(|ending| beside(&old, ending)) {
            // It is replaced by now; a file that stays takes space, no more.
            let _ = fs::remove_file(file);
        }
    }
    Ok(Some(summary))
}

/// Whether a file is replaced or removed with the target: the target by any name, or a file beside it.
fn is_replaced(file: &Path, target: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().as_ref().and_then(FileId::of);
    let target = real_path(target);
    let beside = JOURNALS.into_iter().chain([REBUILD]).map(|ending| beside(&target, ending));
    [target.clone()].into_iter().chain(beside).any(|replaced| {
        real_path(file) == replaced || id(file).is_some_and(|file| Some(file) == id(&replaced))
    })
}

/// A cache that was named first by mistake is not replaced by the others.
fn check_losses(target: &Path, inputs: &[Input]) -> Result<(), CacheError> {
    let Some(old) = Reader::open_if_there(target)? else { return Ok(()) };
    let (mut games, mut lost) = (0, 0);
    old.each_game(|game_id, _| {
        games += 1;
        lost += usize::from(!inputs.iter().any(|input| input.records.contains_key(&game_id)));
    })?;
    if !too_many_missing(lost, games) {
        return Ok(());
    }
    let why = format!(
        "{lost} of its {games} games are in none of the others: name a new file first, or add \
         --allow-delete"
    );
    Err(CacheError::CannotReplace { path: target.to_owned(), why })
}

fn open(input: &MergeInput) -> Result<Input, CacheError> {
    let reader = Reader::open(&input.path)?;
    let mut records = BTreeMap::new();
    for (game_id, record) in reader.records()? {
        if !record.is_of_this_encoder() {
            return Err(CacheError::OtherEncoder { path: input.path.clone(), game_id });
        }
        records.insert(moved(&input.path, game_id, input.offset)?, record);
    }
    let faults = reader.replay_faults()?;
    Ok(Input { reader, offset: input.offset, records, faults })
}

fn moved(path: &Path, game_id: GameId, offset: i64) -> Result<GameId, CacheError> {
    let moved = game_id.0.checked_add(offset);
    let why = || format!("game {game_id} has no id with the offset {offset}");
    moved.map(GameId).ok_or_else(|| CacheError::cannot_merge(path, why()))
}

fn fill(
    writer: &Writer<'_>,
    inputs: &[Input],
    stop: &AtomicBool,
) -> Result<Option<MergeSummary>, CacheError> {
    let mut summary = MergeSummary { all_ingests_finished: true, ..MergeSummary::default() };
    let refused = refused_logs(inputs)?;
    // Of refusals, which the cache has by their paths.
    let mut paths = BTreeSet::new();
    writer.begin_ingest(inputs.iter().map(|input| input.records.len()).sum())?;
    let ids: BTreeSet<GameId> =
        inputs.iter().flat_map(|input| input.records.keys().copied()).collect();
    for (index, &game_id) in ids.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut found: Vec<(&Input, &GameRecord)> =
            inputs.iter().filter_map(|input| Some((input, input.records.get(&game_id)?))).collect();
        // Equal content may lie at several places, and an older prep did not replay it.
        found.sort_by_key(|(_, record)| (record.play.is_none(), &record.source_path));
        let (input, record) = found[0];
        let place = |(input, record): &(&Input, &GameRecord)| {
            (input.reader.path().to_owned(), record.source_path.clone())
        };
        let refused = refused.get(&game_id).map_or(&[][..], Vec::as_slice);
        if !refused.is_empty() || found.iter().any(|(_, other)| other.key != record.key) {
            let places: Vec<_> = found.iter().map(place).chain(refused.iter().cloned()).collect();
            // As for two logs of one game, so that an export names the game.
            let [file, other] =
                [&places[0], &places[1]].map(|(cache, log)| unique_path(cache, log));
            let file = unused(&mut paths, file);
            let error = LogError::game_in_two_files(game_id, file, Path::new(&other));
            writer.put_refusal(game_id, None, &error)?;
            summary.conflicts.push(MergeConflict { game_id, found: places });
            continue;
        }
        summary.games += 1;
        summary.rows += u64::from(record.rows);
        summary.duplicates += found.len() as u64 - 1;
        copy(writer, input, record.game_id, game_id)?;
        if (index + 1) % BATCH == 0 {
            writer.commit()?;
        }
    }
    for input in inputs {
        summary.all_ingests_finished &= input.reader.last_ingest_finished()?;
        for mut refusal in input.reader.refusal_rows()? {
            let [Value::Text(source_path), Value::Integer(game_id), ..] = &mut refusal else {
                continue;
            };
            let moved = moved(input.reader.path(), GameId(*game_id), input.offset)?;
            // The others are in a conflict.
            if input.records.contains_key(&moved) || !ids.contains(&moved) {
                let path = unused(&mut paths, unique_path(input.reader.path(), source_path));
                (*source_path, *game_id) = (path, moved.0);
                writer.copy_refusal(&refusal)?;
                summary.refusals += 1;
            }
        }
    }
    if summary.all_ingests_finished {
        let (cached_games, cached_rows) = (summary.games, summary.rows);
        writer.finish_ingest(&IngestCounts { cached_games, cached_rows, ..Default::default() })?;
    }
    writer.commit()?;
    writer.check_stored(summary.games, (summary.conflicts.len() + summary.refusals) as u64)?;
    Ok(Some(summary))
}

/// Stores a game of a cache under an id that may be another one.
fn copy(
    writer: &Writer<'_>,
    input: &Input,
    game_id: GameId,
    new_id: GameId,
) -> Result<(), CacheError> {
    let path = input.reader.path();
    let gone = || CacheError::malformed(path, format!("game {game_id} is not there any more"));
    let mut game: PackedGame = input.reader.packed(game_id)?.ok_or_else(gone)?;
    game.check()?;
    game.record.game_id = new_id;
    for (blob, packed) in Blob::ALL.into_iter().zip(&mut game.blobs) {
        packed.checksum = checksum(blob, &game.record, &packed.bytes);
    }
    let faults = input.faults.get(&game_id).map_or(&[][..], Vec::as_slice);
    writer.put_as_of(&game, faults, &input.reader.ingested_at(game_id)?)
}

/// Logs that a cache has refused, of games that it does not have: an older version in the same cache is no
/// conflict.
fn refused_logs(inputs: &[Input]) -> Result<BTreeMap<GameId, Vec<(PathBuf, String)>>, CacheError> {
    let mut refused: BTreeMap<GameId, Vec<_>> = BTreeMap::new();
    for input in inputs {
        let path = input.reader.path();
        for refusal in input.reader.refusals()? {
            let game_id = moved(path, refusal.game_id, input.offset)?;
            if !input.records.contains_key(&game_id) {
                let logs = refused.entry(game_id).or_default();
                logs.push((path.to_owned(), refusal.source_path));
            }
        }
    }
    Ok(refused)
}

/// The path of a refused log is its key, and several machines may have logs of one name.
fn unique_path(cache: &Path, source_path: &str) -> String {
    format!("{}: {source_path}", cache.to_string_lossy())
}

/// A path that no refusal has yet.
fn unused(paths: &mut BTreeSet<String>, path: String) -> String {
    let names = std::iter::once(path.clone()).chain((2..).map(|n| format!("{path} ({n})")));
    let unused = names.into_iter().find(|name| paths.insert(name.clone()));
    unused.unwrap_or(path)
}
