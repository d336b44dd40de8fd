//! One batch after another, epoch after epoch.

use super::batch::{Batch, BatchMaker, Buffers};
use super::error::StreamError;
use super::load::Loaded;
use super::options::StreamOptions;
use super::schedule::{Position, Positions, Schedule};
use super::state::{StateError, StreamState};
use super::weights::WeightOptions;
use crate::cache::{CacheError, Reader};
use crate::dataset::{Dtype, FeatureTable, FeatureValues, ShortHash};
use crate::encode::ENCODER_VERSION;
use crate::parallel::{Ahead, Waited};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What comes next in a stream.
#[derive(Debug)]
pub enum Next {
    /// A batch.
    Batch(Box<Batch>),
    /// It is not ready yet.
    NotYet,
    /// The epoch is over; the next batch is of the next one.
    EndOfEpoch,
}

/// The batches of one split, epoch after epoch.
#[derive(Debug)]
pub struct Stream {
    maker: Arc<BatchMaker>,
    threads: usize,
    position: Position,
    /// Batches from the position on; `None` until the first one is asked for.
    ahead: Option<Ahead<Positions, Batch, StreamError>>,
    data: ShortHash,
    values: ShortHash,
}

/// Batches that each thread may be ahead of the consumer.
const BATCHES_PER_THREAD: usize = 2;

impl Stream {
    /// Reads the games of a split into memory; the cache is not used afterwards. A game is unpacked for the
    /// first batch that has one of its rows.
    ///
    /// When `stop` is set, it ends early with [`StreamError::Interrupted`].
    ///
    /// # Errors
    /// If there is no such dataset, or the cache is damaged.
    pub fn open(
        cache: &Path,
        options: &StreamOptions,
        stop: &AtomicBool,
    ) -> Result<Stream, StreamError> {
        if options.dtype == Dtype::Int8 && options.normalize {
            return Err(StreamError::NormalizedIntegers);
        }
        let threads = options.threads.max(1);
        let loaded = Loaded::load(&Reader::open(cache)?, options, threads, stop)?;
        let schedule = Schedule {
            rows: loaded.rows.len(),
            batch_size: options.batch_size.max(1),
            seed: options.seed,
            shuffle: options.shuffle,
            drop_last: options.drop_last,
            rank: options.rank,
            world_size: options.world_size.max(1),
        };
        let (data, values) = (loaded.rows.id(), values_id(&loaded, options));
        let table = FeatureTable::new(&loaded.columns, loaded.scaler.as_ref(), options.dtype);
        let StreamOptions { dtype, masks, augment, .. } = *options;
        let maker = Arc::new(BatchMaker { loaded, table, dtype, masks, augment, schedule });
        Ok(Stream { maker, threads, position: Position::default(), ahead: None, data, values })
    }

    /// Rows of an epoch, all ranks together.
    pub fn rows(&self) -> u64 {
        self.maker.schedule.rows
    }

    /// Names of the columns.
    pub fn columns(&self) -> Vec<&'static str> {
        self.maker.loaded.columns.names()
    }

    /// Batches of an epoch.
    pub fn steps(&self) -> u64 {
        self.maker.schedule.steps()
    }

    /// The batch that comes next.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next batch, or the end of an epoch; waits at most this time.
    ///
    /// # Errors
    /// If a value is out of the range of the type, a game cannot be unpacked, or threads cannot be started.
    ///
    /// # Panics
    /// If a thread panicked.
    pub fn next_within(&mut self, time: Duration) -> Result<Next, StreamError> {
        if self.position.step >= self.steps() {
            self.position = Position { epoch: self.position.epoch + 1, step: 0 };
            return Ok(Next::EndOfEpoch);
        }
        let ahead = match &mut self.ahead {
            Some(ahead) if ahead.is_of_this_process() => ahead,
            _ => self.ahead.insert(self.maker.start(self.threads, self.position)?),
        };
        match ahead.next_within(time) {
            Ok(Waited::Ready(batch)) => {
                self.position.step += 1;
                Ok(Next::Batch(batch.into()))
            }
            Ok(Waited::NotYet) => Ok(Next::NotYet),
            Ok(Waited::Ended) => unreachable!("positions have no end"),
            Err(error) => {
                self.ahead = None;
                Err(error)
            }
        }
    }

    /// What takes the features of its batches back.
    pub fn recycler(&self) -> Recycler {
        Recycler(Arc::downgrade(&self.maker))
    }

    /// Where the stream is.
    pub fn state(&self) -> StreamState {
        let (data, values) = (self.data.to_string(), self.values.to_string());
        StreamState::new(data, values, &self.maker.schedule, self.position)
    }

    /// Goes on where a stream with the same data and options was; rank, number of ranks and of threads
    /// may be others.
    ///
    /// # Errors
    /// If it was another stream.
    pub fn load_state(&mut self, state: &StreamState) -> Result<(), StateError> {
        let position = state.position(&self.state(), &self.maker.schedule)?;
        if position != self.position {
            (self.position, self.ahead) = (position, None);
        }
        Ok(())
    }
}

/// Takes the features of a stream's batches back.
#[derive(Clone, Debug)]
pub struct Recycler(Weak<BatchMaker>);

impl Recycler {
    /// Takes features back that are not needed any more. Their memory is used for a batch to come: to get as
    /// much from the system for each batch would take longer than to fill it.
    pub fn take_back(&self, features: FeatureValues) {
        if let Some(maker) = self.0.upgrade() {
            maker.table.recycle(features);
        }
    }
}

impl BatchMaker {
    fn start(
        self: &Arc<Self>,
        threads: usize,
        first: Position,
    ) -> Result<Ahead<Positions, Batch, StreamError>, StreamError> {
        let (maker, window) = (self.clone(), BATCHES_PER_THREAD * threads);
        let positions = self.schedule.positions_from(first);
        let begin = || Buffers::new().map_err(|error| CacheError::from(error).into());
        let make = move |buffers: &mut Buffers, position| maker.make(position, buffers);
        Ahead::start(threads, window, positions, begin, make).map_err(StreamError::StartThreads)
    }
}

/// Identifies what the values of a row depend on, beside its position.
fn values_id(loaded: &Loaded, options: &StreamOptions) -> ShortHash {
    let names = loaded.columns.names();
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"splendor-prep stream values 1");
    hasher.update(&ENCODER_VERSION.to_le_bytes());
    hasher.update(&(names.len() as u64).to_le_bytes());
    for name in &names {
        hasher.update(name.as_bytes()).update(b"\0");
    }
    hasher.update(options.dtype.name().as_bytes()).update(options.masks.name().as_bytes());
    if let Some(scaler) = &loaded.scaler {
        hasher.update(scaler.id(&names).as_bytes());
    }
    if let Some(augment) = options.augment {
        hasher.update(b"augment").update(augment.name().as_bytes());
    }
    let WeightOptions { classes, game } = &options.weights;
    if !classes.is_empty() || game.is_some() {
        hasher.update(b"weights");
        loaded.weights.hash(&mut hasher);
        let of_games = loaded.rows.game_weights();
        of_games.iter().for_each(|weight| _ = hasher.update(&weight.to_le_bytes()));
    }
    hasher.finalize().into()
}
