//! A run of `prep export`.

use super::ExportError;
use super::block::{Block, RowPlan};
use super::columns::ExportedColumns;
use super::disk_use::{ExportSize, check_room};
use super::dtype::Dtype;
use super::feature_values::FeatureTable;
use super::files::ExportFiles;
use super::fingerprint::{IdenticalGames, identical_games};
use super::games::{ExportedGame, ExportedGames};
use super::label_mappings::label_mappings;
use super::manifest::{Contents, Manifest};
use super::options::ExportOptions;
use super::phases::ExportPhases;
use super::publish::Staging;
use super::row_writer::RowWriter;
use super::scaler::{Scaler, ScalerError};
use super::scaler_file::{
    ColumnDrift, FEATURE_COLS_FILE, ScalerOrigin, drift, read_scaler, scaler_id, write_scaler,
};
use super::spare::Spare;
use super::split::Split;
use super::training_sums::{STATS_FILE, TRAINING_SUMS, TrainingSums};
use crate::accounting::check_all_done;
use crate::cache::{Cache, CacheError, PackedGame, Refusal, Snapshot};
use crate::disk_space::free_bytes;
use crate::encode::ColumnSums;
use crate::memory::report_memory;
use crate::progress::{Amount, Progress};
use crate::words::counted;
use rayon::prelude::*;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

/// What was exported.
#[derive(Clone, Debug)]
pub struct ExportSummary {
    /// Each split, in order.
    pub splits: Vec<SplitSummary>,
    /// Columns of `X`.
    pub columns: usize,
    /// Bytes of all files but the manifest.
    pub bytes: u64,
    /// Whether the last ingest came to its end, so that no game is missing for want of that.
    pub last_ingest_finished: bool,
    /// Games that are missing because their logs were refused or set aside.
    pub left_out: Vec<Refusal>,
    /// Games that are there in an older version, because their logs were refused or set aside since.
    pub from_an_older_log: Vec<Refusal>,
    /// Games with the same rows as another.
    pub identical_games: Vec<IdenticalGames>,
    /// With `scaler_from`: how far each normalised column's mean has moved, farthest first.
    pub drift: Option<Vec<ColumnDrift>>,
}

/// What one split holds.
#[derive(Clone, Copy, Debug)]
pub struct SplitSummary {
    /// Which.
    pub split: Split,
    /// Games in it.
    pub games: usize,
    /// Rows of those games.
    pub rows: u64,
    /// Labels that are not legal under their mask, over all heads.
    pub illegal_labels: u64,
}

/// Rows unpacked at a time. Three such windows are in memory at once: being unpacked, waiting, and
/// being written; 2,000 rows of 1,308 float32 are 10 MB.
const WINDOW_ROWS: u64 = 2_000;

