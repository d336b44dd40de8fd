//! The context and the outcome of a command.

use super::progress::bars;
use super::values::JobsArgs;
use crate::config::Settings;
use crate::platform::{end_by_signal, handle_end_signals};
use crate::words::shown;
use anyhow::{Context as _, Result};
use clap::Args;
use clap::error::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::available_parallelism;

/// Every thread needs several megabytes of buffers: without a limit, memory would grow with the number
/// of cores.
const MAX_DEFAULT_THREADS: usize = 16;

/// The outcome of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Success.
    Done,
    /// The command failed, or completed only partly; stderr says why.
    Failed,
    /// Done, but more logs were refused than allowed.
    NotAllIngested,
    /// Another run holds the cache.
    CacheHeld,
}

impl Outcome {
    pub(super) const fn exit_code(self) -> u8 {
        // clap reports usage errors itself, with 2.
        match self {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::NotAllIngested => 3,
            Outcome::CacheHeld => 4,
        }
    }
}

/// Flags of every command, listed after its own.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Settings file [default: prep.yaml, if there is one]
    #[arg(long, global = true, display_order = 100, value_name = "FILE", env = "PREP_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Cache file [default: prep.sqlite in intermediate_dir]
    #[arg(long, global = true, display_order = 101, value_name = "FILE", env = "PREP_CACHE")]
    pub(super) cache: Option<PathBuf>,
    /// Run as if started in this folder
    #[arg(short = 'C', global = true, display_order = 102, value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
    /// Print only errors and warnings
    #[arg(short, long, global = true, display_order = 103, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print more messages
    #[arg(short, long, global = true, display_order = 104)]
    pub(super) verbose: bool,
}

/// The context of a command, besides its own arguments.
pub(super) struct Context {
    pub(super) settings: Settings,
    /// Warnings about obsolete keys in the settings file.
    pub(super) without_use: Vec<String>,
    pub(super) common: Common,
}

impl Context {
    pub(super) fn cache_path(&self) -> PathBuf {
        let default = || self.settings.intermediate_dir.join("prep.sqlite");
        self.named(self.common.cache.clone().unwrap_or_else(default))
    }

    /// The folder with the logs: as it was given, else that of the settings.
    pub(super) fn data_root(&self, given: Option<PathBuf>) -> PathBuf {
        self.named(given.unwrap_or_else(|| self.settings.data_root.clone()))
    }

    /// A path as messages name it. With `-C`, a relative one would be another in the folder of whoever
    /// pastes a command.
    pub(super) fn named(&self, path: PathBuf) -> PathBuf {
        match &self.common.directory {
            Some(_) => std::path::absolute(&path).unwrap_or(path),
            None => path,
        }
    }

    /// Number of worker threads: a flag or variable, else the settings; 0 means one per core.
    pub(super) fn jobs(&self, asked: &JobsArgs) -> usize {
        match asked.jobs.unwrap_or_else(|| self.settings.num_workers.map_or(0, usize::from)) {
            0 => available_parallelism().map_or(1, usize::from).min(MAX_DEFAULT_THREADS),
            jobs => jobs,
        }
    }
}

/// The previous working directory, which is restored on drop.
pub(super) struct PreviousDirectory(PathBuf);

impl Drop for PreviousDirectory {
    fn drop(&mut self) {
        // It may have been deleted meanwhile. That matters only in a Python process, which goes on.
        let _ = std::env::set_current_dir(&self.0);
    }
}

/// Changes the working directory, from which relative paths start.
pub(super) fn enter(folder: &Path) -> Result<PreviousDirectory> {
    let before = std::env::current_dir().unwrap_or_default();
    std::env::set_current_dir(folder)
        .with_context(|| format!("cannot run in the folder {}", shown(folder)))?;
    Ok(PreviousDirectory(before))
}

/// A usage error for a combination of arguments that clap cannot check.
pub(super) fn usage_error(why: &str) -> anyhow::Error {
    clap::Error::raw(ErrorKind::ArgumentConflict, format!("{why}\n")).into()
}

/// The signal that asked this process to end; 0 if none did.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Set by the first Ctrl-C, after which a run ends at its next commit. The second Ctrl-C kills the process.
pub(super) fn stop_flag() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    static HANDLER: OnceLock<()> = OnceLock::new();
    HANDLER.get_or_init(|| {
        let on_signal = |signal| {
            SIGNAL.store(signal, Ordering::Relaxed);
            if STOP.swap(true, Ordering::Relaxed) {
                let _ = bars().clear();
                end_by_signal(signal);
            }
            tracing::warn!("stopping; press again to stop immediately");
        };
        if let Err(error) = handle_end_signals(on_signal) {
            tracing::debug!("Ctrl-C will stop immediately, without a last commit: {error}");
        }
    });
    &STOP
}

/// The signal that stopped a run, if the run did not complete.
pub(super) fn stopped_by(code: u8) -> Option<i32> {
    let signal = SIGNAL.load(Ordering::Relaxed);
    // This includes runs that were stopped while waiting for another run.
    let is_undone = [Outcome::Failed, Outcome::CacheHeld].map(Outcome::exit_code).contains(&code);
    (signal != 0 && is_undone).then_some(signal)
}
