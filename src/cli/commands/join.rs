//! `prep join`

use crate::cli::context::{Context, Outcome, stop_flag};
use crate::cli::{output, progress};
use crate::export::join_shards;
use crate::words::{counted, shown};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Examples:
  prep export --shard 1/2 --out a             on one machine
  prep export --shard 2/2 --out b             on another
  prep join data/processed a b                one export of both
  prep join data/processed shards/*           of all shards in a folder

Exit codes: 0 done, 1 failed";

/// Join the shards of an export into one folder
///
/// OUT gets a folder for each shard, with the same arrays, and the scaler, the statistics and the manifest of
/// all of them. `prep verify`, `prep diff` and `prep report` take it as any export. It replaces an export at
/// OUT at once, when it is complete. The folders of the shards stay where they are, and can be removed.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct JoinArgs {
    /// Folder to make, or to replace
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// Every shard of one export, in any order
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,
}

pub(in crate::cli) fn run(arguments: JoinArgs, context: Context) -> Result<Outcome> {
    let JoinArgs { out, shards } = arguments;
    let progress = progress::progress(context.common.quiet);
    let joined = join_shards(&out, &shards, &*progress, stop_flag())?;
    output::warn_of_identical(&joined.identical_games);
    if !context.common.quiet {
        output::print(format!(
            "{} joined in {}: {}, {}\n",
            counted(shards.len(), "shard"),
            shown(&out),
            counted(joined.games, "game"),
            counted(joined.rows, "row")
        ))?;
    }
    Ok(Outcome::Done)
}
