//! Gives batches, epoch after epoch.

use super::batch::{Batch, BatchMaker, Buffers};
use super::error::StreamError;
use super::load::Loaded;
use super::options::StreamOptions;
use super::schedule::{Position, Positions, Schedule};
use super::state::{StateError, StreamState};
use super::weights::WeightOptions;
use crate::cache::{CacheError, Reader};
use crate::dataset::{Dtype, FeatureTable, FeatureValues, Scaler, ShortHash};
use crate::encode::ENCODER_VERSION;
use crate::parallel::{Ahead, Waited};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard, Weak};
use std::time::Duration;

/// The next item of a stream.
#[derive(Debug)]
pub enum Next {
    /// A batch.
    Batch(Box<Batch>),
    /// The batch is not ready yet.
    NotYet,
    /// The epoch is over; the next batch belongs to the next epoch.
    EndOfEpoch,
}

/// The batches of one split, epoch after epoch.
#[derive(Debug)]
pub struct Stream {
    maker: Arc<BatchMaker>,
    threads: usize,
    position: Position,
    /// Batches from the position on; `None` until the first one is requested.
    ahead: Option<Ahead<Positions, Batch, StreamError>>,
    data: ShortHash,
    values: ShortHash,
}

/// Read by each thread while it makes a batch.
static MAKING: RwLock<()> = RwLock::new(());

/// Waits until no thread of any stream makes a batch; none begins one while the result lives.
///
/// For a fork: a thread that is not in the new process would never release the locks that it had, and the
/// stream there would wait for them.
pub fn pause() -> RwLockWriteGuard<'static, ()> {
    MAKING.write().unwrap_or_else(PoisonError::into_inner)
}

/// Batches that each thread may be ahead of the consumer.
const BATCHES_PER_THREAD: usize = 2;

impl Stream {
    /// Reads the games of a split into memory; the cache is not used afterwards. A game is unpacked when
    /// the first batch needs one of its rows.
    ///
    /// Ends early with [`StreamError::Interrupted`] when `stop` is set.
    ///
    /// # Errors
    /// If the dataset cannot be opened, or the cache is damaged.
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

    /// Number of rows of an epoch over all ranks.
    pub fn rows(&self) -> u64 {
        self.maker.schedule.rows
    }

    /// The names of the columns.
    pub fn columns(&self) -> Vec<&'static str> {
        self.maker.loaded.columns.names()
    }

    /// The scaler that the features are normalized with; `None` if they are not.
    pub fn scaler(&self) -> Option<&Scaler> {
        self.maker.loaded.scaler.as_ref()
    }

    /// Batches of an epoch.
    pub fn steps(&self) -> u64 {
        self.maker.schedule.steps()
    }

    /// The position of the next batch.
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

    /// A handle that takes the features of its batches back.
    pub fn recycler(&self) -> Recycler {
        Recycler(Arc::downgrade(&self.maker))
    }

    /// The state of the stream.
    pub fn state(&self) -> StreamState {
        let (data, values) = (self.data.to_string(), self.values.to_string());
        StreamState::new(data, values, &self.maker.schedule, self.position)
    }

    /// Continues from the state of a stream with the same data and options; rank, number of ranks and
    /// number of threads may differ.
    ///
    /// # Errors
    /// If the state belongs to another stream.
    pub fn load_state(&mut self, state: &StreamState) -> Result<(), StateError> {
        let position = state.position(&self.state(), &self.maker.schedule)?;
        if position != self.position {
            (self.position, self.ahead) = (position, None);
        }
        Ok(())
    }
}

/// Takes the features of a stream's batches back to reuse their memory.
#[derive(Clone, Debug)]
pub struct Recycler(Weak<BatchMaker>);

impl Recycler {
    /// Takes features that are no longer needed. Their memory is reused for a later batch, because
    /// allocating it from the system would take longer than filling it.
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
        let make = move |buffers: &mut Buffers, position| {
            let _making = MAKING.read().unwrap_or_else(PoisonError::into_inner);
            maker.make(position, buffers)
        };
        Ahead::start(threads, window, positions, begin, make).map_err(StreamError::StartThreads)
    }
}

/// Identifies the inputs of a row's values besides its position.
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
