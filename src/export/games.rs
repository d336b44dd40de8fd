//! The games of an export.
//!
//! Of all that an export keeps of every game until its end, this list is all: 29 bytes. Whatever else
//! there is of a game is read from the cache when its rows are.

use super::ExportError;
use super::fingerprint::Fingerprint;
use super::split::{Split, SplitError, SplitMethod, assign};
use crate::accounting::check_all_done;
use crate::cache::{GameRecord, Refusal, Snapshot};
use crate::dataset::Ratios;
use crate::gamelog::GameId;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// Every game of an export, in ascending order.
#[derive(Debug)]
pub(super) struct ExportedGames {
    list: Vec<ExportedGame>,
    /// So many of them are written: the first ones, since they are written in order.
    written: usize,
    hash_of_inputs: blake3::Hash,
    written_twice: Vec<GameId>,
}

/// A game of an export. Packed, so that nothing of it is padding.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed)]
pub(super) struct ExportedGame {
    pub(super) game_id: GameId,
    /// Of what its rows were made from.
    pub(super) log: LogHash,
    /// Of its rows; zeros before they are written.
    pub(super) fingerprint: Fingerprint,
    /// Turns.
    pub(super) rows: u32,
    pub(super) split: Split,
}

const _: () = assert!(size_of::<ExportedGame>() == 29);

/// Front of a hash of what a game's rows were made from, whatever the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogHash([u8; 8]);

impl LogHash {
    fn of(record: &GameRecord) -> LogHash {
        let hash = match record.key.repaired {
            false => record.key.source_hash,
            // Read as it was meant, the same log is another game.
            true => blake3::hash(record.key.source_hash.as_bytes()),
        };
        LogHash(*hash.as_bytes().first_chunk().expect("a blake3 hash has 32 bytes"))
    }
}

impl fmt::Display for LogHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl ExportedGames {
    /// Every cached game, if all can stand in one array. Which split each is in is still to be
    /// [assigned](Self::assign).
    ///
    /// Without those that another encoder made and whose logs were refused since: no ingest can encode
    /// them anew before somebody mends the logs, and until then the others must not wait for them.
    pub(super) fn of(
        snapshot: &Snapshot<'_>,
        refusals: &[Refusal],
    ) -> Result<ExportedGames, ExportError> {
        let refused: BTreeSet<GameId> = refusals.iter().map(|refusal| refusal.game_id).collect();
        let (mut list, mut inputs) = (Vec::new(), blake3::Hasher::new());
        let (mut cached, mut of_other_encoder, mut excluded) = (0, 0, 0);
        snapshot.each_record(|record| {
            cached += 1;
            if record.is_of_this_encoder() {
                inputs.update(&record.game_id.0.to_le_bytes());
                inputs.update(record.key.source_hash.as_bytes());
                inputs.update(&[record.key.repaired.into()]);
                list.push(ExportedGame {
                    game_id: record.game_id,
                    log: LogHash::of(&record),
                    fingerprint: Fingerprint::default(),
                    rows: record.rows,
                    split: Split::Train,
                });
            } else if refused.contains(&record.game_id) {
                excluded += 1;
            } else {
                of_other_encoder += 1;
            }
        })?;
        let cache = || snapshot.path().to_owned();
        match of_other_encoder {
            _ if cached == 0 => return Err(ExportError::NoGames { cache: cache() }),
            0 if !list.is_empty() => {}
            0 => return Err(ExportError::OtherEncoder { cache: cache(), games: cached }),
            games => return Err(ExportError::OtherEncoder { cache: cache(), games }),
        }
        let decided = list.len() as u64 + excluded;
        check_all_done("cached games were exported or excluded", decided, snapshot.game_count()?)?;
        list.shrink_to_fit();
        let hash_of_inputs = inputs.finalize();
        Ok(ExportedGames { list, written: 0, hash_of_inputs, written_twice: Vec::new() })
    }

    /// Puts each game into a split.
    pub(super) fn assign(
        &mut self,
        ratios: Ratios,
        seed: u32,
        method: SplitMethod,
    ) -> Result<(), SplitError> {
        let game_ids = self.list.iter().map(|game| game.game_id);
        let splits = assign(game_ids, ratios, seed, method)?;
        self.list.iter_mut().zip(splits).for_each(|(game, split)| game.split = split);
        Ok(())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn contains(&self, game_id: GameId) -> bool {
        self.list.binary_search_by_key(&game_id, |game| game.game_id).is_ok()
    }

    /// The games of a split.
    pub(super) fn in_split(&self, split: Split) -> impl Iterator<Item = &ExportedGame> {
        self.list.iter().filter(move |game| game.split == split)
    }

    /// Rows of a split.
    pub(super) fn rows_in(&self, split: Split) -> u64 {
        self.in_split(split).map(|game| u64::from(game.rows)).sum()
    }

    /// One hash over the id of every game and the hash of the log its rows were made from.
    pub(super) fn hash_of_inputs(&self) -> blake3::Hash {
        self.hash_of_inputs
    }

    /// The places from `first` on that together have at least so many rows, or all that are left.
    pub(super) fn window(&self, first: usize, rows: u64) -> Range<usize> {
        let (mut end, mut its_rows) = (first, 0);
        while its_rows < rows
            && let Some(game) = self.list.get(end)
        {
            its_rows += u64::from(game.rows);
            end += 1;
        }
        first..end
    }

    /// The games at some places.
    pub(super) fn at(&self, places: Range<usize>) -> &[ExportedGame] {
        &self.list[places]
    }

    /// Notes that the rows of the next game were written, and where.
    pub(super) fn note_written(&mut self, game_id: GameId, split: Split, fingerprint: Fingerprint) {
        match self.list.get_mut(self.written) {
            Some(game) if { game.game_id } == game_id => {
                (game.split, game.fingerprint) = (split, fingerprint);
                self.written += 1;
            }
            _ => self.written_twice.push(game_id),
        }
    }

    /// The games of which rows were written.
    pub(super) fn written(&self) -> impl Iterator<Item = &ExportedGame> {
        self.list[..self.written].iter()
    }

    /// The games of which rows were written, those with equal fingerprints one after another.
    pub(super) fn written_by_fingerprint(&self) -> impl Iterator<Item = &ExportedGame> {
        // Places, because references take twice the memory.
        let mut places: Vec<u32> = (0..self.written as u32).collect();
        places.sort_unstable_by_key(|&place| (self.list[place as usize].fingerprint, place));
        places.into_iter().map(|place| &self.list[place as usize])
    }

    /// Every game of which rows were written to two splits, or twice to one: none, or prep is broken.
    pub(super) fn written_twice(&self) -> &[GameId] {
        &self.written_twice
    }
}
