//! The log reader accepts everything that `write_log` writes, in every dialect and after every
//! equivalent rewriting in the log format; some faults cause only a warning.

use super::{log_of, read};
use crate::support::log_text::LogText;
use splendor_prep::encode::{Head, labels, take3_class};
use splendor_prep::gamelog::{ActionType, Dialect, ReadOptions, Turn};
use splendor_prep::rules::{ByColor, CARDS, PlayerCount};
use splendor_prep::simulate::simulate_game;
use std::collections::BTreeMap;

const REPAIR: ReadOptions = ReadOptions { repair: true, strict: false };
const AS_LOGGED: ReadOptions = ReadOptions { repair: false, strict: false };

/// Games with every number of players. The first 30 seeds include games with reserved cards, visits by
/// nobles, empty decks and gems given back.
fn games(seeds: std::ops::Range<u64>) -> impl Iterator<Item = Vec<Turn>> {
    seeds.flat_map(|seed| PlayerCount::ALL.map(|players| simulate_game(players, seed)))
}

#[test]
fn written_logs_read_back() {
    let mut rows = 0;
    for turns in games(0..30) {
        for dialect in Dialect::ALL {
            let (read_back, summary) =
                read(&log_of(&turns, dialect).to_bytes(), AS_LOGGED).unwrap();
            assert_eq!(read_back, turns, "{dialect:?}");
            assert_eq!(summary.rows as usize, turns.len());
            assert_eq!(summary.players, turns[0].board.player_count());
            assert_eq!((summary.gem_fault_rows, summary.unbalanced_rows), (0, 0));
            rows += turns.len();
        }
    }
    assert!(rows > 15_000, "{rows} rows");
}

