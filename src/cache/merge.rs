//! Merges several caches into one, for self-play on several machines that each ingest their own logs.
//!
//! Games are identified by their id. The same content in several caches is one game; different content
//! with the same id is a conflict, and the game is excluded, because prep cannot know which version is
//! right. A game whose log another cache has refused is excluded too, because an ingest of all logs
//! together would refuse both files. The result does not depend on the order of the caches or on how the
//! logs were spread over them, except for the messages about conflicts.

use super::blob::PackedGame;
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
    /// Added to the ids of its games, to keep the games of several machines apart.
    pub offset: i64,
}

/// The result of a merge. Games read = stored + duplicates + games in conflicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeSummary {
    /// Games in the new cache.
    pub games: u64,
    /// Rows in the new cache.
    pub rows: u64,
    /// Games that another cache has with the same content.
    pub duplicates: u64,
    /// Excluded games, in ascending order.
    pub conflicts: Vec<MergeConflict>,
    /// Games of the replaced cache that no other cache has, in ascending order.
    pub lost: Vec<GameId>,
    /// Logs that one of the caches refused or deferred, and whose game no other cache has.
    pub refusals: usize,
    /// Whether the last ingest into each cache finished.
    pub all_ingests_finished: bool,
}

/// A game that has different content in two caches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeConflict {
    /// The game id, with the offset.
    pub game_id: GameId,
    /// The caches that hold the game, with the path of the log in each.
    pub found: Vec<(PathBuf, String)>,
}

struct Input {
    reader: Reader,
    records: BTreeMap<GameId, GameRecord>,
    faults: BTreeMap<GameId, Vec<ReplayFault>>,
    refusals: Vec<RefusedLog>,
}

struct RefusedLog {
    game_id: GameId,
    source_path: String,
    row: Vec<Value>,
}

/// Creates a cache at `target` from the games of several caches. An existing cache there is replaced
/// when the new one is complete, and stays unchanged until then. Returns `None` if the run was stopped.
///
/// # Errors
/// If a cache cannot be read or holds a damaged game, or one of another encoder; if `target` is not a
/// cache, is one of the inputs, or cannot be written; if more than a fifth of its games would be lost
/// and `allow_delete` is false; if an id with its offset is out of range.
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
    // A file that is not a cache is never replaced.
    check(target)?;
    let inputs: Vec<Input> = inputs.iter().map(open).collect::<Result<_, _>>()?;
    let fresh = Rebuild::begin(target, wait)?;
    // An ingest that held the lock may have added games.
    let lost = check_losses(target, &inputs, allow_delete)?;
    let writer = fresh.writer(stop)?;
    let Some(mut summary) = fill(&writer, &inputs, stop)? else { return Ok(None) };
    summary.lost = lost;
    drop(writer);
    // Another merge may replace one of them and read this result.
    drop(inputs);
    if let Some(old) = fresh.finish(false, stop)? {
        for file in [""].into_iter().chain(JOURNALS).map(|ending| beside(&old, ending)) {
            // The cache has been replaced already; a leftover file only takes space.
            let _ = fs::remove_file(file);
        }
    }
    Ok(Some(summary))
}

/// Whether replacing the target would replace or remove this file: it is the target under any name, or a
/// file beside it.
fn is_replaced(file: &Path, target: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().map(|file| FileId::of(&file));
    let target = real_path(target);
    let beside = JOURNALS.into_iter().chain([REBUILD]).map(|ending| beside(&target, ending));
    [target.clone()].into_iter().chain(beside).any(|replaced| {
        real_path(file) == replaced || id(file).is_some_and(|file| Some(file) == id(&replaced))
    })
}

