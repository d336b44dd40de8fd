//! `prep man`: the manual pages, from the same definitions that `--help` prints.

use crate::cli::context::{Context, Outcome};
use crate::cli::output;
use crate::cli::output_file::OutputFile;
use crate::words::{counted, shown};
use anyhow::Result;
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::io;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Examples:
  prep man | man -l -                     read the page of prep
  prep man ~/.local/share/man/man1        install the pages of all commands

Then `man prep-export` shows the page of one command.";

/// Print the manual page, or write the pages of prep and its commands to a folder
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct ManArgs {
    /// Folder for prep.1, prep-ingest.1, ... [default: prep.1 to stdout]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(in crate::cli) fn run(arguments: &ManArgs, context: &Context, cli: Command) -> Result<Outcome> {
    // `prep help` needs no page.
    let mut cli = cli.disable_help_subcommand(true);
    // Sets the full names of the commands, and adds the global flags.
    cli.build();
    let Some(dir) = &arguments.dir else {
        output::print(String::from_utf8(page(&cli)?)?)?;
        return Ok(Outcome::Done);
    };
    let commands = || std::iter::once(&cli).chain(cli.get_subcommands());
    for command in commands() {
        let name = Man::new(command.clone()).get_filename();
        let title = format!(".TH {}", name.trim_end_matches(".1"));
        let file = OutputFile {
            path: &dir.join(&name),
            what: "a manual page of prep",
            mark: &title,
            force: None,
            advice: "give a folder for which you have write permission",
        };
        file.write(&page(command)?)?;
    }
    if !context.common.quiet {
        let pages = counted(commands().count() as u64, "page");
        output::print(format!("wrote {pages} to {}\n", shown(dir)))?;
    }
    Ok(Outcome::Done)
}

/// Rendered by clap_mangen, except that examples keep their line breaks.
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
    if let Some(help) = command.get_after_help() {
        let mut notes = Roff::new();
        notes.control("SH", ["NOTES"]).control("nf", []);
        notes.text([roman(help.to_string())]).control("fi", []);
        notes.to_writer(&mut page)?;
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}
