//! `attent test`: does a strategy do what its own tests expect?

use crate::{
    check::{open, report, report_trouble},
    diagnostics::line_number,
    folder::Folder,
};
use decision::strategy::{
    test_case::DecisionTest,
    test_run::{self, Difference},
};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Run a strategy's own decision tests
///
/// Exit code 0: all pass. 1: a test fails, or the strategy has problems. 2: nothing could be tested.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the strategy
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Run only tests whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

struct Verdict<'a> {
    test: &'a DecisionTest,
    differences: Vec<Difference>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let (folder, loaded) = match open(&arguments.folder) {
        Ok(opened) => opened,
        Err(trouble) => return report_trouble(&trouble),
    };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(problems) => return report(&problems, &folder, arguments.json),
    };
    let wanted = arguments.filter.as_deref().unwrap_or_default().to_lowercase();
    let strategy = test_run::without_exploration(loaded.strategy);
    let verdicts: Vec<Verdict<'_>> = loaded
        .tests
        .iter()
        .filter(|test| test.name.to_lowercase().contains(&wanted))
        .map(|test| Verdict { test, differences: test_run::run(&strategy, test) })
        .collect();
    if verdicts.is_empty() {
        return report_trouble(&match &arguments.filter {
            Some(text) => format!("no test has `{text}` in its name"),
            None => format!("`{}` has no tests", folder.path.display()),
        });
    }
    if arguments.json {
        println!("{:#}", to_json(&verdicts, &folder));
    } else {
        print!("{}", render(&verdicts, &folder));
    }
    ExitCode::from(u8::from(verdicts.iter().any(|verdict| !verdict.differences.is_empty())))
}

fn render(verdicts: &[Verdict<'_>], folder: &Folder) -> String {
    let mut text = String::new();
    for Verdict { test, differences } in verdicts {
        let word = if differences.is_empty() { "pass" } else { "FAIL" };
        text += &format!("{word}  {}\n", test.name);
        for difference in differences {
            let line = line_number(&folder.files, &test.file, &difference.span);
            text += &format!(
                "      because  {}\n      expected {}\n      got      {}\n      at       {}:{line}\n",
                test.because,
                difference.expected,
                difference.got,
                folder.path.join(&test.file).display(),
            );
        }
    }
    let failed = failed(verdicts);
    text + &format!("{} passed, {failed} failed\n", verdicts.len() - failed)
}

fn failed(verdicts: &[Verdict<'_>]) -> usize {
    verdicts.iter().filter(|verdict| !verdict.differences.is_empty()).count()
}

fn to_json(verdicts: &[Verdict<'_>], folder: &Folder) -> Value {
    let tests: Vec<Value> = verdicts
        .iter()
        .map(|Verdict { test, differences }| {
            let differences: Vec<Value> = differences
                .iter()
                .map(|difference| {
                    json!({
                        "line": line_number(&folder.files, &test.file, &difference.span),
                        "expected": difference.expected,
                        "got": difference.got,
                    })
                })
                .collect();
            json!({
                "name": test.name,
                "because": test.because,
                "file": test.file,
                "line": line_number(&folder.files, &test.file, &test.span),
                "passed": differences.is_empty(),
                "differences": differences,
            })
        })
        .collect();
    let failed = failed(verdicts);
    json!({ "passed": verdicts.len() - failed, "failed": failed, "tests": tests })
}
