//! Batches in memory, for training directly from the cache.
//!
//! A [`Stream`] holds the rows of a split as positions of 118 bytes. Threads encode them, normalize the
//! values and fill the arrays of the next batches while a network is trained on the current one; the
//! values equal those of an export with the same options. Nothing is written.
//!
//! | file | duty |
//! | --- | --- |
//! | `rows.rs`, `load.rs` | the positions, and loading them from the cache |
//! | `order.rs` | the order of an epoch, a function of seed and epoch |
//! | `schedule.rs` | the places of the order in each batch, and the part of each rank |
//! | `weights.rs` | the weights of rows |
//! | `batch.rs` | the arrays of a batch |
//! | `epochs.rs` | batches, computed ahead |
//! | `state.rs` | the state of a stream, to resume it |
//!
//! A batch is a function of the data, the options and the [`Position`], and is made by one thread. So it
//! depends neither on the number of threads nor on earlier batches.

mod batch;
mod epochs;
mod error;
mod load;
mod options;
mod order;
mod rows;
mod schedule;
mod state;
mod weights;

pub use batch::Batch;
pub use epochs::{Next, Recycler, Stream, pause};
pub use error::StreamError;
pub use options::{Augment, StreamOptions};
pub use order::Order;
pub use schedule::Position;
pub use state::{StateError, StreamState};
pub use weights::{ClassWeights, WeightOptions};