/// Writes train, val and test arrays from the cache, and replaces `out` with them at once.
///
/// # Errors
/// `out` is as it was, except where only the last sync after the exchange failed: see
/// [`PublishError`](super::PublishError).
pub fn export(
    cache: &Cache,
    options: &ExportOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<ExportSummary, ExportError> {
    let mut needed = 0;
    // Only here is what was written removed again, and the room it took free.
    try_export(cache, options, progress, stop, &mut needed).map_err(|error| {
        match cache.check_unchanged() {
            Err(changed) => changed.into(),
            Ok(()) => error.with_room(&options.out, needed),
        }
    })
}

/// Sets `needed` to the bytes that the export takes before it writes any.
fn try_export(
    cache: &Cache,
    options: &ExportOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
    needed: &mut u64,
) -> Result<ExportSummary, ExportError> {
    if options.dtype == Dtype::Int8 && options.normalize {
        return Err(ExportError::NormalizedIntegers);
    }
    report_memory(options.monitor_memory, "at the start");
    let snapshot = cache.snapshot()?;
    let refusals = snapshot.refusals()?;
    let last_ingest_finished = snapshot.last_ingest_finished()?;
    progress.begin("checking the cache", Amount::Unknown);
    let mut games = ExportedGames::of(&snapshot, &refusals)?;
    let (from_an_older_log, left_out): (Vec<Refusal>, Vec<Refusal>) =
        refusals.into_iter().partition(|refusal| games.contains(refusal.game_id));
    games.assign(options.ratios, options.seed, options.split_method)?;
    let columns = ExportedColumns::of(options.features);
    let names = columns.names();

    progress.begin("adding up", Amount::Games(games.in_split(Split::Train).count() as u64));
    let training = games.in_split(Split::Train).inspect(|_| progress.advance(1));
    let sums = snapshot.column_sums(training.map(|game| game.game_id))?;
    progress.end();
    let needs_fit = options.normalize && options.scaler_from.is_none();
    let fitted = match fit(&sums, &columns) {
        Err(ExportError::Fit(ScalerError::NoRows)) if !needs_fit => None,
        fitted => Some(fitted?),
    };
    let (scaler, origin, drift) = match &options.scaler_from {
        Some(export) => {
            let stored = read_scaler(export, &names, &columns.normalized())?;
            let drift = fitted.map(|fitted| drift(&stored.scaler, &fitted, &names));
            (Some(stored.scaler), stored.origin, drift)
        }
        None => (fitted, ScalerOrigin::FittedHere, None),
    };

    let size = ExportSize {
        rows: Split::ALL.map(|split| games.rows_in(split)),
        games: games.len() as u64,
        columns: names.len() as u64,
        dtype: options.dtype,
        layout: options.layout,
    };
    *needed = size.bytes();
    let mut staging = Staging::create(&options.out)?;
    // Not before: what runs that were killed had written is gone only now.
    check_room(&options.out, *needed, free_bytes(&staging.path()))?;
    staging.forget_replaced();
    let mut files = ExportFiles::new(staging.path(), progress);
    let plan = RowPlan {
        table: FeatureTable::new(
            &columns,
            scaler.as_ref().filter(|_| options.normalize),
            options.dtype,
        ),
        masks: options.masks,
        spare_values: Spare::default(),
        spare_unpackers: Spare::default(),
        phases: ExportPhases::new(),
        columns,
    };
    let begun = Instant::now();
    let mut writers = Vec::new();
    for (split, rows) in Split::ALL.into_iter().zip(size.rows) {
        let columns = plan.columns.len();
        let (dtype, layout) = (options.dtype, options.layout);
        writers.push(RowWriter::create(&files, split, rows as usize, columns, dtype, layout)?);
    }
    let rows: u64 = size.rows.iter().sum();
    let cached = counted(games.len(), "game");
    tracing::debug!("{cached} in the cache, {}", counted(rows, "row"));
    progress.begin("writing", Amount::Rows(rows));
    let workers = rayon::ThreadPoolBuilder::new().num_threads(options.jobs).build()?;
    // And one that writes, and one that hashes.
    let threads = workers.current_num_threads() + 2;
    write_rows(&snapshot, &mut games, &plan, &workers, &mut writers, progress, stop)?;
    check_all_done("games were written", games.written().count() as u64, games.len() as u64)?;
    let identical_games = identical_games(&snapshot, &games)?;
    progress.end();
    report_memory(options.monitor_memory, "after the rows");

    // Each byte is copied, and then hashed.
    progress.begin("packing", Amount::Bytes(2 * size.packed_bytes()));
    let mut summaries = Vec::new();
    let mut stats = serde_json::Map::new();
    let mut validation = serde_json::Map::new();
    for ((split, writer), rows) in Split::ALL.into_iter().zip(writers).zip(size.rows) {
        let report = plan.phases.write.time(|| writer.finish(&mut files, options.layout))?;
        check_all_done("rows were written", report.rows(), rows)?;
        stats.insert(split.name().to_owned(), report.stats());
        validation.insert(split.name().to_owned(), report.mask_validation());
        summaries.push(SplitSummary {
            split,
            games: games.in_split(split).count(),
            rows: report.rows(),
            illegal_labels: report.illegal_labels(),
        });
    }
    progress.end();
    files.write_json(FEATURE_COLS_FILE, &names)?;
    files.write_json("label_mappings.json", &label_mappings())?;
    let scaler_id = scaler.as_ref().map(|scaler| scaler_id(&names, scaler));
    if let (Some(scaler), Some(id)) = (&scaler, &scaler_id) {
        write_scaler(&mut files, scaler, id)?;
    }
    files.write_json(
        STATS_FILE,
        &json!({
            "total_samples": rows,
            "input_dim": names.len(),
            "splits": stats,
            "drift": drift,
            TRAINING_SUMS: TrainingSums::of(&sums, &plan.columns),
        }),
    )?;
    files.write_json("mask_validation_report.json", &validation)?;
    files.write_manifest(Manifest::of(&Contents {
        options,
        columns: names.len(),
        games: &games,
        scaler: scaler_id.map(|id| (id, &origin)),
        identical_games: &identical_games,
        last_ingest_finished,
        left_out: &left_out,
        from_an_older_log: &from_an_older_log,
    }))?;
    if stop.load(Ordering::Relaxed) {
        return Err(ExportError::Interrupted);
    }
    cache.check_unchanged()?;
    plan.phases.write.count(files.bytes());
    plan.phases.hash.count(rows * names.len() as u64 * options.dtype.bytes());
    plan.phases.sync.time(|| staging.publish(progress))?;
    plan.phases.sync.count(files.bytes());
    plan.phases.report(begun, threads);
    report_memory(options.monitor_memory, "at the end");

    Ok(ExportSummary {
        splits: summaries,
        columns: names.len(),
        bytes: files.bytes(),
        last_ingest_finished,
        left_out,
        from_an_older_log,
        identical_games,
        drift,
    })
}

fn fit(sums: &ColumnSums, columns: &ExportedColumns) -> Result<Scaler, ExportError> {
    let exported = ColumnSums {
        rows: sums.rows,
        sum: columns.choose(&sums.sum),
        sum_of_squares: columns.choose(&sums.sum_of_squares),
    };
    Scaler::fit(&exported, &columns.normalized()).map_err(|error| match error {
        ScalerError::ImpossibleSums { column } => {
            ExportError::ImpossibleSums { column: columns.names()[column] }
        }
        error => error.into(),
    })
}

/// Unpacks games on worker threads and writes them in order.
///
/// Windows of some thousand rows go through a channel of one: while one window is written, the
/// next is unpacked, and no more are in memory.
fn write_rows(
    snapshot: &Snapshot<'_>,
    games: &mut ExportedGames,
    plan: &RowPlan,
    workers: &rayon::ThreadPool,
    writers: &mut [RowWriter],
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<(), ExportError> {
    std::thread::scope(|scope| {
        // Made in here so that they are dropped on the way out, whichever way that is: the thread
        // ends when its channels do.
        let (packed_sender, packed) = mpsc::sync_channel::<Vec<(PackedGame, Split)>>(1);
        let (block_sender, blocks) = mpsc::sync_channel::<Result<Vec<Block>, ExportError>>(1);
        scope.spawn(move || {
            for window in packed {
                if block_sender.send(unpack(&window, plan, workers)).is_err() {
                    return;
                }
            }
        });
        let mut read = 0;
        let mut under_way = 0;
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(ExportError::Interrupted);
            }
            // Two windows ahead of the one being written.
            while under_way < 2 && read < games.len() {
                let begun = Instant::now();
                let window = games.window(read, WINDOW_ROWS);
                read = window.end;
                let game = |game: &ExportedGame| Ok((snapshot.game(game.game_id)?, game.split));
                let window =
                    games.at(window).iter().map(game).collect::<Result<Vec<_>, CacheError>>()?;
                let bytes = window.iter().map(|(game, _)| game.packed_bytes()).sum();
                plan.phases.read.add(begun.elapsed(), bytes);
                if packed_sender.send(window).is_err() {
                    break;
                }
                under_way += 1;
            }
            let Ok(unpacked) = (if under_way > 0 { blocks.recv() } else { return Ok(()) }) else {
                return Ok(());
            };
            under_way -= 1;
            for block in write_window(unpacked?, plan, writers)? {
                progress.advance(block.rows() as u64);
                let Block { game_id, split, fingerprint, features, .. } = block;
                games.note_written(game_id, split, fingerprint);
                plan.spare_values.give_back(features);
            }
        }
    })
}

