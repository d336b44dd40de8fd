//! Alternatives in Python, if it is installed.

use crate::instead::{Seen, THREADS, on_all_threads};
use crate::logs::Logs;
use crate::stopwatch::{Took, time};
use crate::training::Epoch;
use anyhow::{Context as _, Result, ensure};
use ndarray_npy::read_npy;
use splendor_prep::dataset::Dtype;
use splendor_prep::encode::{ColumnSums, EncodedGame, FEATURE_COUNT};
use splendor_prep::gamelog::{GameId, ReadOptions, read_log};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Number of games for which all features are compared.
const COMPARED_GAMES: usize = 40;

/// The interpreter and its modules.
pub(crate) struct Python {
    program: String,
    /// With its version.
    pub(crate) polars: Option<String>,
    /// With its version.
    pub(crate) numpy: Option<String>,
    /// With its version.
    pub(crate) torch: Option<String>,
    /// The version of this crate's package, if it is installed.
    pub(crate) splendor_prep: Option<String>,
}

/// A training process that uses a stream.
pub(crate) struct TrainingProcess {
    /// Time from its start to its first batch.
    pub(crate) first_batch: Took,
    pub(crate) epoch: Took,
    pub(crate) peak_megabytes: f64,
}

impl Python {
    /// `$PREP_PYTHON`, else `python3`; `None` if it cannot be run.
    pub(crate) fn find() -> Option<Python> {
        let program = std::env::var("PREP_PYTHON").unwrap_or_else(|_| "python3".into());
        let version_of = |module: &str| {
            let code = format!("import {module}; print('{module}', {module}.__version__)");
            let output = Command::new(&program).args(["-c", &code]).output().ok()?;
            output
                .status
                .success()
                .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Command::new(&program).arg("--version").output().ok()?;
        let [polars, numpy, torch, splendor_prep] =
            ["polars", "numpy", "torch", "splendor_prep"].map(version_of);
        Some(Python { program, polars, numpy, torch, splendor_prep })
    }

    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// Polars reads every file; checked against the counts of the `csv` crate.
    pub(crate) fn read_with_polars(&self, logs: &Path, seen: Seen) -> Result<Took> {
        let (took, said) = self.run("read_with_polars.py", &[logs.as_os_str().as_ref()])?;
        let fields = seen.fields - seen.games * (seen.fields / (seen.rows + seen.games));
        check(&said, &[("games", seen.games), ("rows", seen.rows), ("fields", fields)])?;
        Ok(took)
    }

    /// NumPy reads and encodes every file.
    pub(crate) fn encode_with_numpy(&self, logs: &Path, seen: Seen, more: &[&str]) -> Result<Took> {
        let (took, said) = self.encode(logs, more)?;
        let features = FEATURE_COUNT as u64;
        check(&said, &[("games", seen.games), ("rows", seen.rows), ("features", features)])?;
        Ok(took)
    }

    /// Compares NumPy's features with those of the encoder: all features of some games, and the column
    /// sums of all games.
    pub(crate) fn check_numpy(&self, logs: &Logs, work: &Path) -> Result<()> {
        let (_, said) = self.encode(&logs.folder, &["--sums"])?;
        let sums: Option<Vec<i64>> = said["sums"]
            .as_array()
            .map(|sums| sums.iter().filter_map(|sum| sum.as_i64()).collect());
        ensure!(
            sums.as_ref() == Some(&column_sums(&logs.paths())?.sum),
            "NumPy's features have different sums than those of the encoder"
        );

        let folder = work.join("compared");
        let every = logs.files.len().div_ceil(COMPARED_GAMES);
        let mut expected = Vec::new();
        fs::create_dir(&folder)?;
        for (game_id, path) in logs.files.iter().step_by(every) {
            let bytes = fs::read(path)?;
            fs::write(folder.join(format!("{game_id}.csv")), &bytes)?;
            expected.extend(encode(&bytes, path)?.features().as_flattened().iter().copied());
        }
        let saved = work.join("compared.npy");
        self.encode(&folder, &["--save", saved.to_str().context("a UTF-8 path")?])?;
        let found: ndarray::Array2<i8> = read_npy(&saved)?;
        ensure!(found.ncols() == FEATURE_COUNT, "NumPy encodes {} features", found.ncols());
        ensure!(
            found.iter().map(|&value| i16::from(value)).eq(expected.iter().map(|&v| i16::from(v))),
            "NumPy's features of some games differ from those of the encoder"
        );
        fs::remove_dir_all(&folder)?;
        Ok(fs::remove_file(&saved)?)
    }

    /// An epoch of shuffled batches of the arrays of an export.
    pub(crate) fn load_batches(&self, export: &Path, epoch: Epoch, more: &[&str]) -> Result<Took> {
        let arguments: Vec<&Path> =
            std::iter::once(export).chain(more.iter().map(Path::new)).collect();
        let (_, said) = self.run("load_batches.py", &arguments)?;
        check_epoch(&said, epoch)?;
        seconds_of(&said, "seconds")
    }

    /// A new process that trains from a stream.
    pub(crate) fn stream_batches(
        &self,
        cache: &Path,
        epoch: Epoch,
        dtype: Dtype,
    ) -> Result<TrainingProcess> {
        let arguments = [cache, Path::new("--dtype"), Path::new(dtype.name())];
        let (_, said) = self.run("stream_batches.py", &arguments)?;
        check_epoch(&said, epoch)?;
        Ok(TrainingProcess {
            first_batch: seconds_of(&said, "first_batch")?,
            epoch: seconds_of(&said, "seconds")?,
            peak_megabytes: said["peak_megabytes"].as_f64().context("megabytes")?,
        })
    }

    fn encode(&self, logs: &Path, more: &[&str]) -> Result<(Took, serde_json::Value)> {
        let processes = THREADS.to_string();
        let logs = logs.to_str().context("a UTF-8 path")?;
        let arguments = [&[logs, "--processes", &processes], more].concat();
        let arguments: Vec<&Path> = arguments.iter().map(Path::new).collect();
        self.run("encode_with_numpy.py", &arguments)
    }

    fn run(&self, script: &str, arguments: &[&Path]) -> Result<(Took, serde_json::Value)> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/comparisons");
        let mut command = Command::new(&self.program);
        command.arg(scripts.join(script)).args(arguments);
        let (took, output) = time(|| Ok(command.output()?))?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{script} failed: {complaints}");
        let said = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{script} printed no JSON"))?;
        Ok((took, said))
    }
}

