//! Valid games have no faults.

use super::{log_of, read, read_bytes};
use crate::support::golden::golden_dir;
use crate::support::long_run::times;
use crate::support::plain_replay::first_wrong_line;
use splendor_prep::gamelog::{GameId, ReplayFaultKind};
use splendor_prep::rules::PlayerCount;
use std::fs;

#[test]
fn simulated_games_replay() {
    for seed in 0..times(100, 1_700) {
        for players in PlayerCount::ALL {
            let log = log_of(players, seed);
            let summary = read(&log);
            assert_eq!(summary.replay_faults, [], "{players:?}, seed {seed}");
            if seed % 20 == 0 {
                assert_eq!(first_wrong_line(&log), None, "{players:?}, seed {seed}");
            }
        }
    }
}

#[test]
fn docs_explain_every_kind_of_fault() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/queries.md")).unwrap();
    for kind in ReplayFaultKind::ALL {
        let meaning = kind.meaning().trim_end_matches('.');
        let (first, rest) = meaning.split_at(1);
        let row = format!("| `{}` | {}{rest} |\n", kind.name(), first.to_lowercase());
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn golden_games_replay() {
    let Some(dir) = golden_dir() else { return };
    let mut games = 0;
    for players in ["2_games", "3_games", "4_games"] {
        for entry in fs::read_dir(dir.join("games").join(players)).unwrap() {
            let path = entry.unwrap().path();
            let id = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            let bytes = fs::read(&path).unwrap();
            let summary = read_bytes(&bytes, GameId(id));
            assert_eq!(summary.replay_faults, [], "{}", path.display());
            games += 1;
        }
    }
    assert_eq!(games, 56);
}
