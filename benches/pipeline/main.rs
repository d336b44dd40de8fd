//! Measures complete runs of prep, and compares them with alternatives and lower bounds.
//!
//! ```text
//! cargo bench --bench pipeline                  1,000 simulated games, three rounds
//! cargo bench --bench pipeline -- --help        other logs, ten times as many, some rows only
//! ```
//!
//! Each round runs every case once, directly before or after its reference. A ratio is the median of the
//! ratios of the rounds, so that other load on the machine affects both sides. Every case uses two
//! threads and logs in the page cache; *cold* means that the cache file is new. Every result is checked,
//! and a wrong one ends the benchmark with an error; a slow one does not.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod instead;
mod logs;
mod machine;
mod options;
mod prep;
mod python;
mod stopwatch;
mod table;
mod ten_times;
mod training;

use anyhow::{Context as _, Result, ensure};
use instead::{Seen, hash_files, something_to_write, split_fields, write_and_sync};
use logs::{Logs, contents};
use options::Options;
use python::Python;
use splendor_prep::dataset::Dtype;
use splendor_prep::encode::FEATURE_COUNT;
use splendor_prep::gamelog::COLUMN_COUNT;
use std::fs;
use std::path::{Path, PathBuf};
use stopwatch::{Rounds, time};
use table::Row;
use training::Epoch;

/// Limit on the peak memory of any run.
const MOST_MEGABYTES: f64 = 150.0;

fn main() -> Result<()> {
    let Some(options) = Options::parse_arguments()? else {
        println!("run it with: cargo bench --bench pipeline");
        return Ok(());
    };
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let work = tempfile::Builder::new().prefix("pipeline-").tempdir_in(kept)?;
    let originals = match &options.logs {
        Some(folder) => folder.canonicalize()?,
        None => logs::simulated(kept, options.games)?,
    };
    let python = Python::find();
    let mut machine = machine::describe(python.as_ref().map(Python::program))?;
    if let Some(python) = &python {
        let modules = python.polars.iter().chain(&python.numpy).chain(&python.torch);
        let modules: Vec<&str> = modules.map(|s| &**s).collect();
        machine = format!("{}, {}\n", machine.trim_end(), modules.join(", "));
    }

    let mut bench = Bench { options, python, work: work.path().to_owned(), ..Bench::default() };
    for round in 1..=bench.options.rounds {
        eprintln!("round {round} of {}", bench.options.rounds);
        bench.run_round(&originals)?;
    }
    let mut rows = bench.rows();
    if bench.options.ten_times && bench.options.wants("ten times") {
        rows.extend(ten_times::run(&bench.work, bench.seen.games as u32)?);
    }

    let Seen { games, rows: turns, bytes, .. } = bench.seen;
    println!("\n{machine}{games} games, {turns} rows, {:.0} MB of CSV", bytes as f64 / 1e6);
    println!("\n{}", table::HEAD);
    for row in rows {
        println!("{row}");
    }
    Ok(())
}

/// The measurements so far.
#[derive(Default)]
struct Bench {
    options: Options,
    python: Option<Python>,
    work: PathBuf,

    seen: Seen,
    hashes: Option<(u64, [u8; 32])>,
    exported: Vec<(PathBuf, u64, blake3::Hash)>,
    exported_after_a_night: Vec<(PathBuf, u64, blake3::Hash)>,
    cache_bytes: u64,
    ingest_megabytes: Option<f64>,
    export_megabytes: Option<f64>,

    split_fields: Rounds,
    cold_ingest: Rounds,
    polars: Rounds,
    numpy_columns: Rounds,
    numpy_rows: Rounds,
    hash_files: Rounds,
    nothing_to_do: Rounds,
    nothing_beside_two_games: Rounds,
    two_games: Rounds,
    first_export: Rounds,
    write_and_sync: Rounds,
    export_after_a_night: Rounds,

    epoch: Option<Epoch>,
    first_batch: Rounds,
    float32_epoch: Rounds,
    int8_epoch: Rounds,
    mapped_epoch: Rounds,
    tensors_epoch: Rounds,
    copied_epoch: Rounds,
    process_first_batch: Rounds,
    process_epoch: Rounds,
    process_int8_epoch: Rounds,
    process_megabytes: Option<f64>,
}

