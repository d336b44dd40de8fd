//! The `prep` command, which calls the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    splendor_prep::cli::main(std::env::args_os())
}
