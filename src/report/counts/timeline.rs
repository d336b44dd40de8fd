//! Changes of the games over time.
//!
//! A period is a night: the games by the UTC day on which they were encoded. If all games were encoded
//! in the same night, for example after a change of the encoder, periods are groups of game ids instead,
//! because self-play counts ids up.

use super::games::ActionCounts;
use super::wins::{Endings, players_index};
use crate::cache::GameRecord;
use crate::encode::{ColumnSums, FEATURE_COUNT, FEATURES};
use crate::gamelog::GameId;
use crate::rules::PlayerCount;
use serde::Serialize;
use std::collections::BTreeMap;

/// A shift of a mean between two exports or nights is notable if it is larger than this, in standard
/// deviations.
pub(crate) const LARGE_DRIFT: f64 = 0.25;

/// Maximum number of groups of game ids, and minimum number of games per group.
const GROUPS: usize = 20;
const GROUP_GAMES: usize = 60;

/// With fewer games of a number of players before or in a period, any drift can be chance.
const MIN_GAMES: u64 = 10;

/// Games by periods, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    /// Whether periods are nights; otherwise they are groups of game ids.
    pub(crate) by_night: bool,
    /// The periods, at least one.
    pub(crate) periods: Vec<Period>,
    /// The games by night, also if the periods are groups.
    pub(crate) nights: Vec<Period>,
    /// The last period with a game in the export, if one was given.
    pub(crate) exported_until: Option<usize>,
}

/// The games of a period that are still in the cache. Arrays by number of players are in the order of
/// [`PlayerCount::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Period {
    /// `2026-01-31`, or `1 to 363`.
    pub(crate) name: String,
    pub(crate) games: [u64; PlayerCount::ALL.len()],
    pub(crate) rows: [u64; PlayerCount::ALL.len()],
    /// Number of turns per player, over all replayed games.
    pub(crate) turns: [u64; PlayerCount::ALL.len()],
    pub(crate) endings: [Endings; PlayerCount::ALL.len()],
    pub(crate) actions: ActionCounts,
    pub(crate) replayed: u64,
    pub(crate) does_not_replay: u64,
    /// The drift of the columns from earlier games; `None` if there are too few games with the same
    /// number of players.
    pub(crate) drift: Option<PeriodDrift>,
}

/// The differences of the means of normalized columns from those of all earlier games with the same
/// number of players, in standard deviations. Separating numbers of players avoids false drift when
/// their mixture changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PeriodDrift {
    /// Number of columns that differ by more than [`LARGE_DRIFT`], and by more than chance explains:
    /// four standard errors of the mean, with games counted as samples.
    pub(crate) columns: u64,
    /// The column with the largest difference.
    pub(crate) column: &'static str,
    pub(crate) mean_shift: f64,
}

/// Counts the games of a timeline.
pub(crate) struct TimelineTally {
    timeline: Timeline,
    /// The period of each game, and the index of its number of players.
    period_of: BTreeMap<GameId, (usize, usize)>,
    sums: Vec<[Sums; PlayerCount::ALL.len()]>,
}

/// Sums of the columns over games.
#[derive(Clone)]
struct Sums {
    games: u64,
    columns: ColumnSums,
}

impl Sums {
    fn none() -> Sums {
        Sums { games: 0, columns: ColumnSums::zero(FEATURE_COUNT) }
    }

    fn add(&mut self, games: u64, columns: &ColumnSums) {
        self.games += games;
        self.columns.add(columns);
    }
}

impl TimelineTally {
    pub(crate) fn new(
        records: &BTreeMap<GameId, GameRecord>,
        days: &BTreeMap<GameId, String>,
    ) -> TimelineTally {
        let day = |record: &GameRecord| days.get(&record.game_id).cloned().unwrap_or_default();
        let mut nights: BTreeMap<String, Vec<&GameRecord>> = BTreeMap::new();
        for record in records.values() {
            nights.entry(day(record)).or_default().push(record);
        }
        let nights: Vec<(String, Vec<&GameRecord>)> = nights.into_iter().collect();
        let by_night = nights.len() > 1;
        let groups = if by_night { nights.clone() } else { by_game_id(records) };
        let mut period_of = BTreeMap::new();
        for (place, (_, games)) in groups.iter().enumerate() {
            let of = |record: &&GameRecord| Some((record.game_id, (place, players_index(record)?)));
            period_of.extend(games.iter().filter_map(of));
        }
        let periods = |groups: Vec<(String, Vec<&GameRecord>)>| -> Vec<Period> {
            groups.into_iter().map(|(name, games)| Period::new(name, &games)).collect()
        };
        let (nights, periods) = (periods(nights), periods(groups));
        let sums = vec![[(); PlayerCount::ALL.len()].map(|()| Sums::none()); periods.len()];
        let timeline = Timeline { by_night, periods, nights, exported_until: None };
        TimelineTally { timeline, period_of, sums }
    }

    pub(crate) fn add(&mut self, game_id: GameId, sums: &ColumnSums) {
        if let Some(&(period, players)) = self.period_of.get(&game_id) {
            self.sums[period][players].add(1, sums);
        }
    }

    /// Finishes the timeline, with the last period of the export.
    pub(crate) fn finish(mut self, exported: impl Iterator<Item = GameId>) -> Timeline {
        let mut before = [(); PlayerCount::ALL.len()].map(|()| Sums::none());
        for (period, sums) in self.timeline.periods.iter_mut().zip(&self.sums) {
            period.drift = drift(&before, sums);
            for (before, sums) in before.iter_mut().zip(sums) {
                before.add(sums.games, &sums.columns);
            }
        }
        let periods = exported.filter_map(|game_id| self.period_of.get(&game_id));
        self.timeline.exported_until = periods.map(|&(period, _)| period).max();
        self.timeline
    }
}

