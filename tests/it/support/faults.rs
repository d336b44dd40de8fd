//! Every fault of the content of a log: how to create it, and its complete error message. The errors are those
//! of the log format ("Errors" there) and additional ones of the reader.

use super::log_text::LogText;
use splendor_prep::gamelog::LogErrorKind::{self, *};
use splendor_prep::gamelog::{Dialect, GameId, write_log};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;

/// One fault of a log.
pub(crate) struct Case {
    /// How the log is damaged.
    pub(crate) damage: fn(LogText) -> Vec<u8>,
    pub(crate) kind: LogErrorKind,
    pub(crate) line: Option<u64>,
    /// The rest of the message, after file and line.
    pub(crate) message: &'static str,
}

const fn case(
    kind: LogErrorKind,
    line: u64,
    message: &'static str,
    damage: fn(LogText) -> Vec<u8>,
) -> Case {
    Case { damage, kind, line: Some(line), message }
}

const fn case_of_file(
    kind: LogErrorKind,
    message: &'static str,
    damage: fn(LogText) -> Vec<u8>,
) -> Case {
    Case { damage, kind, line: None, message }
}

/// Sets one value.
macro_rules! value {
    ($kind:ident, $line:literal, $column:literal, $value:literal, $message:literal) => {
        case($kind, $line, $message, |mut log| {
            log.set($line, $column, $value);
            log.to_bytes()
        })
    };
}

/// Sets all values of the columns with this prefix.
macro_rules! group {
    ($kind:ident, $line:literal, $prefix:literal, $values:expr, $message:literal) => {
        case($kind, $line, $message, |mut log| {
            log.set_group($line, $prefix, &$values);
            log.to_bytes()
        })
    };
}

/// The log of game 123, which has three players, with seats 0, 1, 2 in lines 2, 3, 4 and so on; twelve displayed cards,
/// four nobles, and no reserved cards in the first lines.
pub(crate) fn good_log() -> LogText {
    let (turns, mut log) = (simulate_game(PlayerCount::Three, 1), Vec::new());
    write_log(&mut log, GameId(123), &turns, Dialect::Empty).expect("memory is writable");
    LogText::parse(&log)
}

const CARD: [&str; 12] = ["0", "1", "0", "2", "0", "0", "2", "1", "0", "0", "0", "0"];
const NO_CARD: [&str; 12] = [""; 12];
const RESERVED: &str = "player0_reserved";

