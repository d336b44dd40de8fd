//! The weight of each row, computed independently from its labels and its game.

use super::{epoch, ingested, open, options, rows_of, try_open};
use splendor_prep::dataset::Split;
use splendor_prep::encode::Head;
use splendor_prep::stream::{ClassWeights, StreamOptions, WeightOptions};
use std::collections::BTreeMap;

fn weighted(split: Split, weights: WeightOptions) -> StreamOptions {
    StreamOptions { weights, shuffle: false, ..options(split) }
}

#[test]
fn weights_by_label_and_game() {
    let test = ingested(24);
    // By number of players, which follows from the game id in simulated games.
    let players: BTreeMap<i64, usize> = test
        .files("raw")
        .into_keys()
        .map(|path| {
            let path = path.to_str().unwrap();
            let id = path.rsplit('/').next().unwrap().trim_end_matches(".csv").parse().unwrap();
            (id, path[..1].parse().unwrap())
        })
        .collect();
    let mut counts = [0_u32; 4];
    let mut unweighted = open(&test, &options(Split::Train));
    for batch in epoch(&mut unweighted) {
        assert!(batch.weights.iter().all(|&weight| weight == 1.0));
        batch.labels[0].iter().for_each(|&label| counts[label as usize] += 1);
    }
    let total: u32 = counts.iter().sum();
    let of_card: Vec<f64> = (0..15).map(|class| f64::from(class) / 3.0).collect();
    let weights = WeightOptions {
        classes: vec![
            (Head::ActionType, ClassWeights::Balanced),
            (Head::CardSelection, ClassWeights::Given(of_card.clone())),
        ],
        game: Some("CASE players WHEN 2 THEN 0.3 WHEN 3 THEN 1 ELSE 0 END".to_owned()),
    };
    for split in [Split::Train, Split::Val] {
        let (mut rows, mut sum) = (0, 0.0);
        for batch in epoch(&mut open(&test, &weighted(split, weights.clone()))) {
            for (row, &found) in rows_of(&batch).iter().zip(&batch.weights) {
                let mut weight = [0.3, 1.0, 0.0][players[&row.game_id] - 2];
                weight *= f64::from(total) / (4.0 * f64::from(counts[row.labels[0] as usize]));
                if row.labels[1] >= 0 {
                    weight *= of_card[row.labels[1] as usize];
                }
                assert_eq!(found, weight as f32, "{row:?}");
                rows += 1;
                sum += found;
            }
        }
        assert!(rows > 300 && sum > 0.0);
    }
    // The mean of the balanced weights is 1.
    let classes = vec![(Head::ActionType, ClassWeights::Balanced)];
    let balanced = weighted(Split::Train, WeightOptions { classes, game: None });
    let batches = epoch(&mut open(&test, &balanced));
    let sum: f64 = batches.iter().flat_map(|batch| &batch.weights).map(|&w| f64::from(w)).sum();
    assert!((sum / f64::from(total) - 1.0).abs() < 1e-6);
}

#[test]
fn other_weights_are_another_stream() {
    let test = ingested(6);
    let state = |weights: WeightOptions| {
        let stream = open(&test, &weighted(Split::Train, weights));
        stream.state().values
    };
    let game = |expression: &str| WeightOptions {
        game: Some(expression.to_owned()),
        ..WeightOptions::default()
    };
    let classes = vec![(Head::ActionType, ClassWeights::Balanced)];
    let states = [
        state(WeightOptions::default()),
        state(WeightOptions { classes, game: None }),
        state(game("players")),
        state(game("players + 1")),
    ];
    for (at, one) in states.iter().enumerate() {
        assert!(!states[..at].contains(one));
    }
}

#[test]
fn invalid_weights() {
    let test = ingested(3);
    for (expression, words) in [
        ("1 - players", "game_weight is -1 for game"),
        ("NULL", "game_weight is NULL for game"),
        ("1e999", "game_weight is inf for game"),
        ("ending", "expected a number"),
        ("player", "no such column: player; the columns of game_list are"),
    ] {
        let weights = WeightOptions { classes: Vec::new(), game: Some(expression.to_owned()) };
        let error = try_open(&test, &weighted(Split::Train, weights)).unwrap_err().to_string();
        assert!(error.contains(words), "{expression}: {error}");
    }
    let classes = vec![(Head::Noble, ClassWeights::Given(vec![1.0; 4]))];
    let weights = WeightOptions { classes, game: None };
    let error = try_open(&test, &weighted(Split::Train, weights)).unwrap_err().to_string();
    assert!(error.starts_with("the weights of noble must be 5 numbers"), "{error}");
}
