//! `prep simulate`

use crate::cli::context::{Context, Outcome};
use crate::cli::values::whole_number;
use crate::cli::{output, progress};
use crate::gamelog::{Dialect, GameId, write_log};
use crate::progress::Amount;
use crate::rules::PlayerCount;
use crate::simulate::simulate_game;
use crate::words::{counted, shown};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
Examples:
  prep simulate data/raw --games 60                 with 2, 3 and 4 players
  prep simulate data/raw --games 60 --first-id 61   sixty more
  prep simulate /tmp/two --games 10 --players 2 --seed 7";

/// Play games with a simple policy and write their logs, to try out prep
///
/// The same arguments always write the same files. Logs go to DIR/2_games, DIR/3_games and DIR/4_games,
/// in the three log dialects in turn. No file is overwritten.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct SimulateArgs {
    /// Folder to write to
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Number of games
    #[arg(long, value_name = "N", value_parser = whole_number(1..=u32::MAX),
          allow_negative_numbers = true)]
    games: u32,
    /// Numbers of players, used in rotation
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "2,3,4",
          value_parser = parse_players, allow_negative_numbers = true)]
    players: Vec<PlayerCount>,
    /// Seed of the games [default: seed, 42]
    #[arg(long, value_name = "S", env = "PREP_SEED", allow_negative_numbers = true,
          value_parser = whole_number(0..=u32::MAX))]
    seed: Option<u32>,
    /// Game id of the first game; the others count up from it
    #[arg(long, value_name = "ID", default_value_t = 1, allow_negative_numbers = true,
          value_parser = whole_number(0..=u32::MAX))]
    first_id: u32,
}

fn parse_players(text: &str) -> Result<PlayerCount> {
    text.parse().ok().and_then(PlayerCount::new).context("expected 2, 3 or 4")
}

pub(in crate::cli) fn run(arguments: SimulateArgs, context: Context) -> Result<Outcome> {
    let seed = arguments.seed.unwrap_or(context.settings.seed);
    let progress = progress::progress(context.common.quiet);
    let mut rows = 0;
    progress.begin("playing", Amount::Games(arguments.games.into()));
    for (game, &players) in (0..arguments.games).zip(arguments.players.iter().cycle()) {
        let game_id = GameId(i64::from(arguments.first_id) + i64::from(game));
        // The id is part of the seed, so that `--first-id` continues with different games.
        let turns = simulate_game(players, u64::from(seed) << 32 | game_id.0 as u64 & 0xFFFF_FFFF);
        let dialect = Dialect::ALL[game_id.0 as usize % Dialect::ALL.len()];
        let path =
            arguments.dir.join(format!("{}_games", players.get())).join(format!("{game_id}.csv"));
        let mut log = Vec::new();
        write_log(&mut log, game_id, &turns, dialect)?;
        write(&path, &log)?;
        rows += turns.len();
        progress.advance(1);
    }
    progress.end();
    if !context.common.quiet {
        let games = counted(arguments.games, "game");
        let dir = shown(&arguments.dir);
        output::print(format!("wrote {games}, {}, to {dir}\n", counted(rows as u64, "row")))?;
    }
    Ok(Outcome::Done)
}

/// Never overwrites a file, because it may be a real game.
fn write(path: &Path, log: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| {
            let folder = shown(folder);
            format!(
                "cannot create the folder {folder}: give a folder for which you have write \
                 permission"
            )
        })?;
    }
    match File::create_new(path) {
        Ok(mut file) => file.write_all(log).with_context(|| {
            // An incomplete log would block the next attempt.
            let _ = fs::remove_file(path);
            format!("cannot write {}", shown(path))
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{} exists and is not overwritten: choose another folder or --first-id",
            shown(path)
        ),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", shown(path))),
    }
}
