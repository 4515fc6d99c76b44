//! How does a command get hold of a store and the engine on it? With sentences that help when it cannot.

use crate::{check, diagnostics};
use decision::strategy::{Files, load};
use engine::{
    Engine, EngineError, last_published,
    storage::{MemoryStore, Store},
};
use std::{path::Path, process::ExitCode, sync::Arc};
use store::{FjallStore, OpenError, Options};

/// An engine with the store that it works on.
pub struct Opened {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Its store.
    pub store: Arc<dyn Store>,
}

/// Why nothing was opened.
pub enum NotOpened {
    /// A sentence for the user.
    Trouble(String),
    /// The strategy has problems, and they have been shown.
    Shown(ExitCode),
}

impl NotOpened {
    /// Tells the user, when not done yet, and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            Self::Trouble(trouble) => check::report_trouble(&trouble),
            Self::Shown(code) => code,
        }
    }
}

/// Opens the store in a folder that must exist, with the strategy that decided there last.
pub fn existing(data: &Path) -> Result<Opened, NotOpened> {
    if !data.join("format.toml").is_file() {
        let data = data.display();
        return Err(NotOpened::Trouble(format!(
            "there is no store in `{data}`; name its folder with --data, or make one with `attent serve --data {data}`"
        )));
    }
    let store = on_disk(data)?;
    let none = || {
        let data = data.display();
        format!(
            "the store in `{data}` has no strategy yet; run `attent serve --strategy DIR --data {data}` once"
        )
    };
    let files = last_published(&*store).map_err(|error| NotOpened::Trouble(error.to_string()))?;
    with(store, &files.ok_or_else(|| NotOpened::Trouble(none()))?)
}

/// Opens a store, made when there is none, or one in memory without a folder, with a strategy folder.
pub fn with_strategy(strategy: &Path, data: Option<&Path>) -> Result<Opened, NotOpened> {
    let files = checked(strategy)?;
    let store = match data {
        Some(data) => on_disk(data)?,
        None => Arc::new(MemoryStore::new()),
    };
    with(store, &files)
}

/// Opens a store like [`with_strategy`], for loading very many rows into it.
pub fn to_load(strategy: &Path, data: Option<&Path>) -> Result<Opened, NotOpened> {
    let files = checked(strategy)?;
    let store: Arc<dyn Store> = match data {
        Some(data) => opened(FjallStore::open(data, &Options::loading()))?,
        None => Arc::new(MemoryStore::new()),
    };
    with(store, &files)
}

/// The files of a strategy folder that checks.
pub fn checked(strategy: &Path) -> Result<Files, NotOpened> {
    let (folder, loaded) = check::open(strategy).map_err(|trouble| {
        NotOpened::Trouble(format!(
            "{trouble}; name a strategy folder with --strategy, or make one with `attent init DIR`"
        ))
    })?;
    match loaded {
        Ok(_) => Ok(folder.files),
        Err(problems) => {
            let colours = diagnostics::wants_colours();
            eprint!("{}", diagnostics::render(&problems, &folder.files, &folder.path, colours));
            eprintln!("{}", diagnostics::summary(&problems));
            Err(NotOpened::Shown(ExitCode::from(2)))
        }
    }
}

/// The store in a folder that must exist, without an engine.
pub fn on_disk_existing(data: &Path) -> Result<FjallStore, String> {
    if !data.join("format.toml").is_file() {
        return Err(format!("there is no store in `{}`", data.display()));
    }
    FjallStore::open(data, &Options::default()).map_err(|error| error.to_string())
}

/// The store in a folder, made when there is none.
pub fn on_disk(data: &Path) -> Result<Arc<dyn Store>, NotOpened> {
    opened(FjallStore::open(data, &Options::default()))
}

fn opened(store: Result<FjallStore, OpenError>) -> Result<Arc<dyn Store>, NotOpened> {
    match store {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(NotOpened::Trouble(error.to_string())),
    }
}

fn with(store: Arc<dyn Store>, files: &Files) -> Result<Opened, NotOpened> {
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy)
        .map_err(|error| NotOpened::Trouble(format!("the system gives no random bytes: {error}")))?;
    match Engine::open(store.clone(), files, entropy) {
        Ok(engine) => Ok(Opened { engine: Arc::new(engine), store }),
        Err(EngineError::Strategy(_)) if load(files).is_err() => Err(NotOpened::Trouble(
            "the strategy kept in this store was made for another version of attent and does not check here"
                .into(),
        )),
        Err(error) => Err(NotOpened::Trouble(error.to_string())),
    }
}
