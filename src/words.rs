//! Numbers as people write them.

/// `1 game`, `2,000 games`.
pub fn counted(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with commas between the thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(counted(1_u64, "game"), "1 game");
        assert_eq!(counted(0_u64, "game"), "0 games");
        assert_eq!(grouped(7259), "7,259");
        assert_eq!(grouped(559_796), "559,796");
        assert_eq!(grouped(100), "100");
    }
}
