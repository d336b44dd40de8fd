//! `prep completions` and `prep man`: what a shell and `man` know of this program, from the same
//! definitions that `--help` prints.

use super::{Cli, Context, Outcome, output};
use crate::words::counted;
use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

const COMPLETIONS_HELP: &str = "\
Examples:
  prep completions bash > ~/.local/share/bash-completion/completions/prep
  prep completions zsh  > ~/.zfunc/_prep      with `fpath+=~/.zfunc` before compinit in ~/.zshrc
  prep completions fish > ~/.config/fish/completions/prep.fish
  source <(prep completions bash)             for this terminal only

A new terminal knows them.";

/// Print the completions of a shell: commands, flags and their values at a press of Tab
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

const MAN_HELP: &str = "\
Examples:
  prep man | man -l -                         read the page of prep itself
  prep man ~/.local/share/man/man1            install it and a page for each command: man prep-export";

/// Print the manual page, or write it and a page for each command into a folder
#[derive(Debug, Args)]
#[command(after_help = MAN_HELP)]
pub(super) struct ManArgs {
    /// Folder to write prep.1, prep-ingest.1, ... to [default: prep.1 to stdout]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(arguments: &CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "prep", &mut script);
    output::print(String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}

pub(super) fn run_man(arguments: &ManArgs, context: &Context) -> Result<Outcome> {
    let Some(dir) = &arguments.dir else {
        let mut page = Vec::new();
        // Without a page for `prep help`, as in the folder.
        let cli = Cli::command().disable_help_subcommand(true);
        clap_mangen::Man::new(cli).render(&mut page)?;
        output::print(String::from_utf8(page)?)?;
        return Ok(Outcome::Done);
    };
    let pages = || -> std::io::Result<usize> {
        fs::create_dir_all(dir)?;
        clap_mangen::generate_to(Cli::command(), dir)?;
        let names = fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name()));
        let names: Vec<_> = names.collect::<std::io::Result<_>>()?;
        let is_page = |name: &&OsString| {
            let name = name.to_string_lossy();
            name.starts_with("prep") && name.ends_with(".1")
        };
        Ok(names.iter().filter(is_page).count())
    };
    let pages = pages().with_context(|| {
        format!(
            "cannot write manual pages to {}: give a folder that you may write to",
            dir.display()
        )
    })?;
    if !context.common.quiet {
        output::print(format!("wrote {} to {}\n", counted(pages as u64, "page"), dir.display()))?;
    }
    Ok(Outcome::Done)
}
