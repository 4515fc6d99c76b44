//! `attent customer`: what is known of somebody, what do they take along, and are two customers one person?

use crate::{
    client::{CallError, ServerAt, report},
    whom::{self, Whom},
};
use engine::Identifier;
use serde_json::{Value, json};
use std::{fs, io, path::PathBuf, process::ExitCode};

/// See, take along, correct who is who
///
/// Asks a running server, with a key for administrators; what is done is kept in its audit. How a person is
/// forgotten says `attent erase`.
///
/// Exit code 0: done. 1: nobody is known by these identifiers, or it cannot be done. 2: the server cannot be asked.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    right: Right,
    #[command(flatten)]
    server: ServerAt,
}

#[derive(Debug, clap::Subcommand)]
enum Right {
    /// Everything that is known, with source, confidence and until when
    Show(Who),
    /// What the customer may take along, one fact, statement, contact or outcome per line
    Export(Who),
    /// Take in the lines of an export of another instance
    Import {
        #[command(flatten)]
        who: Who,
        /// File with the lines; `-` for standard input
        file: PathBuf,
    },
    /// Two customers are one person from now on
    Merge {
        /// Who is taken in: KIND=VALUE, or a key that `conflicts` shows
        #[arg(long, value_name = "WHOM", value_parser = Whom::read)]
        from: Whom,
        /// Who takes in the other
        #[arg(long, value_name = "WHOM", value_parser = Whom::read)]
        into: Whom,
        /// Why they are one person
        #[arg(long)]
        reason: String,
    },
    /// Both are again what they would have been without the merge
    Unmerge {
        /// Who was taken in: KIND=VALUE, or a key
        #[arg(long = "identifier", value_name = "WHOM", value_parser = Whom::read)]
        whom: Whom,
        /// Why they are not one person
        #[arg(long)]
        reason: String,
    },
    /// What persons seem to share and nobody has decided about, one per line
    Conflicts,
}

#[derive(Debug, clap::Args)]
struct Who {
    /// What is known of the person, for example user_id=42; at least one
    #[arg(long = "identifier", value_name = "KIND=VALUE", required = true, value_parser = whom::identifier)]
    identifiers: Vec<Identifier>,
}

impl Who {
    fn json(&self) -> Value {
        json!({ "identifiers": whom::json(&self.identifiers) })
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    report(ask(arguments))
}

fn ask(arguments: &Arguments) -> Result<(), CallError> {
    let client = arguments.server.client()?;
    let done = match &arguments.right {
        Right::Show(who) => client.post("/v1/customers/lookup", &who.json().to_string())?,
        Right::Export(who) => {
            print!("{}", client.post_text("/v1/customers/export", &who.json().to_string())?);
            return Ok(());
        }
        Right::Import { who, file } => {
            let body = json!({ "identifiers": whom::json(&who.identifiers), "lines": lines(file)? });
            client.post("/v1/customers/import", &body.to_string())?
        }
        Right::Merge { from, into, reason } => {
            let body = json!({ "from": from.json(), "into": into.json(), "reason": reason });
            client.post("/v1/customers/merge", &body.to_string())?
        }
        Right::Unmerge { whom, reason } => {
            let body = json!({ "customer": whom.json(), "reason": reason });
            client.post("/v1/customers/unmerge", &body.to_string())?
        }
        Right::Conflicts => {
            let open = client.get("/v1/customers/conflicts")?;
            open.as_array().into_iter().flatten().for_each(|conflict| println!("{conflict}"));
            return Ok(());
        }
    };
    println!("{done:#}");
    Ok(())
}

fn lines(file: &PathBuf) -> Result<Vec<Value>, CallError> {
    let text = match file.as_os_str() == "-" {
        true => io::read_to_string(io::stdin()),
        false => fs::read_to_string(file),
    };
    let text =
        text.map_err(|error| CallError::Trouble(format!("cannot read `{}`: {error}", file.display())))?;
    let line = |(number, line): (usize, &str)| {
        let wrong = |_| CallError::No(format!("{}:{}: this is not JSON", file.display(), number + 1));
        serde_json::from_str(line).map_err(wrong)
    };
    text.lines().enumerate().map(line).collect()
}
