//! Errors of commands: the exit code, and the error as `--json` prints it.

use super::context::Outcome;
use crate::cache::CacheError;
use crate::config::ConfigError;
use crate::dataset::DatasetError;
use crate::export::ExportError;
use crate::ingest::IngestError;
use crate::report::ReportError;
use serde_json::{Value, json};

/// `{"error": {"kind": "cache_held", "message": "...", "exit_code": 4}}`
pub(super) fn as_json(error: &anyhow::Error, exit_code: u8) -> Value {
    let message = match error.downcast_ref::<clap::Error>() {
        // Removes the usage and the hint about `--help`.
        Some(usage) => {
            let text = usage.to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            first.trim_start_matches("error: ").trim().to_owned()
        }
        None => format!("{error:#}"),
    };
    json!({ "error": { "kind": kind(error), "message": message, "exit_code": exit_code } })
}

/// The kind of error, a name that is stable between versions.
fn kind(error: &anyhow::Error) -> &'static str {
    if error.is::<clap::Error>() {
        return "usage";
    }
    if error.is::<ConfigError>() {
        return "settings";
    }
    if let Some(error) = cache_error(error) {
        return match error {
            CacheError::Held { .. } | CacheError::Busy { .. } => "cache_held",
            CacheError::DiskFull { .. } => "disk_full",
            CacheError::Malformed { .. } => "cache_damaged",
            _ => "cache",
        };
    }
    match (error.downcast_ref::<IngestError>(), error.downcast_ref::<ExportError>()) {
        (Some(IngestError::NoFolder(_) | IngestError::NotAFolder { .. }), _) => "no_folder",
        (Some(IngestError::NoLogs { .. }), _) => "no_logs",
        (Some(IngestError::Interrupted), _) => "interrupted",
        (Some(_), _) => "ingest",
        (_, Some(ExportError::NoSpace { .. } | ExportError::DiskFull { .. })) => "disk_full",
        (_, Some(ExportError::Interrupted)) => "interrupted",
        (_, Some(ExportError::Scaler { .. })) => "scaler",
        (_, Some(ExportError::Publish(_))) => "output_folder",
        (_, Some(ExportError::Dataset(DatasetError::NoGames { .. }))) => "no_games",
        (_, Some(_)) => "export",
        _ => "failed",
    }
}

pub(super) fn exit_code_of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<clap::Error>() {
        Some(usage) => u8::try_from(usage.exit_code()).unwrap_or(2),
        None => outcome_of(error).exit_code(),
    }
}

fn cache_error(error: &anyhow::Error) -> Option<&CacheError> {
    error.downcast_ref::<CacheError>().or_else(|| match error.downcast_ref::<IngestError>() {
        Some(IngestError::Cache(error)) => Some(error),
        _ => match error.downcast_ref::<ExportError>().and_then(ExportError::cache_error) {
            Some(error) => Some(error),
            None => match error.downcast_ref::<ReportError>() {
                Some(ReportError::Cache(error)) => Some(error),
                _ => None,
            },
        },
    })
}

fn outcome_of(error: &anyhow::Error) -> Outcome {
    match cache_error(error) {
        Some(CacheError::Held { .. } | CacheError::Busy { .. }) => Outcome::CacheHeld,
        _ => Outcome::Failed,
    }
}
