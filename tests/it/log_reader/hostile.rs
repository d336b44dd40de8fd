//! Files that are not logs, or logs rewritten by other tools: the reader fails fast, with a short
//! message that says what is wrong.

use super::{log_of, read};
use crate::support::log_text::LogText;
use splendor_prep::gamelog::LogErrorKind::{self, *};
use splendor_prep::gamelog::{Dialect, GameId, LogError, ReadOptions, Turn, read_log, write_log};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;
use std::path::Path;

fn turns() -> Vec<Turn> {
    simulate_game(PlayerCount::Two, 1)
}

fn good_log() -> LogText {
    log_of(&turns(), Dialect::Empty)
}

fn refusal(bytes: &[u8]) -> LogError {
    read(bytes, ReadOptions::default()).map(|_| ()).unwrap_err()
}

/// Each takes less than a tenth of a second. It would take minutes if the reader checked everything
/// column by column.
#[test]
fn large_files_of_rubbish() {
    const LARGE: usize = 20_000_000;
    let header = good_log().header().into_bytes();
    let below_header = |rubbish: &[u8]| [header.as_slice(), b"\n", rubbish].concat();
    let files: [(&str, Vec<u8>, LogErrorKind, u64); 10] = [
        ("one line", vec![b'x'; LARGE], LongRow, 1),
        ("commas", vec![b','; LARGE], LongRow, 1),
        ("zeros", vec![0; LARGE], LongRow, 1),
        ("a long line below the header", below_header(&vec![b','; LARGE]), LongRow, 2),
        ("a name of a megabyte", vec![b'g'; 1_000_000], UnknownColumn, 1),
        ("a number of a megabyte", below_header(&vec![b'1'; 1_000_000]), CutOff, 2),
        ("lines of rubbish", b"to be or not to be\n".repeat(LARGE / 19), UnknownColumn, 1),
        (
            "an open quote",
            [b"\"".as_slice(), &b"abc\n".repeat(LARGE / 4)].concat(),
            UnknownColumn,
            1,
        ),
        (
            "an open quote in a row",
            below_header(&[b"\"".as_slice(), &b"1,2\n".repeat(LARGE / 4)].concat()),
            ShortRow,
            2,
        ),
        ("blank lines, then text", [b"\n".repeat(LARGE).as_slice(), b"x"].concat(), BlankLine, 1),
    ];
    for (name, bytes, kind, line) in files {
        let error = refusal(&bytes);
        assert_eq!((error.fault.kind, error.line), (kind, Some(line)), "{name}: {error}");
        assert!(error.to_string().len() < 400, "{name}: {error}");
    }
}

#[test]
fn many_blank_lines() {
    assert_eq!(refusal(&b"\r\n".repeat(5_000_000)).fault.kind, Empty);
    let whole = [good_log().to_bytes(), b"\n".repeat(5_000_000)].concat();
    assert_eq!(read(&whole, ReadOptions::default()).unwrap().0, turns());
}

#[test]
fn other_files_than_logs() {
    for (bytes, kind) in [
        (&b"%PDF-1.7"[..], UnknownColumn),
        (b"\x1f\x8b\x08\0\0\0\0\0", InvalidUtf8),
        (b"PK\x03\x04", InvalidUtf8),
        (b"{\"game_id\": 7}", UnknownColumn),
        (b"<html>", UnknownColumn),
        (b"7,2,1,0", UnknownColumn),
        (b"game_id,num_pl", CutOff),
        (b"game_id", CutOff),
        (b"game_id,x,num_pl", UnknownColumn),
        (b"game_id,num_pl\n", UnknownColumn),
        (b"game_id\n", MissingColumn),
    ] {
        let error = refusal(bytes);
        assert_eq!(error.fault.kind, kind, "{error}");
    }
}

