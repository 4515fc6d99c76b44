//! The `attent` command. One file per command; its doc comment is the help.

mod audit;
mod backtest;
mod backup;
mod check;
mod client;
mod customer;
mod decide;
mod demo;
mod diagnostics;
mod diet;
mod erase;
mod experiments;
mod explain;
mod fairness;
mod folder;
mod import;
mod init;
mod inventory;
mod lab;
mod models;
mod notice;
mod opening;
mod queue;
mod register;
mod replay;
mod report;
mod restore;
mod rotate_master_key;
mod serve;
mod simulate;
mod test;
mod token_keys;
mod value;
mod verify;
mod whom;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A decision allocates a few hundred small things on one thread and frees them on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    Demo(demo::Arguments),
    Serve(serve::Arguments),
    Check(check::Arguments),
    Test(test::Arguments),
    Decide(decide::Arguments),
    Explain(explain::Arguments),
    Experiments(experiments::Arguments),
    Models(models::Arguments),
    Inventory(inventory::Arguments),
    Notice(notice::Arguments),
    Register(register::Arguments),
    Replay(replay::Arguments),
    Simulate(simulate::Arguments),
    Diet(diet::Arguments),
    Fairness(fairness::Arguments),
    Report(report::Arguments),
    Import(import::Arguments),
    Backtest(backtest::Arguments),
    Value(value::Arguments),
    Lab(lab::Arguments),
    Customer(customer::Arguments),
    Queue(queue::Arguments),
    TokenKeys(token_keys::Arguments),
    Erase(erase::Arguments),
    Audit(audit::Arguments),
    Verify(verify::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    RotateMasterKey(rotate_master_key::Arguments),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Decide(arguments) => decide::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Experiments(arguments) => experiments::run(&arguments),
        Command::Models(arguments) => models::run(&arguments),
        Command::Inventory(arguments) => inventory::run(&arguments),
        Command::Notice(arguments) => notice::run(&arguments),
        Command::Register(arguments) => register::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Diet(arguments) => diet::run(&arguments),
        Command::Fairness(arguments) => fairness::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Backtest(arguments) => backtest::run(&arguments),
        Command::Value(arguments) => value::run(&arguments),
        Command::Lab(arguments) => lab::run(&arguments),
        Command::Customer(arguments) => customer::run(&arguments),
        Command::Queue(arguments) => queue::run(&arguments),
        Command::TokenKeys(arguments) => token_keys::run(&arguments),
        Command::Erase(arguments) => erase::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::RotateMasterKey(arguments) => rotate_master_key::run(&arguments),
    }
}
