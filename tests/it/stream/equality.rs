//! A stream gives the rows of an export.

use super::{all_rows, bytes_of, epoch, ingested, next, open, options, try_open};
use crate::support::cli::CliTest;
use crate::support::export::{Export, HEADS};
use crate::support::log_text::edited;
use splendor_prep::dataset::{Columns, Dtype, FeatureSet, MaskSource, Split, SplitMethod};
use splendor_prep::export::ExportedScaler;
use splendor_prep::gamelog::Outcome;
use splendor_prep::stream::{StreamError, StreamOptions};
use std::fs;

/// An unshuffled epoch equals the arrays of an export, byte for byte.
fn assert_equals_export(test: &CliTest, exported: &Export, options: &StreamOptions) {
    let name = options.split.name();
    let options = StreamOptions { shuffle: false, ..options.clone() };
    let mut stream = open(test, &options);
    let batches = epoch(&mut stream);

    let file = fs::read(exported.folder.join(format!("X_{name}.npy"))).unwrap();
    let features: Vec<u8> = batches.iter().flat_map(|batch| bytes_of(&batch.features)).collect();
    assert!(file[128..] == features, "X_{name}");
    let names: Vec<&str> = stream.columns();
    assert_eq!(exported.columns(), names);
    let joined = |of: &dyn Fn(&splendor_prep::stream::Batch) -> Vec<i32>| -> Vec<i32> {
        batches.iter().flat_map(of).collect()
    };
    for (at, (head, _)) in HEADS.into_iter().enumerate() {
        let labels = joined(&|batch| batch.labels[at].clone());
        assert!(exported.labels(name, head).to_vec() == labels, "labels of {head}");
        let masks: Vec<i8> = batches.iter().flat_map(|batch| batch.masks[at].clone()).collect();
        assert!(exported.masks(name, head).iter().eq(&masks), "masks of {head}");
    }
    for (at, outcome) in Outcome::NAMES.into_iter().enumerate() {
        let values = joined(&|batch| batch.outcomes[at].clone());
        assert!(exported.outcome(name, outcome).to_vec() == values, "{outcome}");
    }
    let index = exported.index(name);
    let game_ids: Vec<i64> = batches.iter().flat_map(|batch| batch.game_ids.clone()).collect();
    assert!(index.game_id.to_vec() == game_ids);
    assert!(index.turn_number.to_vec() == joined(&|batch| batch.turn_numbers.clone()));
    assert!(index.row_in_game.to_vec() == joined(&|batch| batch.rows_in_game.clone()));
    assert_eq!(stream.rows(), game_ids.len() as u64);
    assert_eq!(stream.steps(), batches.len() as u64);
}

#[test]
fn unshuffled_equals_export() {
    let test = ingested(24);
    let export = |out: &str, options: &str| {
        test.prep(&format!("export --out {out} --split 0.5,0.3,0.2 {options}"));
        Export { folder: test.path(out) }
    };
    let base = options(Split::Train);
    let earlier = export("earlier", "--seed 7");
    let scaler = ExportedScaler::load(&earlier.folder).unwrap().scaler().clone();
    let cases: [(&str, StreamOptions); 6] = [
        ("", base.clone()),
        ("--split-method sklearn --seed 3", {
            let mut options = base.clone();
            (options.dataset.split_method, options.dataset.seed) = (SplitMethod::Sklearn, 3);
            options
        }),
        ("--features base --dtype float16", {
            let mut options = StreamOptions { dtype: Dtype::Float16, ..base.clone() };
            options.dataset.columns = Columns::of(FeatureSet::Base);
            options
        }),
        ("--no-normalize --dtype int8", {
            StreamOptions { normalize: false, dtype: Dtype::Int8, ..base.clone() }
        }),
        ("--no-normalize --features base --masks all-ones", {
            let masks = MaskSource::AllOnes;
            let mut options = StreamOptions { normalize: false, masks, ..base.clone() };
            options.dataset.columns = Columns::of(FeatureSet::Base);
            options
        }),
        ("--scaler-from earlier", StreamOptions { scaler: Some(scaler), ..base.clone() }),
    ];
    for (at, (words, options)) in cases.into_iter().enumerate() {
        let exported = export(&format!("case{at}"), words);
        for split in Split::ALL {
            assert_equals_export(&test, &exported, &StreamOptions { split, ..options.clone() });
        }
    }
    // A different split of the games gives a different scaler.
    assert_ne!(earlier.scaler(), Export { folder: test.path("case0") }.scaler());
}

