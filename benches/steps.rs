//! Benchmarks of single steps of an ingest and an export, on a game of average length.
//!
//! `cargo bench --bench steps`. The result of each step is checked before it is timed. The `pipeline`
//! benchmark measures whole runs, with files and threads.

// The macros of criterion create undocumented functions.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use splendor_prep::cache::{CacheKey, GameRecord, PackedGame, Packer, Reader, Unpacker, Writer};
use splendor_prep::dataset::{Columns, Dtype, FeatureSet, FeatureTable, FeatureValues, Scaler};
use splendor_prep::encode::{EncodedGame, FEATURE_COUNT, FEATURES};
use splendor_prep::gamelog::{Dialect, GameId, LogSummary, ReadOptions, Turn, read_log, write_log};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

static NEVER: AtomicBool = AtomicBool::new(false);

const GAME: GameId = GameId(1);

/// A game with three players, of about average length.
struct Sample {
    turns: Vec<Turn>,
    log: Vec<u8>,
    encoded: EncodedGame,
}

impl Sample {
    fn play() -> Sample {
        let turns = simulate_game(PlayerCount::Three, 1);
        let mut log = Vec::new();
        write_log(&mut log, GAME, &turns, Dialect::Empty).unwrap();
        let mut encoded = EncodedGame::default();
        turns.iter().for_each(|turn| encoded.push(turn));
        Sample { turns, log, encoded }
    }

    fn rows(&self) -> Throughput {
        Throughput::Elements(self.turns.len() as u64)
    }

    fn bytes(&self) -> Throughput {
        Throughput::Bytes(self.log.len() as u64)
    }

    fn record(&self) -> GameRecord {
        let key = CacheKey::now(&self.log, ReadOptions::default());
        let summary = read(&self.log, |_| ());
        GameRecord::new(GAME, "1.csv".into(), self.log.len() as u64, key, &summary)
    }
}

fn read(log: &[u8], each_turn: impl FnMut(&Turn)) -> LogSummary {
    read_log(log, Path::new("1.csv"), GAME, ReadOptions::default(), each_turn).unwrap()
}

fn hash(criterion: &mut Criterion) {
    let sample = Sample::play();
    let mut in_pieces = blake3::Hasher::new();
    sample.log.chunks(1_000).for_each(|piece| _ = in_pieces.update(piece));
    assert_eq!(blake3::hash(&sample.log), in_pieces.finalize());

    let mut group = criterion.benchmark_group("hash");
    group.throughput(sample.bytes());
    group.bench_function("a log", |bench| bench.iter(|| blake3::hash(black_box(&sample.log))));
}

fn read_a_game(criterion: &mut Criterion) {
    let sample = Sample::play();
    let mut turns = Vec::new();
    read(&sample.log, |turn| turns.push(turn.clone()));
    assert_eq!(turns, sample.turns);

    let mut group = criterion.benchmark_group("read");
    group.throughput(sample.bytes());
    group.bench_function("a game", |bench| {
        bench.iter(|| {
            read(black_box(&sample.log), |turn| {
                black_box(turn);
            })
        });
    });
}

fn encode_a_game(criterion: &mut Criterion) {
    let sample = Sample::play();
    let mut encoded = EncodedGame::default();
    let encode = |encoded: &mut EncodedGame| {
        encoded.clear();
        black_box(&sample.turns).iter().for_each(|turn| encoded.push(turn));
    };
    // Twice, to check that reused buffers make no difference.
    for _ in 0..2 {
        encode(&mut encoded);
        assert_eq!(encoded.features(), sample.encoded.features());
        assert_eq!(encoded.features().len(), sample.turns.len());
    }

    let mut group = criterion.benchmark_group("encode");
    group.throughput(sample.rows());
    group.bench_function("a game", |bench| bench.iter(|| encode(&mut encoded)));
}

fn pack_and_unpack(criterion: &mut Criterion) {
    let sample = Sample::play();
    let record = sample.record();
    let (mut packer, mut unpacker) = (Packer::new().unwrap(), Unpacker::new().unwrap());
    let packed = packer.pack(record.clone(), &sample.encoded).unwrap();
    let unpacked = unpacker.unpack(&packed).unwrap();
    assert!(unpacked.features() == sample.encoded.features());
    assert_eq!(unpacked.turn_numbers(), sample.encoded.turn_numbers());

    let mut group = criterion.benchmark_group("blobs");
    group.throughput(sample.rows());
    group.bench_function("pack a game", |bench| {
        bench.iter(|| packer.pack(record.clone(), black_box(&sample.encoded)).unwrap());
    });
    group.bench_function("unpack a game", |bench| {
        bench.iter(|| unpacker.unpack(black_box(&packed)).unwrap().features().len());
    });
}

