//! `prep completions`: what a shell knows of this program, from the same definitions that `--help`
//! prints.

use super::{Cli, Outcome, output};
use anyhow::Result;
use clap::{Arg, Args, CommandFactory, ValueHint};
use clap_complete::Shell;

const COMPLETIONS_HELP: &str = "\
Examples:
  prep completions bash > ~/.local/share/bash-completion/completions/prep
  prep completions zsh > ~/.zfunc/_prep
  prep completions fish > ~/.config/fish/completions/prep.fish
  source <(prep completions bash)         for this terminal only

A new terminal knows them. For zsh, `fpath+=~/.zfunc` has to stand before compinit in ~/.zshrc.";

/// Print the completions of a shell: commands, flags and their values at a press of Tab
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    let cli = Cli::command().mut_args(with_hint);
    let mut cli = cli.mut_subcommands(|command| command.mut_args(with_hint));
    clap_complete::generate(arguments.shell, &mut cli, "prep", &mut script);
    output::print(String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}

/// What a value is, by the name that it has in the help: without a hint, shells offer files even
/// where a number belongs, and end the name of a folder as if nothing could lie in it.
fn with_hint(argument: Arg) -> Arg {
    let value =
        argument.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    let hint = match value {
        Some("DIR" | "EXPORT_A" | "EXPORT_B") => ValueHint::DirPath,
        Some("FILE") => ValueHint::FilePath,
        Some("GAME") => ValueHint::AnyPath,
        _ => ValueHint::Other,
    };
    // Flags, and what has a list of values, shells know already.
    let is_open = argument.get_action().takes_values() && argument.get_possible_values().is_empty();
    if is_open { argument.value_hint(hint) } else { argument }
}
