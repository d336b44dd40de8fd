//! `prep verify`

use crate::cache::Reader;
use crate::cli::context::{Context, Outcome, stop_flag};
use crate::cli::values::JobsArgs;
use crate::cli::{output, progress};
use crate::export::{ExportFault, ExportVerification, has_games_of, verify_export};
use crate::ingest::{Finding, FindingKind, LogChange, VerifyOptions, VerifyReport, verify};
use crate::words::{advised, bytes_in_words, counted, grouped, shell_path, shown};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
Examples:
  prep verify data/raw                    check the cache and the logs
  prep verify --export data/processed     check an export
  prep verify --json | jq '.findings[].command'";

/// Check the cache against its checksums and logs, or check an export
///
/// Checks the cache file, every blob of every game against its checksum, and every log against the hash
/// of the log that its game was encoded from; or, with --export, every file of an export against its
/// manifest. Lists all problems with the commands that repair them, and writes nothing. Exits with 0 if
/// there are no problems, else with 1. A log that is new or changed since the last ingest is not a
/// problem, only counted: see `prep status`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct VerifyArgs {
    /// Folder with the logs [default: data_root, data/raw]
    #[arg(value_name = "DIR", env = "PREP_DATA_ROOT")]
    data_root: Option<PathBuf>,
    /// Check an export instead
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Print JSON: every finding with its kind and the command that repairs it, and the counts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    jobs: JobsArgs,
}

pub(in crate::cli) fn run(arguments: VerifyArgs, context: Context) -> Result<Outcome> {
    let progress = progress::progress(context.common.quiet);
    let quiet = context.common.quiet;
    let is_clean = match &arguments.export {
        Some(folder) => {
            let folder = context.named(folder.clone());
            let found = verify_export(&folder, &*progress, stop_flag())?;
            let repair = ExportRepair::of(&folder, &found, &context.cache_path());
            match arguments.json {
                true => output::print_json(&export_as_json(&found, &repair))?,
                false => output::print(describe_export(&folder, &found, &repair, quiet))?,
            }
            found.is_clean()
        }
        None => {
            let root = context.data_root(arguments.data_root);
            let options = VerifyOptions { root, jobs: context.jobs(&arguments.jobs) };
            let report = verify(&context.cache_path(), &options, &*progress, stop_flag())?;
            if report.interrupted {
                tracing::warn!("interrupted: not all games were checked");
            }
            let cache = &context.cache_path();
            let repairs = Repairs { report: &report, cache, root: &options.root };
            match arguments.json {
                true => output::print_json(&as_json(&report, &repairs))?,
                false => output::print(describe(&report, &repairs, quiet))?,
            }
            report.is_clean()
        }
    };
    Ok(if is_clean { Outcome::Done } else { Outcome::Failed })
}

/// The repair commands for this cache and these logs.
struct Repairs<'a> {
    report: &'a VerifyReport,
    cache: &'a Path,
    root: &'a Path,
}

impl Repairs<'_> {
    /// The kind of repair that a finding needs. In an inconsistent file, single games cannot be repaired.
    fn kind(&self, kind: FindingKind) -> FindingKind {
        let is_file = |finding: &Finding| finding.kind == FindingKind::DamagedFile;
        if self.report.findings.iter().any(is_file) { FindingKind::DamagedFile } else { kind }
    }

    fn command(&self, kind: FindingKind) -> String {
        let mut command = format!("ingest {}", shell_path(self.root));
        command += if self.report.has_repaired { " --repair" } else { "" };
        command += if self.kind(kind) == FindingKind::DamagedFile { " --rebuild" } else { "" };
        advised(&command, self.cache)
    }

    /// One sentence about a kind of repair.
    fn advice(&self, kind: FindingKind) -> String {
        let (command, root) = (self.command(kind), shown(self.root));
        match self.kind(kind) {
            FindingKind::DamagedFile => {
                format!(
                    "`{command}` creates a new cache from the logs and keeps this file beside it"
                )
            }
            FindingKind::DamagedGame => format!("`{command}` encodes it again from its log"),
            FindingKind::DamagedGameWithoutLog => format!(
                "restore its log in {root} and run `{command}`; without a log, the same command \
                 removes the game from the cache"
            ),
        }
    }
}

/// A line for each finding, advice for each kind of repair, then the counts.
fn describe(report: &VerifyReport, repairs: &Repairs<'_>, quiet: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let whose = finding.game_id.map_or("the cache file".to_owned(), |id| format!("game {id}"));
        let _ = writeln!(text, "{whose}: {}", shown(&finding.what));
    }
    let mut kinds: Vec<_> =
        report.findings.iter().map(|finding| repairs.kind(finding.kind)).collect();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        let what = match kind {
            FindingKind::DamagedFile => "a damaged file",
            FindingKind::DamagedGame => "a damaged game",
            FindingKind::DamagedGameWithoutLog => "a damaged game without a log",
        };
        let _ = writeln!(text, "to repair {what}: {}", repairs.advice(kind));
    }
    if quiet {
        return text;
    }
    if !report.not_up_to_date.is_empty() {
        let changes: Vec<_> = counts(report)
            .filter(|&(_, logs)| logs > 0)
            .map(|(change, logs)| format!("{} {}", counted(logs, "log"), change.name()))
            .collect();
        let mut status = format!("status {}", shell_path(repairs.root));
        status += if report.has_repaired { " --repair" } else { "" };
        let (changes, status) = (changes.join(", "), advised(&status, repairs.cache));
        let _ = writeln!(text, "not up to date: {changes} (see `{status}`)");
    }
    let _ = writeln!(
        text,
        "{}, {} as cached: {}",
        counted(report.games, "game"),
        counted(report.matching_logs, "log"),
        match report.findings.len() {
            0 => "no problems found".to_owned(),
            findings => counted(findings, "finding"),
        }
    );
    text
}

