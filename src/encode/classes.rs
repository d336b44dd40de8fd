//! The classes of the two gem heads: fixed by the rules, built at compile time.

use crate::rules::{ByColor, ByGem, Color, Gem, MAX_GIVE_BACK, MAX_TAKE};

/// Classes of the `gem_take3` head.
pub const TAKE3_CLASSES: usize = 26;
/// Classes of the `gems_removed` head.
pub const REMOVAL_CLASSES: usize = 84;

/// Sets of colours that a take of different gems can be: the empty set, then those of one, two and
/// three colours, each size in lexicographic colour order. Counts are 0 or 1.
pub const TAKE3_SETS: [ByColor<u8>; TAKE3_CLASSES] = {
    let mut sets = [ByColor([0; Color::COUNT]); TAKE3_CLASSES];
    let mut class = 1;
    let mut size = 1;
    while size <= MAX_TAKE {
        // Counting down through the sets as binary numbers, white the highest digit, is
        // lexicographic order: {white, blue} is 11000, {white, green} is 10100.
        let mut bits = 1 << Color::COUNT;
        while bits > 0 {
            bits -= 1;
            let set = set_of(bits);
            if total(&set) == size as u8 {
                sets[class] = ByColor(set);
                class += 1;
            }
        }
        size += 1;
    }
    assert!(class == TAKE3_CLASSES);
    sets
};

/// Gems that can go back in one turn: all six-tuples of counts that add up to at most 3, in
/// lexicographic order.
pub const REMOVALS: [ByGem<u8>; REMOVAL_CLASSES] = {
    let mut removals = [ByGem([0; Gem::COUNT]); REMOVAL_CLASSES];
    let mut class = 0;
    let mut code = 0;
    while code < REMOVAL_CODES {
        let counts = counts_of(code);
        if total(&counts) <= MAX_GIVE_BACK {
            removals[class] = ByGem(counts);
            class += 1;
        }
        code += 1;
    }
    assert!(class == REMOVAL_CLASSES);
    removals
};

/// The class of a set of at most three colours; `counts` are 0 or 1.
///
/// # Panics
/// If there is no such class. The log reader lets no such take through.
pub fn take3_class(counts: &ByColor<u8>) -> usize {
    let class = TAKE3_CLASS_OF[bits_of(counts)];
    assert!(class != NO_CLASS, "a take of more than three colours");
    usize::from(class)
}

/// The class of at most three gems given back.
///
/// # Panics
/// If there is no such class. The log reader lets no such row through.
pub fn removal_class(counts: &ByGem<u8>) -> usize {
    let class = REMOVAL_CLASS_OF[code_of(counts)];
    assert!(class != NO_CLASS, "more than three gems given back");
    usize::from(class)
}

const NO_CLASS: u8 = u8::MAX;

const TAKE3_CLASS_OF: [u8; 1 << Color::COUNT] = {
    let mut class_of = [NO_CLASS; 1 << Color::COUNT];
    let mut class = 0;
    while class < TAKE3_CLASSES {
        class_of[bits_of(&TAKE3_SETS[class])] = class as u8;
        class += 1;
    }
    class_of
};

/// Each count is 0 to 3: two binary digits a kind of gem.
const REMOVAL_CODES: usize = 1 << (2 * Gem::COUNT);

static REMOVAL_CLASS_OF: [u8; REMOVAL_CODES] = {
    let mut class_of = [NO_CLASS; REMOVAL_CODES];
    let mut class = 0;
    while class < REMOVAL_CLASSES {
        class_of[code_of(&REMOVALS[class])] = class as u8;
        class += 1;
    }
    class_of
};

const fn bits_of(set: &ByColor<u8>) -> usize {
    let mut bits = 0;
    let mut color = 0;
    while color < Color::COUNT {
        bits = bits << 1 | (set.0[color] == 1) as usize;
        color += 1;
    }
    bits
}

const fn set_of(bits: usize) -> [u8; Color::COUNT] {
    let mut set = [0; Color::COUNT];
    let mut color = 0;
    while color < Color::COUNT {
        set[color] = (bits >> (Color::COUNT - 1 - color) & 1) as u8;
        color += 1;
    }
    set
}

const fn code_of(counts: &ByGem<u8>) -> usize {
    let mut code = 0;
    let mut gem = 0;
    while gem < Gem::COUNT {
        // A count above 3 must not spill into its neighbour: it has no class either way.
        if counts.0[gem] > MAX_GIVE_BACK {
            return REMOVAL_CODES - 1;
        }
        code = code << 2 | counts.0[gem] as usize;
        gem += 1;
    }
    code
}

const fn counts_of(code: usize) -> [u8; Gem::COUNT] {
    let mut counts = [0; Gem::COUNT];
    let mut gem = 0;
    while gem < Gem::COUNT {
        counts[gem] = (code >> (2 * (Gem::COUNT - 1 - gem)) & 3) as u8;
        gem += 1;
    }
    counts
}

const fn total(counts: &[u8]) -> u8 {
    let mut total = 0;
    let mut i = 0;
    while i < counts.len() {
        total += counts[i];
        i += 1;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_the_specified_order() {
        let names = |class: usize| -> Vec<&str> {
            Color::ALL
                .into_iter()
                .filter(|&color| TAKE3_SETS[class][color] == 1)
                .map(Color::name)
                .collect()
        };
        assert_eq!(names(0), [""; 0]);
        assert_eq!(names(1), ["white"]);
        assert_eq!(names(5), ["black"]);
        assert_eq!(names(6), ["white", "blue"]);
        assert_eq!(names(15), ["red", "black"]);
        assert_eq!(names(16), ["white", "blue", "green"]);
        assert_eq!(names(25), ["green", "red", "black"]);

        assert!(REMOVALS.is_sorted());
        assert_eq!(REMOVALS[0].0, [0; 6]);
        assert_eq!(REMOVALS[83].0, [3, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn every_class_is_found_by_its_members() {
        for (class, set) in TAKE3_SETS.iter().enumerate() {
            assert_eq!(take3_class(set), class);
        }
        for (class, removal) in REMOVALS.iter().enumerate() {
            assert_eq!(removal_class(removal), class);
        }
    }
}
