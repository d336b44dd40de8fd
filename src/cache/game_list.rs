//! User-written conditions and expressions over the view `game_list`.
//!
//! An expression is SQL from a command line, a settings file or a notebook. It is evaluated on a copy of
//! the view in a read-only in-memory database that holds nothing else, so that it cannot access any
//! other table or file. Only deterministic functions are allowed, so that the same cache always gives
//! the same games.

use super::error::CacheError;
use super::reader::Reader;
use crate::gamelog::GameId;
use crate::words::shown;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, params_from_iter};
use std::collections::{BTreeMap, BTreeSet};

/// Why an expression cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum ExpressionError {
    /// It is not a valid expression over the view.
    #[error(
        "`{}` cannot be used: {}; the columns of game_list are {columns}",
        shown(expression),
        shown(why)
    )]
    Invalid { expression: String, why: String, columns: String },
    /// It takes too many steps, such as a query over all games for each game.
    #[error(
        "`{}` takes too long: more than {MAX_STEPS_PER_GAME} steps for each game",
        shown(.0)
    )]
    TooLong(String),
    /// Its value for a game has the wrong type.
    #[error("`{}` is {} for game {game_id}, expected {expected}", shown(expression), shown(found))]
    WrongValue { expression: String, game_id: GameId, found: String, expected: &'static str },
}

/// Limit on the steps of SQLite's virtual machine. Comparing a column takes two or three.
const MAX_STEPS_PER_GAME: u64 = 10_000;
/// Steps between two checks of the limit.
const STEPS_PER_LOOK: u16 = 1_000;
/// Limit on the length of any text. A step such as `instr` takes time that grows with the product of the
/// lengths of two texts.
const MAX_TEXT_BYTES: i32 = 5_000;

/// Deterministic functions that cannot create a long text from short ones.
const FUNCTIONS: &str = "abs avg ceil ceiling coalesce count exp floor glob ifnull iif instr length like \
     ln log log10 log2 lower ltrim max min mod nullif pow power replace round rtrim sign sqrt substr \
     substring sum total trim typeof upper";

/// A snapshot of the view `game_list`.
pub struct GameList {
    connection: Connection,
    columns: Vec<String>,
    games: u64,
}

impl Reader {
    /// The view `game_list`, for conditions.
    pub fn game_list(&self) -> Result<GameList, CacheError> {
        self.read(GameList::copy)
    }
}

impl GameList {
    fn copy(cache: &Connection) -> rusqlite::Result<GameList> {
        let mut statement =
            cache.prepare("SELECT name, type FROM pragma_table_info('game_list')")?;
        let columns: Vec<(String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let definitions: Vec<_> =
            columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        let mut connection = Connection::open_in_memory()?;
        let games = {
            let copy = connection.transaction()?;
            copy.execute_batch(&format!(
                "CREATE TABLE game_list ({}, PRIMARY KEY (game_id)) WITHOUT ROWID",
                definitions.join(", ")
            ))?;
            let places = vec!["?"; columns.len()].join(", ");
            let mut insert = copy.prepare(&format!("INSERT INTO game_list VALUES ({places})"))?;
            let mut select = cache.prepare("SELECT * FROM game_list")?;
            let (mut rows, mut games) = (select.query([])?, 0);
            while let Some(row) = rows.next()? {
                let values = (0..columns.len()).map(|column| row.get(column));
                let values: Vec<Value> = values.collect::<rusqlite::Result<_>>()?;
                insert.execute(params_from_iter(values))?;
                games += 1;
            }
            drop(insert);
            copy.commit()?;
            games
        };
        // A name in double quotes that is not a column is an error, not a string.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_TEXT_BYTES)?;
        connection.authorizer(Some(authorize))?;
        let columns = columns.into_iter().map(|(name, _)| name).collect();
        Ok(GameList { connection, columns, games })
    }

    /// The games for which a condition is true.
    ///
    /// # Errors
    /// If it is not a valid condition over the columns of the view.
    pub fn games_where(&mut self, condition: &str) -> Result<BTreeSet<GameId>, ExpressionError> {
        let values = self.values(&format!("CASE WHEN (\n{condition}\n) THEN 1 END"), condition)?;
        let is_true = |value: &Value| *value == Value::Integer(1);
        Ok(values.into_iter().filter(|(_, value)| is_true(value)).map(|(game, _)| game).collect())
    }

    /// The value of a numeric expression for each game; NaN where it is NULL.
    ///
    /// # Errors
    /// If it is not a valid expression over the columns of the view, or its value is not numeric for
    /// some game.
    pub fn numbers(&mut self, expression: &str) -> Result<BTreeMap<GameId, f64>, ExpressionError> {
        let values = self.values(&format!("(\n{expression}\n)"), expression)?;
        let number = |(game_id, value)| match value {
            Value::Integer(number) => Ok((game_id, number as f64)),
            Value::Real(number) => Ok((game_id, number)),
            Value::Null => Ok((game_id, f64::NAN)),
            value => {
                let found = in_words(&value);
                let (expression, expected) = (expression.to_owned(), "a number");
                Err(ExpressionError::WrongValue { expression, game_id, found, expected })
            }
        };
        values.into_iter().map(number).collect()
    }

    /// Evaluates an SQL expression for each game.
    fn values(
        &mut self,
        selected: &str,
        expression: &str,
    ) -> Result<Vec<(GameId, Value)>, ExpressionError> {
        let max_looks = 1 + self.games * MAX_STEPS_PER_GAME / u64::from(STEPS_PER_LOOK);
        let mut looks = 0;
        let is_over = move || {
            looks += 1;
            looks > max_looks
        };
        let evaluate = |connection: &mut Connection| {
            connection.progress_handler(STEPS_PER_LOOK.into(), Some(is_over))?;
            check(connection, expression)?;
            let sql = format!("SELECT game_id, {selected} FROM game_list");
            let mut statement = prepare(connection, &sql)?;
            let values = statement.query_map([], |row| Ok((GameId(row.get(0)?), row.get(1)?)))?;
            values.collect::<rusqlite::Result<Vec<_>>>()
        };
        evaluate(&mut self.connection).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => ExpressionError::TooLong(expression.into()),
            _ => ExpressionError::Invalid {
                expression: expression.to_owned(),
                why: match error {
                    rusqlite::Error::SqlInputError { msg, .. } => msg,
                    rusqlite::Error::SqliteFailure(_, Some(why))
                    | rusqlite::Error::InvalidParameterName(why) => why,
                    error => error.to_string(),
                },
                columns: self.columns.join(", "),
            },
        })
    }
}

