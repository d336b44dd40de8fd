//! The game to inspect, from the cache or from a log.

use crate::cache::{Reader, Unpacker};
use crate::encode::{EncodedGame, FeatureRow, Head, LabelRow, MaskRow};
use crate::gamelog::{GameId, GamePlay, ReadOptions, ReplayFault, read_log};
use crate::ingest::{MAX_LOG_BYTES, game_id_of, read_log_file};
use crate::report::illegal_heads;
use crate::rules::Board;
use crate::words::{advised, counted, shown};
use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};

/// All rows of a game, with their positions.
pub(super) struct Game {
    pub(super) game_id: GameId,
    pub(super) source: Source,
    /// At least one.
    pub(super) rows: Vec<Row>,
    /// How it went; `None` if an earlier version of prep stored it and it has not been replayed since.
    pub(super) play: Option<GamePlay>,
    /// The first rows that do not follow from the previous row.
    pub(super) faults: Vec<ReplayFault>,
}

/// Its source.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    Cache(PathBuf),
    Log(PathBuf),
}

impl Source {
    pub(super) fn path(&self) -> &Path {
        match self {
            Source::Cache(path) | Source::Log(path) => path,
        }
    }
}

/// One turn.
pub(super) struct Row {
    /// From 0.
    pub(super) place: usize,
    pub(super) turn_number: i32,
    pub(super) board: Board,
    pub(super) features: FeatureRow,
    pub(super) labels: LabelRow,
    pub(super) masks: MaskRow,
}

impl Game {
    /// A number is the id of a cached game, anything else the path of a log.
    pub(super) fn find(name: &str, cache: &Path, repair: bool) -> Result<Game> {
        match name.parse() {
            Ok(game_id) => Game::cached(GameId(game_id), cache),
            Err(_) => Game::logged(Path::new(name), ReadOptions { repair, strict: false }, cache),
        }
    }

    pub(super) fn players(&self) -> usize {
        self.rows[0].board.players.len()
    }

    /// The first and the last turn's number.
    pub(super) fn turns(&self) -> (i32, i32) {
        let numbers = || self.rows.iter().map(|row| row.turn_number);
        (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0))
    }

    fn cached(game_id: GameId, cache: &Path) -> Result<Game> {
        let (reader, mut unpacker) = (Reader::open(cache)?, Unpacker::new()?);
        let Some((record, encoded)) = reader.game(game_id, &mut unpacker)? else {
            bail!("{}", why_not_cached(game_id, &reader)?);
        };
        let source = Source::Cache(cache.to_owned());
        let faults = reader.replay_faults()?.remove(&game_id).unwrap_or_default();
        Ok(Game { game_id, source, rows: rows(encoded), play: record.play, faults })
    }

    fn logged(path: &Path, options: ReadOptions, cache: &Path) -> Result<Game> {
        let Some(game_id) = game_id_of(path) else {
            bail!(
                "{} is neither a game id nor a log, which is a .csv file named after its game id: \
                 try 1, or data/raw/2_games/1.csv",
                shown(path)
            );
        };
        let bytes =
            read_log_file(path, MAX_LOG_BYTES).map_err(|error| why_not_read(path, error, cache))?;
        let mut encoded = EncodedGame::default();
        let summary = read_log(&bytes, path, game_id, options, |turn| encoded.push(turn))?;
        let source = Source::Log(path.to_owned());
        let (play, faults) = (Some(summary.play), summary.replay_faults);
        Ok(Game { game_id, source, rows: rows(&encoded), play, faults })
    }
}

fn rows(encoded: &EncodedGame) -> Vec<Row> {
    let row = |(place, board): (usize, &Board)| Row {
        place,
        turn_number: encoded.turn_numbers()[place],
        board: board.clone(),
        features: encoded.features()[place],
        labels: encoded.labels()[place],
        masks: encoded.masks()[place],
    };
    encoded.boards().iter().enumerate().map(row).collect()
}

/// An error for a game that the cache does not hold, with the reason if it is known.
fn why_not_cached(game_id: GameId, reader: &Reader) -> Result<String> {
    let path = reader.path();
    let refusals = reader.refusals()?;
    if let Some(refusal) = refusals.into_iter().find(|refusal| refusal.game_id == game_id) {
        return Ok(format!("game {game_id} is not in the cache: {}", refusal.message));
    }
    let Some((first, last)) = reader.id_range()? else {
        return Ok(format!("game {game_id} is not in {}: it holds no games", shown(path)));
    };
    Ok(format!(
        "game {game_id} is not in {}, which holds {} from {first} to {last}: give one of those, or \
         the path of a log",
        shown(path),
        counted(reader.game_count()?, "game"),
    ))
}

impl Row {
    /// The names of the heads whose label is not legal under its mask.
    pub(super) fn illegal_labels(&self) -> Vec<&'static str> {
        illegal_heads(&self.labels, &self.masks).into_iter().map(Head::name).collect()
    }

    /// `: gem_take3 is not legal under its mask`
    pub(super) fn why_not_legal(&self) -> String {
        match self.illegal_labels().as_slice() {
            [] => ", though each of its classes is legal under its mask".to_owned(),
            heads => format!(": {} are not legal under their masks", heads.join(", ")),
        }
    }
}

/// Why there is no log to read at a path, and what to do.
fn why_not_read(path: &Path, error: io::Error, cache: &Path) -> anyhow::Error {
    let path = shown(path);
    match error.kind() {
        io::ErrorKind::NotFound => anyhow!(
            "there is no log {path}: check the path, or give the id of a cached game, as \
             `{}` lists them",
            advised("status --explain", cache)
        ),
        _ => {
            anyhow!("cannot read {path}: {error}: check that it is a file and that you may read it")
        }
    }
}
