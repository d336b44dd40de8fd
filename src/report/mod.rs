//! Statistics about the games of a cache, and about an export of it.
//!
//! A report describes the training data: the number of games and how they go, the legal and the chosen
//! moves, and the columns without information. It needs one pass over the cached rows, and reads no
//! logs.
//!
//! Each thread counts games in its own tally, and the tallies are merged. All counts are integers,
//! so the result does not depend on which thread counted which game. Memory is one tally and a few games
//! per thread. The part about an export is read from its small files and compared by
//! [`diff_exports`](crate::export::diff_exports).
//!
//! [`render`] converts a finished [`Report`] to one HTML page, and [`as_json`] to JSON.

mod classes;
mod counts;
mod error;
mod facts;
mod findings;
mod json;
mod page;
mod run;
mod splits;

pub use counts::place::Place;
pub use counts::positions::illegal_heads;
pub use error::ReportError;
pub use json::{as_json, fault_as_json};
pub use page::{ShownPosition, render, render_game};
pub use run::{Report, ReportOptions, report};

pub(crate) use classes::{class_in_words, never_occurs};
pub(crate) use counts::cards::{CardCounts, NobleCounts};
pub(crate) use counts::distribution::Distribution;
pub(crate) use counts::features::{ColumnReport, FAR, Mark};
pub(crate) use counts::games::{ActionCounts, GamesTally, TurnTally};
pub(crate) use counts::heads::{ClassTally, HeadTally, IllegalLabel, RARE_CLASS};
pub(crate) use counts::positions::Position;
pub(crate) use counts::timeline::{LARGE_DRIFT, Period, Timeline};
pub(crate) use counts::wins::{Wins, wilson};
pub(crate) use facts::FaultyGame;
pub(crate) use findings::findings;
pub(crate) use run::ExportReport;
pub(crate) use splits::{HeadBalance, balance};
