//! Encoded rows as compact text, which can be kept in the repository and read in a diff.
//!
//! Four lines per row: the number, the labels, the masks and the features. A row with the known gem
//! fault has a fifth line: the labels after the repair.
//! ```text
//! row 2, turn 1
//! labels 3 -1 -1 16 -1 -1 0
//! masks 2-3 |  |  | 16-25 | 0-4 |  | 0
//! features 4 3*3 =1200 ...
//! ```
//! Masks list the legal classes, head by head. Features in order: `4` is a value, `3*3` the value
//! 3 three times, `=1200` the next 1,200 values of the previous row.

use splendor_prep::encode::Head;
use std::fmt::Write;

/// One encoded row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedRow {
    pub(crate) turn_number: i32,
    pub(crate) labels: Vec<i32>,
    /// Labels after repairing the gem fault, if the row has it.
    pub(crate) repaired: Option<Vec<i32>>,
    /// 0 and 1, for all heads in order.
    pub(crate) masks: Vec<i8>,
    pub(crate) features: Vec<i64>,
}

pub(crate) fn to_text(rows: &[ExpectedRow]) -> String {
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        writeln!(text, "row {}, turn {}", i + 1, row.turn_number).unwrap();
        writeln!(text, "labels {}", spaced(&row.labels)).unwrap();
        if let Some(repaired) = &row.repaired {
            writeln!(text, "repaired {}", spaced(repaired)).unwrap();
        }
        let masks = Head::ALL.map(|head| ranges(&row.masks[head.mask_range()]));
        writeln!(text, "masks {}", masks.join(" | ")).unwrap();
        let before = if i == 0 { None } else { Some(&rows[i - 1].features[..]) };
        writeln!(text, "features {}", runs(&row.features, before)).unwrap();
    }
    text
}

pub(crate) fn from_text(text: &str) -> Vec<ExpectedRow> {
    let mut rows: Vec<ExpectedRow> = Vec::new();
    for line in text.lines() {
        let (what, rest) = line.split_once(' ').unwrap();
        if what == "row" {
            rows.push(ExpectedRow {
                turn_number: rest.split_once(", turn ").unwrap().1.parse().unwrap(),
                labels: Vec::new(),
                repaired: None,
                masks: Vec::new(),
                features: Vec::new(),
            });
            continue;
        }
        let before = rows.len().checked_sub(2).map(|i| rows[i].features.clone());
        let row = rows.last_mut().unwrap();
        match what {
            "labels" => row.labels = unspaced(rest),
            "repaired" => row.repaired = Some(unspaced(rest)),
            "masks" => {
                let heads: Vec<&str> = rest.split('|').collect();
                assert_eq!(heads.len(), Head::COUNT);
                for (head, text) in Head::ALL.into_iter().zip(heads) {
                    row.masks.extend(mask_of_ranges(text, head.classes()));
                }
            }
            "features" => row.features = values_of_runs(rest, before.as_deref()),
            _ => panic!("not a line of expected rows: {line}"),
        }
    }
    rows
}

fn spaced(numbers: &[i32]) -> String {
    numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(" ")
}

fn unspaced(text: &str) -> Vec<i32> {
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// `0 2-4` for the classes 0, 2, 3 and 4.
fn ranges(mask: &[i8]) -> String {
    let mut parts = Vec::new();
    let mut class = 0;
    while class < mask.len() {
        let first = class;
        while class < mask.len() && mask[class] == 1 {
            class += 1;
        }
        match class - first {
            0 => class += 1,
            1 => parts.push(first.to_string()),
            _ => parts.push(format!("{first}-{}", class - 1)),
        }
    }
    parts.join(" ")
}

fn mask_of_ranges(text: &str, classes: usize) -> Vec<i8> {
    let mut mask = vec![0; classes];
    for part in text.split_whitespace() {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = first.parse().unwrap()..=last.parse().unwrap();
        mask[range].fill(1);
    }
    mask
}

fn runs(values: &[i64], before: Option<&[i64]>) -> String {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < values.len() {
        let rest = &values[at..];
        let as_before = before.map_or(0, |before| {
            rest.iter().zip(&before[at..]).take_while(|(value, before)| value == before).count()
        });
        let alike = rest.iter().take_while(|&&value| value == rest[0]).count();
        if as_before > 1 && as_before >= alike {
            parts.push(format!("={as_before}"));
            at += as_before;
        } else if alike > 2 {
            parts.push(format!("{}*{alike}", rest[0]));
            at += alike;
        } else {
            parts.push(rest[0].to_string());
            at += 1;
        }
    }
    parts.join(" ")
}

fn values_of_runs(text: &str, before: Option<&[i64]>) -> Vec<i64> {
    let mut values = Vec::new();
    for part in text.split_whitespace() {
        if let Some(count) = part.strip_prefix('=') {
            let count: usize = count.parse().unwrap();
            values.extend(&before.unwrap()[values.len()..][..count]);
        } else {
            let (value, count) = part.split_once('*').unwrap_or((part, "1"));
            let value: i64 = value.parse().unwrap();
            values.extend(std::iter::repeat_n(value, count.parse().unwrap()));
        }
    }
    values
}
