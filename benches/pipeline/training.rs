//! Measures an epoch of training data from a stream and from alternatives.

use crate::instead::THREADS;
use crate::stopwatch::{Took, time};
use anyhow::{Result, ensure};
use splendor_prep::dataset::{
    Columns, DatasetOptions, Dtype, FeatureSet, MaskSource, Ratios, Split, SplitMethod,
};
use splendor_prep::stream::{Batch, Next, Stream, StreamOptions, WeightOptions};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The content of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub(crate) rows: u64,
    /// Sum of all labels.
    pub(crate) labels: i64,
}

/// The times of a stream.
pub(crate) struct Streamed {
    /// Time from opening to the first batch.
    pub(crate) first_batch: Took,
    /// Time of the second epoch; games are unpacked in the first.
    pub(crate) epoch: Took,
    pub(crate) content: Epoch,
}

/// Opens a stream of the training rows and reads two epochs of shuffled batches.
pub(crate) fn stream(cache: &Path, dtype: Dtype) -> Result<Streamed> {
    let options = StreamOptions {
        dataset: DatasetOptions {
            ratios: Ratios::new(0.8, 0.1, 0.1)?,
            split_method: SplitMethod::Hash,
            seed: 42,
            columns: Columns::of(FeatureSet::All),
            replayable_only: false,
            condition: None,
            shard: None,
        },
        split: Split::Train,
        masks: MaskSource::Legal,
        normalize: dtype != Dtype::Int8,
        dtype,
        scaler: None,
        weights: WeightOptions::default(),
        augment: None,
        batch_size: 512,
        shuffle: true,
        seed: 1,
        drop_last: false,
        rank: 0,
        world_size: 1,
        threads: THREADS,
    };
    let (first_batch, mut stream) = time(|| {
        let mut stream = Stream::open(cache, &options, &AtomicBool::new(false))?;
        let first = next(&mut stream)?;
        ensure!(first.is_some_and(|batch| batch.rows() > 0), "no first batch");
        Ok(stream)
    })?;
    take_epoch(&mut stream)?;
    let (epoch, content) = time(|| take_epoch(&mut stream))?;
    Ok(Streamed { first_batch, epoch, content })
}

fn take_epoch(stream: &mut Stream) -> Result<Epoch> {
    let recycler = stream.recycler();
    let mut epoch = Epoch::default();
    while let Some(batch) = next(stream)? {
        epoch.rows += batch.rows() as u64;
        epoch.labels += batch.labels.iter().flatten().map(|&label| i64::from(label)).sum::<i64>();
        recycler.take_back(batch.features);
    }
    Ok(epoch)
}

fn next(stream: &mut Stream) -> Result<Option<Batch>> {
    loop {
        match stream.next_within(Duration::from_secs(60))? {
            Next::Batch(batch) => return Ok(Some(*batch)),
            Next::EndOfEpoch => return Ok(None),
            Next::NotYet => {}
        }
    }
}

/// The lower bound: copies the same number of float32 rows in memory with the same number of threads,
/// from random rows of a large array to batches.
pub(crate) fn copy_rows(rows: u64) -> Result<Took> {
    const WIDTH: usize = splendor_prep::encode::FEATURE_COUNT;
    const STORED: usize = 20_000;
    let stored: Vec<[f32; WIDTH]> =
        (0..STORED).map(|row| std::array::from_fn(|column| (row + column) as f32)).collect();
    let rows_of_thread = rows as usize / THREADS;
    let copy = |thread: usize| -> f64 {
        let mut values = Vec::with_capacity(512 * WIDTH);
        let (mut state, mut sum) = (thread, 0.0);
        for row in 0..rows_of_thread {
            if row % 512 == 0 {
                values.clear();
            }
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            values.extend_from_slice(&stored[(state >> 33) % STORED]);
            sum += f64::from(values[values.len() - 1]);
        }
        sum
    };
    let (took, sums) = time(|| {
        Ok(std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let copy = &copy;
                    scope.spawn(move || copy(thread))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(f64::NAN)).sum::<f64>()
        }))
    })?;
    ensure!(sums > 0.0, "a thread copied nothing");
    Ok(took)
}
