//! Reports: numbers about the games of a cache, and about an export made from it.
//!
//! **Why it is so.** Before somebody trains for a week, they want to see what they train on: how
//! many games, how they go, what is chosen and what could have been, which columns say nothing. All
//! of it is in the cached rows, so one pass over them finds it, and no log is read.
//!
//! **How it works.** One snapshot of the cache gives the games. Each thread unpacks games and counts
//! into a [`Tally`] of its own; at the end the tallies are added up. Everything that is counted is a
//! whole number, so the sum is the same however games fell to threads, and a report is a function
//! of the cache's content. Memory is one tally and a few games a thread, however many games there
//! are. Means, shares and quantiles are worked out from the counts when they are asked for.
//!
//! What concerns an export is read from its small files, and compared by
//! [`diff_exports`](crate::export::diff_exports).
//!
//! [`render`] makes one HTML page of a finished [`Report`], and [`as_json`] gives the same numbers to
//! a program.

mod cards;
mod classes;
mod distribution;
mod error;
mod features;
mod findings;
mod games;
mod heads;
mod json;
mod page;
mod places;
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
pub use run::{CacheFacts, ExportReport, Night, Report, ReportOptions, report};
pub use splits::{HeadBalance, balance};
pub use tally::Tally;
