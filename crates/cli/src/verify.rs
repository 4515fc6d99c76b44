//! `attent verify`: is everything that was noted still as it was?

use crate::{check::report_trouble, opening};
use engine::audit::{head::SignedHead, verify::Verified};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Walk over the audit, and name what was changed, removed, inserted or put in another order
///
/// Every decision record, every entry of the audit and whom it is about is compared with the chains. With a head
/// that was exported earlier (`GET /v1/audit/head`) it also shows when the whole store was put back.
///
/// Exit code 0: all is as it was. 1: something is not; each place is named. 2: nothing could be verified.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the store; no server may be using it
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// A head of the audit that was exported earlier, as JSON
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let head = match arguments.head.as_deref().map(exported).transpose() {
        Ok(head) => head,
        Err(trouble) => return report_trouble(&trouble),
    };
    let opened = match opening::existing(&arguments.data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let is_ours = head.as_ref().is_none_or(|head| head.public_key == opened.engine.audit_public_key());
    let verified = opened.engine.verify(head.as_ref(), jiff::Timestamp::now());
    let closed = opened.engine.close();
    if !is_ours {
        return report_trouble("the head was signed by another store");
    }
    match verified.and_then(|verified| closed.map(|()| verified)) {
        Ok(verified) => {
            print!("{}", if arguments.json { to_json(&verified) } else { render(&verified) });
            ExitCode::from(u8::from(!verified.findings.is_empty()))
        }
        Err(error) => report_trouble(&error.to_string()),
    }
}

fn exported(file: &Path) -> Result<SignedHead, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("`{}`: {error}", file.display()))?;
    let head: SignedHead = serde_json::from_str(&text)
        .map_err(|error| format!("`{}` is not a head of the audit: {error}", file.display()))?;
    match head.is_genuine() {
        true => Ok(head),
        false => Err(format!("the signature in `{}` does not fit", file.display())),
    }
}

fn render(verified: &Verified) -> String {
    let found = verified.findings.iter().map(|found| format!("{}: {}\n", found.at, found.what));
    let sum = format!(
        "{} entries, {} decisions as they were, {} rightly gone, {} not as they were\n",
        verified.entries,
        verified.decisions,
        verified.gone,
        verified.findings.len()
    );
    found.chain([sum]).collect()
}

fn to_json(verified: &Verified) -> String {
    let found = verified.findings.iter();
    let findings: Vec<_> =
        found.map(|found| json!({ "at": found.at.to_string(), "what": found.what })).collect();
    let json = json!({
        "entries": verified.entries,
        "decisions": verified.decisions,
        "gone": verified.gone,
        "findings": findings,
    });
    format!("{json:#}\n")
}
