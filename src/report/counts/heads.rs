//! Counts legal and chosen classes of each head.

use super::place::{Place, first};
use super::wins::add_up;
use crate::encode::{EncodedGame, Head, NO_LABEL};
use crate::gamelog::GameId;
use serde::Serialize;

/// Limit on the listed illegal labels per head; all are counted.
pub(crate) const MAX_ILLEGAL_LISTED: usize = 10;

/// A class is rare if it is the label of at most this share of the rows to which its head applies.
pub(crate) const RARE_CLASS: f64 = 0.01;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeadTally {
    pub(crate) rows: u64,
    /// Number of rows to which the head does not apply, so that no class was chosen.
    pub(crate) no_label: u64,
    pub(crate) classes: Vec<ClassTally>,
    /// Number of rows by the number of legal classes, from 0 to all.
    pub(crate) legal_counts: Vec<u64>,
    pub(crate) illegal: u64,
    /// The first illegal labels by game and row, at most [`MAX_ILLEGAL_LISTED`].
    pub(crate) first_illegal: Vec<IllegalLabel>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassTally {
    pub(crate) legal: u64,
    pub(crate) chosen: u64,
    pub(crate) first: Option<Place>,
    /// Number of rows in which it was chosen although it was not legal.
    pub(crate) illegal: u64,
    /// Sum of the numbers of legal classes over the rows in which it was chosen.
    pub(crate) choices: u64,
    /// Number of rows in which some class was chosen and this one was legal, by the number of legal classes.
    pub(crate) legal_when_chosen: Vec<u64>,
}

impl ClassTally {
    /// The mean number of legal classes over the rows in which it was chosen.
    pub(crate) fn mean_choices(&self) -> Option<f64> {
        (self.chosen > 0).then(|| self.choices as f64 / self.chosen as f64)
    }

    /// The expected count if every row to which the head applies chose uniformly among its legal
    /// classes.
    pub(crate) fn by_chance(&self) -> f64 {
        let counts = self.legal_when_chosen.iter().enumerate().skip(1);
        counts.map(|(legal, &rows)| rows as f64 / legal as f64).sum()
    }
}

/// A label that is not legal under its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct IllegalLabel {
    pub(crate) game_id: GameId,
    /// Its row, from 0.
    pub(crate) row_in_game: usize,
    /// The turn number, as logged.
    pub(crate) turn_number: i32,
    pub(crate) class: usize,
}

impl HeadTally {
    pub(crate) fn new(head: Head) -> HeadTally {
        let counts = || vec![0; head.classes() + 1];
        let class = || ClassTally {
            legal: 0,
            chosen: 0,
            first: None,
            illegal: 0,
            choices: 0,
            legal_when_chosen: counts(),
        };
        HeadTally {
            rows: 0,
            no_label: 0,
            classes: (0..head.classes()).map(|_| class()).collect(),
            legal_counts: counts(),
            illegal: 0,
            first_illegal: Vec::new(),
        }
    }

    pub(crate) fn add_game(&mut self, head: Head, game_id: GameId, game: &EncodedGame) {
        self.rows += game.labels().len() as u64;
        for (row, (labels, masks)) in game.labels().iter().zip(game.masks()).enumerate() {
            let (label, mask) = (labels[head.index()], &masks[head.mask_range()]);
            let legal = mask.iter().filter(|&&flag| flag == 1).count();
            self.legal_counts[legal] += 1;
            for (class, _) in self.classes.iter_mut().zip(mask).filter(|&(_, &flag)| flag == 1) {
                class.legal += 1;
                if label != NO_LABEL {
                    class.legal_when_chosen[legal] += 1;
                }
            }
            let Ok(class) = usize::try_from(label) else {
                self.no_label += 1;
                continue;
            };
            self.classes[class].chosen += 1;
            self.classes[class].first.get_or_insert(Place::new(game_id, row));
            self.classes[class].choices += legal as u64;
            if mask[class] != 1 {
                self.illegal += 1;
                self.classes[class].illegal += 1;
                let turn_number = game.turn_numbers()[row];
                self.list_illegal(&[IllegalLabel {
                    game_id,
                    row_in_game: row,
                    turn_number,
                    class,
                }]);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &HeadTally) {
        self.rows += other.rows;
        self.no_label += other.no_label;
        add_up(&mut self.legal_counts, &other.legal_counts);
        for (class, more) in self.classes.iter_mut().zip(&other.classes) {
            class.legal += more.legal;
            class.chosen += more.chosen;
            class.first = first(class.first, more.first);
            class.illegal += more.illegal;
            class.choices += more.choices;
            add_up(&mut class.legal_when_chosen, &more.legal_when_chosen);
        }
        self.illegal += other.illegal;
        self.list_illegal(&other.first_illegal);
    }

    /// Keeps the first ones, independent of the threads.
    fn list_illegal(&mut self, more: &[IllegalLabel]) {
        self.first_illegal.extend(more);
        self.first_illegal.sort_unstable();
        self.first_illegal.truncate(MAX_ILLEGAL_LISTED);
    }

    /// Whether a class is the label of at most a [`RARE_CLASS`] share of the rows with a label.
    pub(crate) fn is_rare(&self, class: &ClassTally) -> bool {
        class.chosen as f64 <= RARE_CLASS * self.chosen() as f64
    }

    /// The weight of a class as in scikit-learn's `balanced`: all classes that occur have the same total
    /// weight, and the mean weight is 1. `None` for a class that does not occur.
    pub(crate) fn balanced_weight(&self, class: usize) -> Option<f64> {
        let chosen = self.classes[class].chosen;
        let classes = self.classes.iter().filter(|class| class.chosen > 0).count() as f64;
        (chosen > 0).then(|| self.chosen() as f64 / (classes * chosen as f64))
    }

    pub(crate) fn chosen(&self) -> u64 {
        self.rows - self.no_label
    }

    pub(crate) fn never_chosen(&self) -> impl Iterator<Item = usize> {
        (0..self.classes.len()).filter(|&class| self.classes[class].chosen == 0)
    }
}
