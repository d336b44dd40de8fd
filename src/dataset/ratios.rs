//! The shares of train, val and test.

use std::fmt;
use std::str::FromStr;

/// Shares of the games for training, validation and test. They sum to 1 within
/// [`Ratios::TOLERANCE`]; `train` is above 0, the others may be 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratios([f64; 3]);

/// Why three numbers are not [`Ratios`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RatiosError {
    /// Not exactly three parts between commas.
    #[error("expected three numbers such as 0.8,0.1,0.1 for train, val and test, found {found}")]
    NotThree {
        /// Number of parts.
        found: usize,
    },
    /// A part that is not a number.
    #[error("the {split} ratio `{found}` is not a number; write three numbers such as 0.8,0.1,0.1")]
    NotANumber {
        /// `train`, `val` or `test`.
        split: &'static str,
        /// The part as written.
        found: String,
    },
    /// Negative, above 1, or not finite.
    #[error("the {split} ratio is {found}, but a share is between 0 and 1{}", of_percent(*found))]
    OutsideRange {
        /// `train`, `val` or `test`.
        split: &'static str,
        /// The number given.
        found: f64,
    },
    /// There would be no rows to train on or to fit the scaler to.
    #[error(
        "the train ratio is 0; it must be above 0, because the scaler is fitted to the training \
         rows"
    )]
    NothingToTrainOn,
    /// The shares do not sum to 1.
    #[error("the ratios {} + {} + {} sum to {}, not to 1; change one of them",
        parts[0], parts[1], parts[2], sum_as_shown(*parts))]
    DoNotSumToOne {
        /// Train, val and test.
        parts: [f64; 3],
    },
}

/// For 80,10,10, a common mistake.
fn of_percent(found: f64) -> &'static str {
    if (2.0..=100.0).contains(&found) { "; write 80 percent as 0.8" } else { "" }
}

/// The rounded sum: 0.7 + 0.1 + 0.1 is 0.8999999999999999 in binary.
fn sum_as_shown(parts: [f64; 3]) -> f64 {
    (parts.iter().sum::<f64>() * 1e9).round() / 1e9
}

impl Ratios {
    /// Tolerance of the sum, for thirds written as 0.3333333.
    pub const TOLERANCE: f64 = 1e-6;

    /// Checks the shares; they are not rescaled to an exact sum of 1.
    ///
    /// # Errors
    /// If one is outside 0 to 1, `train` is 0, or they do not sum to 1.
    pub fn new(train: f64, val: f64, test: f64) -> Result<Ratios, RatiosError> {
        for (split, found) in [("train", train), ("val", val), ("test", test)] {
            if !(0.0..=1.0).contains(&found) {
                return Err(RatiosError::OutsideRange { split, found });
            }
        }
        if train == 0.0 {
            return Err(RatiosError::NothingToTrainOn);
        }
        if (train + val + test - 1.0).abs() > Ratios::TOLERANCE {
            return Err(RatiosError::DoNotSumToOne { parts: [train, val, test] });
        }
        Ok(Ratios([train, val, test]))
    }

    /// The shares for training, validation and test.
    pub const fn parts(self) -> [f64; 3] {
        self.0
    }
}

impl Default for Ratios {
    /// 0.8, 0.1, 0.1.
    fn default() -> Ratios {
        Ratios([0.8, 0.1, 0.1])
    }
}

impl fmt::Display for Ratios {
    /// As in `--split`: `0.8,0.1,0.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, val, test] = self.0;
        write!(f, "{train},{val},{test}")
    }
}

impl FromStr for Ratios {
    type Err = RatiosError;

    /// Parses `0.8,0.1,0.1`; spaces around the numbers are allowed.
    fn from_str(text: &str) -> Result<Ratios, RatiosError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let [train, val, test] = parts[..] else {
            let found = if text.trim().is_empty() { 0 } else { parts.len() };
            return Err(RatiosError::NotThree { found });
        };
        let number = |split, part: &str| {
            part.parse().map_err(|_| RatiosError::NotANumber { split, found: part.to_owned() })
        };
        Ratios::new(number("train", train)?, number("val", val)?, number("test", test)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invalid_ratios() {
        for (text, message) in [
            ("", "expected three numbers such as 0.8,0.1,0.1 for train, val and test, found 0"),
            (
                "0.8,0.2",
                "expected three numbers such as 0.8,0.1,0.1 for train, val and test, found 2",
            ),
            (
                "1,0,0,0",
                "expected three numbers such as 0.8,0.1,0.1 for train, val and test, found 4",
            ),
            (
                "0.8,x,0.1",
                "the val ratio `x` is not a number; write three numbers such as 0.8,0.1,0.1",
            ),
            (
                "0.8,0.1,",
                "the test ratio `` is not a number; write three numbers such as 0.8,0.1,0.1",
            ),
            ("0.7,0.1,0.1", "the ratios 0.7 + 0.1 + 0.1 sum to 0.9, not to 1; change one of them"),
            ("1.2,-0.1,-0.1", "the train ratio is 1.2, but a share is between 0 and 1"),
            ("0.9,0.2,-0.1", "the test ratio is -0.1, but a share is between 0 and 1"),
            ("NaN,0.5,0.5", "the train ratio is NaN, but a share is between 0 and 1"),
            (
                "0,0.5,0.5",
                "the train ratio is 0; it must be above 0, because the scaler is fitted to the \
                 training rows",
            ),
            (
                "80,10,10",
                "the train ratio is 80, but a share is between 0 and 1; write 80 percent as 0.8",
            ),
        ] {
            assert_eq!(text.parse::<Ratios>().unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn valid_ratios() {
        assert_eq!("1,0,0".parse(), Ratios::new(1.0, 0.0, 0.0));
        assert!("1,0,0".parse::<Ratios>().is_ok());
        assert!(" 0.333333, 0.333333 ,0.333334".parse::<Ratios>().is_ok());
        assert!("0.3333333,0.3333333,0.3333333".parse::<Ratios>().is_ok());
        assert!("0.33333,0.33333,0.33333".parse::<Ratios>().is_err());
    }

    proptest! {
        #[test]
        fn display_round_trip(train in 0.01..=1.0_f64, share in 0.0..=1.0_f64) {
            let val = (1.0 - train) * share;
            let test = (1.0 - train - val).max(0.0);
            let ratios = Ratios::new(train, val, test).unwrap();
            prop_assert_eq!(ratios.to_string().parse::<Ratios>(), Ok(ratios));
        }
    }
}
