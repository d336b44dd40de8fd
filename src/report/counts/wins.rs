//! Wins.

use crate::cache::GameRecord;
use crate::gamelog::Ending;
use crate::rules::PlayerCount;
use serde::Serialize;

/// Wins and decided games of a seat, card or noble, by number of players in the order of
/// [`PlayerCount::ALL`]. Only games with a winner are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Wins {
    pub(crate) won: [u64; PlayerCount::ALL.len()],
    pub(crate) decided: [u64; PlayerCount::ALL.len()],
}

impl Wins {
    pub(crate) fn add(&mut self, players: usize, has_won: bool) {
        self.won[players] += u64::from(has_won);
        self.decided[players] += 1;
    }

    pub(crate) fn merge(&mut self, other: &Wins) {
        add_up(&mut self.won, &other.won);
        add_up(&mut self.decided, &other.decided);
    }

    /// The share of wins (0 to 1); `None` without decided games.
    pub(crate) fn rate(&self) -> Option<f64> {
        let (won, decided) = self.totals();
        (decided > 0).then(|| won as f64 / decided as f64)
    }

    /// The 95 % interval of that share, by [`wilson`].
    pub(crate) fn interval(&self) -> (f64, f64) {
        let (won, decided) = self.totals();
        wilson(won, decided)
    }

    /// Wins and decided games over all numbers of players.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.won.iter().sum(), self.decided.iter().sum())
    }

    /// The ratio of its win rate to that of all `others` in games with the same numbers of players.
    pub(crate) fn times(&self, others: &Wins) -> Option<f64> {
        let expected = (0..self.won.len()).map(|players| match others.decided[players] {
            0 => 0.0,
            all => self.decided[players] as f64 * others.won[players] as f64 / all as f64,
        });
        let expected: f64 = expected.sum();
        (expected > 0.0).then(|| self.totals().0 as f64 / expected)
    }
}

/// The 95 % Wilson interval of a share (0 to 1): unlike the normal approximation, it stays between 0 and
/// 1 and also holds for few trials. From 0 to 1 without trials.
pub(crate) fn wilson(successes: u64, trials: u64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if trials == 0 {
        return (0.0, 1.0);
    }
    let n = trials as f64;
    let share = successes as f64 / n;
    let denominator = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / denominator;
    let half = Z / denominator * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// The index of a game's number of players in [`PlayerCount::ALL`]. The cache holds no other numbers.
pub(crate) fn players_index(record: &GameRecord) -> Option<usize> {
    PlayerCount::ALL.iter().position(|count| count.get() == record.players)
}

/// Adds counts one by one.
pub(crate) fn add_up(counts: &mut [u64], more: &[u64]) {
    counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
}

/// The endings of the games with one number of players.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Endings {
    pub(crate) won_by_seat: [u64; PlayerCount::MAX],
    /// Number of games in which the best players have equal points and cards.
    pub(crate) ties: u64,
    /// Number of games whose log ends before the game does.
    pub(crate) unfinished: u64,
}

impl Endings {
    pub(crate) fn add(&mut self, record: &GameRecord) {
        let Some(play) = &record.play else { return };
        match (play.result.ending, play.result.winner()) {
            (Ending::Finished, Some(seat)) => self.won_by_seat[seat] += 1,
            (Ending::Unfinished, _) => self.unfinished += 1,
            _ => self.ties += 1,
        }
    }

    pub(crate) fn merge(&mut self, other: &Endings) {
        add_up(&mut self.won_by_seat, &other.won_by_seat);
        self.ties += other.ties;
        self.unfinished += other.unfinished;
    }

    /// The number of games with a winner.
    pub(crate) fn won(&self) -> u64 {
        self.won_by_seat.iter().sum()
    }

    /// The seats whose 95 % interval excludes their fair share, with their share of the wins.
    pub(crate) fn unfair_seats(&self, players: usize) -> impl Iterator<Item = (usize, f64)> {
        let (all, fair) = (self.won(), 1.0 / players as f64);
        let seats = (0..players).filter(move |&seat| {
            let (low, high) = wilson(self.won_by_seat[seat], all);
            fair < low || fair > high
        });
        seats.map(move |seat| (seat, self.won_by_seat[seat] as f64 / all as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values of `scipy.stats.binomtest(...).proportion_ci(method="wilson")`.
    #[test]
    fn wilson_intervals() {
        for (successes, trials, low, high) in [
            (0, 0, 0.0, 1.0),
            (0, 10, 0.0, 0.277_532_8),
            (10, 10, 0.722_467_2, 1.0),
            (50, 100, 0.403_831_5, 0.596_168_5),
            (1, 3, 0.061_491_9, 0.792_340_4),
        ] {
            let (found_low, found_high) = wilson(successes, trials);
            assert!((found_low - low).abs() < 1e-5, "{successes} of {trials}: {found_low}");
            assert!((found_high - high).abs() < 1e-5, "{successes} of {trials}: {found_high}");
        }
    }

    #[test]
    fn unfair_seats_are_those_whose_interval_excludes_the_fair_share() {
        // Of 2,045 games, 745 wins are 36.4 % (34.3 to 38.5), 669 are 32.7 %, 631 are 30.9 % (28.9 to 32.9).
        let endings = Endings { won_by_seat: [669, 745, 631, 0], ..Endings::default() };
        let seats: Vec<usize> = endings.unfair_seats(3).map(|(seat, _)| seat).collect();
        assert_eq!(seats, [1, 2]);
        assert_eq!(Endings::default().unfair_seats(4).count(), 0);
    }

    #[test]
    fn times_compares_equal_numbers_of_players() {
        let all = Wins { won: [50, 25, 0], decided: [100, 100, 0] };
        let same = Wins { won: [5, 5, 0], decided: [10, 20, 0] };
        assert_eq!(same.times(&all), Some(1.0));
        assert_eq!(Wins::default().times(&all), None);
    }
}