const COLD_INGEST: &str = "cold ingest";
const NOTHING_TO_DO: &str = "ingest with nothing to do";
const TWO_GAMES: &str = "ingest with one new and one changed game";
const EXPORT: &str = "export, all features, normalized, synced";
const NIGHT: &str = "export after a night with 1 % new games";
const INGEST_MEMORY: &str = "peak memory, ingest";
const FIRST_BATCH: &str = "training: first batch";
const FLOAT32_EPOCH: &str = "training: one shuffled epoch, float32";
const INT8_EPOCH: &str = "training: one shuffled epoch, int8";
const PROCESS_FIRST_BATCH: &str = "training: new Python process to its first batch";
const PROCESS_EPOCH: &str = "training: one shuffled epoch in Python, float32";
const PROCESS_INT8_EPOCH: &str = "training: one shuffled epoch in Python, int8";
const PROCESS_MEMORY: &str = "training: peak memory of the Python process";
const TRAINING: [&str; 7] = [
    FIRST_BATCH,
    FLOAT32_EPOCH,
    INT8_EPOCH,
    PROCESS_FIRST_BATCH,
    PROCESS_EPOCH,
    PROCESS_INT8_EPOCH,
    PROCESS_MEMORY,
];
const EXPORT_MEMORY: &str = "peak memory, export";
const CACHE_FILE: &str = "cache file";

impl Bench {
    fn run_round(&mut self, originals: &Path) -> Result<()> {
        let folder = self.work.join("round");
        fs::create_dir(&folder)?;
        let logs = Logs::copy_of(originals, &folder.join("logs"))?;
        let cache = folder.join("prep.sqlite");
        // Otherwise the first case would include the time for reading the files into the page cache.
        if self.split_fields.is_empty() {
            hash_files(&logs.paths())?;
        }
        self.ingest_cold(&logs, &cache)?;
        self.ingest_nothing(&logs, &cache)?;
        self.export_first(&cache, &folder)?;
        self.train(&cache, &folder)?;
        self.ingest_two_games(&logs, &cache)?;
        self.export_after_a_night(&logs, &cache, &folder)?;
        Ok(fs::remove_dir_all(&folder)?)
    }

    fn ingest_cold(&mut self, logs: &Logs, cache: &Path) -> Result<()> {
        let paths = logs.paths();
        let (took, seen) = time(|| split_fields(&paths))?;
        let is_first = self.split_fields.is_empty();
        self.split_fields.push(took);
        ensure!(is_first || seen == self.seen, "{seen:?}, before that {:?}", self.seen);
        ensure!(seen.fields == (seen.rows + seen.games) * COLUMN_COUNT as u64, "{seen:?}");
        ensure!(seen.games == paths.len() as u64 && seen.bytes == logs.bytes()?, "{seen:?}");
        self.seen = seen;

        let (ran, ingested) = prep::ingest(&logs.folder, cache)?;
        self.cold_ingest.push(ran.took);
        self.ingest_megabytes = highest(self.ingest_megabytes, ran.peak_megabytes);
        let Seen { games, rows, .. } = seen;
        let expected = prep::Ingested { encoded: games, up_to_date: 0, games, rows };
        ensure!(ingested == expected, "{ingested:?}, expected {expected:?}");
        self.cache_bytes = fs::metadata(cache)?.len();

        if let Some(python) = &self.python
            && self.options.wants(COLD_INGEST)
        {
            if python.polars.is_some() {
                self.polars.push(python.read_with_polars(&logs.folder, seen)?);
            }
            if python.numpy.is_some() {
                if is_first {
                    python.check_numpy(logs, &self.work)?;
                }
                self.numpy_columns.push(python.encode_with_numpy(&logs.folder, seen, &[])?);
                let as_rows = ["--float32-rows"];
                self.numpy_rows.push(python.encode_with_numpy(&logs.folder, seen, &as_rows)?);
            }
        }
        Ok(())
    }

    fn ingest_nothing(&mut self, logs: &Logs, cache: &Path) -> Result<()> {
        if !self.options.wants(NOTHING_TO_DO) && !self.options.wants(TWO_GAMES) {
            return Ok(());
        }
        let paths = logs.paths();
        let (took, hashes) = time(|| hash_files(&paths))?;
        self.hash_files.push(took);
        ensure!(hashes.0 == self.seen.bytes, "{} bytes hashed of {}", hashes.0, self.seen.bytes);
        ensure!(*self.hashes.get_or_insert(hashes) == hashes, "the hashes have changed");
        let (ran, ingested) = prep::ingest(&logs.folder, cache)?;
        self.nothing_to_do.push(ran.took);
        let Seen { games, rows, .. } = self.seen;
        let expected = prep::Ingested { encoded: 0, up_to_date: games, games, rows };
        ensure!(ingested == expected, "{ingested:?}, expected {expected:?}");
        Ok(())
    }

    fn ingest_two_games(&mut self, logs: &Logs, cache: &Path) -> Result<()> {
        if !self.options.wants(TWO_GAMES) {
            return Ok(());
        }
        // The first run is not measured, because the machine is still writing files after an export.
        prep::ingest(&logs.folder, cache)?;
        let (nothing, _) = prep::ingest(&logs.folder, cache)?;
        self.nothing_beside_two_games.push(nothing.took);
        logs.change_one()?;
        logs.add(1, 0)?;
        let (ran, ingested) = prep::ingest(&logs.folder, cache)?;
        self.two_games.push(ran.took);
        let games = self.seen.games;
        ensure!(
            (ingested.encoded, ingested.up_to_date, ingested.games) == (2, games - 1, games + 1),
            "{ingested:?}, expected 2 of {} games encoded",
            games + 1
        );
        Ok(())
    }

