//! `attent queue`: what waits for a human, and what does the human decide?

use crate::client::{CallError, ServerAt, report};
use serde_json::json;
use std::process::ExitCode;

/// See and decide what waits for a human
///
/// Actions with a legal effect never run by themselves, and customers may contest what was decided about them.
///
/// Exit code 0: done. 1: nothing of this decision waits, or somebody decided before. 2: the server cannot be asked.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    /// What customers contest, instead of what has a legal effect
    #[arg(long, global = true)]
    contested: bool,
    #[command(flatten)]
    server: ServerAt,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// What waits, the oldest first, one per line
    List,
    /// It may happen; or what is contested is taken back
    Approve(Verdict),
    /// It does not happen; or what is contested stands
    Refuse(Verdict),
}

#[derive(Debug, clap::Args)]
struct Verdict {
    /// The decision, as listed
    decision: String,
    /// The slot of it
    #[arg(long, default_value_t = 0)]
    slot: u16,
    /// Who decides, as people know them
    #[arg(long)]
    by: String,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    report(ask(arguments))
}

fn ask(arguments: &Arguments) -> Result<(), CallError> {
    let client = arguments.server.client()?;
    let (why, path) = match arguments.contested {
        true => ("contested", "/v1/contested"),
        false => ("legal_effect", "/v1/queue"),
    };
    let (verdict, approve) = match &arguments.what {
        What::List => {
            let waiting = client.get(path)?;
            waiting.as_array().into_iter().flatten().for_each(|review| println!("{review}"));
            return Ok(());
        }
        What::Approve(verdict) => (verdict, true),
        What::Refuse(verdict) => (verdict, false),
    };
    let Verdict { decision, slot, by, reason } = verdict;
    if !decision.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Err(CallError::No(format!("`{decision}` is no decision; `attent queue list` shows them")));
    }
    let body = json!({ "why": why, "slot": slot, "approve": approve, "by": by, "reason": reason });
    let done = client.post(&format!("/v1/queue/{decision}"), &body.to_string())?;
    println!("{done:#}");
    Ok(())
}
