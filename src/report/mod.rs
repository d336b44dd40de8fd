//! Numbers about the games of a cache, and about an export made from it.
//!
//! A report shows what a model would be trained on: how many games there are, how they go, which moves
//! are legal and which are chosen, which columns carry no information. All of it is in the cached rows,
//! so one pass over them is enough, and no log is read.
//!
//! Each thread counts games into a [`Tally`] of its own, and the tallies are added up. All counts are
//! whole numbers, so that the sum does not depend on which thread counted which game. Memory is one tally
//! and a few games for each thread. What concerns an export is read from its small files and compared by
//! [`diff_exports`](crate::export::diff_exports).
//!
//! [`render`] makes one HTML page of a finished [`Report`], and [`as_json`] gives the same numbers to
//! a program.

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
