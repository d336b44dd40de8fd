//! Formats numbers.

pub(super) use crate::words::{bytes_in_words, counted, grouped};

/// Shown in the place of a missing number.
pub(super) const NOTHING: &str = "–";

/// A share in percent, with more digits if it is small.
pub(super) fn percent(part: f64, whole: f64) -> String {
    if whole == 0.0 {
        return NOTHING.to_owned();
    }
    let percent = 100.0 * part / whole;
    match percent {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.01 => "< 0.01 %".to_owned(),
        percent if percent < 1.0 => format!("{percent:.2} %"),
        percent => format!("{percent:.1} %"),
    }
}

/// [`percent`] of counts.
pub(super) fn share(part: u64, whole: u64) -> String {
    percent(part as f64, whole as f64)
}

/// A number with two decimals, or with more if it is small.
pub(super) fn short(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.01 => format!("{number:.4}"),
        size if size < 1.0 => format!("{number:.3}"),
        _ => format!("{number:.2}"),
    }
}

/// A tick of an axis, with `k` for thousands and `M` for millions.
pub(super) fn tick(number: f64) -> String {
    let plain = |number: f64| format!("{}", (number * 100.0).round() / 100.0);
    match number.abs() {
        size if size >= 1e6 => format!("{}M", plain(number / 1e6)),
        size if size >= 1e3 => format!("{}k", plain(number / 1e3)),
        _ => plain(number),
    }
}

/// A share (0 to 1) as the tick of an axis.
pub(super) fn percent_tick(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

/// The smallest round number that is at least this one, for the end of an axis.
pub(super) fn round_up(number: f64) -> f64 {
    if number <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(number.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|&round| round >= number).unwrap_or(number)
}

/// The shift of a mean in standard deviations; infinite from one constant to another.
pub(super) fn shift(mean_shift: f64) -> String {
    match mean_shift.is_finite() {
        true => format!("{mean_shift:+.3}"),
        false => "another constant".to_owned(),
    }
}

/// A whole number, if there is one.
pub(super) fn number(value: Option<i64>) -> String {
    value.map_or(NOTHING.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        assert_eq!([share(1, 3), share(1, 500), share(0, 9)], ["33.3 %", "0.20 %", "0 %"]);
        assert_eq!([share(1, 100_000), share(0, 0)], ["< 0.01 %", NOTHING]);
        assert_eq!([tick(1500.0), tick(2e6), tick(0.25)], ["1.5k", "2M", "0.25"]);
        assert_eq!([short(0.0), short(-2.71659), short(0.001)], ["0", "-2.72", "0.0010"]);
        assert_eq!([short(58.046), short(108.1)], ["58.05", "108.10"]);
    }
}
