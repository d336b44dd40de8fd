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
mod columns;
mod distribution;
mod error;
mod features;
mod findings;
mod games;
mod heads;
mod json;
mod page;
mod run;
mod splits;
mod tally;

pub use cards::{CardCounts, CardTally};
pub use classes::{class_in_words, never_occurs};
pub use distribution::Distribution;
pub use error::ReportError;
pub use features::{ColumnReport, FAR, Mark, RARE};
pub use findings::{Finding, LARGE_DRIFT, findings};
pub use games::{ActionCounts, GamesTally, TurnTally};
pub use heads::{ClassTally, HeadTally, IllegalLabel, MOST_NAMED};
pub use json::as_json;
pub use page::render;
pub use run::{CacheFacts, ExportReport, FaultyGame, Night, Report, ReportOptions, report};
pub use splits::{HeadBalance, balance};
pub use tally::Tally;
