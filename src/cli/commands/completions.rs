//! `prep completions`: a shell's completions, from the same definitions that `--help` prints.

use crate::cli::context::Outcome;
use crate::cli::output;
use anyhow::Result;
use clap::{Arg, Args, Command, ValueHint};
use clap_complete::Shell;

const COMPLETIONS_HELP: &str = "\
Examples:
  prep completions bash > ~/.local/share/bash-completion/completions/prep
  prep completions zsh > ~/.zfunc/_prep
  prep completions fish > ~/.config/fish/completions/prep.fish
  source <(prep completions bash)         for the current terminal only

They work in a new terminal. For zsh, `fpath+=~/.zfunc` must come before compinit in ~/.zshrc.";

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_HELP)]
pub(in crate::cli) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Prints the script for this command line.
pub(in crate::cli) fn run(arguments: &CompletionsArgs, cli: Command) -> Result<Outcome> {
    let mut script = Vec::new();
    let cli = cli.mut_args(with_hint);
    let mut cli = cli.mut_subcommands(|command| command.mut_args(with_hint));
    clap_complete::generate(arguments.shell, &mut cli, "prep", &mut script);
    output::print(String::from_utf8(script)?)?;
    Ok(Outcome::Done)
}

/// Adds the kind of value that an argument takes, chosen by its name in the help: without a hint, shells
/// suggest files even for a number.
fn with_hint(argument: Arg) -> Arg {
    let value =
        argument.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    let hint = match value {
        Some("DIR" | "EXPORT_A" | "EXPORT_B") => ValueHint::DirPath,
        Some("FILE") => ValueHint::FilePath,
        Some("GAME") => ValueHint::AnyPath,
        _ => ValueHint::Other,
    };
    // Flags and listed values need no hint.
    let is_open = argument.get_action().takes_values() && argument.get_possible_values().is_empty();
    if is_open { argument.value_hint(hint) } else { argument }
}
