//! Truncated files and changed values: the reader never panics, and never returns a turn that was not in the
//! original file. `fuzz_regressions.rs` tests any other damage.

use super::{log_of, read};
use crate::support::long_run::times;
use rand_mt::Mt64;
use splendor_prep::encode::EncodedGame;
use splendor_prep::gamelog::LogErrorKind::{CutOff, Empty, NoRows};
use splendor_prep::gamelog::{Dialect, ReadOptions, Turn};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;

fn turns_of(players: PlayerCount) -> Vec<Turn> {
    simulate_game(players, 3)
}

/// Checks a log truncated at `offset`, after the header: it gives an error or the first turns. Within a
/// line it gives an error about truncation, unless only a redundant end of a number is missing (`.0` of
/// `1.0`).
fn check_cut(whole: &[u8], offset: usize, turns: &[Turn]) {
    let cut = &whole[..offset];
    let complete_rows = cut.iter().filter(|&&byte| byte == b'\n').count() - 1;
    let is_between_lines = cut.ends_with(b"\n");
    let what = || {
        let behind = String::from_utf8_lossy(&cut[offset - 30..]);
        format!("cut at {offset}, behind {behind:?}")
    };
    match read(cut, ReadOptions::default()) {
        Ok((read_back, _)) => {
            let expected = if is_between_lines { complete_rows } else { complete_rows + 1 };
            assert_eq!(read_back, turns[..expected], "a wrong turn, {}", what());
            let rest_of_line = whole[offset..].split(|byte| b"\r\n".contains(byte)).next();
            let says_nothing = matches!(rest_of_line, Some(b"" | b"0" | b".0"));
            assert!(is_between_lines || says_nothing, "not said to be cut off, {}", what());
        }
        Err(error) => {
            let expected = if is_between_lines { NoRows } else { CutOff };
            assert_eq!(error.fault.kind, expected, "{}: {error}", what());
            assert!(!is_between_lines || complete_rows == 0, "{}: {error}", what());
        }
    }
}

#[test]
fn cut_at_any_byte() {
    for players in PlayerCount::ALL {
        for dialect in Dialect::ALL {
            // The last rows of a game, which have more values than the first ones.
            let turns = turns_of(players);
            let turns = &turns[turns.len() - 2..];
            let log = log_of(turns, dialect);
            for line_break in ["\n", "\r\n"] {
                let whole = log.to_bytes_with(line_break);
                let header = log.header().len() + line_break.len();
                for offset in header..=whole.len() {
                    check_cut(&whole, offset, turns);
                }
            }
        }
    }
}

#[test]
fn cut_in_the_header() {
    let header = log_of(&[], Dialect::Nan).header();
    for mark in ["", "\u{feff}"] {
        let header = format!("{mark}{header}");
        for offset in mark.len()..=header.len() {
            let expected = match offset {
                _ if offset == mark.len() => Empty,
                _ if offset == header.len() => NoRows,
                _ => CutOff,
            };
            let error = read(&header.as_bytes()[..offset], ReadOptions::default()).unwrap_err();
            assert_eq!(error.fault.kind, expected, "cut at {offset}: {error}");
        }
    }
}

/// Any column may be the last one, and then a truncated file ends with a part of its value.
#[test]
fn cut_in_the_last_value_of_any_column() {
    let turns = turns_of(PlayerCount::Four);
    // Late in the game there are points and decks with two digits, and reserved cards.
    let turns = &turns[turns.len() - 3..];
    for dialect in Dialect::ALL {
        let mut log = log_of(turns, dialect);
        let last = log.width() - 1;
        for column in 0..=last {
            log.swap_columns(column, last);
            let quotes = ["", "\"", " "].into_iter().cycle().skip(column);
            for quote in quotes.take(times(1, 3) as usize) {
                let mut log = log.clone();
                log.map_values(|_, value| format!("{quote}{value}{quote}"));
                let whole = log.to_bytes();
                let last_value = whole.iter().rposition(|&byte| byte == b',').unwrap();
                for offset in last_value..=whole.len() {
                    check_cut_in_decorated(&whole, offset, turns);
                }
            }
            log.swap_columns(column, last);
        }
    }
}

/// Like [`check_cut`], if truncation may leave a quote open or remove a redundant one.
fn check_cut_in_decorated(whole: &[u8], offset: usize, turns: &[Turn]) {
    match read(&whole[..offset], ReadOptions::default()) {
        Ok((read_back, _)) => assert_eq!(read_back, turns, "a wrong turn at {offset}"),
        Err(error) => assert_eq!(error.fault.kind, CutOff, "at {offset}: {error}"),
    }
}

/// Most of these are refused; the others must encode.
#[test]
fn any_number_in_any_column() {
    let mut log = log_of(&turns_of(PlayerCount::Four)[60..62], Dialect::Float);
    // These include the ends of all ranges, and of the types of the numbers.
    let numbers = [-32_768, -129, -128, -2, -1, 127, 128, 255, 256, 10_000, 10_001, 32_767, 32_768];
    let numbers = numbers.into_iter().chain(0..9).chain([14, 15, 16, 17, 20, 21, 26, 27, 36, 37]);
    let step = times(4, 1) as usize;
    for (index, number) in numbers.chain([60, 61]).enumerate() {
        for column in (index % step..log.width()).step_by(step) {
            let value = std::mem::replace(&mut log.lines[2][column], number.to_string());
            if let Ok((turns, _)) = read(&log.to_bytes(), ReadOptions::default()) {
                let mut game = EncodedGame::default();
                turns.iter().for_each(|turn| game.push(turn));
            }
            log.lines[2][column] = value;
        }
    }
}

#[test]
fn whole_games_cut_anywhere() {
    let mut dice = Mt64::new(1);
    for (seed, dialect) in (0..50).flat_map(|seed| Dialect::ALL.map(|dialect| (seed, dialect))) {
        let turns = simulate_game(PlayerCount::Three, seed);
        let mut log = log_of(&turns, dialect);
        log.shuffle_columns(seed);
        let whole = log.to_bytes();
        let cut = &whole[..(dice.next_u64() % whole.len() as u64) as usize];
        if let Ok((read_back, _)) = read(cut, ReadOptions::default()) {
            assert_eq!(read_back[..], turns[..read_back.len()]);
            let lines = cut.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
            assert_eq!(read_back.len() + 1, lines);
        }
    }
}
