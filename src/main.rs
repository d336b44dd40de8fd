//! The `prep` command: arguments in, exit code out. Everything else is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    splendor_prep::cli::main(std::env::args_os())
}
