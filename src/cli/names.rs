//! Names that people type: patterns, and what they may have meant.

use anyhow::{Context as _, Result};
use glob::Pattern;

/// Which known names these are, each a name or a pattern with `*` and `?`.
pub(super) struct NamePatterns(Vec<(String, Pattern)>);

impl NamePatterns {
    pub(super) fn parse(names: &[String]) -> Result<NamePatterns> {
        let parse = |name: &String| {
            let pattern = Pattern::new(name).with_context(|| format!("the pattern {name}"))?;
            Ok((name.clone(), pattern))
        };
        names.iter().map(parse).collect::<Result<_>>().map(NamePatterns)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of them is, or fits, this name.
    pub(super) fn fit(&self, name: &str) -> bool {
        self.0.iter().any(|(_, pattern)| pattern.matches(name))
    }

    /// Each as it was typed, with its pattern, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Pattern)> {
        self.0.iter().map(|(typed, pattern)| (typed.as_str(), pattern))
    }
}

/// Up to `most` of the known names that are like a typed one, the likest first.
pub(super) fn near<'k>(
    typed: &str,
    known: impl IntoIterator<Item = &'k str>,
    most: usize,
) -> Vec<&'k str> {
    const LIKE: f64 = 0.85;
    let typed = typed.to_lowercase();
    let likeness = |name: &'k str| (strsim::jaro_winkler(&typed, name), name);
    let mut near: Vec<_> = known.into_iter().map(likeness).filter(|&(l, _)| l >= LIKE).collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().take(most).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text_and_question_marks_for_one_character() {
        for (pattern, name, fits) in [
            ("card3_vp", "card3_vp", true),
            ("card3_vp", "player0_card3_vp", false),
            ("*_vp", "card3_vp", true),
            ("card?_vp", "card3_vp", true),
            ("card?_vp", "card11_vp", false),
            ("card*", "card11_vp", true),
            ("*card*vp*", "player0_card3_vp_if_buy", true),
            ("*", "anything", true),
            ("", "anything", false),
            ("*red", "player0_reduction_blue", false),
        ] {
            let patterns = NamePatterns::parse(&[pattern.to_owned()]).unwrap();
            assert_eq!(patterns.fit(name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_slip_is_met_with_the_likest_names() {
        let known = ["gems_board_white", "gems_board_blue", "card0_vp"];
        assert_eq!(near("gem_board_Blue", known, 1), ["gems_board_blue"]);
        assert_eq!(near("gem_board_blue", known, 3).len(), 2);
        assert!(near("nonsense", known, 3).is_empty());
    }
}
