//! Parsers for the values of arguments, and advice for usage errors.

use crate::config::MAX_WORKERS;
use crate::dataset::{Dtype, FeatureSet, MaskSource, SplitMethod};
use crate::encode::{FAMILIES, Family};
use clap::builder::PossibleValue;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Command, Error, ValueEnum};
use std::ffi::OsString;
use std::fmt::Display;
use std::ops::{Bound, RangeBounds};
use std::str::FromStr;
use std::time::Duration;

/// Parses a whole number in a range.
pub(super) fn whole_number<T>(
    range: impl RangeBounds<T> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| match (range.start_bound(), range.end_bound()) {
            (Bound::Included(min), Bound::Included(max)) => {
                format!("expected a whole number from {min} to {max}")
            }
            (Bound::Included(min), _) => format!("expected a whole number from {min}"),
            _ => "expected a whole number".to_owned(),
        })
    }
}

/// Parses a duration: an integer with `s`, `m`, `h` or `d`, such as `90m`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((number, "s")) => (number, 1),
        Some((number, "m")) => (number, 60),
        Some((number, "h")) => (number, 60 * 60),
        Some((number, "d")) => (number, 24 * 60 * 60),
        _ => (text, 1),
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<u64>().ok().filter(|_| is_number);
    let seconds = number.and_then(|number| number.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or("expected a time such as 90s, 30m, 1h or 2d")
}

/// Parses the value of a switch, such as the variable of a flag.
pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Ok(true),
        "false" | "no" | "off" | "0" | "f" | "n" => Ok(false),
        _ => Err("expected yes, no, true, false, on, off, 1 or 0"),
    }
}

/// Uses the names of the domain types on the command line.
macro_rules! value_enum {
    ($($choice:ty),*) => {$(
        impl ValueEnum for $choice {
            fn value_variants<'a>() -> &'a [$choice] {
                &<$choice>::ALL
            }
            fn to_possible_value(&self) -> Option<PossibleValue> {
                Some(PossibleValue::new(self.name()))
            }
        }
    )*};
}

value_enum!(Dtype, FeatureSet, MaskSource, SplitMethod);

impl ValueEnum for Family {
    fn value_variants<'a>() -> &'a [Family] {
        &FAMILIES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name))
    }
}

/// The number of worker threads.
#[derive(Debug, Default, Args)]
pub(super) struct JobsArgs {
    /// Worker threads; 0 means one per core, at most 16 [default: num_workers, 0]
    #[arg(long, value_name = "N", env = "PREP_NUM_WORKERS", allow_negative_numbers = true,
          value_parser = whole_number(0..=MAX_WORKERS as usize))]
    pub(super) jobs: Option<usize>,
}

/// Options of commands that read logs while other programs write them.
#[derive(Debug, Args)]
pub(super) struct SettleArgs {
    /// Defer a log that ends in the middle of a row if it was modified more recently than this, and
    /// refuse it otherwise
    #[arg(long, value_name = "TIME", default_value = "1h", env = "PREP_SETTLE",
          value_parser = duration)]
    pub(super) settle: Duration,
}

/// Options of long-running commands.
#[derive(Debug, Args)]
pub(super) struct MemoryArgs {
    /// Report resident memory during the run
    // Takes an optional value, so that it can also switch off what the settings file switches on.
    #[arg(long, value_name = "BOOL", env = "PREP_MONITOR_MEMORY", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub(super) monitor_memory: Option<bool>,
}

/// Adds advice that clap cannot give to a usage error.
pub(super) fn with_tip(mut error: Error, cli: &Command, arguments: &[OsString]) -> Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let tip = match error.kind() {
        // clap names the flag even if the value comes from a variable.
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => text(ContextKind::InvalidValue)
            .and_then(|value| {
                let is_typed = |typed: &OsString| {
                    let typed = typed.to_string_lossy();
                    typed == value.as_str() || typed.ends_with(&format!("={value}"))
                };
                let is_variable = |name: &str, its: &str| name.starts_with("PREP_") && its == value;
                std::env::vars()
                    .find(|(name, its)| is_variable(name, its))
                    .filter(|_| !arguments.iter().any(is_typed))
                    .map(|(name, _)| format!("the value comes from the variable {name}"))
            }),
        ErrorKind::UnknownArgument => {
            let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
            let typed = text(ContextKind::InvalidArg).unwrap_or_default();
            if typed.starts_with('-') && error.get(ContextKind::SuggestedArg).is_none() {
                // clap suggests to pass it as the name of a folder.
                error.remove(ContextKind::Suggested);
                commands_with(cli, &typed)
            } else {
                let is_export = !typed.starts_with('-') && usage.contains("prep export");
                is_export.then(|| {
                    format!("an export reads the cache, which 'prep ingest {typed}' fills")
                })
            }
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// The commands that have the flag, after it was given to another command.
fn commands_with(cli: &Command, flag: &str) -> Option<String> {
    let name = flag.trim_start_matches('-').split('=').next();
    let has_it = |command: &&Command| command.get_arguments().any(|other| other.get_long() == name);
    let commands = cli.get_subcommands().filter(has_it);
    let commands: Vec<String> =
        commands.map(|command| format!("'prep {}'", command.get_name())).collect();
    match commands.as_slice() {
        [] => None,
        [only] => Some(format!("{flag} is an option of {only}")),
        [others @ .., last] => {
            Some(format!("{flag} is an option of {} and {last}", others.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("0", 0), ("45", 45), ("45s", 45), ("90m", 5400), ("1h", 3600), ("2d", 172_800)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "-1h",
            "+1h",
            "1.5h",
            "1 h",
            "1H",
            "1w",
            "1é",
            "99999999999999999999",
            "9999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
