//! Compares the splits of an export.

use crate::dataset::Split;
use crate::encode::Head;
use crate::export::{ClassCounts, ExportOverview, SplitOverview};
use serde::Serialize;

/// The labels of a head in val or test, compared with those in train.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct HeadBalance {
    /// The split that is compared with train.
    pub(crate) split: Split,
    #[serde(skip)]
    pub(crate) head: Head,
    /// The total variation distance: the share of labels (0 to 1) that would have to change for equal
    /// shares of classes.
    pub(crate) distance: f64,
    /// The class with the largest difference.
    pub(crate) class: usize,
    pub(crate) train_share: f64,
    pub(crate) share: f64,
}

/// Compares every head of val and test with train, by head and then by split, if both have labels.
pub(crate) fn balance(export: &ExportOverview) -> Vec<HeadBalance> {
    let is_train = |split: &&SplitOverview| split.split == Split::Train;
    let (Some(train), mut all) = (export.splits.iter().find(is_train), Vec::new()) else {
        return Vec::new();
    };
    for head in Head::ALL {
        for split in export.splits.iter().filter(|split| split.split != Split::Train) {
            let shares = |split: &SplitOverview| shares(&split.heads[head.index()]);
            let (Some(ours), Some(theirs)) = (shares(train), shares(split)) else {
                continue;
            };
            let gaps: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).collect();
            let widest = (0..gaps.len()).max_by(|&a, &b| gaps[a].total_cmp(&gaps[b]));
            let class = widest.unwrap_or(0);
            all.push(HeadBalance {
                split: split.split,
                head,
                distance: gaps.iter().sum::<f64>() / 2.0,
                class,
                train_share: ours[class],
                share: theirs[class],
            });
        }
    }
    all
}

fn shares(head: &ClassCounts) -> Option<Vec<f64>> {
    let labels: u64 = head.classes.iter().sum();
    let share = |&rows: &u64| rows as f64 / labels as f64;
    (labels > 0).then(|| head.classes.iter().map(share).collect())
}