#[rustfmt::skip]
pub(crate) static CASES: &[Case] = &[
    // Fractions, infinities, text.
    value!(Fraction, 4, "card0_vp", "2.5", "card0_vp is `2.5`, expected a whole number from 0 to 5"),
    value!(Fraction, 2, "game_id", "123.5", "game_id is `123.5`, expected 123, the game the file is named after"),
    value!(Infinity, 5, "player1_vp", "inf", "player1_vp is `inf`, expected a whole number from 0 to 60"),
    value!(Infinity, 5, "player1_vp", "-Infinity", "player1_vp is `-Infinity`, expected a whole number from 0 to 60"),
    value!(Text, 3, "noble0_req_red", "many", "noble0_req_red is `many`, expected a whole number from 0 to 4"),
    value!(Text, 3, "card_selection", "None", "card_selection is `None`, expected a whole number from 0 to 14"),
    value!(Text, 3, "turn_number", "1e3", "turn_number is `1e3`, expected a whole number from 1 to 10000"),
    value!(Text, 3, "turn_number", "3\u{200b}", "turn_number is `3\\u{200b}`, expected a whole number from 1 to 10000"),
    value!(Text, 3, "turn_number", "\0", "turn_number is `\\0`, expected a whole number from 1 to 10000"),
    value!(Text, 3, "game_id", "x", "game_id is `x`, expected 123, the game the file is named after"),
    value!(Text, 3, "action_type", "take 4 tokens", "action_type is `take 4 tokens`, expected one of `build`, `reserve`, `take 2 tokens`, `take 3 tokens`"),
    value!(Text, 3, "action_type", "2", "action_type is `2`, expected one of `build`, `reserve`, `take 2 tokens`, `take 3 tokens`"),
    // Ranges: one below and one above.
    value!(OutOfRange, 2, "num_players", "1", "num_players is `1`, expected a whole number from 2 to 4"),
    value!(OutOfRange, 2, "num_players", "5", "num_players is `5`, expected a whole number from 2 to 4"),
    value!(OutOfRange, 2, "turn_number", "0", "turn_number is `0`, expected a whole number from 1 to 10000"),
    value!(OutOfRange, 2, "turn_number", "10001", "turn_number is `10001`, expected a whole number from 1 to 10000"),
    value!(OutOfRange, 2, "current_player", "-1", "current_player is `-1`, expected a whole number from 0 to 3"),
    value!(OutOfRange, 2, "current_player", "3", "current_player is `3`, expected a seat from 0 to 2 in a game of 3"),
    value!(OutOfRange, 2, "gems_board_blue", "6", "gems_board_blue is `6`, expected a whole number from 0 to 5, the supply for 3 players"),
    value!(OutOfRange, 2, "gems_board_blue", "8", "gems_board_blue is `8`, expected a whole number from 0 to 7"),
    value!(OutOfRange, 2, "gems_board_gold", "6", "gems_board_gold is `6`, expected a whole number from 0 to 5"),
    value!(OutOfRange, 2, "deck_level1_remaining", "37", "deck_level1_remaining is `37`, expected a whole number from 0 to 36"),
    value!(OutOfRange, 2, "deck_level2_remaining", "27", "deck_level2_remaining is `27`, expected a whole number from 0 to 26"),
    value!(OutOfRange, 2, "deck_level3_remaining", "17", "deck_level3_remaining is `17`, expected a whole number from 0 to 16"),
    value!(OutOfRange, 2, "player2_vp", "61", "player2_vp is `61`, expected a whole number from 0 to 60"),
    value!(OutOfRange, 2, "player2_gems_green", "6", "player2_gems_green is `6`, expected a whole number from 0 to 5, the supply for 3 players"),
    group!(OutOfRange, 2, "player1_gems_", ["2", "2", "2", "2", "2", "1"], "player1_gems_* is `11`, expected a hand of at most 10 gems, gold included"),
    value!(OutOfRange, 2, "player0_reduction_white", "21", "player0_reduction_white is `21`, expected a whole number from 0 to 20"),
    value!(OutOfRange, 2, "card_selection", "15", "card_selection is `15`, expected a whole number from 0 to 14"),
    value!(OutOfRange, 2, "card_selection", "-1", "card_selection is `-1`, expected a whole number from 0 to 14"),
    value!(OutOfRange, 2, "card_reservation", "15", "card_reservation is `15`, expected a whole number from 0 to 14"),
    value!(OutOfRange, 2, "noble_selection", "-2", "noble_selection is `-2`, expected a whole number from -1 to 4"),
    value!(OutOfRange, 2, "noble_selection", "5", "noble_selection is `5`, expected a whole number from -1 to 4"),
    value!(OutOfRange, 2, "gem_take3_white", "2", "gem_take3_white is `2`, expected a whole number from 0 to 1"),
    value!(OutOfRange, 2, "gems_removed_gold", "4", "gems_removed_gold is `4`, expected a whole number from 0 to 3"),
    group!(OutOfRange, 2, "gems_removed_", ["1", "1", "1", "0", "0", "1"], "gems_removed_* is `4`, expected at most 3 gems given back in one turn"),
    value!(OutOfRange, 2, "player0_vp", "99999999999999999999999", "player0_vp is `99999999999999999999999`, expected a whole number from 0 to 60"),
    group!(OutOfRange, 2, "gem_take2_", ["0", "1", "0", "0", "0"], "gem_take2_* is `0,1,0,0,0`, expected 0 or 2 in each column (1 only in a `take 3 tokens` row without gem_take3, a known fault of old logs)"),
    // Values that may not be missing.
    value!(MissingValue, 6, "game_id", "", "game_id is missing, expected 123, the game the file is named after"),
    value!(MissingValue, 6, "num_players", "nan", "num_players is missing, expected a whole number from 2 to 4"),
    value!(MissingValue, 6, "gems_board_red", "", "gems_board_red is missing, expected a whole number from 0 to 7"),
    value!(MissingValue, 6, "deck_level2_remaining", " ", "deck_level2_remaining is missing, expected a whole number from 0 to 26"),
    value!(MissingValue, 6, "action_type", "NaN", "action_type is missing, expected one of `build`, `reserve`, `take 2 tokens`, `take 3 tokens`"),
    value!(MissingValue, 6, "player1_vp", "", "player1_vp is missing, expected a whole number from 0 to 60"),
    value!(MissingValue, 6, "player1_reduction_black", "", "player1_reduction_black is missing, expected a whole number from 0 to 20"),
    case(MissingValue, 6, "player2_position is missing, expected a player: this is a game of 3", |mut log| {
        log.clear_group(6, "player2_");
        log.to_bytes()
    }),
    // Parts of groups.
    value!(PartOfGroup, 3, "card5_cost_red", "", "card5_cost_red is missing, expected a value, because other columns of this card have one: it may only be missing as a whole"),
    value!(PartOfGroup, 3, "noble3_vp", "", "noble3_vp is missing, expected a value, because other columns of this noble have one: it may only be missing as a whole"),
    value!(PartOfGroup, 3, "player0_reserved2_level", "1", "player0_reserved2_vp is missing, expected a value, because other columns of this card have one: it may only be missing as a whole"),
    value!(PartOfGroup, 3, "player3_reserved2_level", "1", "player3_reserved2_vp is missing, expected a value, because other columns of this card have one: it may only be missing as a whole"),
    value!(PartOfGroup, 3, "player3_vp", "0", "player3_vp is `0`, expected no value: this is a game of 3"),
    group!(PartOfGroup, 3, "player3_reserved0_", CARD, "player3_reserved0_vp is `0`, expected no value: this is a game of 3"),
    case(PartOfGroup, 3, "gem_take3_blue is missing, expected a value, because other columns of gem_take3 have one: it may only be missing as a whole", |mut log| {
        log.set_group(3, "gem_take3_", &["1", "", "0", "0", "0"]);
        log.to_bytes()
    }),
    group!(PartOfGroup, 3, "gem_take3_", ["1", "1", "1", "1", "0"], "gem_take3_* is `1,1,1,1,0`, expected at most 3 colors to be 1"),
    group!(PartOfGroup, 3, "gem_take2_", ["2", "0", "0", "0", "2"], "gem_take2_* is `2,0,0,0,2`, expected at most 1 color to be 2"),
    case(PartOfGroup, 3, "gem_take2_* is `1,1,1,1,0`, expected at most 3 colors to be 1", |mut log| {
        log.set(3, "action_type", "take 3 tokens");
        log.clear_group(3, "gem_take3_");
        log.set_group(3, "gem_take2_", &["1", "1", "1", "1", "0"]);
        log.to_bytes()
    }),
    // Slots.
    group!(Gap, 3, "card1_", NO_CARD, "card1_* is missing, expected it to be filled before card2: slots are filled from the left"),
    group!(Gap, 3, "card10_", ["0"; 12], "card10_* is missing, expected it to be filled before card11: slots are filled from the left"),
    group!(Gap, 3, "noble0_", [""; 6], "noble0_* is missing, expected it to be filled before noble1: slots are filled from the left"),
    case(Gap, 3, "player0_reserved1_* is missing, expected it to be filled before player0_reserved2: slots are filled from the left", |mut log| {
        log.set_group(3, &format!("{RESERVED}0_"), &CARD);
        log.set_group(3, &format!("{RESERVED}2_"), &CARD);
        log.to_bytes()
    }),
    group!(WrongLevel, 3, "card4_", CARD, "card4_level is `1`, expected 2: these are the slots of level 2"),
    // Cards and nobles that do not exist.
    group!(NoSuchCard, 3, "card0_", ["1", "1", "0", "2", "0", "0", "2", "1", "0", "0", "0", "0"], "card0_* is `1,1,0,2,0,0,2,1,0,0,0,0`, expected a card of the game, or none"),
    group!(NoSuchCard, 3, "card0_", ["0", "1", "0", "2", "0", "0", "2", "1", "1", "0", "0", "0"], "card0_* is `0,1,0,2,0,0,2,1,1,0,0,0`, expected a card of the game, or none"),
    group!(NoSuchCard, 3, "player2_reserved0_", ["0", "1", "0", "2", "0", "0", "2", "0", "0", "0", "0", "0"], "player2_reserved0_* is `0,1,0,2,0,0,2,0,0,0,0,0`, expected a card of the game, or none"),
    group!(NoSuchNoble, 3, "noble1_", ["3", "4", "4", "4", "0", "0"], "noble1_* is `3,4,4,4,0,0`, expected a noble of the game, or none"),
    group!(NoSuchNoble, 3, "noble1_", ["2", "4", "4", "0", "0", "0"], "noble1_* is `2,4,4,0,0,0`, expected a noble of the game, or none"),
    // Rows that do not belong together, and players in wrong seats.
    value!(OtherGame, 7, "game_id", "124", "game_id is `124`, expected 123, the game the file is named after"),
    value!(OtherGame, 7, "game_id", "0", "game_id is `0`, expected 123, the game the file is named after"),
    value!(OtherGame, 7, "game_id", "-123", "game_id is `-123`, expected 123, the game the file is named after"),
    case(PlayerCountChanges, 8, "num_players is `2`, expected 3, as in the previous rows", |mut log| {
        log.set(8, "num_players", "2");
        log.set(8, "current_player", "0");
        log.set(8, "player0_position", "0");
        log.set(8, "player1_position", "1");
        log.clear_group(8, "player2_");
        log.map_values(|column, value| {
            let is_of_gems = column.contains("gems_") && !column.contains("gold");
            if is_of_gems && value == "5" { "4".to_owned() } else { value.to_owned() }
        });
        log.to_bytes()
    }),
    value!(SeatTakenTwice, 3, "player2_position", "2", "player2_position is `2`, expected 0: player1 sits in seat 2"),
    value!(WrongSeat, 3, "player0_position", "3", "player0_position is `3`, expected 1: players sit in turn order from current_player"),
    // Rows and files of the wrong shape.
    case(ShortRow, 4, "found 402 values, expected 403 values, as in the header", |mut log| {
        log.lines[3].pop();
        log.to_bytes()
    }),
    case(LongRow, 4, "found 404 values, expected 403 values, as in the header", |mut log| {
        log.lines[3].push("0".to_owned());
        log.to_bytes()
    }),
    case(LongRow, 4, "found a line of 1048577 bytes, expected a header or a row: no line has more than 1048576 bytes", |mut log| {
        log.lines[3] = vec![" ".repeat(1_048_577)];
        log.to_bytes()
    }),
    case(BlankLine, 5, "found a blank line, expected a row: blank lines may only end the file", |mut log| {
        log.lines.insert(4, vec![]);
        log.to_bytes()
    }),
    case(BlankLine, 5, "found a blank line, expected a row: blank lines may only end the file", |mut log| {
        log.lines.insert(4, vec![" \t ".to_owned()]);
        log.lines.insert(5, vec![]);
        log.to_bytes_with("\r\n")
    }),
    case(BlankLine, 1, "found a blank line, expected a row: blank lines may only end the file", |log| {
        [b"\n\n".as_slice(), &log.to_bytes()].concat()
    }),
    case(CutOff, 3, "found 40 values, expected the rest of the line: the file ends here", |mut log| {
        log.lines.truncate(3);
        log.lines[2].truncate(40);
        let bytes = log.to_bytes();
        bytes[..bytes.len() - 1].to_vec()
    }),
    case(CutOff, 3, "gems_removed_gold may be cut short, expected the rest of the line: the file ends here", |mut log| {
        log.lines.truncate(3);
        let bytes = log.to_bytes();
        bytes[..bytes.len() - 2].to_vec()
    }),
    case(CutOff, 3, "gems_removed_gold is `na`, expected the rest of the line: the file ends here", |mut log| {
        log.lines.truncate(3);
        log.set(3, "gems_removed_gold", "na");
        let bytes = log.to_bytes();
        bytes[..bytes.len() - 1].to_vec()
    }),
    case(CutOff, 1, "found 12 columns, expected the rest of the line: the file ends here", |log| {
        log.to_bytes()[..log.header().find("evel").unwrap()].to_vec()
    }),
    case(CutOff, 1, "found 11 columns, expected the rest of the line: the file ends here", |log| {
        log.to_bytes()[..log.header().find(",card0_level").unwrap()].to_vec()
    }),
    case(MissingColumn, 1, "noble4_req_black is missing, expected all 403 columns of a game log, the header has 402", |mut log| {
        let column = log.column("noble4_req_black");
        log.lines[0].remove(column);
        log.to_bytes()
    }),
    case(DoubledColumn, 1, "card3_vp is in the header twice, expected each column once", |mut log| {
        let column = log.column("card3_level");
        log.lines[0][column] = "card3_vp".to_owned();
        log.to_bytes()
    }),
    case(UnknownColumn, 1, "found the column `card3_pv`, expected only the columns of a game log (did you mean card3_vp?)", |mut log| {
        let column = log.column("card3_vp");
        log.lines[0][column] = "card3_pv".to_owned();
        log.to_bytes()
    }),
    case(UnknownColumn, 1, "found the column `winner`, expected only the columns of a game log", |mut log| {
        log.lines[0].push("winner".to_owned());
        log.to_bytes()
    }),
    case(UnknownColumn, 1, "found a column without a name, expected only the columns of a game log", |mut log| {
        log.lines[0].insert(0, String::new());
        log.to_bytes()
    }),
    case(UnknownColumn, 1, "found the column `Hello, world`, expected only the columns of a game log", |_| {
        b"\"Hello, world\"".to_vec()
    }),
    case(UnknownColumn, 1, "found the column `game_id;num_players;turn_number;current_player;gem…`, expected only the columns of a game log, separated by commas", |log| {
        String::from_utf8(log.to_bytes()).unwrap().replace(',', ";").into()
    }),
    case(UnknownColumn, 1, "found the column `g\\0a\\0m\\0e\\0_\\0i\\0d\\0`, expected only the columns of a game log in UTF-8 (this looks like UTF-16)", |log| {
        log.to_bytes().iter().take(40).flat_map(|&byte| if byte == b',' { vec![byte] } else { vec![byte, 0] }).collect()
    }),
    case(InvalidUtf8, 1, "found the byte-order mark of UTF-16, expected UTF-8: save the file in \
                          that encoding", |log| {
        let text = String::from_utf8(log.to_bytes()).unwrap();
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }),
    case(InvalidUtf8, 1, "found card3\u{fffd}vp, expected a column name in UTF-8", |log| {
        let mut bytes = log.to_bytes();
        let at = log.header().find("card3_vp").unwrap();
        bytes[at + 5] = 0xFF;
        bytes
    }),
    case(InvalidUtf8, 2, "game_id is `\u{fffd}23`, expected 123, the game the file is named after", |log| {
        let mut bytes = log.to_bytes();
        let at = log.header().len() + 1;
        bytes[at] = 0xC3;
        bytes
    }),
    case(InvalidUtf8, 3, "action_type is `\u{fffd}ake 3 tokens`, expected one of `build`, `reserve`, `take 2 tokens`, `take 3 tokens`", |mut log| {
        log.set(3, "action_type", "#ake 3 tokens");
        log.to_bytes().into_iter().map(|byte| if byte == b'#' { 0xFF } else { byte }).collect()
    }),
    case_of_file(Empty, "expected a header, then one row per turn", |_| Vec::new()),
    case_of_file(Empty, "expected a header, then one row per turn", |_| b"\xef\xbb\xbf\r\n  \
    \n\n".to_vec()),
    case_of_file(NoRows, "expected at least one row below the header", |mut log| {
        log.lines.truncate(1);
        log.to_bytes()
    }),
    case_of_file(NoRows, "expected at least one row below the header", |log| log.header().into()),
    // Quotes that are not closed.
    case(ShortRow, 4, "found 2 values, expected 403 values, as in the header (a value in quotes goes on over several lines, is its closing quote missing?)", |mut log| {
        log.set(4, "num_players", "\"3");
        log.to_bytes()
    }),
    case(Text, 4, "num_players is `3\\n`, expected a whole number from 2 to 4 (a value in quotes goes on over several lines, is its closing quote missing?)", |mut log| {
        log.set(4, "num_players", "\"3\n\"");
        log.to_bytes()
    }),
];
