//! Batches in memory, to train on straight from the cache.
//!
//! A [`Stream`] holds the rows of one split as positions of 118 bytes. Threads encode them, normalize the
//! values and fill the arrays of the next batches while a network is trained on one; the numbers are
//! those of an export with the same options. Nothing is written.
//!
//! | file | duty |
//! | --- | --- |
//! | `rows.rs`, `load.rs` | the positions, and how they come from the cache |
//! | `order.rs` | the order of an epoch, a function of seed and epoch |
//! | `schedule.rs` | which places of the order are in which batch, of which rank |
//! | `weights.rs` | how much each row counts |
//! | `batch.rs` | the arrays of a batch |
//! | `epochs.rs` | one batch after another, made ahead |
//! | `state.rs` | where a stream is, to go on there |
//!
//! A batch is a function of the data, the options and the [`Position`], and it is made by one thread. So
//! neither the number of threads nor what was asked for before changes it.

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
pub use epochs::{Next, Recycler, Stream};
pub use error::StreamError;
pub use options::{Augment, StreamOptions};
pub use order::Order;
pub use schedule::Position;
pub use state::{StateError, StreamState};
pub use weights::{ClassWeights, WeightOptions};
