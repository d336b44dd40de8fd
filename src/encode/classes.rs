//! The classes of the two gem heads: fixed by the rules, the same for every log.

use crate::rules::{ByColor, ByGem, Color, Gem, MAX_GIVE_BACK, MAX_TAKE};
use std::cmp::Reverse;
use std::sync::LazyLock;

/// Classes of the `gem_take3` head.
pub const TAKE3_CLASSES: usize = 26;
/// Classes of the `gems_removed` head.
pub const REMOVAL_CLASSES: usize = 84;

/// The sets of colors for a take of different gems, by class: the empty set, then sets of one, two and
/// three colors, each size in lexicographic color order. Counts are 0 or 1.
pub static TAKE3_SETS: LazyLock<Vec<ByColor<u8>>> = LazyLock::new(|| {
    let all = (0..1_u8 << Color::COUNT).map(|bits| ByColor::from_fn(|c| bits >> c.index() & 1));
    let mut sets: Vec<_> = all.filter(|set| usize::from(set.total()) <= MAX_TAKE).collect();
    // {white, blue} comes before {white, green}: 11000 before 10100.
    sets.sort_by_key(|set| (set.total(), Reverse(set.0)));
    sets
});

/// The gems that can be given back in one turn, by class: all six-tuples of counts that sum to at most
/// 3, in lexicographic order.
pub static REMOVALS: LazyLock<Vec<ByGem<u8>>> = LazyLock::new(|| {
    let counts = |code: usize| ByGem::from_fn(|gem| (code >> (2 * (5 - gem.index())) & 3) as u8);
    (0..REMOVAL_CODES).map(counts).filter(|counts| counts.total() <= MAX_GIVE_BACK).collect()
});

/// The class of a set of at most three colors; `counts` are 0 or 1.
///
/// # Panics
/// If there is no such class. The log reader refuses such a take.
pub fn take3_class(counts: &ByColor<u8>) -> usize {
    static CLASS_OF: LazyLock<[Option<u8>; 1 << Color::COUNT]> = LazyLock::new(|| {
        let mut class_of = [None; _];
        TAKE3_SETS.iter().zip(0..).for_each(|(set, class)| class_of[set_code(set)] = Some(class));
        class_of
    });
    CLASS_OF[set_code(counts)].expect("a take of at most three colors").into()
}

/// The class of at most three gems given back.
///
/// # Panics
/// If there is no such class. The log reader refuses such a row.
pub fn removal_class(counts: &ByGem<u8>) -> usize {
    static CLASS_OF: LazyLock<[Option<u8>; REMOVAL_CODES]> = LazyLock::new(|| {
        let mut class_of = [None; _];
        REMOVALS
            .iter()
            .zip(0..)
            .for_each(|(gems, class)| class_of[removal_code(gems)] = Some(class));
        class_of
    });
    assert!(counts.total() <= MAX_GIVE_BACK, "at most three gems are given back");
    CLASS_OF[removal_code(counts)].expect("every such tuple has a class").into()
}

/// One bit per color.
fn set_code(set: &ByColor<u8>) -> usize {
    set.0.iter().fold(0, |code, &count| code << 1 | usize::from(count == 1))
}

/// Two bits per kind of gem: a count is at most 3.
const REMOVAL_CODES: usize = 1 << (2 * Gem::COUNT);

fn removal_code(counts: &ByGem<u8>) -> usize {
    counts.0.iter().fold(0, |code, &count| code << 2 | usize::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_classes() {
        assert_eq!((TAKE3_SETS.len(), REMOVALS.len()), (TAKE3_CLASSES, REMOVAL_CLASSES));
        for (class, set) in [
            (0, [0, 0, 0, 0, 0]),
            (1, [1, 0, 0, 0, 0]),
            (5, [0, 0, 0, 0, 1]),
            (6, [1, 1, 0, 0, 0]),
            (15, [0, 0, 0, 1, 1]),
            (16, [1, 1, 1, 0, 0]),
            (25, [0, 0, 1, 1, 1]),
        ] {
            assert_eq!(TAKE3_SETS[class].0, set);
        }
        assert!(REMOVALS.is_sorted());
        assert_eq!(REMOVALS[0].0, [0; 6]);
        assert_eq!(REMOVALS[83].0, [3, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn class_of_each_member() {
        for (class, set) in TAKE3_SETS.iter().enumerate() {
            assert_eq!(take3_class(set), class);
        }
        for (class, removal) in REMOVALS.iter().enumerate() {
            assert_eq!(removal_class(removal), class);
        }
    }
}
