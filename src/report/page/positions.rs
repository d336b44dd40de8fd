//! Explains why a position is in the report.

use super::boards::ShownPosition;
use crate::encode::Head;
use crate::report::{FAR, Place, Position, Report, class_in_words};
use crate::words::counted;
use std::collections::BTreeMap;

/// Limit on the named outliers.
const MAX_OUTLIERS: usize = 5;

/// All positions of a report.
pub(super) fn shown(report: &Report) -> Vec<ShownPosition<'_>> {
    let mut faults: BTreeMap<Place, String> = BTreeMap::new();
    for game in &report.cache.does_not_replay {
        for fault in &game.faults {
            let place = Place { game_id: game.game_id, row_in_game: fault.row };
            faults.insert(place, format!("Does not replay (line {}): {fault}.", fault.line));
        }
    }
    let rare = rare_classes(report);
    let all = report.positions.iter().map(|(&place, position)| {
        let mut why: Vec<String> = faults.get(&place).cloned().into_iter().collect();
        let next = Place { row_in_game: place.row_in_game + 1, ..place };
        if faults.contains_key(&next) && why.is_empty() {
            why.push("The next row does not follow from this one.".to_owned());
        }
        why.extend(position.illegal.iter().map(|head| illegal(*head, position)));
        why.extend(position.outliers.iter().take(MAX_OUTLIERS).map(|outlier| {
            let (column, value, distance) = (outlier.column, outlier.value, outlier.distance);
            format!("{column} is {value}, {distance:+.1} standard deviations from its mean.")
        }));
        if position.outliers.len() > MAX_OUTLIERS {
            let more = position.outliers.len() - MAX_OUTLIERS;
            why.push(format!("{more} more columns are beyond {FAR} standard deviations."));
        }
        why.extend(rare.get(&place).into_iter().flatten().cloned());
        ShownPosition {
            place,
            rows: position.rows as usize,
            turn_number: position.turn_number,
            board: &position.board,
            labels: &position.labels,
            illegal: position.illegal.clone(),
            why,
        }
    });
    all.collect()
}

fn illegal(head: Head, position: &Position) -> String {
    let class = usize::try_from(position.labels[head.index()]).unwrap_or(0);
    format!(
        "The label of {} is not legal under its mask: class {class}, {}.",
        head.name(),
        class_in_words(head, class)
    )
}

/// The first rows in which rare classes are chosen.
fn rare_classes(report: &Report) -> BTreeMap<Place, Vec<String>> {
    let mut rare: BTreeMap<Place, Vec<String>> = BTreeMap::new();
    for (head, tally) in Head::ALL.into_iter().zip(&report.tally.heads) {
        for (index, class) in tally.classes.iter().enumerate() {
            let Some(place) = class.first.filter(|_| tally.is_rare(class)) else { continue };
            let (name, words) = (head.name(), class_in_words(head, index));
            let rows = counted(class.chosen, "row");
            let why = format!("A rare class: {name} {index} ({words}) is the label of {rows}.");
            rare.entry(place).or_default().push(why);
        }
    }
    rare
}
