//! Statistics about the games of a cache, and about an export of it.
//!
//! A report describes the training data: the number of games and how they go, the legal and the chosen
//! moves, and the columns without information. It needs one pass over the cached rows, and reads no
//! logs.
//!
//! Each thread counts games in its own [`Tally`], and the tallies are merged. All counts are integers,
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

pub use classes::{class_in_words, never_occurs};
pub use counts::cards::{CardCounts, CardTally, NobleCounts};
pub use counts::distribution::Distribution;
pub use counts::features::{ColumnReport, FAR, Mark, RARE};
pub use counts::games::{ActionCounts, GamesTally, TurnTally};
pub use counts::heads::{ClassTally, HeadTally, IllegalLabel, MOST_NAMED, RARE_CLASS};
pub use counts::place::Place;
pub use counts::positions::{Outlier, Position};
pub use counts::tally::Tally;
pub use counts::timeline::{LARGE_DRIFT, Period, PeriodDrift, Timeline};
pub use counts::wins::{Endings, Wins, wilson};
pub use error::ReportError;
pub use facts::{CacheFacts, FaultyGame};
pub use findings::{Finding, findings};
pub use json::{as_json, fault_as_json};
pub use page::{GamePage, GamePageRow, render, render_game};
pub use run::{ExportReport, Report, ReportOptions, report};
pub use splits::{HeadBalance, balance};
