//! The positions that the page shows as boards.

use super::features::{ColumnReport, FAR, Mark};
use super::place::Place;
use super::tally::Tally;
use crate::cache::{CacheError, Reader, Unpacker};
use crate::encode::{EncodedGame, Head, LabelRow, MaskRow, Value};
use crate::report::facts::FaultyGame;
use crate::rules::Board;
use std::collections::{BTreeMap, BTreeSet};

/// Limit on the shown positions.
const MAX_POSITIONS: usize = 400;

/// Limit on the games that do not replay whose first faulty row and previous row are shown.
const MAX_FAULTY: usize = 60;

/// A row with its position.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    /// The turn number, as logged.
    pub(crate) turn_number: i32,
    /// Number of rows of the game.
    pub(crate) rows: u32,
    pub(crate) board: Board,
    pub(crate) labels: LabelRow,
    /// Heads whose label is not legal under its mask.
    pub(crate) illegal: Vec<Head>,
    /// Normalized columns whose value is an outlier, farthest first.
    pub(crate) outliers: Vec<Outlier>,
}

/// A value far from the mean of its column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outlier {
    pub(crate) column: &'static str,
    pub(crate) value: Value,
    /// The distance from the mean in standard deviations.
    pub(crate) distance: f64,
}

/// Notable rows: of games that do not replay, with illegal labels, with the farthest outliers, with a
/// rare flag, or the first of a rare class.
pub(crate) fn notable_rows(
    faulty: &[FaultyGame],
    tally: &Tally,
    columns: &[ColumnReport],
) -> BTreeSet<Place> {
    let faulty = faulty.iter().take(MAX_FAULTY).filter_map(|game| {
        let row = game.faults.first()?.row as usize;
        Some([row, row.saturating_sub(1)].map(|row| Place::new(game.game_id, row)))
    });
    let illegal = tally.heads.iter().flat_map(|head| &head.first_illegal);
    let illegal = illegal.map(|label| Place::new(label.game_id, label.row_in_game));
    let mut outliers: Vec<&ColumnReport> =
        columns.iter().filter(|column| column.mark == Some(Mark::Outlier)).collect();
    outliers.sort_by(|a, b| b.farthest.total_cmp(&a.farthest));
    let rare = columns.iter().filter(|column| column.mark == Some(Mark::Rare));
    let marked = outliers.into_iter().chain(rare).filter_map(ColumnReport::farthest_at);
    let rare_classes =
        tally.heads.iter().flat_map(|head| head.classes.iter().filter(|class| head.is_rare(class)));
    let rare_classes = rare_classes.filter_map(|class| class.first);
    let mut places = BTreeSet::new();
    for place in faulty.flatten().chain(illegal).chain(marked).chain(rare_classes) {
        if places.len() < MAX_POSITIONS {
            places.insert(place);
        }
    }
    places
}

/// Reads rows from the cache.
pub(crate) fn read(
    cache: &Reader,
    places: &BTreeSet<Place>,
    columns: &[ColumnReport],
) -> Result<BTreeMap<Place, Position>, CacheError> {
    let outliers: Vec<&ColumnReport> =
        columns.iter().filter(|column| column.mark == Some(Mark::Outlier)).collect();
    let (mut unpacker, mut positions) = (Unpacker::new()?, BTreeMap::new());
    let places: Vec<Place> = places.iter().copied().collect();
    for of_game in places.chunk_by(|a, b| a.game_id == b.game_id) {
        let Some((_, game)) = cache.game(of_game[0].game_id, &mut unpacker)? else { continue };
        for &place in of_game {
            if let Some(position) = position(game, place.row_in_game as usize, &outliers) {
                positions.insert(place, position);
            }
        }
    }
    Ok(positions)
}

fn position(game: &EncodedGame, row: usize, columns: &[&ColumnReport]) -> Option<Position> {
    let (board, labels) = (game.boards().get(row)?.clone(), game.labels()[row]);
    let (features, masks) = (&game.features()[row], &game.masks()[row]);
    let outlier = |column: &&ColumnReport| {
        let value = features[column.index];
        let distance = (f64::from(value) - column.mean) / column.deviation;
        let column = column.feature.name.as_str();
        (distance.abs() > FAR).then_some(Outlier { column, value, distance })
    };
    let mut outliers: Vec<Outlier> = columns.iter().filter_map(outlier).collect();
    outliers.sort_by(|a, b| b.distance.abs().total_cmp(&a.distance.abs()));
    Some(Position {
        turn_number: game.turn_numbers()[row],
        rows: game.boards().len() as u32,
        illegal: illegal_heads(&labels, masks),
        board,
        labels,
        outliers,
    })
}

/// The heads whose label is not legal under its mask.
pub fn illegal_heads(labels: &LabelRow, masks: &MaskRow) -> Vec<Head> {
    let is_illegal = |head: &Head| match usize::try_from(labels[head.index()]) {
        Ok(class) => masks[head.mask_range()].get(class) != Some(&1),
        Err(_) => false,
    };
    Head::ALL.into_iter().filter(is_illegal).collect()
}
