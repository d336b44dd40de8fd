//! Counts over the rows of a split: class balance, legal classes, labels that are not legal.
//!
//! A report is made for each game beside its arrays and added up in game order, so that it costs
//! no second pass over the data.

use crate::encode::{Head, Label, NO_LABEL};
use crate::gamelog::GameId;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Illegal labels that are listed for each head of a split; all of them are counted. A bound, so
/// that a log of another engine cannot fill memory with its own move rules.
const MOST_LISTED: usize = 10_000;

/// Counts over some rows.
#[derive(Clone, Debug, Default)]
pub(super) struct SplitReport {
    rows: u64,
    games_by_players: BTreeMap<u8, u64>,
    heads: [HeadReport; Head::COUNT],
}

#[derive(Clone, Debug, Default)]
struct HeadReport {
    /// How often each class is the label; empty before the first row.
    class_counts: Vec<u64>,
    /// Rows to which the head does not apply.
    no_label: u64,
    /// Legal classes: sum, smallest and largest over the rows.
    legal_sum: u64,
    legal_min: Option<u64>,
    legal_max: u64,
    illegal: u64,
    listed: Vec<IllegalLabel>,
}

#[derive(Clone, Copy, Debug)]
struct IllegalLabel {
    game_id: GameId,
    turn_number: i32,
    row_in_game: usize,
    class: usize,
}

impl SplitReport {
    /// The counts of one game. `labels` and `masks` are its arrays by head.
    pub(super) fn of_game(
        game_id: GameId,
        players: u8,
        turn_numbers: &[i32],
        labels: &[Vec<Label>; Head::COUNT],
        masks: &[Vec<i8>; Head::COUNT],
    ) -> SplitReport {
        let head_report = |head: Head| {
            let mut report =
                HeadReport { class_counts: vec![0; head.classes()], ..Default::default() };
            let masks = masks[head.index()].chunks_exact(head.classes());
            for (row, (&label, mask)) in labels[head.index()].iter().zip(masks).enumerate() {
                report.add_legal(mask.iter().filter(|&&legal| legal == 1).count() as u64);
                if label == NO_LABEL {
                    report.no_label += 1;
                    continue;
                }
                let class = label as usize;
                report.class_counts[class] += 1;
                if mask[class] != 1 {
                    let turn_number = turn_numbers[row];
                    report.illegal += 1;
                    report.list(&[IllegalLabel { game_id, turn_number, row_in_game: row, class }]);
                }
            }
            report
        };
        SplitReport {
            rows: turn_numbers.len() as u64,
            games_by_players: [(players, 1)].into(),
            heads: Head::ALL.map(head_report),
        }
    }

    /// Adds the counts of rows that come after these.
    pub(super) fn add(&mut self, other: &SplitReport) {
        self.rows += other.rows;
        for (&players, games) in &other.games_by_players {
            *self.games_by_players.entry(players).or_default() += games;
        }
        for (report, more) in self.heads.iter_mut().zip(&other.heads) {
            report.add(more);
        }
    }

    /// Labels that are not legal under their mask, over all heads.
    pub(super) fn illegal_labels(&self) -> u64 {
        self.heads.iter().map(|head| head.illegal).sum()
    }

    /// Rows counted.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// For `preprocessing_stats.json`.
    pub(super) fn stats(&self) -> Value {
        let by_head = |value: fn(&HeadReport, u64) -> Value| -> Map<String, Value> {
            let heads = Head::ALL.into_iter().zip(&self.heads);
            heads.map(|(head, report)| (head.name().to_owned(), value(report, self.rows))).collect()
        };
        json!({
            "rows": self.rows,
            "games": self.games_by_players.values().sum::<u64>(),
            "games_by_players": self.games_by_players,
            "class_counts": by_head(|report, _| json!({
                "no_label": report.no_label,
                "classes": report.class_counts,
            })),
            "mask_statistics": by_head(|report, rows| Value::Object(report.legal_actions(rows))),
        })
    }

    /// For `mask_validation_report.json`.
    pub(super) fn mask_validation(&self) -> Value {
        let mut all = Map::new();
        for (head, report) in Head::ALL.into_iter().zip(&self.heads) {
            all.insert(head.name().to_owned(), report.mask_validation(self.rows));
        }
        let failures = self.illegal_labels();
        let status = if failures == 0 { "PASSED" } else { "FAILED" };
        all.insert("overall_status".to_owned(), status.into());
        all.insert("total_failures".to_owned(), failures.into());
        Value::Object(all)
    }
}

impl HeadReport {
    fn add_legal(&mut self, legal: u64) {
        self.legal_sum += legal;
        self.legal_min = Some(self.legal_min.map_or(legal, |least| least.min(legal)));
        self.legal_max = self.legal_max.max(legal);
    }

    fn list(&mut self, more: &[IllegalLabel]) {
        let room = MOST_LISTED.saturating_sub(self.listed.len());
        self.listed.extend(more.iter().take(room));
    }

    fn add(&mut self, other: &HeadReport) {
        self.class_counts.resize(other.class_counts.len(), 0);
        for (count, more) in self.class_counts.iter_mut().zip(&other.class_counts) {
            *count += more;
        }
        self.no_label += other.no_label;
        self.legal_sum += other.legal_sum;
        self.legal_min = match (self.legal_min, other.legal_min) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.legal_max = self.legal_max.max(other.legal_max);
        self.illegal += other.illegal;
        self.list(&other.listed);
    }

    fn legal_actions(&self, rows: u64) -> Map<String, Value> {
        let mut map = Map::new();
        let average = self.legal_sum as f64 / rows.max(1) as f64;
        map.insert("avg_legal_actions".to_owned(), average.into());
        map.insert("min_legal_actions".to_owned(), self.legal_min.unwrap_or(0).into());
        map.insert("max_legal_actions".to_owned(), self.legal_max.into());
        map
    }

    fn mask_validation(&self, rows: u64) -> Value {
        let labels = rows - self.no_label;
        let legal_rate = match labels {
            0 => 100.0,
            _ => (labels - self.illegal) as f64 / labels as f64 * 100.0,
        };
        // True by the types; kept because readers of these reports look for them.
        let mut map = Map::new();
        map.insert("shape_valid".to_owned(), true.into());
        map.insert("binary_values".to_owned(), true.into());
        map.extend(self.legal_actions(rows));
        map.insert("illegal_count".to_owned(), self.illegal.into());
        map.insert("valid_labels_count".to_owned(), labels.into());
        map.insert("legal_rate".to_owned(), legal_rate.into());
        let listed: Vec<_> = self
            .listed
            .iter()
            .map(|label| {
                json!({
                    "game_id": label.game_id,
                    "turn_number": label.turn_number,
                    "row_in_game": label.row_in_game,
                    "class": label.class,
                })
            })
            .collect();
        map.insert("illegal_labels".to_owned(), listed.into());
        Value::Object(map)
    }
}