/// A rewriting of a log's text that must not change its meaning.
type Rewriting = (&'static str, fn(LogText) -> Vec<u8>);

const HARMLESS_REWRITINGS: [Rewriting; 21] = [
    ("columns shuffled", |mut log| {
        log.shuffle_columns(1);
        log.to_bytes()
    }),
    ("columns shuffled otherwise", |mut log| {
        log.shuffle_columns(2);
        log.to_bytes()
    }),
    ("CRLF", |log| log.to_bytes_with("\r\n")),
    ("CR alone", |log| log.to_bytes_with("\r")),
    ("byte-order mark", |log| [b"\xef\xbb\xbf".as_slice(), &log.to_bytes()].concat()),
    ("blank last line", |log| [log.to_bytes().as_slice(), b"\n"].concat()),
    ("blank last lines, with spaces", |log| [log.to_bytes().as_slice(), b"\n  \n\r\n\t"].concat()),
    ("blank last lines, CRLF", |log| [log.to_bytes_with("\r\n").as_slice(), b"\r\n\r\n"].concat()),
    ("no last line break", |log| {
        let mut bytes = log.to_bytes();
        bytes.pop();
        bytes
    }),
    ("fields quoted", |log| decorated(log, |field| format!("\"{field}\""))),
    ("spaces around", |log| decorated(log, |field| format!(" {field}\t "))),
    ("spaces in quotes", |log| decorated(log, |field| format!("\" {field} \""))),
    ("spaces around quotes", |log| decorated(log, |field| format!("  \"{field}\" "))),
    ("NaN", |log| with_missing_as(log, "NaN")),
    ("NAN", |log| with_missing_as(log, "NAN")),
    ("Nan with spaces", |log| with_missing_as(log, " Nan ")),
    ("missing fields empty in quotes", |log| with_missing_as(log, "\"\"")),
    ("missing cards and nobles as zeros", with_zeros_for_missing_groups),
    ("more zeros behind the point", |mut log| {
        log.map_values(|_, value| match value.parse::<i64>() {
            Ok(number) => format!("{number}.000"),
            Err(_) => value.to_owned(),
        });
        log.to_bytes()
    }),
    ("nothing given back and no noble left empty", |mut log| {
        log.map_values(|column, value| {
            let nothing = column.starts_with("gems_removed_") && value.starts_with('0')
                || column == "noble_selection" && value.starts_with('-');
            if nothing { String::new() } else { value.to_owned() }
        });
        log.to_bytes()
    }),
    ("many at once", |mut log| {
        log.shuffle_columns(3);
        let bytes = decorated(log, |field| format!(" \"{field} \" "));
        let text = String::from_utf8(bytes).unwrap().replace('\n', "\r\n");
        format!("\u{feff}{text}\r\n").into()
    }),
];

fn decorated(mut log: LogText, decorate: fn(&str) -> String) -> Vec<u8> {
    log.map_values(|_, value| decorate(value));
    log.lines[0] = log.lines[0].iter().map(|name| decorate(name)).collect();
    log.to_bytes()
}

fn with_missing_as(mut log: LogText, spelling: &str) -> Vec<u8> {
    log.map_values(|_, value| match value {
        "" | "nan" => spelling.to_owned(),
        _ => value.to_owned(),
    });
    log.to_bytes()
}

fn with_zeros_for_missing_groups(mut log: LogText) -> Vec<u8> {
    log.map_values(|column, value| {
        let is_of_card_or_noble = column.contains("_reserved")
            || column.starts_with("noble") && column != "noble_selection"
            || column.starts_with("card") && column.as_bytes()[4].is_ascii_digit();
        match value {
            "" | "nan" if is_of_card_or_noble => "0".to_owned(),
            _ => value.to_owned(),
        }
    });
    log.to_bytes()
}

#[test]
fn harmless_rewritings_read_the_same() {
    for turns in games(0..5) {
        for dialect in Dialect::ALL {
            let log = log_of(&turns, dialect);
            for (name, rewrite) in HARMLESS_REWRITINGS {
                let bytes = rewrite(log.clone());
                let read_back = read(&bytes, AS_LOGGED)
                    .unwrap_or_else(|error| panic!("{name}, {dialect:?}: {error}"));
                assert_eq!(read_back.0, turns, "{name}, {dialect:?}");
            }
        }
    }
}

/// Gives every take of different colors the known gem fault. Returns the number of changed rows.
fn with_gem_faults(log: &mut LogText) -> u32 {
    let action_type = log.column("action_type");
    let lines =
        (2..=log.lines.len()).filter(|line| log.lines[line - 1][action_type] == "take 3 tokens");
    let lines: Vec<usize> = lines.collect();
    lines.iter().for_each(|&line| log.add_gem_fault(line));
    lines.len() as u32
}

#[test]
fn repair_of_the_gem_fault() {
    let mut rows_by_colors_taken = BTreeMap::new();
    for turns in games(0..30) {
        for dialect in Dialect::ALL {
            let mut log = log_of(&turns, dialect);
            let faulty = with_gem_faults(&mut log);
            let (repaired, summary) = read(&log.to_bytes(), REPAIR).unwrap();
            assert_eq!(repaired, turns);
            assert_eq!(summary.gem_fault_rows, faulty);

            let (as_logged, summary) = read(&log.to_bytes(), AS_LOGGED).unwrap();
            assert_eq!(summary.gem_fault_rows, faulty);
            for (row, meant) in as_logged.iter().zip(&turns) {
                assert_eq!(row.board, meant.board);
                let mut expected = labels(&meant.action);
                if meant.action.action_type == ActionType::Take3 {
                    let colors = meant.action.gem_take3.unwrap().total();
                    *rows_by_colors_taken.entry(colors).or_insert(0) += 1;
                    expected[Head::GemTake3.index()] = -1;
                }
                assert_eq!(labels(&row.action), expected);
            }
        }
    }
    let counts: Vec<_> = rows_by_colors_taken.into_iter().collect();
    assert!(matches!(counts[..], [(1, 1..), (2, 1..), (3, 1..)]), "{counts:?}");
}

/// Compares the labels with explicit numbers, not only with those of the row before the change.
#[test]
fn labels_of_repaired_rows() {
    let turns = simulate_game(PlayerCount::Two, 1);
    for (values, class) in [
        (["1", "0", "0", "0", "0"], 1),
        (["0", "0", "0", "0", "1"], 5),
        (["1", "1", "0", "0", "0"], 6),
        (["0", "0", "0", "1", "1"], 15),
        (["1", "1", "1", "0", "0"], 16),
        (["0", "0", "1", "1", "1"], 25),
    ] {
        let mut log = log_of(&turns, Dialect::Nan);
        log.set(2, "action_type", "take 3 tokens");
        log.clear_group(2, "gem_take3_");
        log.set_group(2, "gem_take2_", &values);
        let label_pair = |options| {
            let (read_back, summary) = read(&log.to_bytes(), options).unwrap();
            assert_eq!(summary.gem_fault_rows, 1);
            let labels = labels(&read_back[0].action);
            (labels[Head::GemTake3.index()], labels[Head::GemTake2.index()])
        };
        assert_eq!(label_pair(REPAIR), (class, -1), "{values:?}");
        assert_eq!(label_pair(AS_LOGGED), (-1, -1), "{values:?}");
        let counts = ByColor(values.map(|value| value.parse().unwrap()));
        assert_eq!(take3_class(&counts) as i32, class);
    }
}

#[test]
fn repair_ignores_takes_of_two() {
    let turns = simulate_game(PlayerCount::Two, 1);
    let mut log = log_of(&turns, Dialect::Empty);
    for action_type in ["take 2 tokens", "take 3 tokens"] {
        log.set(2, "action_type", action_type);
        log.clear_group(2, "gem_take3_");
        log.set_group(2, "gem_take2_", &["0", "0", "2", "0", "0"]);
        let (read_back, summary) = read(&log.to_bytes(), REPAIR).unwrap();
        assert_eq!(summary.gem_fault_rows, 0);
        assert_eq!(read_back[0].action.gem_take3, None);
        assert_eq!(labels(&read_back[0].action)[Head::GemTake2.index()], 2);
    }
}

/// The actions of a log are kept as logged, even if they contradict each other; exports count them.
#[test]
fn inconsistent_actions_are_kept() {
    let turns = simulate_game(PlayerCount::Two, 1);
    let mut log = log_of(&turns, Dialect::Empty);
    log.set(2, "action_type", "reserve");
    log.set(2, "card_selection", "14");
    log.set(2, "card_reservation", "14");
    log.set(2, "noble_selection", "4");
    log.set_group(2, "gem_take3_", &["0", "0", "0", "0", "0"]);
    log.set_group(2, "gem_take2_", &["0", "0", "0", "0", "2"]);
    log.set_group(2, "gems_removed_", &["3", "0", "0", "0", "0", "0"]);
    let (read_back, _) = read(&log.to_bytes(), AS_LOGGED).unwrap();
    assert_eq!(labels(&read_back[0].action), [1, 14, 14, -1, 4, 4, 83]);
}

#[test]
fn unbalanced_gems_are_counted() {
    let turns = simulate_game(PlayerCount::Four, 1);
    let mut log = log_of(&turns, Dialect::Float);
    log.set(5, "gems_board_white", "0.0");
    log.set(7, "gems_board_gold", "4.0");
    assert_eq!(turns[5].board.gems.0[5], 5, "the row had all its gold");
    log.set_group(9, "player3_gems_", &["1.0", "1.0", "1.0", "7.0", "0.0", "0.0"]);
    let (read_back, summary) = read(&log.to_bytes(), AS_LOGGED).unwrap();
    assert_eq!((summary.unbalanced_rows, read_back.len()), (3, turns.len()));
    assert_eq!(read_back[3].board.gems.0[0], 0);
}

#[test]
fn both_prints_of_the_blue_card() {
    let turns = simulate_game(PlayerCount::Three, 1);
    for (black, print) in [("2", CARDS[41]), ("0", CARDS[90])] {
        let mut log = log_of(&turns, Dialect::Nan);
        let card = ["1", "2", "0", "2", "2", "3", black, "0", "1", "0", "0", "0"];
        log.set_group(3, "card4_", &card);
        log.set_group(3, "player1_reserved0_", &card);
        let (read_back, _) = read(&log.to_bytes(), AS_LOGGED).unwrap();
        let board = &read_back[1].board;
        assert_eq!(board.displayed[1][0], print);
        assert_eq!(board.players[2].reserved[..], [print]);
        assert_eq!(print.cost, ByColor([0, 2, 2, 3, black.parse().unwrap()]));
    }
}
