//! `--metrics FILE`: metrics of a run for Prometheus, in the text format that node_exporter's textfile
//! collector reads.
//!
//! `ingest` and `export` can share a file: each replaces its own metrics and keeps those of the other.

use super::context::Outcome;
use super::failure::exit_code_of;
use super::output_file::OutputFile;
use crate::folders::parent_of;
use crate::platform::{lock_folder, read_file};
use anyhow::Result;
use std::fmt::{Display, Write};
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Larger files are not metrics files.
const MAX_FILE: u64 = 1 << 20;

/// The metrics of one run.
pub(super) struct Metrics {
    file: Option<PathBuf>,
    /// `prep_ingest_` or `prep_export_`.
    prefix: &'static str,
    begun: Instant,
    text: String,
}

impl Metrics {
    /// Starts the metrics of a run; without a file, nothing is written.
    ///
    /// # Errors
    /// If the file exists and is not a metrics file.
    pub(super) fn begin(file: Option<PathBuf>, prefix: &'static str) -> Result<Metrics> {
        let metrics = Metrics { file, prefix, begun: Instant::now(), text: String::new() };
        metrics.output().map_or(Ok(()), |output| output.check())?;
        Ok(metrics)
    }

    /// Adds a metric with one value.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, help);
        let _ = writeln!(self.text, "{}{name} {value}", self.prefix);
    }

    /// Adds a metric with a value for each value of a label.
    pub(super) fn by_label<V: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (impl Display, V)>,
    ) {
        self.family(name, help);
        for (of, value) in values {
            let _ = writeln!(self.text, "{}{name}{{{label}=\"{of}\"}} {value}", self.prefix);
        }
    }

    fn family(&mut self, name: &str, help: &str) {
        let prefix = self.prefix;
        let _ = writeln!(self.text, "# HELP {prefix}{name} {help}");
        let _ = writeln!(self.text, "# TYPE {prefix}{name} gauge");
    }

    /// Writes the file: the outcome of the run, and the added metrics. A failed run keeps the time of
    /// the last success. Returns the outcome.
    pub(super) fn finish(mut self, ended: Result<Outcome>) -> Result<Outcome> {
        let Some(file) = self.file.clone() else { return ended };
        let code = ended.as_ref().map_or_else(exit_code_of, |outcome| outcome.exit_code());
        // The other command may write the file at the same time.
        let _lock = lock_folder(parent_of(&file));
        let old = read_file(&file, MAX_FILE).unwrap_or_default();
        let old = String::from_utf8_lossy(&old);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let success = "last_success_timestamp_seconds";
        let before = format!("{}{success} ", self.prefix);
        let before = old.lines().find_map(|line| line.strip_prefix(&before));
        let last_success = match (code, before) {
            (0, _) => now.to_string(),
            (_, before) => before.unwrap_or("0").to_owned(),
        };
        let seconds = format!("{:.3}", self.begun.elapsed().as_secs_f64());
        self.gauge("duration_seconds", "Duration of the last run.", seconds);
        self.gauge("exit_code", "Exit code of the last run; 0 is success.", code);
        self.gauge("last_run_timestamp_seconds", "Time at which the last run ended.", now);
        self.gauge(success, "Time at which a run last succeeded; 0 if none has.", last_success);
        // Keeps the metrics of the other command.
        let name = |line: &str| {
            let is_comment = ["# HELP ", "# TYPE "].iter().find_map(|mark| line.strip_prefix(mark));
            is_comment.unwrap_or(line).to_owned()
        };
        let others = old
            .lines()
            .filter(|line| name(line).starts_with("prep_") && !name(line).starts_with(self.prefix));
        let others: String = others.flat_map(|line| [line, "\n"]).collect();
        let written =
            self.output().map_or(Ok(()), |output| output.write((others + &self.text).as_bytes()));
        // The error of the run itself matters more.
        ended.and_then(|outcome| written.map(|()| outcome))
    }

    fn output(&self) -> Option<OutputFile<'_>> {
        let path = self.file.as_deref()?;
        let what = "a prep metrics file";
        let advice = "choose another file with --metrics";
        Some(OutputFile { path, what, mark: "# HELP prep_", force: None, advice })
    }
}
