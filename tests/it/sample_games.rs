//! The games in `tests/data/sample`: the encoder is compared with the plain implementations in
//! `tests/it/support`, and encoded bytes that change require a new [`ENCODER_VERSION`]. The folder's README
//! describes the games.

#![allow(clippy::unwrap_used)]

use crate::support::plain_features;
use crate::support::plain_rules::{PlainMasks, REMOVAL_CLASSES, TAKE3_CLASSES, masks};
use splendor_prep::encode::{ENCODER_VERSION, EncodedGame, FEATURES, Head};
use splendor_prep::gamelog::{
    ActionType, COLUMN_COUNT, GameId, LogSummary, ReadOptions, Turn, read_log,
};
use splendor_prep::rules::{CARDS, PlayerCount};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const REPAIR: ReadOptions = ReadOptions { repair: true, strict: false };
const AS_LOGGED: ReadOptions = ReadOptions { repair: false, strict: false };

/// Hashes of all encoded sample rows, by version of the encoder. Append only: caches of users may have
/// rows of any released version.
const PINS: &[(u32, &str)] =
    &[(1, "6d19dbc8eb1704d2f4e39e5382b9b12554f2dc1bf2e70bb057e0d73bd471d076")];

/// The hand-made game, with the known gem fault and the published level-2 blue card.
const MADE_BY_HAND: GameId = GameId(7);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample")
}

/// The logs in the order of their ids.
fn logs() -> BTreeMap<GameId, PathBuf> {
    let mut logs = BTreeMap::new();
    for players in ["2_games", "3_games", "4_games"] {
        for entry in fs::read_dir(folder().join(players)).unwrap() {
            let path = entry.unwrap().path();
            let id = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            assert!(logs.insert(GameId(id), path).is_none(), "game {id} is listed twice");
        }
    }
    assert_eq!(logs.len(), 7);
    logs
}

fn read(game_id: GameId, log: &Path, options: ReadOptions) -> (Vec<Turn>, LogSummary) {
    let mut turns = Vec::new();
    let bytes = fs::read(log).unwrap();
    let summary = read_log(&bytes, log, game_id, options, |turn| turns.push(turn.clone())).unwrap();
    (turns, summary)
}

fn encode(turns: &[Turn]) -> EncodedGame {
    let mut game = EncodedGame::default();
    turns.iter().for_each(|turn| game.push(turn));
    game
}

/// A row of the plain implementations.
struct PlainRow {
    turn_number: i32,
    labels: Vec<i32>,
    /// Labels after repairing the gem fault, if the row has it.
    repaired: Option<Vec<i32>>,
    /// 0 and 1, for all heads in order.
    masks: Vec<i8>,
    features: Vec<i64>,
}

fn plain_rows(game_id: GameId, log: &Path) -> Vec<PlainRow> {
    let labels = |turn: &Turn| {
        plain_features::labels(&turn.action, &TAKE3_CLASSES, &REMOVAL_CLASSES).to_vec()
    };
    let (turns, _) = read(game_id, log, AS_LOGGED);
    let mut rows = Vec::new();
    for turn in &turns {
        // "The class is the set of colours whose `gem_take2_*` is 1, and `gem_take2` is -1."
        let counts = turn.action.gem_take2.filter(|counts| counts.0.contains(&1));
        let repaired = counts.map(|counts| {
            let mut meant = turn.clone();
            meant.action.gem_take3 = Some(counts);
            meant.action.gem_take2 = None;
            labels(&meant)
        });
        let PlainMasks {
            action_type,
            card_selection,
            card_reservation,
            gem_take3,
            gem_take2,
            noble,
            gems_removed,
        } = masks(&turn.board);
        rows.push(PlainRow {
            turn_number: turn.turn_number.into(),
            labels: labels(turn),
            repaired,
            masks: [
                action_type,
                card_selection,
                card_reservation,
                gem_take3,
                gem_take2,
                noble,
                gems_removed,
            ]
            .concat(),
            features: plain_features::features(&turn.board).into_iter().map(|f| f.1).collect(),
        });
    }
    rows
}

#[test]
fn rows() {
    let mut rows_compared = 0;
    for (game_id, log) in logs() {
        let expected = plain_rows(game_id, &log);
        let game = encode(&read(game_id, &log, AS_LOGGED).0);
        let repaired = encode(&read(game_id, &log, REPAIR).0);
        assert_eq!(game.features().len(), expected.len());
        assert_eq!(repaired.features(), game.features(), "repair changes only labels");
        assert_eq!(repaired.masks(), game.masks(), "repair changes only labels");
        for (i, expected) in expected.iter().enumerate() {
            let what = format!("game {game_id}, row {}", i + 1);
            assert_eq!(game.turn_numbers()[i], expected.turn_number, "{what}");
            for (column, &value) in game.features()[i].iter().enumerate() {
                let name = &FEATURES[column].name;
                assert_eq!(i64::from(value), expected.features[column], "{name}, {what}");
            }
            for head in Head::ALL {
                let range = head.mask_range();
                let name = head.name();
                assert_eq!(game.masks()[i][range.clone()], expected.masks[range], "{name}, {what}");
            }
            assert_eq!(game.labels()[i][..], expected.labels, "labels of {what}");
            let as_meant = expected.repaired.as_ref().unwrap_or(&expected.labels);
            assert_eq!(repaired.labels()[i][..], as_meant[..], "repaired labels of {what}");
            rows_compared += 1;
        }
    }
    assert_eq!(rows_compared, 355);
}