#[test]
fn games_that_do_not_replay() {
    let test = CliTest::new();
    test.prep("simulate raw --games 24");
    let good = test.read("raw/2_games/4.csv");
    test.write("raw/2_games/4.csv", edited(&good, |log| log.set(5, "player1_vp", "60")));
    test.prep("ingest raw");
    let mut rows = Vec::new();
    for (out, words) in [("all", ""), ("only", "--replayable-only")] {
        test.prep(&format!("export --out {out} --split 0.5,0.3,0.2 {words}"));
        let exported = Export { folder: test.path(out) };
        let mut count = 0;
        for split in Split::ALL {
            let mut options = options(split);
            options.dataset.replayable_only = out == "only";
            assert_equals_export(&test, &exported, &options);
            count += open(&test, &options).rows();
        }
        rows.push(count);
    }
    assert!(rows[1] < rows[0], "{rows:?}");
}

#[test]
fn games_that_meet_a_condition() {
    let test = ingested(24);
    test.prep("export --out some --split 0.5,0.3,0.2 --where players<>3");
    let exported = Export { folder: test.path("some") };
    for split in Split::ALL {
        let mut options = options(split);
        options.dataset.condition = Some("players <> 3".to_owned());
        assert_equals_export(&test, &exported, &options);
    }
}

#[test]
fn shuffled_epochs_have_the_same_rows() {
    let test = ingested(12);
    let options = options(Split::Train);
    let stored =
        all_rows(&epoch(&mut open(&test, &StreamOptions { shuffle: false, ..options.clone() })));
    assert!(stored.is_sorted_by_key(|row| (row.game_id, row.row_in_game)));
    let mut stream = open(&test, &options);
    let mut orders = Vec::new();
    for number in 0..3 {
        assert_eq!((stream.position().epoch, stream.position().step), (number, 0));
        let rows = all_rows(&epoch(&mut stream));
        let mut sorted = rows.clone();
        sorted.sort();
        // Compares features, labels and masks by row, to detect mixed-up rows.
        assert!(sorted == stored, "epoch {number}");
        orders.push(rows);
    }
    assert!(orders[0] != orders[1] && orders[1] != orders[2] && orders[0] != stored);
    let again = all_rows(&epoch(&mut open(&test, &options)));
    assert!(again == orders[0], "the order is a function of the seed");
    let other = all_rows(&epoch(&mut open(&test, &StreamOptions { seed: 2, ..options })));
    assert!(other != orders[0]);
}

#[test]
fn empty_split() {
    let test = ingested(3);
    let mut options = options(Split::Test);
    options.dataset.ratios = splendor_prep::dataset::Ratios::new(1.0, 0.0, 0.0).unwrap();
    let mut stream = open(&test, &options);
    assert_eq!((stream.rows(), stream.steps()), (0, 0));
    for number in 0..3 {
        assert_eq!(stream.position().epoch, number);
        assert!(next(&mut stream).is_none());
    }
}

#[test]
fn invalid_options() {
    let test = ingested(3);
    let integers = StreamOptions { dtype: Dtype::Int8, ..options(Split::Train) };
    assert!(matches!(try_open(&test, &integers), Err(StreamError::NormalizedIntegers)));
    let mut no_training_rows = options(Split::Val);
    no_training_rows.dataset.ratios =
        splendor_prep::dataset::Ratios::new(0.001, 0.999, 0.0).unwrap();
    let error = try_open(&test, &no_training_rows).unwrap_err().to_string();
    assert!(error.starts_with("there are no training rows"), "{error}");
    let none = CliTest::new();
    assert!(matches!(try_open(&none, &options(Split::Train)), Err(StreamError::Cache(_))));
}
