//! `attent import`: what do our own files say happened, and may it be kept?

use crate::{
    check::report_trouble,
    opening::{self, NotOpened, Opened},
};
use decision::strategy::Strategy;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use simulation::import::{self, Gathered, Mapping, Progress, Tally};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
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
    let rejects = &done.tally.rejects;
    if let Some(path) = &arguments.rejects
        && let Err(error) = fs::write(path, done.tally.rejects_csv())
    {
        return report_trouble(&format!("cannot write `{}`: {error}", path.display()));
    }
    if arguments.json {
        let report = json!({
            "dry_run": arguments.dry_run,
            "tally": done.tally,
            "dropped_names": done.dropped,
            "seconds": done.took.as_secs_f64(),
            "store_bytes": done.store_bytes,
        });
        println!("{report:#}");
    } else {
        print_report(&done, arguments.dry_run);
    }
    ExitCode::from(u8::from(!rejects.is_empty()))
}

fn print_report(done: &Done, dry_run: bool) {
    let rejects = &done.tally.rejects;
    print!("{}", done.tally.render());
    for (name, count) in &done.dropped {
        println!("dropped {count} times, because nothing declares it: {name}");
    }
    for reject in rejects.iter().take(5) {
        println!("rejected {}: {}", reject.place, reject.reason);
    }
    if rejects.len() > 5 {
        println!("… {} rejected in all; --rejects FILE lists them", rejects.len());
    }
    if dry_run {
        println!("nothing was kept: this was a dry run");
        return;
    }
    let rows: u64 = done.tally.sources.values().map(|rows| rows.rows).sum();
    let (seconds, megabytes) = (done.took.as_secs_f64(), done.store_bytes as f64 / 1e6);
    let pace = rows as f64 / seconds.max(1e-3);
    println!("{rows} rows in {seconds:.1} s, {pace:.0} a second; the store takes {megabytes:.1} MB");
}

struct Done {
    tally: Tally,
    dropped: std::collections::BTreeMap<String, u64>,
    took: Duration,
    store_bytes: u64,
}

fn import(arguments: &Arguments) -> Result<Done, NotOpened> {
    let start = Instant::now();
    let mapping = read_mapping(&arguments.mapping)?;
    let strategy = strategy_of(&arguments.mapping, &mapping);
    let target = (!arguments.dry_run).then_some(arguments.into.as_path());
    let Opened { engine, .. } = opening::to_load(&strategy, target)?;
    let published = engine.published();
    check(&mapping, &published.strategy, &arguments.mapping, &arguments.data)?;
    let into = (!arguments.dry_run).then_some(&*engine);
    let bar = bar("importing");
    let told = &mut |progress: Progress<'_>| match progress {
        Progress::Reading(file) => bar.set_message(file.to_owned()),
        Progress::Stored { done, all } => {
            bar.set_message("importing");
            bar.set_length(all.unwrap_or(done) as u64);
            bar.set_position(done as u64);
        }
    };
    let now = jiff::Timestamp::now();
    let tally = import::run(&mapping, &published.strategy, &arguments.data, now, into, told)
        .map_err(NotOpened::Trouble)?;
    bar.finish_and_clear();
    let dropped = engine.dropped_names();
    engine.close().map_err(|error| NotOpened::Trouble(error.to_string()))?;
    let store_bytes = target.map_or(0, bytes_below);
    Ok(Done { tally, dropped, took: start.elapsed(), store_bytes })
}

/// What the files below a folder take on the disk, in bytes.
fn bytes_below(folder: &Path) -> u64 {
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    items
        .map(|item| match item.metadata() {
            Ok(about) if about.is_dir() => bytes_below(&item.path()),
            Ok(about) => on_disk(&about),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(unix)]
fn on_disk(about: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(about) * 512
}

#[cfg(not(unix))]
fn on_disk(about: &fs::Metadata) -> u64 {
    about.len()
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
    strategy: &Strategy,
    path: &Path,
    data: &Path,
) -> Result<Gathered, NotOpened> {
    check(mapping, strategy, path, data)?;
    let reading = bar("reading");
    let gathered = import::gather(mapping, strategy, data, jiff::Timestamp::now(), &mut |what| {
        reading.set_message(what.to_owned())
    });
    reading.finish_and_clear();
    gathered.map_err(NotOpened::Trouble)
}

/// Refuses a mapping that does not fit its strategy, and data that are not there.
fn check(mapping: &Mapping, strategy: &Strategy, path: &Path, data: &Path) -> Result<(), NotOpened> {
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
    Ok(())
}

/// A progress bar on standard error; it draws nothing when that is no terminal.
pub fn bar(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {pos}/{len} {wide_bar} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what.to_owned())
}