    fn export_first(&mut self, cache: &Path, folder: &Path) -> Result<()> {
        let needs_export = [EXPORT, NIGHT, EXPORT_MEMORY].iter().chain(&TRAINING);
        if !needs_export.into_iter().any(|row| self.options.wants(row)) {
            return Ok(());
        }
        let (out, written) = (folder.join("export"), folder.join("written"));
        let block = something_to_write();
        if self.exported.is_empty() {
            // Uses the space of two exports, so that the system, or the host of a virtual machine, need
            // not allocate memory during the timed runs below.
            prep::export(cache, &out)?;
            self.exported = check_export(&out, self.seen.rows)?;
            write_and_sync(&block, &self.exported_sizes(), &written)?;
            fs::remove_dir_all(&out)?;
            fs::remove_dir_all(&written)?;
        }
        let sizes = self.exported_sizes();
        let (took, bytes) = time(|| write_and_sync(&block, &sizes, &written))?;
        self.write_and_sync.push(took);
        ensure!(bytes == sizes.iter().sum::<u64>(), "{bytes} bytes written");
        fs::remove_dir_all(&written)?;

        let ran = prep::export(cache, &out)?;
        self.first_export.push(ran.took);
        self.export_megabytes = highest(self.export_megabytes, ran.peak_megabytes);
        let exported = check_export(&out, self.seen.rows)?;
        same_as_before(&mut self.exported, exported)
    }

    /// Measures epochs of training data from the cache and from an export.
    fn train(&mut self, cache: &Path, folder: &Path) -> Result<()> {
        if !TRAINING.iter().any(|row| self.options.wants(row)) {
            return Ok(());
        }
        let float32 = training::stream(cache, Dtype::Float32)?;
        let epoch = float32.content;
        ensure!(*self.epoch.get_or_insert(epoch) == epoch, "{epoch:?}, before {:?}", self.epoch);
        self.first_batch.push(float32.first_batch);
        self.float32_epoch.push(float32.epoch);
        self.copied_epoch.push(training::copy_rows(epoch.rows)?);
        let int8 = training::stream(cache, Dtype::Int8)?;
        ensure!(int8.content == epoch, "{:?} as int8", int8.content);
        self.int8_epoch.push(int8.epoch);
        let Some(python) = &self.python else { return Ok(()) };
        let export = folder.join("export");
        if python.numpy.is_some() {
            self.mapped_epoch.push(python.load_batches(&export, epoch, &[])?);
        }
        if python.torch.is_some() {
            self.tensors_epoch.push(python.load_batches(&export, epoch, &["--in-memory"])?);
        }
        if python.splendor_prep.is_some() {
            let process = python.stream_batches(cache, epoch, Dtype::Float32)?;
            self.process_first_batch.push(process.first_batch);
            self.process_epoch.push(process.epoch);
            self.process_megabytes = highest(self.process_megabytes, Some(process.peak_megabytes));
            let int8 = python.stream_batches(cache, epoch, Dtype::Int8)?;
            self.process_int8_epoch.push(int8.epoch);
        }
        Ok(())
    }

    fn training_rows(&self) -> Vec<Row> {
        let Some(Epoch { rows, .. }) = self.epoch else { return Vec::new() };
        let float32 = &self.float32_epoch;
        let mut table = vec![
            Row::seconds_under(FIRST_BATCH, &self.first_batch, 0.4),
            Row::rows_a_second(FLOAT32_EPOCH, float32, rows, 800_000.0),
            Row::rows_a_second(INT8_EPOCH, &self.int8_epoch, rows, 1_500_000.0),
            Row::at_most(
                FLOAT32_EPOCH,
                float32,
                "copying as many rows in memory, two threads",
                &self.copied_epoch,
                5.0,
            ),
        ];
        for (against, other) in [
            ("`np.load`, memory-mapped", &self.mapped_epoch),
            ("PyTorch tensors in memory", &self.tensors_epoch),
        ] {
            table.push(match other.is_empty() {
                true => Row::not_compared(FLOAT32_EPOCH, float32, against, 1.0),
                false => Row::at_most(FLOAT32_EPOCH, float32, against, other, 1.0),
            });
        }
        if let Some(megabytes) = self.process_megabytes {
            let (float32, int8) = (&self.process_epoch, &self.process_int8_epoch);
            table.extend([
                Row::seconds_under(PROCESS_FIRST_BATCH, &self.process_first_batch, 0.5),
                Row::rows_a_second(PROCESS_EPOCH, float32, rows, 800_000.0),
                Row::rows_a_second(PROCESS_INT8_EPOCH, int8, rows, 1_500_000.0),
                Row::under(PROCESS_MEMORY, megabytes, 250.0),
            ]);
        }
        table
    }

