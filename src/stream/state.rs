//! Where a stream is, in a form that can be stored.

use super::schedule::{Position, Schedule};
use serde::{Deserialize, Serialize};

/// Version of the orders and of the fields.
const VERSION: u32 = 1;

/// Where a stream is, and what tells it from other streams; less than 300 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamState {
    /// Of the orders and of these fields.
    pub version: u32,
    /// Hash of the games of the split, their logs and their order.
    pub data: String,
    /// Hash of what the values depend on: columns, type, masks and scaler.
    pub values: String,
    /// What the orders depend on.
    pub seed: u64,
    /// Whether each epoch has a random order of its own.
    pub shuffle: bool,
    /// Rows of a batch, all ranks together.
    pub batch_size: u64,
    /// Whether a smaller last batch is left out.
    pub drop_last: bool,
    /// From 0.
    pub epoch: u64,
    /// Batches of this epoch that were given.
    pub step: u64,
}

/// Why a stream cannot go on from a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is of a version whose orders are unknown here.
    #[error("the state is of version {0} of the stream, and this prep knows version {VERSION}")]
    Version(u32),
    /// Other games.
    #[error(
        "the state is of other data ({found}, this stream has {expected}): the games of the split or \
         their logs are not the same; open the stream on the cache, and with the split, that the state \
         is from"
    )]
    Data {
        /// The hash in the state.
        found: String,
        /// The stream's.
        expected: String,
    },
    /// The same games, but batches with other numbers.
    #[error(
        "the state is of a stream with other values ({found}, this stream has {expected}): open the \
         stream with the same features, dtype, masks, scaler, weights and augment"
    )]
    Values {
        /// The hash in the state.
        found: String,
        /// The stream's.
        expected: String,
    },
    /// The same rows in another order.
    #[error(
        "the state has {option}={found}, this stream {option}={expected}: open it with {option}={found}"
    )]
    Option {
        /// The option's name.
        option: &'static str,
        /// In the state.
        found: String,
        /// The stream's.
        expected: String,
    },
    /// No stream was ever there.
    #[error("the state has step={step}, and an epoch has {steps} batches")]
    Step {
        /// In the state.
        step: u64,
        /// Batches of an epoch.
        steps: u64,
    },
}

impl StreamState {
    pub(super) fn new(
        data: String,
        values: String,
        schedule: &Schedule,
        Position { epoch, step }: Position,
    ) -> StreamState {
        let &Schedule { seed, shuffle, batch_size, drop_last, .. } = schedule;
        let version = VERSION;
        StreamState { version, data, values, seed, shuffle, batch_size, drop_last, epoch, step }
    }

    /// As one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names and numbers")
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// If it is something else.
    pub fn from_json(json: &str) -> serde_json::Result<StreamState> {
        serde_json::from_str(json)
    }

    /// The position, if this is a state of a stream that is like the one with the state `stream`.
    pub(super) fn position(
        &self,
        stream: &StreamState,
        schedule: &Schedule,
    ) -> Result<Position, StateError> {
        if self.version != VERSION {
            return Err(StateError::Version(self.version));
        }
        let pair = |found: &str, expected: &str| (found.to_owned(), expected.to_owned());
        if self.data != stream.data {
            let (found, expected) = pair(&self.data, &stream.data);
            return Err(StateError::Data { found, expected });
        }
        if self.values != stream.values {
            let (found, expected) = pair(&self.values, &stream.values);
            return Err(StateError::Values { found, expected });
        }
        let options = |state: &StreamState| {
            let StreamState { seed, shuffle, batch_size, drop_last, .. } = state;
            [
                ("seed", seed.to_string()),
                ("shuffle", python_bool(*shuffle)),
                ("batch_size", batch_size.to_string()),
                ("drop_last", python_bool(*drop_last)),
            ]
        };
        for ((option, found), (_, expected)) in options(self).into_iter().zip(options(stream)) {
            if found != expected {
                return Err(StateError::Option { option, found, expected });
            }
        }
        let (step, steps) = (self.step, schedule.steps());
        if step > steps {
            return Err(StateError::Step { step, steps });
        }
        Ok(Position { epoch: self.epoch, step })
    }
}

/// As the option is written in Python.
fn python_bool(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}
