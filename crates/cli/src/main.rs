//! The `attent` command. One file per command; its doc comment is the help.

mod check;
mod diagnostics;
mod folder;
mod init;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The customer brain: decides, for one customer and one moment, what is most relevant to say, do or ask.
#[derive(Debug, Parser)]
#[command(name = "attent", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Check(check::Arguments),
    Test(test::Arguments),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
    }
}
