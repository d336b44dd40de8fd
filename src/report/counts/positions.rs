//! The positions that the page shows as boards.

use super::features::{ColumnReport, FAR, Mark};
use super::place::Place;
use super::tally::Tally;
use crate::cache::{CacheError, Reader, Unpacker};
use crate::encode::{EncodedGame, Head, LabelRow, Value};
use crate::report::facts::FaultyGame;
use crate::rules::Board;
use std::collections::{BTreeMap, BTreeSet};

/// Limit on the shown positions.
const MOST: usize = 400;

/// Limit on the games that do not replay whose first faulty row and previous row are shown.
const MOST_FAULTY: usize = 60;

/// A row with its position.
#[derive(Clone, Debug)]
pub struct Position {
    /// The turn number, as logged.
    pub turn_number: i32,
    /// Number of rows of the game.
    pub rows: u32,
    /// The position before the move.
    pub board: Board,
    /// The move.
    pub labels: LabelRow,
    /// Heads whose label is not legal under its mask.
    pub illegal: Vec<Head>,
    /// Normalized columns whose value is an outlier, farthest first.
    pub outliers: Vec<Outlier>,
}

/// A value far from the mean of its column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier {
    /// The column's name.
    pub column: &'static str,
    /// The value.
    pub value: Value,
    /// The distance from the mean in standard deviations.
    pub distance: f64,
}

/// Notable rows: of games that do not replay, with illegal labels, with the farthest outliers, with a
/// rare flag, or the first of a rare class.
pub(in crate::report) fn worth_a_look(
    faulty: &[FaultyGame],
    tally: &Tally,
    columns: &[ColumnReport],
) -> BTreeSet<Place> {
    let faulty = faulty.iter().take(MOST_FAULTY).filter_map(|game| {
        let row = game.faults.first()?.row as usize;
        Some([row, row.saturating_sub(1)].map(|row| Place::new(game.game_id, row)))
    });
    let illegal = tally.heads.iter().flat_map(|head| &head.named);
    let illegal = illegal.map(|label| Place::new(label.game_id, label.row_in_game));
    let mut outliers: Vec<&ColumnReport> =
        columns.iter().filter(|column| column.mark == Some(Mark::Outlier)).collect();
    outliers.sort_by(|a, b| b.farthest().total_cmp(&a.farthest()));
    let rare = columns.iter().filter(|column| column.mark == Some(Mark::Rare));
    let marked = outliers.into_iter().chain(rare).filter_map(ColumnReport::farthest_at);
    let rare_classes =
        tally.heads.iter().flat_map(|head| head.classes.iter().filter(|class| head.is_rare(class)));
    let rare_classes = rare_classes.filter_map(|class| class.first);
    let mut places = BTreeSet::new();
    for place in faulty.flatten().chain(illegal).chain(marked).chain(rare_classes) {
        if places.len() < MOST {
            places.insert(place);
        }
    }
    places
}

/// Reads rows from the cache.
pub(in crate::report) fn read(
    cache: &Reader,
    places: &BTreeSet<Place>,
    columns: &[ColumnReport],
) -> Result<BTreeMap<Place, Position>, CacheError> {
    let scales: Vec<Scale> = columns.iter().filter_map(Scale::of).collect();
    let (mut unpacker, mut positions) = (Unpacker::new()?, BTreeMap::new());
    let places: Vec<Place> = places.iter().copied().collect();
    for of_game in places.chunk_by(|a, b| a.game_id == b.game_id) {
        let Some((_, game)) = cache.game(of_game[0].game_id, &mut unpacker)? else { continue };
        for &place in of_game {
            if let Some(position) = position(game, place.row_in_game as usize, &scales) {
                positions.insert(place, position);
            }
        }
    }
    Ok(positions)
}

/// Mean and standard deviation of a normalized column with outliers.
struct Scale {
    index: usize,
    column: &'static str,
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(column: &ColumnReport) -> Option<Scale> {
        let values = &column.values;
        (column.mark == Some(Mark::Outlier)).then(|| Scale {
            index: column.index,
            column: column.feature.name.as_str(),
            mean: values.mean(),
            deviation: values.standard_deviation(),
        })
    }
}

fn position(game: &EncodedGame, row: usize, scales: &[Scale]) -> Option<Position> {
    let (board, labels) = (game.boards().get(row)?.clone(), game.labels()[row]);
    let (features, masks) = (&game.features()[row], &game.masks()[row]);
    let outlier = |scale: &Scale| {
        let value = features[scale.index];
        let distance = (f64::from(value) - scale.mean) / scale.deviation;
        (distance.abs() > FAR).then_some(Outlier { column: scale.column, value, distance })
    };
    let mut outliers: Vec<Outlier> = scales.iter().filter_map(outlier).collect();
    outliers.sort_by(|a, b| b.distance.abs().total_cmp(&a.distance.abs()));
    let is_illegal = |head: &Head| {
        let class = usize::try_from(labels[head.index()]).ok();
        class.is_some_and(|class| masks[head.mask_range()].get(class) != Some(&1))
    };
    Some(Position {
        turn_number: game.turn_numbers()[row],
        rows: game.boards().len() as u32,
        illegal: Head::ALL.into_iter().filter(is_illegal).collect(),
        board,
        labels,
        outliers,
    })
}
