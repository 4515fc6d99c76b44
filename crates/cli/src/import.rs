//! `attent import`: what do our own files say happened, and may it be kept?

use crate::{
    check::report_trouble,
    opening::{self, NotOpened, Opened},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use simulation::import::{self, Gathered, Mapping};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Import customers, events, contacts and outcomes from text files
///
/// The mapping says what each column is, on which lawful ground the rows are used, and for how long they
/// are kept. Importing the same rows again changes nothing. No server may be using the store.
///
/// Exit code 0: every row was used. 1: some rows were rejected; each is named. 2: nothing could be imported.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The mapping
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// Folder of the files, or one of them
    #[arg(long, value_name = "DIR_OR_FILE")]
    data: PathBuf,
    /// Folder of the store; it is made when it does not exist
    #[arg(long, value_name = "DATA_DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    into: PathBuf,
    /// Say what would happen and keep nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the rejected rows, with file, line and reason, to a file
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let done = match import(arguments) {
        Ok(done) => done,
        Err(error) => return error.report(),
    };
    let rejects = &done.gathered.tally.rejects;
    if let Some(path) = &arguments.rejects
        && let Err(error) = fs::write(path, done.gathered.tally.rejects_csv())
    {
        return report_trouble(&format!("cannot write `{}`: {error}", path.display()));
    }
    if arguments.json {
        let report = json!({ "dry_run": arguments.dry_run, "tally": done.gathered.tally, "dropped_names": done.dropped });
        println!("{report:#}");
    } else {
        print!("{}", done.gathered.tally.render());
        for (name, count) in &done.dropped {
            println!("dropped {count} times, because nothing declares it: {name}");
        }
        for reject in rejects.iter().take(5) {
            println!("rejected {}: {}", reject.place, reject.reason);
        }
        if rejects.len() > 5 {
            println!("… {} rejected in all; --rejects FILE lists them", rejects.len());
        }
        if arguments.dry_run {
            println!("nothing was kept: this was a dry run");
        }
    }
    ExitCode::from(u8::from(!rejects.is_empty()))
}

struct Done {
    gathered: Gathered,
    dropped: std::collections::BTreeMap<String, u64>,
}

fn import(arguments: &Arguments) -> Result<Done, NotOpened> {
    let mapping = read_mapping(&arguments.mapping)?;
    let strategy = strategy_of(&arguments.mapping, &mapping);
    let target = (!arguments.dry_run).then_some(arguments.into.as_path());
    let Opened { engine, .. } = opening::with_strategy(&strategy, target)?;
    let mut gathered = gather(&mapping, &engine.published().strategy, &arguments.mapping, &arguments.data)?;
    if !arguments.dry_run {
        let bar = bar("importing");
        import::store(&mut gathered, &mapping, &engine, &mut |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        })
        .map_err(|error| NotOpened::Trouble(error.to_string()))?;
        bar.finish_and_clear();
    }
    let dropped = engine.dropped_names();
    engine.close().map_err(|error| NotOpened::Trouble(error.to_string()))?;
    Ok(Done { gathered, dropped })
}

/// Reads a mapping file.
pub fn read_mapping(path: &Path) -> Result<Mapping, NotOpened> {
    let text = fs::read_to_string(path)
        .map_err(|error| NotOpened::Trouble(format!("cannot read `{}`: {error}", path.display())))?;
    Mapping::parse(&text).map_err(|problem| NotOpened::Trouble(format!("`{}`: {problem}", path.display())))
}

/// The strategy folder that a mapping names.
pub fn strategy_of(path: &Path, mapping: &Mapping) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).join(&mapping.strategy)
}

/// Reads all files of a mapping that fits its strategy.
pub fn gather(
    mapping: &Mapping,
    strategy: &decision::strategy::Strategy,
    path: &Path,
    data: &Path,
) -> Result<Gathered, NotOpened> {
    let problems = import::problems(mapping, strategy);
    if !problems.is_empty() {
        return Err(NotOpened::Trouble(format!(
            "`{}` cannot be used:\n  {}",
            path.display(),
            problems.join("\n  ")
        )));
    }
    if !data.exists() {
        return Err(NotOpened::Trouble(format!(
            "`{}` does not exist; name the folder of the files with --data",
            data.display()
        )));
    }
    let reading = bar("reading");
    let gathered = import::gather(mapping, strategy, data, jiff::Timestamp::now(), &mut |what| {
        reading.set_message(what.to_owned())
    });
    reading.finish_and_clear();
    gathered.map_err(NotOpened::Trouble)
}

/// A progress bar on standard error; it draws nothing when that is no terminal.
pub fn bar(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {pos}/{len} {wide_bar} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what.to_owned())
}
