//! Batches do not depend on interruptions, the number of threads, or the number of ranks.

use super::{StreamHash, epoch, ingested, next, open, options, rows_of};
use rand_mt::Mt64;
use splendor_prep::dataset::{Columns, Dtype, FeatureSet, Split};
use splendor_prep::stream::{StateError, StreamOptions, StreamState};

const EPOCHS: u64 = 2;

/// Small rows, so that hundreds of them are compared quickly.
fn small(batch_size: u64) -> StreamOptions {
    let mut options = options(Split::Train);
    options.dataset.columns = Columns::of(FeatureSet::Base);
    StreamOptions { normalize: false, dtype: Dtype::Int8, batch_size, ..options }
}

#[test]
fn resume_continues_same_batches() {
    let test = ingested(6);
    let options = small(16);
    let mut whole = open(&test, &options);
    let mut expected = StreamHash::default();
    let mut batches = 0;
    for _ in 0..EPOCHS {
        for batch in epoch(&mut whole) {
            expected.add(&rows_of(&batch));
            batches += 1;
        }
    }
    let expected = expected.finish();
    assert!(batches > 30);

    // At any batch, including the end of an epoch before the next one begins.
    let mut random = Mt64::new(5);
    for interruption in 0..200 {
        let stop_at = random.next_u64() % batches;
        let threads = 1 + interruption % 4;
        let mut stream = open(&test, &StreamOptions { threads: 2, ..options.clone() });
        let mut hash = StreamHash::default();
        let mut given = 0;
        while given < stop_at {
            if let Some(batch) = next(&mut stream) {
                hash.add(&rows_of(&batch));
                given += 1;
            }
        }
        let state = stream.state().to_json();
        drop(stream);
        let mut stream = open(&test, &StreamOptions { threads, ..options.clone() });
        stream.load_state(&StreamState::from_json(&state).unwrap()).unwrap();
        while given < batches {
            if let Some(batch) = next(&mut stream) {
                hash.add(&rows_of(&batch));
                given += 1;
            }
        }
        assert_eq!(hash.finish(), expected, "interrupted after {stop_at} batches");
    }
}

#[test]
fn state_loaded_into_a_running_stream() {
    let test = ingested(4);
    let mut stream = open(&test, &small(16));
    let first = rows_of(&next(&mut stream).unwrap());
    let state = stream.state();
    let second = rows_of(&next(&mut stream).unwrap());
    next(&mut stream).unwrap();
    stream.load_state(&state).unwrap();
    assert!(rows_of(&next(&mut stream).unwrap()) == second && first != second);
}

#[test]
fn ranks_and_threads_see_the_same_batches() {
    let test = ingested(6);
    // The last batch of an epoch has fewer rows than the largest number of ranks.
    let options = small(60);
    let mut expected = None;
    for world_size in [1, 2, 3, 5, 7] {
        for threads in 1..=4 {
            let mut ranks: Vec<_> = (0..world_size)
                .map(|rank| {
                    open(&test, &StreamOptions { rank, world_size, threads, ..options.clone() })
                })
                .collect();
            let mut hash = StreamHash::default();
            for _ in 0..EPOCHS {
                loop {
                    let parts: Vec<_> = ranks.iter_mut().map(next).collect();
                    if parts.iter().all(Option::is_none) {
                        break;
                    }
                    let rows: Vec<_> =
                        parts.into_iter().flat_map(|part| rows_of(&part.unwrap())).collect();
                    hash.add(&rows);
                }
            }
            let hash = hash.finish();
            let expected = *expected.get_or_insert(hash);
            assert_eq!(hash, expected, "{world_size} ranks, {threads} threads");
        }
    }
}

#[test]
fn resume_with_other_ranks() {
    let test = ingested(4);
    let options = small(30);
    let mut one = open(&test, &options);
    next(&mut one).unwrap();
    let state = one.state();
    let expected = rows_of(&next(&mut one).unwrap());
    let mut found = Vec::new();
    for rank in 0..4 {
        let mut part = open(&test, &StreamOptions { rank, world_size: 4, ..options.clone() });
        part.load_state(&state).unwrap();
        found.extend(rows_of(&next(&mut part).unwrap()));
    }
    assert!(found == expected);
}

#[test]
fn states_of_other_streams() {
    let test = ingested(4);
    let options = small(16);
    let stream = open(&test, &options);
    let state = stream.state();
    let far = StreamState { epoch: u64::MAX, step: u64::MAX, seed: u64::MAX, ..state.clone() };
    assert!(far.to_json().len() < 300, "{}", far.to_json());

    let refusal = |options: &StreamOptions| open(&test, options).load_state(&state).unwrap_err();
    let other_split = StreamOptions { split: Split::Val, ..options.clone() };
    assert!(matches!(refusal(&other_split), StateError::Data { .. }));
    let other_type = StreamOptions { dtype: Dtype::Float32, ..options.clone() };
    assert!(matches!(refusal(&other_type), StateError::Values { .. }));
    for (other, message) in [
        (
            StreamOptions { seed: 9, ..options.clone() },
            "the state has seed=1, but this stream has seed=9",
        ),
        (
            StreamOptions { batch_size: 8, ..options.clone() },
            "batch_size=16, but this stream has batch_size=8",
        ),
        (
            StreamOptions { shuffle: false, ..options.clone() },
            "shuffle=True, but this stream has shuffle=False",
        ),
        (StreamOptions { drop_last: true, ..options.clone() }, "open it with drop_last=False"),
    ] {
        let error = refusal(&other).to_string();
        assert!(error.contains(message), "{error}");
    }
    let mut stream = open(&test, &options);
    let beyond = StreamState { step: stream.steps() + 1, ..state.clone() };
    assert!(matches!(stream.load_state(&beyond), Err(StateError::Step { .. })));
    let newer = StreamState { version: 2, ..state.clone() };
    assert_eq!(stream.load_state(&newer), Err(StateError::Version(2)));
    for text in ["", "{}", "[]", &state.to_json().replace("seed", "speed")] {
        assert!(StreamState::from_json(text).is_err(), "{text}");
    }

    // A changed game is different data.
    let mut options = options;
    options.dataset.ratios = splendor_prep::dataset::Ratios::new(1.0, 0.0, 0.0).unwrap();
    let before = open(&test, &options).state();
    let log = test.files("raw").into_keys().next().unwrap();
    let text = String::from_utf8(test.read(test.path("raw").join(&log))).unwrap();
    let (head, _) = text.trim_end().rsplit_once('\n').unwrap();
    test.write(test.path("raw").join(&log), format!("{head}\n"));
    test.prep("ingest raw");
    let now = open(&test, &options).state();
    assert_ne!(now.data, before.data);
    let error = open(&test, &options).load_state(&before).unwrap_err().to_string();
    assert!(error.contains(&before.data) && error.contains(&now.data), "{error}");
}