fn check_epoch(said: &serde_json::Value, Epoch { rows, labels }: Epoch) -> Result<()> {
    ensure!(
        said["rows"].as_u64() == Some(rows) && said["labels"].as_i64() == Some(labels),
        "{rows} rows with labels that add up to {labels} expected: {said}"
    );
    Ok(())
}

/// Seconds that a script measured itself.
fn seconds_of(said: &serde_json::Value, what: &str) -> Result<Took> {
    let seconds = said[what].as_f64().with_context(|| format!("no {what}: {said}"))?;
    Ok(Took { seconds, cpu: None })
}

fn check(said: &serde_json::Value, expected: &[(&str, u64)]) -> Result<()> {
    for &(what, number) in expected {
        ensure!(said[what].as_u64() == Some(number), "{number} {what} expected: {said}");
    }
    Ok(())
}

fn column_sums(logs: &[PathBuf]) -> Result<ColumnSums> {
    let parts = on_all_threads(logs, |bytes, sums: &mut Option<ColumnSums>| {
        let of_game = encode_any(bytes)?.column_sums();
        sums.get_or_insert_with(|| ColumnSums::zero(FEATURE_COUNT)).add(&of_game);
        Ok(())
    })?;
    let mut all = ColumnSums::zero(FEATURE_COUNT);
    parts.into_iter().flatten().for_each(|part| all.add(&part));
    Ok(all)
}

fn encode(bytes: &[u8], path: &Path) -> Result<EncodedGame> {
    encode_any(bytes).with_context(|| format!("encoding {}", path.display()))
}

/// Encodes a log with any file name: the game id is that of its first row.
fn encode_any(bytes: &[u8]) -> Result<EncodedGame> {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = lines.nth(1).context("a row")?.split(|&byte| byte == b',').next();
    let game_id = GameId(std::str::from_utf8(first.context("a field")?)?.parse()?);
    let mut game = EncodedGame::default();
    read_log(bytes, Path::new("log"), game_id, ReadOptions::default(), |turn| game.push(turn))?;
    Ok(game)
}
