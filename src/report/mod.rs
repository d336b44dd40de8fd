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

mod cards;
mod classes;
mod distribution;
mod error;
mod facts;
mod features;
mod findings;
mod games;
mod heads;
mod json;
mod page;
mod place;
mod positions;
mod run;
mod splits;
mod tally;
mod timeline;
mod wins;

pub use cards::{CardCounts, CardTally, NobleCounts};
pub use classes::{class_in_words, never_occurs};
pub use distribution::Distribution;
pub use error::ReportError;
pub use facts::{CacheFacts, FaultyGame};
pub use features::{ColumnReport, FAR, Mark, RARE};
pub use findings::{Finding, findings};
pub use games::{ActionCounts, GamesTally, TurnTally};
pub use heads::{ClassTally, HeadTally, IllegalLabel, MOST_NAMED, RARE_CLASS};
pub use json::{as_json, fault_as_json};
pub use page::{GamePage, GamePageRow, render, render_game};
pub use place::Place;
pub use positions::{Outlier, Position};
pub use run::{ExportReport, Report, ReportOptions, report};
pub use splits::{HeadBalance, balance};
pub use tally::Tally;
pub use timeline::{LARGE_DRIFT, Period, PeriodDrift, Timeline};
pub use wins::{Endings, Wins, wilson};
