//! `prep simulate`

use super::output;
use super::{Context, Outcome, progress};
use crate::gamelog::{Dialect, GameId, write_log};
use crate::progress::Amount;
use crate::rules::PlayerCount;
use crate::simulate::simulate_game;
use crate::words::counted;
use anyhow::{Context as _, Result, bail};
use clap::Args;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const AFTER_HELP: &str = "\
Examples:
  prep simulate data/raw --games 60                 games of 2, 3 and 4 players
  prep simulate data/raw --games 60 --first-id 61   sixty more
  prep simulate /tmp/two --games 10 --players 2 --seed 7";

/// Play games with the crate's own rules and a cheap policy, and log them
///
/// For trying the tool, for benchmarks and for tests. The same arguments make the same files.
/// Logs go to DIR/2_games, DIR/3_games and DIR/4_games, in the three dialects in turn.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct SimulateArgs {
    /// Folder to write to
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// How many games
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
          allow_negative_numbers = true)]
    games: u32,
    /// Numbers of players, taken in turn
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', default_value = "2,3,4",
          value_parser = parse_players, allow_negative_numbers = true)]
    players: Vec<PlayerCount>,
    /// Seed: other seeds give other games
    #[arg(long, value_name = "S", env = "PREP_SEED", allow_negative_numbers = true)]
    seed: Option<u32>,
    /// Game id of the first game; the others follow it
    #[arg(long, value_name = "ID", default_value_t = 1, allow_negative_numbers = true)]
    first_id: u32,
}

fn parse_players(text: &str) -> Result<PlayerCount> {
    text.parse().ok().and_then(PlayerCount::new).context("expected 2, 3 or 4")
}

pub(super) fn run(arguments: SimulateArgs, context: Context) -> Result<Outcome> {
    let seed = arguments.seed.unwrap_or(context.settings.seed);
    let progress = progress::progress(context.common.quiet);
    let mut rows = 0;
    progress.begin("playing", Amount::Games(arguments.games.into()));
    for (game, &players) in (0..arguments.games).zip(arguments.players.iter().cycle()) {
        let game_id = GameId(i64::from(arguments.first_id) + i64::from(game));
        // The id is part of the seed, so that `--first-id` goes on with other games.
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
        let dir = arguments.dir.display();
        output::print(format!("wrote {games}, {}, to {dir}\n", counted(rows as u64, "row")))?;
    }
    Ok(Outcome::Done)
}

/// Never over a file that is there: it may be somebody's real game.
fn write(path: &Path, log: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| {
            let folder = folder.display();
            format!("cannot make the folder {folder}: give one that you may write to")
        })?;
    }
    match File::create_new(path) {
        Ok(mut file) => file.write_all(log).with_context(|| {
            // Half a log would be in the way of the next try.
            let _ = fs::remove_file(path);
            format!("cannot write {}", path.display())
        }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{} is there already and is not overwritten: choose another folder or --first-id",
            path.display()
        ),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}
