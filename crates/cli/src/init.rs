//! `attent init`: what is the smallest strategy that checks and decides?

use crate::check::report_trouble;
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Write a strategy of one action, to start from
///
/// Exit code 0: written. 2: the folder is not empty, or cannot be written.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder to write to; it is made when it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The files, with their text.
const FILES: [(&str, &str); 7] = [
    ("organisation.toml", include_str!("../starter/organisation.toml")),
    ("purposes.toml", include_str!("../starter/purposes.toml")),
    ("channels.toml", include_str!("../starter/channels.toml")),
    ("placements.toml", include_str!("../starter/placements.toml")),
    ("inventory/customer.toml", include_str!("../starter/inventory/customer.toml")),
    (
        "actions/service/onboarding/welcome.toml",
        include_str!("../starter/actions/service/onboarding/welcome.toml"),
    ),
    ("tests/welcome.toml", include_str!("../starter/tests/welcome.toml")),
];

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let folder = &arguments.folder;
    match is_free(folder) {
        Ok(true) => {}
        Ok(false) => {
            return report_trouble(&format!("`{}` is not empty; give a new folder", folder.display()));
        }
        Err(error) => {
            return report_trouble(&format!("cannot read `{}`: {error}", folder.display()));
        }
    }
    for (file, text) in FILES {
        if let Err(error) = write(&folder.join(file), text) {
            return report_trouble(&format!("cannot write `{}`: {error}", folder.join(file).display()));
        }
    }
    if arguments.json {
        println!("{:#}", json!({ "folder": folder, "files": FILES.map(|(file, _)| file) }));
    } else {
        let folder = folder.display();
        println!("wrote a strategy of one action to `{folder}`");
        println!("next: attent check {folder}, then attent test {folder}");
    }
    ExitCode::SUCCESS
}

/// Whether nothing is there yet.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text)
}
