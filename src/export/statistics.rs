//! Statistics over the rows of an export: classes, legal moves, illegal labels, exact sums.
//!
//! Each game is counted while its arrays are made, and the counts are added in game order, so that no
//! second pass over the data is needed. They are written to `preprocessing_stats.json` and
//! `mask_validation_report.json`, which `prep diff` and `prep report` read.

use super::scaler_file::ColumnDrift;
use crate::dataset::{BySplit, Scaler, ScalerError, Split};
use crate::encode::{ColumnSums, Head, Label, NO_LABEL};
use crate::gamelog::{ActionType, GameId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Holds [`Statistics`].
pub(super) const STATISTICS_FILE: &str = "preprocessing_stats.json";
/// Holds a [`MaskValidationFile`].
pub(super) const MASK_VALIDATION_FILE: &str = "mask_validation_report.json";

/// Limit on the listed illegal labels per head and split; all are counted. Without a limit, logs of an
/// engine with different rules would fill the memory.
const MAX_LISTED: usize = 10_000;

/// The content of [`STATISTICS_FILE`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Statistics {
    pub(super) total_samples: u64,
    pub(super) input_dim: usize,
    pub(super) splits: BySplit<SplitStatistics>,
    /// With `--scaler-from`: the drift of each column.
    #[serde(default)]
    pub(super) drift: Option<Vec<ColumnDrift>>,
    /// Missing in exports of earlier versions.
    #[serde(default)]
    pub(super) training_sums: Option<TrainingSums>,
}

/// [`Statistics`] with the fields that scripts of the former pipeline read: the same counts over all splits.
#[derive(Debug, Serialize)]
pub(super) struct StatisticsFile<'s> {
    #[serde(flatten)]
    statistics: &'s Statistics,
    num_features: usize,
    train_size: u64,
    val_size: u64,
    test_size: u64,
    /// Number of labels of each kind of move.
    action_type_distribution: BTreeMap<&'static str, u64>,
    mask_statistics: ByHead<LegalMoves>,
}

impl<'s> StatisticsFile<'s> {
    pub(super) fn new(
        statistics: &'s Statistics,
        counts: &BySplit<RowCounts>,
    ) -> StatisticsFile<'s> {
        let total = RowCounts::total(counts);
        let moves = &total.heads.0[Head::ActionType.index()].labels.classes;
        let moves = ActionType::ALL.iter().zip(moves);
        let size = |split| statistics.splits[split].rows;
        StatisticsFile {
            statistics,
            num_features: statistics.input_dim,
            train_size: size(Split::Train),
            val_size: size(Split::Val),
            test_size: size(Split::Test),
            action_type_distribution: moves.map(|(kind, &n)| (kind.logged_name(), n)).collect(),
            mask_statistics: total.statistics().mask_statistics,
        }
    }
}

/// The content of [`MASK_VALIDATION_FILE`]: each split, and the result over all of them.
#[derive(Debug, Serialize)]
pub(super) struct MaskValidationFile {
    #[serde(flatten)]
    splits: BySplit<MaskValidation>,
    overall_status: String,
    total_failures: u64,
}

impl MaskValidationFile {
    pub(super) fn new(counts: &BySplit<RowCounts>) -> MaskValidationFile {
        let splits = BySplit::from_fn(|split| counts[split].mask_validation());
        let total_failures = splits.iter().map(|(_, split)| split.total_failures).sum();
        MaskValidationFile { splits, overall_status: status(total_failures), total_failures }
    }
}

/// Counts over the rows of one split.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SplitStatistics {
    pub(super) rows: u64,
    pub(super) games: u64,
    pub(super) games_by_players: BTreeMap<u8, u64>,
    pub(super) class_counts: ByHead<ClassCounts>,
    pub(super) mask_statistics: ByHead<LegalMoves>,
}

/// The labels of one head.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Number of rows to which the head does not apply.
    pub no_label: u64,
    /// Number of labels of each class; empty if there are no rows.
    pub classes: Vec<u64>,
}

/// Numbers of legal classes of one head, over the rows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct LegalMoves {
    avg_legal_actions: f64,
    min_legal_actions: u64,
    max_legal_actions: u64,
}

/// The exact sums of the training rows, for all columns of the export.
///
/// `scaler.npz` does not contain them: with `--scaler-from` it describes other rows, and it has no
/// values for columns that are not normalized.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TrainingSums {
    pub(super) rows: u64,
    sum: Vec<i64>,
    sum_of_squares: Vec<i64>,
}