    fn exported_sizes(&self) -> Vec<u64> {
        self.exported.iter().map(|&(_, bytes, _)| bytes).collect()
    }

    fn export_after_a_night(&mut self, logs: &Logs, cache: &Path, folder: &Path) -> Result<()> {
        if !self.options.wants(NIGHT) {
            return Ok(());
        }
        logs.add(self.seen.games.div_ceil(100) as u32, 1)?;
        let (_, ingested) = prep::ingest(&logs.folder, cache)?;
        let out = folder.join("export");
        let ran = prep::export(cache, &out)?;
        self.export_after_a_night.push(ran.took);
        self.export_megabytes = highest(self.export_megabytes, ran.peak_megabytes);
        let exported = check_export(&out, ingested.rows)?;
        same_as_before(&mut self.exported_after_a_night, exported)
    }

    /// The selected rows of the table that were measured.
    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let cold = &self.cold_ingest;
        rows.push(Row::at_most(
            COLD_INGEST,
            cold,
            "splitting every field with the `csv` crate, two threads",
            &self.split_fields,
            3.0,
        ));
        for (against, other, goal) in [
            ("Polars reading the files with a given schema", &self.polars, 0.25),
            ("NumPy reading and encoding to int8 columns, two processes", &self.numpy_columns, 1.0),
            ("NumPy reading and encoding to float32 rows, two processes", &self.numpy_rows, 1.0),
        ] {
            rows.push(match other.is_empty() {
                true => Row::not_compared(COLD_INGEST, cold, against, goal),
                false => Row::at_most(COLD_INGEST, cold, against, other, goal),
            });
        }
        let nothing = &self.nothing_to_do;
        if !nothing.is_empty() {
            let against = "reading and blake3-hashing, two threads";
            rows.push(Row::at_most(NOTHING_TO_DO, nothing, against, &self.hash_files, 2.0));
        }
        if !self.two_games.is_empty() {
            let beside = &self.nothing_beside_two_games;
            rows.push(Row::longer_by(TWO_GAMES, &self.two_games, NOTHING_TO_DO, beside, 50.0));
        }
        for (case, rounds, against, other, goal) in [
            (
                EXPORT,
                &self.first_export,
                "writing as many bytes, synced",
                &self.write_and_sync,
                1.3,
            ),
            (NIGHT, &self.export_after_a_night, "the first export", &self.first_export, 1.0),
        ] {
            if !rounds.is_empty() {
                rows.push(Row::at_most(case, rounds, against, other, goal));
            }
        }
        for (case, peak) in
            [(INGEST_MEMORY, self.ingest_megabytes), (EXPORT_MEMORY, self.export_megabytes)]
        {
            rows.extend(peak.map(|peak| Row::under(case, peak, MOST_MEGABYTES)));
        }
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let csv = ("the CSV files", megabytes(self.seen.bytes));
        rows.push(Row::megabytes(CACHE_FILE, megabytes(self.cache_bytes), csv, 0.1));
        rows.extend(self.training_rows());
        rows.retain(|row| self.options.wants(&row.case));
        rows
    }
}

/// The files of an export; its features must have this many rows.
fn check_export(out: &Path, rows: u64) -> Result<Vec<(PathBuf, u64, blake3::Hash)>> {
    const NPY_HEADER: u64 = 128;
    let exported = contents(out)?;
    let of_features = exported.iter().filter(|(name, ..)| {
        name.extension().is_some_and(|extension| extension == "npy")
            && name.to_str().is_some_and(|name| name.starts_with("X_"))
    });
    let bytes: u64 = of_features.map(|(_, bytes, _)| bytes.saturating_sub(NPY_HEADER)).sum();
    let bytes_of_row = (FEATURE_COUNT * size_of::<f32>()) as u64;
    ensure!(bytes == rows * bytes_of_row, "{bytes} bytes of features, expected {rows} rows");
    Ok(exported)
}

fn same_as_before<T: PartialEq>(before: &mut Vec<T>, now: Vec<T>) -> Result<()> {
    ensure!(before.is_empty() || *before == now, "repeating the export gave different bytes");
    *before = now;
    Ok(())
}

fn highest(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).reduce(f64::max)
}

/// Free bytes on the file system of a folder.
fn free_bytes(folder: &Path) -> Result<u64> {
    let system = rustix::fs::statvfs(folder).context("asking for the free space")?;
    Ok(system.f_bavail * system.f_frsize)
}