fn by_game_id(records: &BTreeMap<GameId, GameRecord>) -> Vec<(String, Vec<&GameRecord>)> {
    let games: Vec<&GameRecord> = records.values().collect();
    let size = games.len().div_ceil(GROUPS).max(GROUP_GAMES);
    let named = |games: &[&GameRecord]| {
        let [first, .., last] = games else { return games[0].game_id.to_string() };
        format!("{} to {}", first.game_id, last.game_id)
    };
    games.chunks(size).map(|games| (named(games), games.to_vec())).collect()
}

impl Period {
    fn new(name: String, games: &[&GameRecord]) -> Period {
        let mut period = Period { name, ..Period::default() };
        for record in games {
            let Some(place) = players_index(record) else { continue };
            period.games[place] += 1;
            period.rows[place] += u64::from(record.rows);
            period.endings[place].add(record);
            if let Some(play) = &record.play {
                period.turns[place] += u64::from(play.rounds);
                let actions = period.actions.iter_mut().zip(play.actions);
                actions.for_each(|(sum, more)| *sum += u64::from(more));
                period.replayed += 1;
                period.does_not_replay += u64::from(play.replay_fault_rows > 0);
            }
        }
        period
    }

    pub(crate) fn all_games(&self) -> u64 {
        self.games.iter().sum()
    }
}

/// Mean and standard deviation of a column. 128 bits are enough for more rows than fit into memory.
fn mean_and_deviation(sums: &ColumnSums, column: usize) -> (f64, f64) {
    let rows = i128::from(sums.rows);
    let (sum, squares) = (i128::from(sums.sum[column]), i128::from(sums.sum_of_squares[column]));
    let variance = (rows * squares - sum * sum) as f64;
    (sum as f64 / rows as f64, variance.max(0.0).sqrt() / rows as f64)
}

/// The drift of each column, for the number of players with the largest drift.
fn drift(before: &[Sums], now: &[Sums]) -> Option<PeriodDrift> {
    let mut found: Option<PeriodDrift> = None;
    let are_enough = |(before, now): &(&Sums, &Sums)| before.games.min(now.games) >= MIN_GAMES;
    let both = || before.iter().zip(now).filter(are_enough);
    for column in (0..FEATURE_COUNT).filter(|&column| FEATURES[column].normalized) {
        let mut has_moved = false;
        for (before, now) in both() {
            let shift = shift(&before.columns, &now.columns, column);
            let by_chance = (1.0 / before.games as f64 + 1.0 / now.games as f64).sqrt();
            has_moved |= shift.abs() > LARGE_DRIFT.max(4.0 * by_chance);
            let farthest = found.get_or_insert(PeriodDrift {
                columns: 0,
                column: FEATURES[column].name.as_str(),
                mean_shift: shift,
            });
            if shift.abs() > farthest.mean_shift.abs() {
                farthest.column = FEATURES[column].name.as_str();
                farthest.mean_shift = shift;
            }
        }
        if let Some(found) = &mut found {
            found.columns += u64::from(has_moved);
        }
    }
    found
}

/// The shift in standard deviations, whose square is the mean of both variances: otherwise a column that
/// is almost always 0 would have a large shift at its first other value.
fn shift(before: &ColumnSums, now: &ColumnSums, column: usize) -> f64 {
    let (old_mean, old_deviation) = mean_and_deviation(before, column);
    let (mean, deviation) = mean_and_deviation(now, column);
    match mean - old_mean {
        0.0 => 0.0,
        moved => moved / ((old_deviation.powi(2) + deviation.powi(2)) / 2.0).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_in_standard_deviations_of_earlier_games() {
        let place = (0..FEATURE_COUNT).find(|&column| FEATURES[column].normalized).unwrap();
        let sums = |games: u64, rows: u64, sum: i64, squares: i64| {
            let mut columns = ColumnSums { rows, ..ColumnSums::zero(FEATURE_COUNT) };
            (columns.sum[place], columns.sum_of_squares[place]) = (sum, squares);
            [Sums::none(), Sums { games, columns }, Sums::none()]
        };
        // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, standard deviation 2. Then 6 and 10: mean 8 and the same.
        let before = sums(100, 8, 40, 232);
        let found = drift(&before, &sums(100, 2, 16, 136)).unwrap();
        assert_eq!((found.columns, found.column), (1, FEATURES[place].name.as_str()));
        assert!((found.mean_shift - 1.5).abs() < 1e-12);
        // With 10 and 100 games, chance explains up to 1.3.
        assert_eq!(drift(&before, &sums(10, 8, 60, 482)).unwrap().columns, 0);
        assert_eq!(drift(&before, &sums(9, 2, 16, 136)), None, "too few");
        assert_eq!(drift(&sums(0, 0, 0, 0), &before), None);
        let others = [before[1].clone(), Sums::none(), Sums::none()];
        assert_eq!(drift(&others, &before), None, "games of another number of players");
        // From one constant to another, so there is no standard deviation.
        let constant = drift(&sums(99, 2, 0, 0), &sums(99, 2, 2, 2)).unwrap();
        assert_eq!(constant.mean_shift, f64::INFINITY);
    }
}