/// The work of the writing thread: three batches of an ingest, each committed and synced.
fn store_games(criterion: &mut Criterion) {
    const GAMES: i64 = 1_500;
    let sample = Sample::play();
    let packed = Packer::new().unwrap().pack(sample.record(), &sample.encoded).unwrap();
    let games: Vec<PackedGame> = (1..=GAMES)
        .map(|game_id| {
            let record = GameRecord { game_id: GameId(game_id), ..packed.record.clone() };
            PackedGame::from_blobs(record, packed.blobs())
        })
        .collect();
    let new_cache = || {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join("prep.sqlite");
        let writer = Writer::open(&path, Duration::ZERO, &NEVER).unwrap();
        (writer, folder)
    };
    let store = |writer: &Writer<'_>| {
        for batch_of_games in games.chunks(500) {
            for game in batch_of_games {
                writer.put(game, &[], None).unwrap();
            }
            writer.commit().unwrap();
        }
    };
    let (writer, folder) = new_cache();
    store(&writer);
    drop(writer);
    let reader = Reader::open(&folder.path().join("prep.sqlite")).unwrap();
    assert_eq!(reader.game_count().unwrap(), GAMES as u64);
    let mut unpacker = Unpacker::new().unwrap();
    for game_id in [GameId(1), GameId(GAMES)] {
        assert_eq!(reader.all_damage(game_id, &mut unpacker).unwrap(), []);
        let (_, rows) = reader.game(game_id, &mut unpacker).unwrap().unwrap();
        assert!(rows.features() == sample.encoded.features());
    }

    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Elements(GAMES as u64));
    group.sample_size(20);
    group.bench_function("1,500 games", |bench| {
        bench.iter_batched_ref(new_cache, |(writer, _)| store(writer), BatchSize::PerIteration);
    });
}

fn normalize(criterion: &mut Criterion) {
    let sample = Sample::play();
    let flags: Vec<bool> = FEATURES.iter().map(|feature| feature.normalized).collect();
    let scaler = Scaler::fit(&sample.encoded.column_sums(), &flags).unwrap();
    let columns = Columns::of(FeatureSet::All);
    let table = FeatureTable::new(&columns, Some(&scaler), Dtype::Float32);
    let rows = sample.encoded.features();
    let values: Vec<f32> = rows.iter().flatten().map(|&value| value.into()).collect();
    let turn_numbers = vec![1; rows.len()];
    let normalize_rows = || table.look_up(black_box(rows), &turn_numbers).unwrap();
    let FeatureValues::Float32(block) = normalize_rows() else { panic!("float32") };
    // On the rows that the scaler was fitted on, a normalized column has mean 0 and standard deviation 1
    // unless it is constant; the others are unchanged.
    for (column, &normalized) in flags.iter().enumerate() {
        let of_column = |rows: &[f32]| -> Vec<f32> {
            rows[column..].iter().step_by(FEATURE_COUNT).copied().collect()
        };
        let (before, after) = (of_column(&values), of_column(&block));
        if normalized {
            let (mean, deviation) = mean_and_deviation(&after);
            let is_constant = before.iter().all(|value| *value == before[0]);
            let expected = if is_constant { 0.0 } else { 1.0 };
            assert!(mean.abs() < 1e-5 && (deviation - expected).abs() < 1e-5, "column {column}");
        } else {
            assert_eq!(after, before, "column {column}");
        }
    }

    let mut group = criterion.benchmark_group("normalize");
    group.throughput(sample.rows());
    group.bench_function("a block", |bench| bench.iter(|| table.recycle(normalize_rows())));
}

fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let values: Vec<f64> = values.iter().copied().map(f64::from).collect();
    let mean = mean_of(&values);
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    (mean, mean_of(&squares).sqrt())
}

criterion_group!(steps, hash, read_a_game, encode_a_game, pack_and_unpack, store_games, normalize);
criterion_main!(steps);
