//! Adding, removing and changing games must not change the splits of other games, or the scaler if the
//! training games are the same.

use super::splits::hash_split;
use super::{assert_same_files, exported, files_where, ingested, logs};
use proptest::prelude::*;
use splendor_prep::dataset::{Ratios, Split, SplitMethod, assign};
use splendor_prep::gamelog::GameId;
use std::collections::BTreeMap;
use std::fs;

/// Seed, game and split at 0.8, 0.1, 0.1 of 100 games, computed in Python.
fn pinned() -> Vec<(u32, i64, String)> {
    let table =
        include_str!("../../data/hash_split.txt").lines().filter(|line| !line.starts_with('#'));
    let pinned: Vec<_> = table
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            (fields[0].parse().unwrap(), fields[1].parse().unwrap(), fields[2].to_owned())
        })
        .collect();
    assert_eq!(pinned.len(), 100);
    pinned
}

fn splits_of(games: &[i64], seed: u32) -> BTreeMap<i64, &'static str> {
    let ids = games.iter().copied().map(GameId);
    let ratios = Ratios::new(0.8, 0.1, 0.1).unwrap();
    let splits = assign(ids, ratios, seed, SplitMethod::Hash).unwrap();
    games.iter().copied().zip(splits.into_iter().map(Split::name)).collect()
}

proptest! {
    /// Other games are added, and these games are removed, in any order.
    #[test]
    fn split_of_pinned_games(
        others in prop::collection::btree_set(any::<i64>(), 0..100),
        kept in prop::collection::vec(any::<bool>(), 100),
        order in any::<u64>(),
    ) {
        let pinned = pinned();
        for seed in [0, 42, u32::MAX] {
            let stay: Vec<_> = pinned.iter().zip(&kept).filter(|&((its_seed, ..), &kept)| kept && *its_seed == seed).collect();
            let mut games: Vec<i64> = others.iter().copied().chain(stay.iter().map(|((_, game, _), _)| *game)).collect();
            games.sort_by_key(|game| blake3::hash(&[game.to_le_bytes(), order.to_le_bytes()].concat()).to_hex());
            games.dedup();
            let found = splits_of(&games, seed);
            for ((_, game, split), _) in stay {
                prop_assert_eq!(found[game], split.as_str(), "game {} of seed {}", game, seed);
            }
            // The other games follow the documented formula, too.
            for game in others.iter() {
                prop_assert_eq!(found[game], hash_split(*game, seed, 0.8, 0.1));
            }
        }
    }
}

/// Replaces, removes and adds games, all of them outside train.
#[test]
fn scaler_bytes_ignore_val_and_test() {
    let test = ingested(30);
    let options = "--split 0.6,0.2,0.2";
    let before = exported(&test, "before", options);
    let other_splits: Vec<i64> =
        before.games("val").into_iter().chain(before.games("test")).collect();
    assert!(other_splits.len() >= 4, "{other_splits:?}");
    test.prep("simulate other --games 30 --seed 99");
    let paths = logs(&test, "raw");
    for (place, game) in other_splits.iter().enumerate() {
        match place % 2 {
            0 => fs::remove_file(&paths[game]).unwrap(),
            _ => _ = fs::copy(&logs(&test, "other")[game], &paths[game]).unwrap(),
        }
    }
    test.prep("simulate more --games 40 --first-id 31 --seed 5");
    let new: Vec<i64> =
        (31..=70).filter(|&game| hash_split(game, 42, 0.6, 0.2) != "train").collect();
    assert!(new.len() >= 4, "{new:?}");
    for game in &new {
        let log = &logs(&test, "more")[game];
        fs::copy(log, test.path("raw").join(log.file_name().unwrap())).unwrap();
    }
    test.prep("ingest raw --allow-delete");

    let after = exported(&test, "after", options);
    assert_eq!(after.games("train"), before.games("train"));
    assert_ne!(after.games("val"), before.games("val"));
    let is_of_train = |name: &str| name == "scaler.npz" || name.contains("train");
    let of_train = |out| files_where(&test, out, is_of_train);
    assert_eq!(of_train("before").len(), 6);
    assert_same_files(&of_train("before"), &of_train("after"));
    let ids = [&before, &after].map(|export| export.json("manifest.json")["export_id"].to_string());
    assert_ne!(ids[0], ids[1], "but it is another export");

    // With one training game less, the scaler changes.
    fs::remove_file(&paths[&before.games("train")[0]]).unwrap();
    test.prep("ingest raw");
    exported(&test, "after", options);
    assert!(test.read("before/scaler.npz") != test.read("after/scaler.npz"));
}
