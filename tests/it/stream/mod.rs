//! Streams: batches directly from the cache, compared with exports and with each other.

mod augment;
mod decoding;
mod equality;
mod resume;
mod weights;

use crate::support::cli::CliTest;
use crate::support::export::HEADS;
use splendor_prep::dataset::{
    Columns, DatasetOptions, Dtype, FeatureSet, FeatureValues, MaskSource, Ratios, Split,
    SplitMethod,
};
use splendor_prep::stream::{Batch, Next, Stream, StreamError, StreamOptions, WeightOptions};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

static NEVER: AtomicBool = AtomicBool::new(false);

/// A folder with simulated games in the cache.
fn ingested(games: u32) -> CliTest {
    let test = CliTest::new();
    test.prep(&format!("simulate raw --games {games}"));
    test.prep("ingest raw");
    test
}

/// The defaults of `prep export --split 0.5,0.3,0.2`, in batches of 64 rows.
fn options(split: Split) -> StreamOptions {
    StreamOptions {
        dataset: DatasetOptions {
            ratios: Ratios::new(0.5, 0.3, 0.2).unwrap(),
            split_method: SplitMethod::Hash,
            seed: 42,
            columns: Columns::of(FeatureSet::All),
            replayable_only: false,
            condition: None,
            shard: None,
        },
        split,
        masks: MaskSource::Legal,
        normalize: true,
        dtype: Dtype::Float32,
        scaler: None,
        weights: WeightOptions::default(),
        augment: None,
        batch_size: 64,
        shuffle: true,
        seed: 1,
        drop_last: false,
        rank: 0,
        world_size: 1,
        threads: 2,
    }
}

fn try_open(test: &CliTest, options: &StreamOptions) -> Result<Stream, StreamError> {
    Stream::open(&test.path("data/intermediate/prep.sqlite"), options, &NEVER)
}

fn open(test: &CliTest, options: &StreamOptions) -> Stream {
    try_open(test, options).unwrap()
}

/// The next batch; `None` at the end of an epoch.
fn next(stream: &mut Stream) -> Option<Batch> {
    loop {
        match stream.next_within(Duration::from_secs(1)).unwrap() {
            Next::Batch(batch) => return Some(*batch),
            Next::EndOfEpoch => return None,
            Next::NotYet => {}
        }
    }
}

/// The remaining batches of an epoch.
fn epoch(stream: &mut Stream) -> Vec<Batch> {
    std::iter::from_fn(|| next(stream)).collect()
}

/// The bytes of features, as in a file.
fn bytes_of(features: &FeatureValues) -> Vec<u8> {
    match features {
        FeatureValues::Float32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        FeatureValues::Float16(bits) => bits.iter().flat_map(|v| v.to_le_bytes()).collect(),
        FeatureValues::Int8(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

/// All values of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    game_id: i64,
    row_in_game: i32,
    turn_number: i32,
    labels: Vec<i32>,
    masks: Vec<i8>,
    outcome: Vec<i32>,
    features: Vec<u8>,
}

fn rows_of(batch: &Batch) -> Vec<Row> {
    let features = bytes_of(&batch.features);
    let rows = batch.rows();
    let width = features.len() / rows.max(1);
    (0..rows)
        .map(|row| Row {
            game_id: batch.game_ids[row],
            row_in_game: batch.rows_in_game[row],
            turn_number: batch.turn_numbers[row],
            labels: batch.labels.iter().map(|labels| labels[row]).collect(),
            masks: HEADS
                .iter()
                .zip(&batch.masks)
                .flat_map(|((_, classes), masks)| &masks[row * classes..(row + 1) * classes])
                .copied()
                .collect(),
            outcome: batch.outcomes.iter().map(|values| values[row]).collect(),
            features: features[row * width..(row + 1) * width].to_vec(),
        })
        .collect()
}

fn all_rows(batches: &[Batch]) -> Vec<Row> {
    batches.iter().flat_map(rows_of).collect()
}

/// A hash of the rows of a sequence of batches and their sizes.
#[derive(Default)]
struct StreamHash(blake3::Hasher);

impl StreamHash {
    fn add(&mut self, rows: &[Row]) {
        self.0.update(&rows.len().to_le_bytes());
        rows.iter().for_each(|row| _ = self.0.update(format!("{row:?}").as_bytes()));
    }

    fn finish(self) -> blake3::Hash {
        self.0.finalize()
    }
}
