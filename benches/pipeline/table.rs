//! Formats the table of results.

use crate::stopwatch::Rounds;
use std::fmt;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) measured: String,
    pub(crate) against: String,
    pub(crate) reference: String,
    pub(crate) ratio: String,
    pub(crate) goal: String,
    pub(crate) met: Option<bool>,
}

impl Row {
    /// A case that takes at most `goal` times as long as another.
    pub(crate) fn at_most(
        case: &str,
        rounds: &Rounds,
        against: &str,
        other: &Rounds,
        goal: f64,
    ) -> Row {
        let ratio = rounds.compare(other, |seconds, other| seconds / other);
        Row {
            case: case.into(),
            measured: seconds(rounds),
            against: against.into(),
            reference: seconds(other),
            ratio: format!("{ratio:.2} x"),
            goal: format!("at most {goal} x"),
            met: Some(ratio <= goal),
        }
    }

    /// A case that takes at most `goal` milliseconds longer than another.
    pub(crate) fn longer_by(
        case: &str,
        rounds: &Rounds,
        against: &str,
        other: &Rounds,
        goal: f64,
    ) -> Row {
        let milliseconds = 1000.0 * rounds.compare(other, |seconds, other| seconds - other);
        Row {
            ratio: format!("{milliseconds:+.0} ms"),
            goal: format!("at most +{goal} ms"),
            met: Some(milliseconds <= goal),
            ..Row::at_most(case, rounds, against, other, 1.0)
        }
    }

    /// A case whose reference is not available.
    pub(crate) fn not_compared(case: &str, rounds: &Rounds, against: &str, goal: f64) -> Row {
        Row {
            case: case.into(),
            measured: seconds(rounds),
            against: against.into(),
            reference: "not installed".into(),
            ratio: String::new(),
            goal: format!("at most {goal} x"),
            met: None,
        }
    }

    /// A rate in rows per second with a lower limit.
    pub(crate) fn rows_a_second(case: &str, rounds: &Rounds, rows: u64, goal: f64) -> Row {
        let rate = rows as f64 / rounds.seconds().0;
        Row {
            case: case.into(),
            measured: seconds(rounds),
            against: String::new(),
            reference: String::new(),
            ratio: format!("{rate:.0} rows/s"),
            goal: format!("at least {goal} rows/s"),
            met: Some(rate >= goal),
        }
    }

    /// A time in seconds with an upper limit.
    pub(crate) fn seconds_under(case: &str, rounds: &Rounds, limit: f64) -> Row {
        Row {
            case: case.into(),
            measured: seconds(rounds),
            against: String::new(),
            reference: String::new(),
            ratio: String::new(),
            goal: format!("under {limit} s"),
            met: Some(rounds.seconds().0 < limit),
        }
    }

    /// A size in megabytes with an upper limit.
    pub(crate) fn under(case: &str, megabytes: f64, limit: f64) -> Row {
        Row {
            case: case.into(),
            measured: format!("{megabytes:.0} MB"),
            against: String::new(),
            reference: String::new(),
            ratio: String::new(),
            goal: format!("under {limit} MB"),
            met: Some(megabytes < limit),
        }
    }

    /// A size in megabytes that is at most `goal` times another.
    pub(crate) fn megabytes(
        case: &str,
        megabytes: f64,
        (against, other): (&str, f64),
        goal: f64,
    ) -> Row {
        let ratio = megabytes / other;
        Row {
            case: case.into(),
            measured: format!("{megabytes:.0} MB"),
            against: against.into(),
            reference: format!("{other:.0} MB"),
            ratio: format!("{ratio:.3} x"),
            goal: format!("at most {goal} x"),
            met: Some(ratio <= goal),
        }
    }
}

/// `3.80 s (3.71-4.02), 7.4 s CPU`
fn seconds(rounds: &Rounds) -> String {
    let (median, min, max) = rounds.seconds();
    let cpu = rounds.cpu().map_or_else(String::new, |cpu| format!(", {cpu:.2} CPU"));
    format!("{median:.2} s ({min:.2}-{max:.2}){cpu}")
}

pub(crate) const HEAD: &str = "\
| case | median (min-max), CPU seconds | against | median (min-max), CPU seconds | ratio | goal | met |
| --- | --- | --- | --- | --- | --- | --- |";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { case, measured, against, reference, ratio, goal, met } = self;
        let met = match met {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        write!(f, "| {case} | {measured} | {against} | {reference} | {ratio} | {goal} | {met} |")
    }
}
