//! The state of a stream, which can be stored.

use super::schedule::{Position, Schedule};
use serde::{Deserialize, Serialize};

/// Version of the orders and of the fields.
const VERSION: u32 = 1;

/// The position of a stream, and what identifies the stream; less than 300 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamState {
    /// Version of the orders and of these fields.
    pub version: u32,
    /// Hash of the games of the split, their logs and their order.
    pub data: String,
    /// Hash of the inputs of the values: columns, type, masks and scaler.
    pub values: String,
    /// Seed of the orders.
    pub seed: u64,
    /// Whether each epoch has its own random order.
    pub shuffle: bool,
    /// Number of rows of a batch over all ranks.
    pub batch_size: u64,
    /// Whether a smaller last batch is dropped.
    pub drop_last: bool,
    /// From 0.
    pub epoch: u64,
    /// Number of batches of this epoch that were given.
    pub step: u64,
}

/// Why a stream cannot resume from a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It has a version with other orders.
    #[error("the state has version {0}, this prep knows version {VERSION}")]
    Version(u32),
    /// Other games.
    #[error(
        "the state belongs to other data ({found}, this stream has {expected}): the games of the split or \
         their logs differ; open the stream with the cache and the split of the state, or select the \
         games of that time with where="
    )]
    Data {
        /// The hash in the state.
        found: String,
        /// The value of the stream.
        expected: String,
    },
    /// The games are the same, but the values differ.
    #[error(
        "the state belongs to a stream with other values ({found}, this stream has {expected}): \
         open the stream with the same features, dtype, masks, scaler, weights and augment"
    )]
    Values {
        /// The hash in the state.
        found: String,
        /// The value of the stream.
        expected: String,
    },
    /// The rows are the same, but their order differs.
    #[error(
        "the state has {option}={found}, but this stream has {option}={expected}: open it with \
         {option}={found}"
    )]
    Option {
        /// The name of the option.
        option: &'static str,
        /// The value in the state.
        found: String,
        /// The value of the stream.
        expected: String,
    },
    /// No stream can have this position.
    #[error("the state has step={step}, but an epoch has only {steps} batches")]
    Step {
        /// The value in the state.
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

    /// Serializes it as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names and numbers")
    }

    /// Parses the output of [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// If it is not such a state.
    pub fn from_json(json: &str) -> serde_json::Result<StreamState> {
        serde_json::from_str(json)
    }

    /// The position, if this state belongs to a stream like the one with the state `stream`.
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

/// The Python spelling of the option's value.
fn python_bool(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}
