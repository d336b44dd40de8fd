//! Runs an export.

use super::error::ExportError;
use super::existing::freshness::{manifest_before_rows, settings};
use super::files::ExportFiles;
use super::label_mappings::{LABEL_MAPPINGS_FILE, label_mappings};
use super::manifest::values::ScalerOrigin;
use super::manifest::{Manifest, ScalerEntry};
use super::options::{ExportOptions, Layout};
use super::phases::ExportPhases;
use super::publish::Staging;
use super::scaler_file::{ColumnDrift, FEATURE_COLS_FILE, drift, read_scaler, write_scaler};
use super::size::ExportSize;
use super::statistics::{
    MASK_VALIDATION_FILE, MaskValidationFile, RowCounts, STATISTICS_FILE, Statistics,
    StatisticsFile,
};
use super::summary::{ExportSummary, SplitSummary};
use super::writers::SplitWriter;
use super::writers::arrays::ArrayWriter;
use super::writers::block::RowPlan;
use super::writers::parquet::ParquetSplitWriter;
use crate::accounting::check_all_done;
use crate::cache::{PackedGame, Reader, Unpacker};
use crate::dataset::{
    BySplit, Dataset, DatasetError, Dtype, FeatureTable, Game, Scaler, ScalerError, ShortHash,
    Split,
};
use crate::disk_space::free_bytes;
use crate::encode::ColumnSums;
use crate::memory::report_memory;
use crate::progress::{Amount, Progress};
use crate::words::counted;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Writes train, val and test arrays from the cache, and replaces `out` atomically.
///
/// # Errors
/// `out` is unchanged, unless only the last sync after the exchange failed: see
/// [`PublishError`](super::PublishError).
pub fn export(
    cache: &Reader,
    options: &ExportOptions,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<ExportSummary, ExportError> {
    if options.dtype == Dtype::Int8 && options.normalize {
        return Err(ExportError::NormalizedIntegers);
    }
    report_memory(options.monitor_memory, "at the start");
    Run::prepare(cache, options, progress, stop)?.run()
}

/// An export that is prepared but not written yet.
struct Run<'e> {
    dataset: Dataset<'e>,
    options: &'e ExportOptions,
    /// Exact sums of the training rows.
    sums: ColumnSums,
    scaling: Scaling,
    progress: &'e dyn Progress,
    stop: &'e AtomicBool,
}

/// The scaler of an export.
struct Scaling {
    /// `None` if there are no rows to fit it to and it is not needed.
    scaler: Option<Scaler>,
    origin: ScalerOrigin,
    drift: Option<Vec<ColumnDrift>>,
}

impl Scaling {
    fn of(
        dataset: &Dataset<'_>,
        sums: &ColumnSums,
        options: &ExportOptions,
    ) -> Result<Scaling, ExportError> {
        let is_needed = options.normalize && options.scaler_from.is_none();
        let fitted = match dataset.fit_scaler(sums) {
            Err(DatasetError::Fit(ScalerError::NoRows)) if !is_needed => None,
            fitted => Some(fitted?),
        };
        let Some(export) = &options.scaler_from else {
            return Ok(Scaling { scaler: fitted, origin: ScalerOrigin::FittedHere, drift: None });
        };
        let stored = read_scaler(export, dataset.columns())?;
        let names = dataset.columns().names();
        let drift = fitted.map(|fitted| drift(&stored.scaler, &fitted, &names));
        Ok(Scaling { scaler: Some(stored.scaler), origin: stored.origin, drift })
    }
}

/// Results that are known after the rows are written.
#[derive(Default)]
struct Written {
    counts: BySplit<RowCounts>,
    /// Hash of the rows of each game.
    row_hashes: BySplit<Vec<ShortHash>>,
}