/// Checks that the text is a single expression. Text that closes the parenthesis around it to begin
/// another clause would have to be valid in the first two statements, and no such text exists: only the
/// rest of an expression can come between `)` and `THEN`. With such a rest, as in `1) OR (1`, the
/// function in the third has only one argument.
fn check(connection: &Connection, expression: &str) -> rusqlite::Result<()> {
    if expression.trim().is_empty() {
        return Err(rusqlite::Error::InvalidParameterName("it is empty".to_owned()));
    }
    prepare(connection, &format!("SELECT CASE WHEN (\n{expression}\n) THEN 1 END FROM game_list"))?;
    prepare(connection, &format!("SELECT 1 FROM game_list WHERE (\n{expression}\n)"))?;
    match prepare(connection, &format!("SELECT coalesce(\n{expression}\n, 1) FROM game_list")) {
        Ok(_) => Ok(()),
        Err(_) => {
            let why = "it is not a single expression";
            Err(rusqlite::Error::InvalidParameterName(why.to_owned()))
        }
    }
}

fn prepare<'c>(connection: &'c Connection, sql: &str) -> rusqlite::Result<Statement<'c>> {
    let statement = connection.prepare(sql)?;
    match statement.parameter_count() {
        0 => Ok(statement),
        _ => Err(rusqlite::Error::InvalidParameterName("it has a parameter".to_owned())),
    }
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { table_name: "game_list", .. } => {
            Authorization::Allow
        }
        AuthAction::Function { function_name }
            if FUNCTIONS.split(' ').any(|allowed| allowed == function_name) =>
        {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

fn in_words(value: &Value) -> String {
    match ValueRef::from(value) {
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
        value => value.data_type().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Games 1 to 4, with their players and rounds.
    fn list() -> GameList {
        let cache = Connection::open_in_memory().unwrap();
        let sql = "CREATE TABLE games (game_id INTEGER, players INTEGER, rounds INTEGER, ending TEXT, secret TEXT);
                   INSERT INTO games VALUES (4, 2, 40, 'tie', 'x'), (1, 2, 30, 'finished', 'x'),
                                            (2, 3, 20, 'finished', 'x'), (3, 4, NULL, NULL, 'x');
                   CREATE VIEW game_list AS SELECT game_id, players, rounds, ending FROM games";
        cache.execute_batch(sql).unwrap();
        GameList::copy(&cache).unwrap()
    }

    fn games(condition: &str) -> Result<Vec<i64>, String> {
        let found = list().games_where(condition).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|game| game.0).collect())
    }

    #[test]
    fn conditions() {
        for (condition, expected) in [
            ("players = 2 AND ending = 'finished'", &[1][..]),
            ("game_list.rounds > 20", &[1, 4]),
            ("rounds > 20 -- a comment", &[1, 4]),
            ("rounds IS NULL OR ending LIKE 'T%'", &[3, 4]),
            ("rounds >= (SELECT avg(rounds) FROM game_list)", &[1, 4]),
            ("game_id IN (2, 3, 7)", &[2, 3]),
            ("true", &[1, 2, 3, 4]),
            ("0", &[]),
            ("NULL", &[]),
            ("(players, rounds) = (2, 40)", &[4]),
            ("rounds = (SELECT max(rounds) FROM game_list)", &[4]),
            ("')' = ')' AND players = 3", &[2]),
        ] {
            assert_eq!(games(condition).as_deref(), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn refused() {
        for (condition, why) in [
            ("", "it is empty"),
            ("player = 2", "no such column: player"),
            ("ending = \"finished\"", "no such column: \"finished\""),
            ("players = ", "near \")\": syntax error"),
            ("players = ?", "it has a parameter"),
            ("1) ; DELETE FROM game_list; SELECT (1", "near \";\": syntax error"),
            ("1) UNION SELECT 9, (1", "near \"UNION\": syntax error"),
            ("1) UNION SELECT game_id FROM game_list WHERE (1", "near \"UNION\": syntax error"),
            (
                "1) THEN 1 END FROM game_list UNION SELECT CASE WHEN (1",
                "near \"THEN\": syntax error",
            ),
            ("1) OR (1", "it is not a single expression"),
            ("players = 2) AND (rounds = 40", "it is not a single expression"),
            ("players, 2) = (2, 2", "it is not a single expression"),
            ("SELECT 1", "it is not a single expression"),
            ("1) ORDER BY (1", "near \"ORDER\": syntax error"),
            ("1) /*", "incomplete input"),
            ("1; --", "near \";\": syntax error"),
            ("(SELECT secret FROM games) = 'x'", "no such table: games"),
            ("(SELECT sql FROM sqlite_schema) <> ''", "prohibited"),
            ("(SELECT count(*) FROM sqlite_schema) > 0", "not authorized"),
            ("(SELECT count(*) FROM pragma_database_list) > 0", "not authorized"),
            ("(SELECT count(*) FROM json_each('[1]')) > 0", "not authorized"),
            (
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n) > 0",
                "not authorized",
            ),
            ("random() > 0", "not authorized to use function: random"),
            ("date('now') > ''", "not authorized to use function: date"),
            ("load_extension('x')", "not authorized to use function: load_extension"),
            ("count(*) > 1", "misuse of aggregate"),
            ("(players, 1)", "row value misused"),
            ("PRAGMA query_only = 0", "near \"query_only\": syntax error"),
            ("ATTACH 'x' AS y", "syntax error"),
        ] {
            let error = games(condition).expect_err(condition);
            assert!(error.contains(why), "{condition}: {error}");
            assert!(
                error.ends_with("; the columns of game_list are game_id, players, rounds, ending"),
                "{error}"
            );
        }
    }

    #[test]
    fn bounded_work() {
        let all = "(SELECT count(*) FROM game_list a, game_list b, game_list c, game_list d, \
                    game_list e, game_list f, game_list g, game_list h, game_list i) > rounds";
        assert!(games(all).unwrap_err().contains("takes too long"));
        let long = "length(replace(replace(replace(replace('aaaaaaaaaaaaaaaaaaaa', 'a', \
                    'aaaaaaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaaaaaaa'), 'a', \
                    'aaaaaaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaaaaaaa')) > 0";
        assert!(games(long).unwrap_err().contains("too big"));
        // A single step of some seconds.
        let slow = "instr(replace(replace(replace('aaaaaaaaaaaaaaaaaaaa', 'a', 'aaaaaaaaaaaaaaaaaaaa'), \
                    'a', 'aaaaaaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaaaaaaa'), replace(replace(\
                    'aaaaaaaaaaaaaaaaaaaa', 'a', 'aaaaaaaaaaaaaaaaaaaa'), 'a', \
                    'aaaaaaaaaaaaaaaaaaaa') || 'b') > 0";
        assert!(games(slow).unwrap_err().contains("too big"));
    }

    #[test]
    fn numbers() {
        let numbers = |expression: &str| list().numbers(expression);
        let found = numbers("CASE players WHEN 2 THEN 0.5 ELSE rounds END").unwrap();
        let found: Vec<f64> = found.into_values().collect();
        assert_eq!(found[..2], [0.5, 20.0]);
        assert!(found[2].is_nan());
        assert_eq!(found[3], 0.5);
        let error = numbers("ending").unwrap_err().to_string();
        assert_eq!(error, "`ending` is 'finished' for game 1, expected a number");
        let union = numbers("1) FROM game_list UNION SELECT 9, (1");
        assert!(union.is_err());
    }
}
