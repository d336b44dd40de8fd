//! Every kind of fault of a log: how to create it, and its message.

use super::log_text::LogText;

/// Converts a valid log to a faulty one.
pub(crate) type Breaking = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// One kind of fault.
pub(crate) struct Fault {
    pub(crate) what: &'static str,
    /// Creates the faulty log from a valid one.
    pub(crate) broken: Breaking,
    /// The message on stderr after the path; `…` matches any text.
    pub(crate) said: &'static str,
    /// Whether the log is deferred, not refused.
    pub(crate) deferred: bool,
}

impl Fault {
    fn deferred(self) -> Fault {
        Fault { deferred: true, ..self }
    }
}

/// A log with a different value in one cell.
fn cell(
    what: &'static str,
    line: usize,
    column: &'static str,
    value: &'static str,
    said: &'static str,
) -> Fault {
    text(what, move |log| log.set(line, column, value), said)
}

/// A log with changed cells or lines.
fn text(what: &'static str, edit: impl Fn(&mut LogText) + 'static, said: &'static str) -> Fault {
    bytes(what, move |good| edited(good, &edit), said)
}

/// A log with changed bytes.
fn bytes(
    what: &'static str,
    broken: impl Fn(&[u8]) -> Vec<u8> + 'static,
    said: &'static str,
) -> Fault {
    Fault { what, broken: Box::new(broken), said, deferred: false }
}

fn set_card(log: &mut LogText, line: usize, card: &str, from: &str) {
    for (to, from) in log.group(&format!("{card}_")).into_iter().zip(log.group(&format!("{from}_")))
    {
        log.lines[line - 1][to] = log.lines[line - 1][from].clone();
    }
}

/// For the log of a two-player game. In the order of the errors in the log format.
#[rustfmt::skip]
pub(crate) fn faults() -> Vec<Fault> {
    vec![
        cell("a fraction", 3, "turn_number", "2.5",
            ":3: turn_number is `2.5`, expected a whole number from 1 to 10000"),
        cell("a number below its range", 2, "turn_number", "0",
            ":2: turn_number is `0`, expected a whole number from 1 to 10000"),
        cell("a number above its range", 4, "deck_level2_remaining", "27",
            ":4: deck_level2_remaining is `27`, expected a whole number from 0 to 26"),
        cell("more gems than this game has", 5, "gems_board_red", "5",
            ":5: gems_board_red is `5`, expected a whole number from 0 to 4, the supply for 2 players"),
        text("a hand of more than ten",
            |log| log.set_group(6, "player1_gems_", &["4", "4", "4", "0", "0", "0"]),
            ":6: player1_gems_* is `12`, expected a hand of at most 10 gems"),
        text("more than three gems given back",
            |log| log.set_group(2, "gems_removed_", &["2", "0", "0", "0", "0", "2"]),
            ":2: gems_removed_* is `4`, expected at most 3 gems given back"),
        cell("an infinity", 7, "player0_vp", "inf",
            ":7: player0_vp is `inf`, expected a whole number from 0 to 60"),
        cell("text", 2, "player1_reduction_red", "two",
            ":2: player1_reduction_red is `two`, expected a whole number from 0 to 20"),
        cell("an unknown action", 2, "action_type", "pass",
            ":2: action_type is `pass`, expected one of `build`, `reserve`, `take 2 tokens`, `take 3 tokens`"),
        cell("a value that may not be missing", 8, "gems_board_gold", "nan",
            ":8: gems_board_gold is missing, expected a whole number from 0 to 5"),
        text("a short row", |log| _ = log.lines[3].pop(),
            ":4: found 402 values, expected 403 values, as in the header"),
        text("a long row", |log| log.lines[3].push("0".into()),
            ":4: found 404 values, expected 403 values, as in the header"),
        text("a missing column", |log| {
            let column = log.column("card5_cost_blue");
            log.lines.iter_mut().for_each(|cells| _ = cells.remove(column));
        }, ":1: card5_cost_blue is missing, expected all 403 columns"),
        cell("a doubled column", 1, "card5_cost_green", "card5_cost_blue",
            ":1: card5_cost_blue is in the header twice, expected each column once"),
        cell("an unknown column", 1, "card5_cost_blue", "card5_cost_bleu",
            ":1: found the column `card5_cost_bleu`, expected only the columns of a game log \
            (did you mean card5_cost_blue?)"),
        cell("a card that does not exist", 2, "card0_cost_white", "7",
            ":2: card0_* is `0,…`, expected a card of the game, or none"),
        cell("a part of a card", 9, "card8_level", "",
            ":9: card8_level is missing, expected a value, because other columns of this card have one"),
        text("a card in another level's slots", |log| set_card(log, 2, "card4", "card0"),
            ":2: card4_level is `1`, expected 2: these are the slots of level 2"),
        text("a gap between cards", |log| log.clear_group(2, "card1_"),
            ":2: card1_* is missing, expected it to be filled before card2"),
        cell("a noble that does not exist", 2, "noble0_vp", "2",
            ":2: noble0_* is `2,…`, expected a noble of the game, or none"),
        cell("another game's row", 3, "game_id", "2",
            ":3: game_id is `2`, expected 1, the game the file is named after"),
        cell("two players in one seat", 2, "player1_position", "0",
            ":2: player1_position is `0`, expected 1: player0 sits in seat 0"),
        text("a missing player", |log| log.clear_group(2, "player1_"),
            ":2: player1_position is missing, expected a player: this is a game of 2"),
        bytes("a file cut off in a row", |good| {
            let mut log = edited(good, |log| log.lines.truncate(5));
            log.truncate(log.iter().rposition(|&byte| byte == b',').unwrap());
            log
        }, ":5: found 402 values, expected a complete line and a line break: the file ends in the middle")
        .deferred(),
        bytes("bytes that are not UTF-8", |good| {
            let place = good.windows(5).position(|bytes| bytes == b"take ").unwrap();
            let mut bytes = good.to_vec();
            bytes[place] = 0xff;
            bytes
        }, ":2: action_type is `�ake 3 tokens`, expected one of `build`, `reserve`"),
        bytes("an empty file", |_| Vec::new(), ": expected a header, then one row per turn").deferred(),
        text("a header with no rows", |log| log.lines.truncate(1),
            ": expected at least one row below the header").deferred(),
    ]
}

/// The log with changed cells or lines.
pub(crate) fn edited(good: &[u8], edit: impl Fn(&mut LogText)) -> Vec<u8> {
    let mut log = LogText::parse(good);
    edit(&mut log);
    log.to_bytes()
}