/// Files as written by Excel and other programs; each has its own message.
#[test]
fn what_tools_commonly_do_to_a_log() {
    let log = good_log();
    let text = String::from_utf8(log.to_bytes()).unwrap();
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(order).collect()
    };
    for (bytes, part) in [
        (text.replace(',', "\t").into_bytes(), "separated by commas"),
        (text.replace(',', ";").into_bytes(), "separated by commas"),
        (utf16(u16::to_le_bytes), "UTF-16"),
        (utf16(u16::to_be_bytes), "UTF-16"),
        (text.replace("game_id,", "Game_ID,").into_bytes(), "did you mean game_id?"),
        (format!(",{text}").into_bytes(), "a column without a name"),
        (text.replace('\n', "\r\r\n").into_bytes(), "a blank line"),
        (text.replace('\n', ",\n").into_bytes(), "a column without a name"),
        (format!("{text}{text}").into_bytes(), "game_id is `game_id`, expected 123"),
    ] {
        let message = refusal(&bytes).to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn hostile_values() {
    for value in [
        "1".repeat(500_000),
        format!("1.{}1", "0".repeat(500_000)),
        "\u{1b}[31mred\u{1b}[0m".repeat(1000),
        "\u{202e}\u{200b}".repeat(1000),
        "é".repeat(100_000),
        "\0".repeat(1000),
        "-".repeat(1000),
        "\"\"\"\"".to_owned(),
        "1e308".to_owned(),
        "0x10".to_owned(),
        "１".to_owned(),
        "1_000".to_owned(),
        "true".to_owned(),
        "=1+1".to_owned(),
    ] {
        let mut log = good_log();
        log.set(3, "player0_vp", &value);
        let error = refusal(&log.to_bytes());
        assert!(matches!(error.fault.kind, Text | OutOfRange | Fraction), "{error}");
        assert_eq!((error.line, error.fault.column.as_deref()), (Some(3), Some("player0_vp")));
        let message = error.to_string();
        assert!(message.chars().count() < 1000, "{message}");
        assert!(!message.contains(|c: char| c.is_control() || "\u{202e}\u{200b}".contains(c)));
    }
}

#[test]
fn leading_zeros_and_minus_zero() {
    let mut log = good_log();
    log.set(2, "player0_vp", &"0".repeat(100));
    log.set(2, "turn_number", "0001.00");
    log.set(2, "player1_vp", "-0.0");
    assert_eq!(read(&log.to_bytes(), ReadOptions::default()).unwrap().0, turns());
}

/// Ids may be any 64-bit numbers, and adjacent ones are distinguished.
#[test]
fn extreme_game_ids() {
    for id in [0, 7, -7, i64::MAX, i64::MIN] {
        let mut bytes = Vec::new();
        write_log(&mut bytes, GameId(id), &turns(), Dialect::Nan).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let read_as = |id: i64, text: &str| {
            read_log(
                text.as_bytes(),
                Path::new("x.csv"),
                GameId(id),
                ReadOptions::default(),
                |_| (),
            )
        };
        read_as(id, &text).unwrap();
        read_as(id, &text.replace(&format!("\n{id},"), &format!("\n{id}.0,"))).unwrap();
        let other = id.wrapping_add(1);
        let error = read_as(other, &text).unwrap_err();
        assert_eq!((error.fault.kind, error.line), (OtherGame, Some(2)));
        assert_eq!(error.fault.found, Some(id.to_string()));
    }
}

#[test]
fn largest_number_in_an_unfinished_file() {
    let mut log = good_log();
    let end = log.lines.len();
    log.set(end, "gems_removed_gold", &i64::MAX.to_string());
    let mut bytes = log.to_bytes();
    bytes.pop();
    assert_eq!(refusal(&bytes).fault.kind, OutOfRange);
}

/// A log without a final line break is complete if its last value cannot continue.
#[test]
fn last_values_without_a_line_break() {
    for (column, value, is_complete) in [
        ("gems_removed_gold", "0", true),
        ("gems_removed_gold", "0.", false),
        ("gems_removed_gold", "0.0", true),
        ("gems_removed_gold", "nan", true),
        ("gems_removed_gold", "na", false),
        ("gems_removed_gold", "", false),
        ("gems_removed_gold", "  ", false),
        ("gems_removed_gold", "\"\"", true),
        ("gems_removed_gold", "\"", false),
        ("gems_removed_gold", "\"0", false),
        ("gems_removed_gold", "\"0\"", true),
        ("player0_vp", "6", false),
        ("player0_vp", "7", true),
        ("player0_vp", "6.0", true),
        ("player0_vp", "6 ", true),
        ("player0_vp", "\"6\"", true),
        ("player0_vp", "60", true),
        ("player0_vp", "0", true),
        ("turn_number", "1000", false),
        ("turn_number", "1001", true),
        ("noble_selection", "-", false),
        ("noble_selection", "-1", true),
        ("action_type", "buil", false),
        ("action_type", "build", true),
        ("game_id", "12", false),
        ("game_id", "123", true),
    ] {
        let mut log = good_log();
        let last = log.width() - 1;
        log.swap_columns(log.column(column), last);
        let end = log.lines.len();
        log.set(end, column, value);
        let mut bytes = log.to_bytes();
        bytes.pop();
        match read(&bytes, ReadOptions::default()) {
            Ok(_) => assert!(is_complete, "{column} {value:?}"),
            Err(error) => {
                assert!(!is_complete, "{column} {value:?}: {error}");
                assert_eq!((error.fault.kind, error.line), (CutOff, Some(end as u64)));
            }
        }
    }
}
