//! Positions of a live game: [`LiveRow`] gives the same results and errors as the log reader for the
//! same values in a file. `tests/it/log_reader` tests the rules for logs, and `python/tests` the Python
//! interface.

#![allow(clippy::unwrap_used)]

use splendor_prep::gamelog::{
    COLUMN_COUNT, Dialect, GameId, LiveColumn, LiveRow, LiveValue, LogErrorKind,
    STATE_COLUMN_COUNT, Turn, action_column_names, column_names, first_game_id, state_column_names,
    write_log,
};
use splendor_prep::rules::PlayerCount;
use splendor_prep::simulate::simulate_game;

const GAME: GameId = GameId(17);

/// Turns of games with every number of players.
fn turns() -> Vec<Turn> {
    let sizes = [PlayerCount::Two, PlayerCount::Three, PlayerCount::Four];
    sizes.into_iter().flat_map(|players| simulate_game(players, 5)).collect()
}

/// The fields of each turn as in a log.
fn fields(turns: &[Turn], dialect: Dialect) -> Vec<Vec<String>> {
    let mut log = Vec::new();
    write_log(&mut log, GAME, turns, dialect).unwrap();
    let mut reader = csv::Reader::from_reader(&log[..]);
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

/// The number of a field; NaN if it is missing.
fn number(field: &str) -> f64 {
    if field.is_empty() { f64::NAN } else { field.parse().unwrap() }
}

fn column(name: &str) -> LiveColumn {
    LiveColumn::named(name).unwrap()
}

/// The position of the first turn, to be modified.
fn position() -> LiveRow {
    let mut row = LiveRow::new();
    let first = turns().swap_remove(0);
    let fields = fields(&[first], Dialect::Nan).swap_remove(0);
    for (name, field) in state_column_names().zip(&fields[1..]) {
        row.set(column(name), LiveValue::Text(field)).unwrap();
    }
    row
}

#[test]
fn same_turn_as_a_log() {
    let turns = turns();
    assert!(turns.len() > 150);
    for dialect in Dialect::ALL {
        for (turn, fields) in turns.iter().zip(fields(&turns, dialect)) {
            let mut row = LiveRow::new();
            for (place, field) in fields.iter().enumerate() {
                row.set(LiveColumn::at(place).unwrap(), LiveValue::Text(field)).unwrap();
            }
            assert_eq!(row.board().unwrap(), turn.board);
            assert_eq!(row.action().unwrap().as_ref(), Some(&turn.action));

            let (mut real, mut whole) = (LiveRow::new(), LiveRow::new());
            for (place, field) in fields[1..=STATE_COLUMN_COUNT].iter().enumerate() {
                let column = LiveColumn::of_state(place).unwrap();
                let value = number(field);
                real.set(column, LiveValue::Real(value)).unwrap();
                let value = match value.is_nan() {
                    true => LiveValue::Missing,
                    false => LiveValue::Whole(value as i64),
                };
                whole.set(column, value).unwrap();
            }
            for row in [real, whole] {
                assert_eq!(row.board().unwrap(), turn.board);
                assert_eq!(row.action().unwrap(), None);
            }
        }
    }
}

#[test]
fn columns() {
    let state: Vec<_> = state_column_names().collect();
    let action: Vec<_> = action_column_names().collect();
    let all: Vec<_> = std::iter::once("game_id").chain(state.clone()).chain(action).collect();
    assert!(column_names().eq(all.iter().copied()));
    assert_eq!(state.len(), 382);
    for (place, name) in all.into_iter().enumerate() {
        assert_eq!(LiveColumn::at(place), Some(column(name)));
        assert_eq!(column(name).name(), name);
    }
    assert_eq!(LiveColumn::at(COLUMN_COUNT), None);
    assert_eq!(LiveColumn::of_state(0), Some(column("num_players")));
    assert_eq!(LiveColumn::of_state(STATE_COLUMN_COUNT), None);
}

#[test]
fn refused_values() {
    use LogErrorKind::{Fraction, Infinity, OutOfRange, Text};
    for (value, kind) in [
        (LiveValue::Real(2.5), Fraction),
        (LiveValue::Real(-1e-300), Fraction),
        (LiveValue::Real(f64::INFINITY), Infinity),
        (LiveValue::Real(f64::NEG_INFINITY), Infinity),
        (LiveValue::Real(1e300), OutOfRange),
        (LiveValue::Real(9_223_372_036_854_775_808.0), OutOfRange),
        (LiveValue::Real(8.0), OutOfRange),
        (LiveValue::Whole(8), OutOfRange),
        (LiveValue::Whole(-1), OutOfRange),
        (LiveValue::Whole(i64::MIN), OutOfRange),
        // 65,538 is 2 in sixteen bits.
        (LiveValue::Whole(65_538), OutOfRange),
        (LiveValue::Text("two"), Text),
        (LiveValue::Text("2.5"), Fraction),
    ] {
        let fault = LiveRow::new().set(column("card3_cost_red"), value).unwrap_err();
        assert_eq!(fault.kind, kind, "{value:?}");
        assert_eq!(fault.column.as_deref(), Some("card3_cost_red"));
        assert_eq!(fault.expected, "a whole number from 0 to 7");
        assert!(fault.found.is_some());
    }
    let fault = LiveRow::new().set(column("action_type"), LiveValue::Whole(1)).unwrap_err();
    assert_eq!((fault.kind, fault.found.as_deref()), (Text, Some("1")));
    let fault = LiveColumn::named("card3_cost_rd").unwrap_err();
    assert!(fault.to_string().ends_with("(did you mean card3_cost_red?)"), "{fault}");
}

#[test]
fn required_values() {
    for name in ["num_players", "turn_number", "gems_board_gold", "deck_level3_remaining"] {
        for nothing in [LiveValue::Missing, LiveValue::Real(f64::NAN), LiveValue::Text("nan")] {
            let mut row = position();
            row.set(column(name), nothing).unwrap();
            let fault = row.board().unwrap_err();
            assert_eq!(fault.kind, LogErrorKind::MissingValue);
            assert_eq!(fault.column.as_deref(), Some(name));
        }
    }
    assert!(position().board().is_ok());
}

#[test]
fn moves() {
    let mut row = position();
    row.set(column("noble_selection"), LiveValue::Whole(-1)).unwrap();
    row.set(column("gems_removed_red"), LiveValue::Whole(0)).unwrap();
    assert_eq!(row.action().unwrap(), None);
    row.set(column("card_selection"), LiveValue::Whole(0)).unwrap();
    let fault = row.action().unwrap_err();
    assert_eq!(fault.column.as_deref(), Some("action_type"));
    row.set(column("action_type"), LiveValue::Text("build")).unwrap();
    assert_eq!(row.action().unwrap().unwrap().card_selection, Some(0));
}

#[test]
fn first_game_id_of_a_log() {
    let mut log = Vec::new();
    write_log(&mut log, GAME, &turns()[..3], Dialect::Float).unwrap();
    assert_eq!(first_game_id(&log), Some(GAME));
    assert_eq!(first_game_id(b"\xef\xbb\xbfa, \"game_id\" ,b\r\n1, 5.0 ,2\r\n"), Some(GameId(5)));
    for nothing in [&b""[..], b"game_id\n", b"a,b\n1,2\n", b"game_id\nx\n", b"a,game_id\n1\n"] {
        assert_eq!(first_game_id(nothing), None, "{nothing:?}");
    }
}
