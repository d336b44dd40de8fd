//! `prep man`: the manual pages, from the same definitions that `--help` prints.
//!
//! Names, synopsis and options are laid out by `clap_mangen`. What stands under `--help` it would
//! fill like prose, examples too, and it says nothing of environment variables: those sections are
//! made here, under the names that readers of manual pages look for.

use super::{Cli, Context, Outcome, output};
use crate::words::counted;
use anyhow::{Context as _, Result};
use clap::{Arg, Args, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

const AFTER_HELP: &str = "\
Examples:
  prep man | man -l -                     read the page of prep itself
  prep man ~/.local/share/man/man1        install a page for each command, too

Then `man prep-export` shows the page of one command.";

/// Print the manual page, or write it and a page for each command into a folder
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ManArgs {
    /// Folder to write prep.1, prep-ingest.1, ... to [default: prep.1 to stdout]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(arguments: &ManArgs, context: &Context) -> Result<Outcome> {
    // Without a page for `prep help`.
    let mut cli = Cli::command().disable_help_subcommand(true);
    // Gives the commands their full names, and the flags of every command.
    cli.build();
    let Some(dir) = &arguments.dir else {
        output::print(String::from_utf8(page(&cli)?)?)?;
        return Ok(Outcome::Done);
    };
    let pages = write_all(&cli, dir).with_context(|| {
        format!(
            "cannot write manual pages to {}: give a folder that you may write to",
            dir.display()
        )
    })?;
    if !context.common.quiet {
        output::print(format!("wrote {} to {}\n", counted(pages, "page"), dir.display()))?;
    }
    Ok(Outcome::Done)
}

/// Returns how many pages there are.
fn write_all(cli: &Command, dir: &Path) -> io::Result<u64> {
    fs::create_dir_all(dir)?;
    let mut pages = 0;
    for command in std::iter::once(cli).chain(cli.get_subcommands()) {
        fs::write(dir.join(Man::new(command.clone()).get_filename()), page(command)?)?;
        pages += 1;
    }
    Ok(pages)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).source(format!("prep {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut own = Roff::new();
    environment(&mut own, command);
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    AfterHelp::read(&help).render(&mut own);
    own.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// A variable for each flag that has one; on the page of `prep` itself those of all commands.
fn environment(roff: &mut Roff, command: &Command) {
    // With the argument as it is written, and the commands below this one that have it.
    let mut variables: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    let mut note = |argument: &Arg, whose| {
        let Some(variable) = argument.get_env() else { return };
        let value = argument.get_value_names().map(|names| names.join(" "));
        let shown = argument.get_long().map(|long| format!("--{long}")).or(value);
        let variable = variable.to_string_lossy().into_owned();
        variables.entry((variable, shown.unwrap_or_default())).or_default().extend(whose);
    };
    command.get_arguments().for_each(|argument| note(argument, None));
    for below in command.get_subcommands() {
        let own = below.get_arguments().filter(|argument| !argument.is_global_set());
        own.for_each(|argument| note(argument, Some(below.get_name())));
    }
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman("A flag goes before its variable, and a variable before the settings file.")]);
    for ((variable, argument), whose) in variables {
        roff.control("TP", []);
        roff.text([bold(variable)]);
        let of = if whose.is_empty() { "" } else { " of " };
        roff.text([roman(format!("stands for {argument}{of}{}", whose.join(", ")))]);
    }
    roff.control("TP", []);
    roff.text([bold("NO_COLOR")]);
    roff.text([roman("no colours, if it is set to anything")]);
}

/// What stands under a command's `--help`, by the sections of a manual page.
#[derive(Debug, Default)]
struct AfterHelp<'a> {
    /// Lines that are shown as they are, and what is said above them.
    examples: Vec<(&'a str, Vec<&'a str>)>,
    exit_codes: Option<&'a str>,
    notes: Vec<&'a str>,
}

impl<'a> AfterHelp<'a> {
    fn read(help: &'a str) -> AfterHelp<'a> {
        let mut read = AfterHelp::default();
        for paragraph in help.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            let mut lines = paragraph.lines();
            let first = lines.next().unwrap_or_default();
            let shown: Vec<&str> = lines.filter_map(|line| line.strip_prefix("  ")).collect();
            if let Some(codes) = paragraph.strip_prefix("Exit codes: ") {
                read.exit_codes = Some(codes);
            } else if shown.is_empty() {
                read.notes.push(paragraph);
            } else {
                read.examples.push((first, shown));
            }
        }
        read
    }

    fn render(&self, roff: &mut Roff) {
        if let Some(codes) = self.exit_codes {
            roff.control("SH", ["EXIT STATUS"]);
            roff.text([roman(codes.replace('\n', " "))]);
        }
        if !self.examples.is_empty() {
            roff.control("SH", ["EXAMPLES"]);
        }
        for (above, lines) in &self.examples {
            if *above != "Examples:" {
                roff.control("PP", []);
                roff.text([roman(*above)]);
            }
            if lines.iter().any(|line| line.starts_with(' ')) {
                // One command over several lines.
                roff.control("PP", []).control("nf", []);
                for line in lines {
                    roff.text([bold(*line)]);
                }
                roff.control("fi", []);
                continue;
            }
            for line in lines {
                // The remark below its command: beside it, both would be wider than a terminal.
                let (command, remark) = line.split_once("  ").unwrap_or((line, ""));
                roff.control("PP", []).control("nf", []).text([bold(command)]);
                roff.control("fi", []);
                if !remark.is_empty() {
                    roff.control("RS", ["4"]).text([roman(remark.trim_start())]);
                    roff.control("RE", []);
                }
            }
        }
        if !self.notes.is_empty() {
            roff.control("SH", ["NOTES"]);
        }
        for note in &self.notes {
            roff.control("PP", []);
            roff.text([roman(note.replace('\n', " "))]);
        }
    }
}