/// Returns the games of the target that no other cache has. Protects a cache that was named first by mistake:
/// a game counts there unless the result has it from the same log.
fn check_losses(
    target: &Path,
    inputs: &[Input],
    allow_delete: bool,
) -> Result<Vec<GameId>, CacheError> {
    let mut in_none = Vec::new();
    let Some(old) = Reader::open_if_there(target)? else { return Ok(in_none) };
    let refused = refused_logs(inputs);
    let (mut games, mut lost) = (0, 0);
    old.each_game(|game_id, old| {
        games += 1;
        let mut found = inputs.iter().filter_map(|input| input.records.get(&game_id));
        let first = found.next();
        if first.is_none() && !refused.contains_key(&game_id) {
            in_none.push(game_id);
        }
        let is_stored = first.is_some_and(|record| {
            let is_same = |old: GameRecord| old.key.source_hash == record.key.source_hash;
            old.map_or(true, is_same)
                && found.all(|other| other.key == record.key)
                && !refused.contains_key(&game_id)
        });
        lost += usize::from(!is_stored);
    })?;
    if allow_delete || !too_many_missing(lost, games) {
        return Ok(in_none);
    }
    let why = format!(
        "{lost} of its {games} games are in none of the other caches, or differ there: name a new file \
         first, or add --allow-delete"
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
    let mut refusals = Vec::new();
    for row in reader.refusal_rows()? {
        let [Value::Text(source_path), Value::Integer(game_id), ..] = &row[..] else { continue };
        let game_id = moved(&input.path, GameId(*game_id), input.offset)?;
        refusals.push(RefusedLog { game_id, source_path: source_path.clone(), row });
    }
    let faults = reader.replay_faults()?;
    Ok(Input { reader, records, faults, refusals })
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
    let refused = refused_logs(inputs);
    // Paths of refusals, which are unique in a cache.
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
        // Equal content may have several paths, and an earlier version of prep did not replay it.
        found.sort_by_key(|(_, record)| (record.play.is_none(), &record.source_path));
        let (input, record) = found[0];
        let place = |(input, record): &(&Input, &GameRecord)| {
            (input.reader.path().to_owned(), record.source_path.clone())
        };
        let refused = refused.get(&game_id).map_or(&[][..], Vec::as_slice);
        if !refused.is_empty() || found.iter().any(|(_, other)| other.key != record.key) {
            let places: Vec<_> = found.iter().map(place).chain(refused.iter().cloned()).collect();
            // Stored like two logs of the same game, so that an export names the game.
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
        // The first one, so that the order of the caches does not matter.
        let times = found.iter().map(|(input, record)| input.reader.ingested_at(record.game_id));
        let ingested_at =
            times.collect::<Result<BTreeSet<_>, _>>()?.pop_first().unwrap_or_default();
        copy(writer, input, record.game_id, game_id, &ingested_at)?;
        if (index + 1) % BATCH == 0 {
            writer.commit()?;
        }
    }
    for input in inputs {
        summary.all_ingests_finished &= input.reader.last_ingest_finished()?;
        for RefusedLog { game_id, source_path, row } in &input.refusals {
            // The other games are in conflicts.
            if input.records.contains_key(game_id) || !ids.contains(game_id) {
                let path = unused(&mut paths, unique_path(input.reader.path(), source_path));
                let mut row = row.clone();
                (row[0], row[1]) = (Value::Text(path), Value::Integer(game_id.0));
                writer.copy_refusal(&row)?;
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

/// Stores a game of another cache, with a new id if that cache has an offset.
fn copy(
    writer: &Writer<'_>,
    input: &Input,
    game_id: GameId,
    new_id: GameId,
    ingested_at: &str,
) -> Result<(), CacheError> {
    let path = input.reader.path();
    let gone =
        || CacheError::malformed(path, format!("game {game_id} has disappeared from the cache"));
    let game = input.reader.packed(game_id)?.ok_or_else(gone)?;
    game.check()?;
    let record = GameRecord { game_id: new_id, ..game.record };
    let game = PackedGame::from_blobs(record, game.blobs.map(|packed| packed.bytes));
    let faults = input.faults.get(&game_id).map_or(&[][..], Vec::as_slice);
    writer.put(&game, faults, Some(ingested_at))
}

/// Refused logs of games that the same cache does not hold: an older version of a game in the same cache
/// is not a conflict.
fn refused_logs(inputs: &[Input]) -> BTreeMap<GameId, Vec<(PathBuf, String)>> {
    let mut refused: BTreeMap<GameId, Vec<_>> = BTreeMap::new();
    for input in inputs {
        let is_missing = |refusal: &&RefusedLog| !input.records.contains_key(&refusal.game_id);
        for RefusedLog { game_id, source_path, .. } in input.refusals.iter().filter(is_missing) {
            let logs = refused.entry(*game_id).or_default();
            logs.push((input.reader.path().to_owned(), source_path.clone()));
        }
    }
    refused
}

/// The path of a refused log is its key, and several machines may have logs with the same name.
fn unique_path(cache: &Path, source_path: &str) -> String {
    format!("{}: {source_path}", cache.to_string_lossy())
}

/// A path that no refusal uses yet.
fn unused(paths: &mut BTreeSet<String>, path: String) -> String {
    let names = std::iter::once(path.clone()).chain((2..).map(|n| format!("{path} ({n})")));
    let unused = names.into_iter().find(|name| paths.insert(name.clone()));
    unused.unwrap_or(path)
}