/// Writes the blocks of a window while another thread hashes their features.
fn write_window(
    blocks: Vec<Block>,
    plan: &RowPlan,
    writers: &mut [RowWriter],
) -> Result<Vec<Block>, ExportError> {
    let (mut hashes, mut files): (Vec<_>, Vec<_>) =
        writers.iter_mut().map(RowWriter::halves).unzip();
    let hash = || {
        blocks.iter().try_for_each(|block| match &mut hashes[block.split as usize] {
            Some(hash) => hash.write(&block.features),
            None => Ok(()),
        })
    };
    let mut write = || blocks.iter().try_for_each(|block| files[block.split as usize].write(block));
    std::thread::scope(|scope| {
        let hashing = scope.spawn(|| plan.phases.hash.time(hash));
        plan.phases.write.time(&mut write)?;
        hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok::<(), ExportError>(())
    })?;
    Ok(blocks)
}

fn unpack(
    window: &[(PackedGame, Split)],
    plan: &RowPlan,
    workers: &rayon::ThreadPool,
) -> Result<Vec<Block>, ExportError> {
    workers.install(|| {
        window.par_iter().map(|(game, split)| Block::make(game, *split, plan)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::FeatureSet;
    use crate::encode::FEATURE_COUNT;

    #[test]
    fn sums_that_no_rows_have_are_told_with_the_name_of_the_column() {
        let columns = ExportedColumns::of(FeatureSet::Base);
        let first = (0..columns.len()).find(|&column| columns.normalized()[column]).unwrap();
        let mut sums = ColumnSums { rows: 2, ..ColumnSums::zero(FEATURE_COUNT) };
        sums.sum[columns.places()[first]] = 4;
        let error = fit(&sums, &columns).unwrap_err().to_string();
        let name = columns.names()[first];
        assert!(
            error.starts_with(&format!("the cached sums of {name} cannot come from")),
            "{error}"
        );
    }
}
