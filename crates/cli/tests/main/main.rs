//! The commands, run as a user runs them.

mod check;
mod decision_tests;
mod forgetting;
mod init;
mod lab;
mod loading;
mod mutations;
mod rights;
mod running;
mod serving;
mod soak;
mod standing;
mod valuing;
mod worlds;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Runs `attent` in the crate's folder, so that paths in its output are the same everywhere.
fn attent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_attent"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("attent starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("output is text")
}

/// An empty place for one test, made anew.
fn fresh_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// The energy world's strategy.
const ENERGY: &str = "../../worlds/energy/strategy";