impl<'e> Run<'e> {
    fn prepare(
        cache: &'e Reader,
        options: &'e ExportOptions,
        progress: &'e dyn Progress,
        stop: &'e AtomicBool,
    ) -> Result<Run<'e>, ExportError> {
        progress.begin("checking the cache", Amount::Unknown);
        let dataset = Dataset::open(cache, &options.dataset)?;
        let training_games = dataset.training_games().len();
        progress.begin("adding up", Amount::Games(training_games as u64));
        let sums = dataset.training_sums(|| progress.advance(1))?;
        progress.end();
        let scaling = Scaling::of(&dataset, &sums, options)?;
        Ok(Run { dataset, options, sums, scaling, progress, stop })
    }

    /// Writes and publishes the export.
    fn run(self) -> Result<ExportSummary, ExportError> {
        let out = &self.options.out;
        let needed = self.size().bytes();
        let written = self.write_and_publish(needed);
        // The incomplete export has been removed, so that its space is free again.
        written.map_err(|error| match error.is_of_full_disk() {
            true => ExportError::DiskFull { out: out.clone(), needed, free: free_bytes(out) },
            false => error,
        })
    }

    fn size(&self) -> ExportSize {
        ExportSize {
            rows: self.dataset.rows(),
            games: self.dataset.games().len() as u64,
            columns: self.dataset.columns().count() as u64,
            dtype: self.options.dtype,
            layout: self.options.layout,
        }
    }

    fn write_and_publish(&self, needed: u64) -> Result<ExportSummary, ExportError> {
        let options = self.options;
        let staging = Staging::create(&options.out)?;
        // Checked only now, because `create` removes leftovers of killed runs.
        if let Some(free) = free_bytes(&staging.path())
            && free < needed
        {
            return Err(ExportError::NoSpace { out: options.out.clone(), needed, free });
        }
        let begun = Instant::now();
        let mut files = ExportFiles::new(staging.path(), self.progress);
        let plan = self.plan();
        let written = self.write_arrays(&plan, &mut files)?;
        report_memory(options.monitor_memory, "after the rows");
        let manifest = self.write_metadata(&written, &mut files)?;
        if self.stop.load(Ordering::Relaxed) {
            return Err(ExportError::Interrupted);
        }
        plan.phases.write.count(files.bytes());
        plan.phases.sync.time(|| staging.publish(self.progress))?;
        plan.phases.sync.count(files.bytes());
        // One more thread than the workers: it writes.
        plan.phases.report(begun, options.jobs + 1);
        report_memory(options.monitor_memory, "at the end");
        Ok(self.summary(&written, files.bytes(), manifest))
    }

    fn plan(&self) -> RowPlan<'_> {
        let (options, columns) = (self.options, self.dataset.columns());
        let scaler = self.scaling.scaler.as_ref().filter(|_| options.normalize);
        RowPlan {
            columns,
            table: FeatureTable::new(columns, scaler, options.dtype),
            dtype: options.dtype,
            masks: options.masks,
            phases: ExportPhases::new(),
        }
    }

    /// Writes the rows of all games, and finishes their files.
    fn write_arrays(
        &self,
        plan: &RowPlan<'_>,
        files: &mut ExportFiles<'_>,
    ) -> Result<Written, ExportError> {
        let rows = self.dataset.rows();
        let total: u64 = rows.into_values().sum();
        let games = self.dataset.games();
        tracing::debug!("{} in the cache, {}", counted(games.len(), "game"), counted(total, "row"));
        self.progress.begin("writing", Amount::Rows(total));
        let (columns, options) = (self.dataset.columns().count(), self.options);
        let mut writers = BySplit::try_from_fn(|split| {
            let shape = [rows[split] as usize, columns];
            create_writer(options.layout, files, split, shape, options.dtype)
        })?;
        let mut written = Written::default();
        let decode = |_: &Game, packed: PackedGame, unpacker: &mut Unpacker| {
            plan.make_block(&packed, unpacker)
        };
        let jobs = options.jobs;
        self.dataset.for_each_game(games, jobs, self.stop, decode, |game, block| {
            written.counts[game.split].add(&block.counts);
            written.row_hashes[game.split].push(block.row_hash);
            let features = plan.phases.write.time(|| writers[game.split].write(block))?;
            features.into_iter().for_each(|features| plan.table.recycle(features));
            self.progress.advance(game.rows.into());
            Ok(())
        })?;
        if self.stop.load(Ordering::Relaxed) {
            return Err(ExportError::Interrupted);
        }
        let done: usize = written.row_hashes.iter().map(|(_, hashes)| hashes.len()).sum();
        check_all_done("games were written", done as u64, games.len() as u64)?;
        self.progress.end();

        // Each byte is copied and then hashed.
        self.progress.begin("packing", Amount::Bytes(2 * self.size().packed_bytes()));
        for writer in writers.into_values() {
            plan.phases.write.time(|| writer.finish(files))?;
        }
        self.progress.end();
        for (split, counts) in written.counts.iter() {
            check_all_done("rows were written", counts.rows(), rows[split])?;
        }
        Ok(written)
    }

    /// Writes everything except the arrays, and returns the manifest.
    fn write_metadata(
        &self,
        written: &Written,
        files: &mut ExportFiles<'_>,
    ) -> Result<Manifest, ExportError> {
        let names = self.dataset.columns().names();
        files.write_json(FEATURE_COLS_FILE, &names)?;
        files.write_json(LABEL_MAPPINGS_FILE, &label_mappings())?;
        let scaler = self.scaling.scaler.as_ref().map(|scaler| (scaler, scaler.id(&names)));
        if let Some((scaler, id)) = &scaler {
            write_scaler(files, scaler, id)?;
        }
        let statistics = Statistics {
            total_samples: self.dataset.rows().into_values().sum(),
            input_dim: names.len(),
            splits: BySplit::from_fn(|split| written.counts[split].statistics()),
            drift: self.scaling.drift.clone(),
            training_sums: Some(self.sums.clone().into()),
        };
        files.write_json(STATISTICS_FILE, &StatisticsFile::new(&statistics, &written.counts))?;
        files.write_json(MASK_VALIDATION_FILE, &MaskValidationFile::new(&written.counts))?;
        let mut manifest = self.manifest(written, scaler.map(|(_, id)| id));
        files.write_manifest(&mut manifest)?;
        Ok(manifest)
    }

    fn manifest(&self, written: &Written, scaler_id: Option<blake3::Hash>) -> Manifest {
        let (dataset, origin) = (&self.dataset, self.scaling.origin);
        let settings_scaler = match scaler_id {
            Some(_) => origin,
            None => ScalerOrigin::NoTrainingRows,
        };
        let settings = settings(self.options, dataset.columns(), settings_scaler);
        let mut manifest = manifest_before_rows(dataset, settings);
        for split in Split::ALL {
            manifest.splits[split].row_hashes = Some(written.row_hashes[split].clone());
        }
        manifest.scaler =
            scaler_id.map(|id| ScalerEntry { id: id.into(), fitted_in: origin.fitted_in() });
        manifest.identical_games = Some(manifest.find_identical_games());
        manifest
    }

    fn summary(&self, written: &Written, bytes: u64, manifest: Manifest) -> ExportSummary {
        let splits = written.counts.iter().map(|(split, counts)| SplitSummary {
            split,
            games: self.dataset.in_split(split).count(),
            rows: counts.rows(),
            illegal_labels: counts.illegal_labels(),
        });
        ExportSummary {
            up_to_date: false,
            splits: splits.collect(),
            columns: self.dataset.columns().count(),
            bytes,
            selection: self.dataset.selection().clone(),
            identical_games: manifest.identical_games.unwrap_or_default(),
            drift: self.scaling.drift.clone(),
        }
    }
}

/// Creates the files of a split, for features of a shape (rows, columns).
fn create_writer(
    layout: Layout,
    files: &ExportFiles<'_>,
    split: Split,
    shape: [usize; 2],
    dtype: Dtype,
) -> Result<Box<dyn SplitWriter>, ExportError> {
    Ok(match layout {
        Layout::Npz | Layout::Npy => {
            Box::new(ArrayWriter::create(files, split, shape, dtype, layout)?)
        }
        Layout::Parquet => Box::new(ParquetSplitWriter::create(files, split, shape[1], dtype)?),
    })
}