/// The sample must contain the edge cases.
#[test]
fn content_of_the_sample() {
    let mut actions = BTreeSet::new();
    let mut games_by_players = BTreeMap::new();
    let (mut with_noble, mut give_back_on_take, mut give_back_on_reserve, mut taken) =
        (0, 0, 0, BTreeSet::new());
    let mut spellings = BTreeSet::new();
    for (game_id, log) in logs() {
        let (turns, summary) = read(game_id, &log, AS_LOGGED);
        *games_by_players.entry(summary.players).or_insert(0) += 1;
        assert_eq!(summary.unbalanced_rows, 0);
        assert_eq!(summary.gem_fault_rows, if game_id == MADE_BY_HAND { 8 } else { 0 });
        let has_published_card =
            turns.iter().any(|turn| turn.board.displayed_cards().any(|&card| card == CARDS[90]));
        assert_eq!(has_published_card, game_id == MADE_BY_HAND);
        for Turn { action, .. } in &turns {
            actions.insert(action.action_type as u8);
            with_noble += usize::from(action.noble.is_some());
            let gives_back = usize::from(action.gems_removed.total() > 0);
            match action.action_type {
                ActionType::Reserve => give_back_on_reserve += gives_back,
                _ => give_back_on_take += gives_back,
            }
            taken.extend(action.gem_take3.map(|counts| counts.total()));
        }
        let text = fs::read_to_string(&log).unwrap();
        assert_eq!(text.lines().next().unwrap().split(',').count(), COLUMN_COUNT);
        let spelling = |part: &str| text.contains(part).then(|| part.to_owned());
        spellings.extend([",nan,", ",,", ".0,"].map(spelling).into_iter().flatten());
    }
    assert_eq!(actions.len(), ActionType::ALL.len());
    let games: Vec<_> = games_by_players.into_iter().collect();
    assert_eq!(
        games,
        [(PlayerCount::Two, 3), (PlayerCount::Three, 2), (PlayerCount::Four, 2)],
        "two games for each number of players, and the hand-made game"
    );
    assert_eq!(spellings.len(), 3, "all dialects: {spellings:?}");
    assert!(taken.contains(&3) && taken.len() > 1, "also takes of fewer than three: {taken:?}");
    assert!(with_noble >= 5, "{with_noble}");
    assert!(give_back_on_take >= 5, "{give_back_on_take}");
    assert!(give_back_on_reserve >= 1, "{give_back_on_reserve}");
}

/// All bytes that the cache stores for the sample.
fn hash_of_encoded_rows() -> String {
    let mut hasher = blake3::Hasher::new();
    for (game_id, log) in logs() {
        for options in [AS_LOGGED, REPAIR] {
            let game = encode(&read(game_id, &log, options).0);
            for i in 0..game.features().len() {
                hasher.update(&game.turn_numbers()[i].to_le_bytes());
                hasher.update(&game.features()[i].map(|value| value as u8));
                for label in game.labels()[i] {
                    hasher.update(&label.to_le_bytes());
                }
                hasher.update(&game.masks()[i].map(|value| value as u8));
            }
        }
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn encoder_version_is_bumped() {
    let hash = hash_of_encoded_rows();
    let pinned = PINS.iter().find(|(version, _)| *version == ENCODER_VERSION);
    assert!(
        pinned.is_some_and(|(_, pinned)| *pinned == hash),
        "the encoder gives different bytes than those recorded for version {ENCODER_VERSION}, so \
        caches would contain a mixture. If the change is not intended, undo it. If it is:\n\
         1. Increase ENCODER_VERSION in src/encode/mod.rs, unless this change already did.\n\
         2. Change tests/it/support/plain_features.rs or plain_rules.rs to match.\n\
         3. Add the new version to PINS in tests/it/sample_games.rs, and do not change the others. Its hash is {hash}"
    );
    let versions: Vec<u32> = PINS.iter().map(|(version, _)| *version).collect();
    assert!(versions.is_sorted_by(|one, next| one < next), "versions in order, each once");
    assert_eq!(versions.last(), Some(&ENCODER_VERSION), "the last entry is of this version");
}
