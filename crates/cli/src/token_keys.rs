//! `attent token-keys`: whose signature lets customers in?

use crate::client::{CallError, ServerAt, report};
use clap::ValueEnum;
use serde_json::json;
use std::{fs, path::PathBuf, process::ExitCode};

/// See and change whose tokens let customers in
///
/// To rotate, add a second key, sign with it, and revoke the first an hour later.
///
/// Exit code 0: done. 1: there is no such key, or it does not fit. 2: the server cannot be asked.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    server: ServerAt,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The keys, one per line; never what they sign with
    List,
    /// Add a key, or replace the one of this name
    Add {
        /// Its name, which tokens give as `kid`
        id: String,
        /// File with the public key (EdDSA) or the shared secret (HS256), in base64url
        file: PathBuf,
        /// With what it signs
        #[arg(long, value_enum)]
        algorithm: Algorithm,
        /// Which `aud` its tokens have
        #[arg(long)]
        audience: String,
        /// Which kind of identifier `sub` is
        #[arg(long, value_name = "KIND", default_value = "user_id")]
        identifies: String,
    },
    /// Its tokens let nobody in any more
    Revoke {
        /// Its name
        id: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    /// Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256.
    #[value(name = "HS256")]
    Hs256,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    report(ask(arguments))
}

fn ask(arguments: &Arguments) -> Result<(), CallError> {
    let client = arguments.server.client()?;
    match &arguments.what {
        What::List => {
            let keys = client.get("/v1/token-keys")?;
            keys.as_array().into_iter().flatten().for_each(|key| println!("{key}"));
        }
        What::Add { id, file, algorithm, audience, identifies } => {
            let unreadable = |error| CallError::Trouble(format!("cannot read `{}`: {error}", file.display()));
            let key = fs::read_to_string(file).map_err(unreadable)?;
            let algorithm = match algorithm {
                Algorithm::EdDsa => "EdDSA",
                Algorithm::Hs256 => "HS256",
            };
            let body = json!({
                "id": id, "algorithm": algorithm, "key": key.trim(), "audience": audience,
                "identifies": identifies,
            });
            println!("{:#}", client.post("/v1/token-keys", &body.to_string())?);
        }
        What::Revoke { id } => {
            if !id.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
                return Err(CallError::No(format!("no key is called `{id}`")));
            }
            client.delete(&format!("/v1/token-keys/{id}"))?;
            eprintln!("revoked `{id}`");
        }
    }
    Ok(())
}