impl From<ColumnSums> for TrainingSums {
    fn from(ColumnSums { rows, sum, sum_of_squares }: ColumnSums) -> TrainingSums {
        TrainingSums { rows, sum, sum_of_squares }
    }
}

impl TrainingSums {
    /// Mean and standard deviation of every column, including columns that are never normalized.
    pub(super) fn fit_all(self) -> Result<Scaler, ScalerError> {
        let TrainingSums { rows, sum, sum_of_squares } = self;
        let every_column = vec![true; sum.len()];
        Scaler::fit(&ColumnSums { rows, sum, sum_of_squares }, &every_column)
    }
}

/// The entry of a split in [`MASK_VALIDATION_FILE`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MaskValidation {
    #[serde(flatten)]
    heads: ByHead<HeadValidation>,
    overall_status: String,
    pub(super) total_failures: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct HeadValidation {
    // Always true because of the types, but other programs read them.
    shape_valid: bool,
    binary_values: bool,
    #[serde(flatten)]
    legal_moves: LegalMoves,
    illegal_count: u64,
    valid_labels_count: u64,
    legal_rate: f64,
    illegal_labels: Vec<IllegalLabel>,
}

/// A label that is not legal under its mask.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct IllegalLabel {
    game_id: GameId,
    turn_number: i32,
    row_in_game: usize,
    class: usize,
}

/// One value for each head, in JSON by its name.
#[derive(Clone, Debug, Default)]
pub(super) struct ByHead<T>([T; Head::COUNT]);

impl<T> ByHead<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (Head, &T)> {
        Head::ALL.into_iter().zip(&self.0)
    }

    fn map<U>(&self, value: impl FnMut(&T) -> U) -> ByHead<U> {
        ByHead(self.0.each_ref().map(value))
    }
}

impl<T: Serialize> Serialize for ByHead<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(head, value)| (head.name(), value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByHead<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ByHead<T>, D::Error> {
        let mut by_name = BTreeMap::<String, T>::deserialize(deserializer)?;
        let values = Head::ALL.map(|head| by_name.remove(head.name()));
        if values.iter().any(Option::is_none) {
            return Err(serde::de::Error::custom(
                "its heads differ from those of this version of prep",
            ));
        }
        Ok(ByHead(values.map(|value| value.expect("none is missing"))))
    }
}

/// Counts over a set of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct RowCounts {
    rows: u64,
    games_by_players: BTreeMap<u8, u64>,
    heads: ByHead<HeadCounts>,
}

#[derive(Clone, Debug, Default)]
struct HeadCounts {
    labels: ClassCounts,
    /// Numbers of legal classes: sum over the rows, minimum and maximum.
    legal_sum: u64,
    legal_min: Option<u64>,
    legal_max: u64,
    illegal: u64,
    listed: Vec<IllegalLabel>,
}

impl RowCounts {
    /// The counts of one game. `labels` and `masks` hold one array per head.
    pub(super) fn of_game(
        game_id: GameId,
        players: u8,
        turn_numbers: &[i32],
        labels: &[Vec<Label>; Head::COUNT],
        masks: &[Vec<i8>; Head::COUNT],
    ) -> RowCounts {
        let head_counts = |head: Head| {
            let mut counts = HeadCounts::default();
            counts.labels.classes = vec![0; head.classes()];
            let masks = masks[head.index()].chunks_exact(head.classes());
            for (row, (&label, mask)) in labels[head.index()].iter().zip(masks).enumerate() {
                counts.add_legal(mask.iter().filter(|&&legal| legal == 1).count() as u64);
                if label == NO_LABEL {
                    counts.labels.no_label += 1;
                    continue;
                }
                let class = label as usize;
                counts.labels.classes[class] += 1;
                if mask[class] != 1 {
                    let turn_number = turn_numbers[row];
                    counts.illegal += 1;
                    counts.list(&[IllegalLabel { game_id, turn_number, row_in_game: row, class }]);
                }
            }
            counts
        };
        RowCounts {
            rows: turn_numbers.len() as u64,
            games_by_players: [(players, 1)].into(),
            heads: ByHead(Head::ALL.map(head_counts)),
        }
    }