fn counts(report: &VerifyReport) -> impl Iterator<Item = (LogChange, usize)> {
    use LogChange::{Changed, Missing, New, Unreadable};
    [New, Changed, Missing, Unreadable].into_iter().map(|change| {
        (change, report.not_up_to_date.iter().filter(|&&(_, its)| its == change).count())
    })
}

fn as_json(report: &VerifyReport, repairs: &Repairs<'_>) -> serde_json::Value {
    let finding = |finding: &Finding| {
        json!({
            "kind": finding.kind.name(),
            "game_id": finding.game_id,
            "what": finding.what,
            "command": repairs.command(finding.kind),
            "repair": repairs.advice(finding.kind),
        })
    };
    let changes: serde_json::Map<_, _> =
        counts(report).map(|(change, logs)| (change.name().to_owned(), logs.into())).collect();
    let changed =
        |&(game_id, change): &(_, LogChange)| json!({ "game_id": game_id, "log": change.name() });
    json!({
        "clean": report.is_clean(),
        "interrupted": report.interrupted,
        "games": report.games,
        "matching_logs": report.matching_logs,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "not_up_to_date": {
            "counts": changes,
            "games": report.not_up_to_date.iter().map(changed).collect::<Vec<_>>(),
        },
    })
}

/// How to write an export again.
struct ExportRepair {
    /// The command, if there is one.
    command: Option<String>,
    /// Whether the cache has the games that the export has.
    has_its_games: bool,
}

impl ExportRepair {
    fn of(folder: &Path, found: &ExportVerification, cache: &Path) -> ExportRepair {
        let command = found.command.as_deref().map(|command| advised(command, cache));
        let reader = || Reader::open_if_there(cache).ok().flatten();
        let has_its_games = found.is_clean()
            || command.is_none()
            || reader().is_some_and(|reader| has_games_of(&reader, folder));
        ExportRepair { command, has_its_games }
    }
}

fn describe_export(
    folder: &Path,
    found: &ExportVerification,
    repair: &ExportRepair,
    quiet: bool,
) -> String {
    let mut text = String::new();
    for ExportFault { file, what, .. } in &found.faults {
        let _ = writeln!(text, "{}: {}", shown(file), shown(what));
    }
    let foreign = found.faults.iter().filter(|fault| fault.is_foreign).count();
    match &repair.command {
        _ if found.faults.is_empty() => {}
        // The files of the export itself are intact.
        Some(_) if foreign == found.faults.len() => {}
        Some(command) => {
            let first = match foreign {
                0 => "",
                1 => "move that file elsewhere, then ",
                _ => "move those files elsewhere, then ",
            };
            let _ = write!(text, "to repair the export: {first}run `{command}`");
            if let Some(join) = &found.join {
                let _ =
                    write!(text, " for each damaged shard K, then `prep {join}` for all of them");
            }
            text += match repair.has_its_games {
                true => "\n",
                false => {
                    "; this cache does not have the games of the export, as they were: name the one \
                     that it was made from, or the export will have other games\n"
                }
            };
        }
        None => {
            let folder = shown(folder);
            let _ =
                writeln!(text, "{folder} is not an export: give a folder that `prep export` wrote");
        }
    }
    if !quiet {
        let _ = writeln!(
            text,
            "{}: {}, {}: {}",
            shown(folder),
            counted(found.files, "file"),
            bytes_in_words(found.bytes),
            match found.faults.len() {
                0 if found.interrupted => "interrupted".to_owned(),
                0 => "no problems found".to_owned(),
                findings => format!("{} wrong", grouped(findings as u64)),
            }
        );
    }
    text
}

fn export_as_json(found: &ExportVerification, repair: &ExportRepair) -> serde_json::Value {
    let fault = |ExportFault { file, what, is_foreign }: &ExportFault| {
        let (kind, command) = match is_foreign {
            true => ("foreign_file", None),
            false => ("damaged_export", repair.command.as_deref()),
        };
        json!({ "kind": kind, "file": file, "what": what, "command": command })
    };
    json!({
        "clean": found.is_clean(),
        "interrupted": found.interrupted,
        "files": found.files,
        "bytes": found.bytes,
        "findings": found.faults.iter().map(fault).collect::<Vec<_>>(),
        "cache_has_its_games": repair.has_its_games,
    })
}
