//! `attent lab`: put any dataset or simulator, in any language, in front of the shipped code.

use crate::check::report_trouble;
use simulation::lab::Lab;
use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
};

/// Decide and learn on a virtual clock, one JSON line in, one out
///
/// A driver asks `{"t": 3, "decide": {"context": {…}, "actions": [{"id": …, "group": …, "value": …}]}}`, reads
/// the answer, and reports `{"t": 4, "outcome": {"decision": …, "kind": "converted", "value": …}}`. Every
/// decision sees everything reported before it. Nothing is kept. See docs/reference/lab.md.
///
/// Exit code 0: every line was used. 1: some were not, as the output says. 2: it could not run.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

/// Runs the command.
pub fn run(_: &Arguments) -> ExitCode {
    let mut lab = Lab::default();
    if let Err(error) = answer(&mut lab, io::stdin().lock(), io::stdout().lock()) {
        return report_trouble(&format!("the conversation broke off: {error}"));
    }
    let tally = lab.tally();
    eprintln!(
        "attent: {} decisions ({} silent, {} discarded), {} outcomes worth {:.2}, {} lines not used",
        tally.decisions, tally.silences, tally.discarded, tally.outcomes, tally.value, tally.refused
    );
    ExitCode::from(u8::from(tally.refused > 0))
}

fn answer(lab: &mut Lab, mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if let Some(answer) = lab.line(&String::from_utf8_lossy(&line)) {
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
        line.clear();
    }
    Ok(())
}