    /// The counts from which these statistics were written.
    pub(super) fn restore(statistics: &SplitStatistics, validation: &MaskValidation) -> RowCounts {
        let rows = statistics.rows;
        let mut counts = RowCounts {
            rows,
            games_by_players: statistics.games_by_players.clone(),
            heads: ByHead::default(),
        };
        for head in Head::ALL {
            let LegalMoves { avg_legal_actions, min_legal_actions, max_legal_actions } =
                statistics.mask_statistics.0[head.index()];
            let checked = &validation.heads.0[head.index()];
            counts.heads.0[head.index()] = HeadCounts {
                labels: statistics.class_counts.0[head.index()].clone(),
                // Exact: the average was rounded by far less than half a class over all rows.
                legal_sum: (avg_legal_actions * rows as f64).round() as u64,
                legal_min: (rows > 0).then_some(min_legal_actions),
                legal_max: max_legal_actions,
                illegal: checked.illegal_count,
                listed: checked.illegal_labels.clone(),
            };
        }
        counts
    }

    /// Adds the counts of later rows.
    pub(super) fn add(&mut self, other: &RowCounts) {
        if other.rows == 0 {
            // The list of classes may be empty.
            return;
        }
        self.rows += other.rows;
        for (&players, games) in &other.games_by_players {
            *self.games_by_players.entry(players).or_default() += games;
        }
        for (counts, more) in self.heads.0.iter_mut().zip(&other.heads.0) {
            counts.add(more);
        }
    }

    /// The counts of all splits.
    fn total(counts: &BySplit<RowCounts>) -> RowCounts {
        let mut total = RowCounts::default();
        counts.iter().for_each(|(_, counts)| total.add(counts));
        total
    }

    /// Labels that are not legal under their mask, over all heads.
    pub(super) fn illegal_labels(&self) -> u64 {
        self.heads.0.iter().map(|head| head.illegal).sum()
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn statistics(&self) -> SplitStatistics {
        SplitStatistics {
            rows: self.rows,
            games: self.games_by_players.values().sum(),
            games_by_players: self.games_by_players.clone(),
            class_counts: self.heads.map(|counts| counts.labels.clone()),
            mask_statistics: self.heads.map(|counts| counts.legal_moves(self.rows)),
        }
    }

    pub(super) fn mask_validation(&self) -> MaskValidation {
        let total_failures = self.illegal_labels();
        MaskValidation {
            heads: self.heads.map(|counts| counts.validation(self.rows)),
            overall_status: status(total_failures),
            total_failures,
        }
    }
}

/// The status of a mask validation.
fn status(failures: u64) -> String {
    if failures == 0 { "PASSED" } else { "FAILED" }.to_owned()
}

impl HeadCounts {
    fn add_legal(&mut self, legal: u64) {
        self.legal_sum += legal;
        self.legal_min = Some(self.legal_min.map_or(legal, |min| min.min(legal)));
        self.legal_max = self.legal_max.max(legal);
    }

    fn list(&mut self, more: &[IllegalLabel]) {
        let space = MAX_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(more.iter().take(space));
    }

    fn add(&mut self, other: &HeadCounts) {
        // An empty split has no counts of classes.
        let classes = self.labels.classes.len().max(other.labels.classes.len());
        self.labels.classes.resize(classes, 0);
        for (count, more) in self.labels.classes.iter_mut().zip(&other.labels.classes) {
            *count += more;
        }
        self.labels.no_label += other.labels.no_label;
        self.legal_sum += other.legal_sum;
        self.legal_min = match (self.legal_min, other.legal_min) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.legal_max = self.legal_max.max(other.legal_max);
        self.illegal += other.illegal;
        self.list(&other.listed);
    }

    fn legal_moves(&self, rows: u64) -> LegalMoves {
        LegalMoves {
            avg_legal_actions: self.legal_sum as f64 / rows.max(1) as f64,
            min_legal_actions: self.legal_min.unwrap_or(0),
            max_legal_actions: self.legal_max,
        }
    }

    fn validation(&self, rows: u64) -> HeadValidation {
        let labels = rows - self.labels.no_label;
        HeadValidation {
            shape_valid: true,
            binary_values: true,
            legal_moves: self.legal_moves(rows),
            illegal_count: self.illegal,
            valid_labels_count: labels,
            legal_rate: match labels {
                0 => 100.0,
                _ => (labels - self.illegal) as f64 / labels as f64 * 100.0,
            },
            illegal_labels: self.listed.clone(),
        }
    }
}
