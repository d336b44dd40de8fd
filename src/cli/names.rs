//! Patterns of names, and suggestions for a name that does not exist.

use anyhow::{Context as _, Result};
use glob::Pattern;

/// Each name with its compiled pattern; `*` and `?` are wildcards.
pub(super) fn patterns(names: &[String]) -> Result<Vec<(&str, Pattern)>> {
    let parse =
        |name: &String| Pattern::new(name).with_context(|| format!("invalid pattern {name}"));
    names.iter().map(|name| Ok((name.as_str(), parse(name)?))).collect()
}

/// The most similar of the known names, up to `max` of them.
pub(super) fn similar<'k>(
    typed: &str,
    known: impl IntoIterator<Item = &'k str>,
    max: usize,
) -> Vec<&'k str> {
    const SIMILAR: f64 = 0.85;
    let typed = typed.to_lowercase();
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(&typed, name), name));
    let mut similar: Vec<_> = scored.filter(|&(score, _)| score >= SIMILAR).collect();
    similar.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    similar.into_iter().take(max).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names() {
        let known = ["gems_board_white", "gems_board_blue", "card0_vp"];
        assert_eq!(similar("gem_board_Blue", known, 1), ["gems_board_blue"]);
        assert_eq!(similar("gem_board_blue", known, 3).len(), 2);
        assert!(similar("nonsense", known, 3).is_empty());
    }
}
