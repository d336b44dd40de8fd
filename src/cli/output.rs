//! Where words go: results to stdout, talk to stderr, and nothing into a progress bar.

use super::Common;
use super::progress::bars;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// Prints a result. A reader that went away (`prep schema | head`) is no error.
pub(super) fn print(result: impl fmt::Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match write!(stdout, "{result}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints a result that has colours: on a terminal with them, unless `NO_COLOR` is set, and anywhere
/// else without.
pub(super) fn print_colored(result: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(result.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Lets messages through to stderr: warnings always, more by `-v` or the `verbose` setting.
pub(super) fn start_logging(common: &Common, verbose_by_settings: bool) {
    let level = match () {
        () if common.quiet => Level::WARN,
        () if common.verbose || verbose_by_settings => Level::DEBUG,
        () => Level::INFO,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .event_format(Plain { colored: use_color() })
        .with_writer(AboveBars)
        .finish();
    // A second command in one process (in tests, or from Python) keeps the first one's.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes lines to stderr that belong to the message before, with colours of their own: in a message,
/// escapes are shown as what they are, so that a file's name cannot play with the terminal.
pub(super) fn say_below(lines: &str) {
    let _ = AboveBars.write_all(lines.as_bytes());
}

/// Whether stderr is one that shows colours, and nobody asked for none.
pub(super) fn use_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A message as it is, with a word in front where it is more than information.
struct Plain {
    colored: bool,
}

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (word, color) = match *event.metadata().level() {
            Level::ERROR => ("error: ", "31"),
            Level::WARN => ("warning: ", "33"),
            _ => ("", ""),
        };
        if self.colored && !word.is_empty() {
            write!(writer, "\x1b[1;{color}m{word}\x1b[0m")?;
        } else {
            writer.write_str(word)?;
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Stderr, with any progress bar out of the way while something is written. Where nobody listens any
/// more, nothing is said: that is no reason to leave the work undone.
struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = bars().suspend(|| io::stderr().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}

impl MakeWriter<'_> for AboveBars {
    type Writer = AboveBars;

    fn make_writer(&self) -> AboveBars {
        AboveBars
    }
}
