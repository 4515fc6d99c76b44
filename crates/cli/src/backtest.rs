//! `attent backtest`: what would we have decided then, with what was known then?

use crate::{
    check::{self, report, report_trouble},
    import::{bar, gather, read_mapping, strategy_of},
    opening::NotOpened,
};
use decision::strategy::Files;
use engine::{Engine, storage::MemoryStore};
use simulation::backtest::{self, Backtest};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// The secret of the store that lives as long as the run: the same data give the same report.
const SECRET: [u8; 32] = [0; 32];

/// Decide about real customers in order of time and compare with what was really sent
///
/// Before every occasion the engine learns from what was really sent and happened up to then, decides for
/// everybody, and its expectations are compared with what came of the real contacts. Why those were made
/// is unknown, so no value of a policy is claimed. Nothing is kept.
///
/// Exit code 0: done. 2: it could not run.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the world, with `mapping.toml` and the strategy that it names
    #[arg(long, value_name = "DIR", default_value = "worlds/retailer")]
    world: PathBuf,
    /// Folder of the files
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Write the report to a file too: `.html` as a page with drawings, anything else as Markdown
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let backtest = match run_through(arguments) {
        Ok(backtest) => backtest,
        Err(error) => return error.report(),
    };
    let measured = backtest::measure(&backtest);
    if let Some(path) = &arguments.out {
        let page = path.extension().is_some_and(|extension| extension == "html");
        let content = match page {
            true => backtest::page(&measured),
            false => backtest::text(&measured),
        };
        if let Err(error) = fs::write(path, content) {
            return report_trouble(&format!("cannot write `{}`: {error}", path.display()));
        }
    }
    if arguments.json {
        println!("{:#}", backtest::json(&backtest));
    } else {
        print!("{}", backtest::text(&measured));
    }
    ExitCode::SUCCESS
}

fn run_through(arguments: &Arguments) -> Result<Backtest, NotOpened> {
    let path = arguments.world.join("mapping.toml");
    let mapping = read_mapping(&path)?;
    let files = checked(&strategy_of(&path, &mapping))?;
    let trouble = |error: &dyn std::fmt::Display| NotOpened::Trouble(error.to_string());
    let engine =
        Engine::open(Arc::new(MemoryStore::new()), &files, SECRET).map_err(|error| trouble(&error))?;
    let mut gathered = gather(&mapping, &engine.published().strategy, &path, &arguments.data)?;
    let bar = bar("deciding");
    let done = backtest::run(&mut gathered, &mapping, &engine, &mut |_, _| {}, &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let rejects = gathered.tally.rejects.len();
    if rejects > 0 {
        eprintln!("attent: {rejects} rows could not be used; `attent import --dry-run` names them");
    }
    done.map_err(|error| trouble(&error))
}

fn checked(strategy: &Path) -> Result<Files, NotOpened> {
    let (folder, loaded) = check::open(strategy).map_err(NotOpened::Trouble)?;
    match loaded {
        Ok(_) => Ok(folder.files),
        Err(problems) => Err(NotOpened::Shown(report(&problems, &folder, false))),
    }
}
