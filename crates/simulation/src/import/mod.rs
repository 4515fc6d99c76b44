//! What do an organisation's own files say happened? Rows become events, contacts really made and their
//! outcomes, in order of time, and enter the engine through the same doors as live ones.
//!
//! A mapping says how ([`Mapping`]); it must state on which ground and for how long the data are kept. Rows
//! carry ids made from their content, so importing them again changes nothing.

mod check;
mod exclusion;
mod facts;
mod feed;
mod mailed;
mod mapping;
mod order;
mod row;
mod table;
mod tally;

pub use check::problems;
pub use feed::Feed;
pub use mailed::mailed;
pub use mapping::{Everybody, Mapping, Question};
pub use row::{Happened, context, moment};
pub use table::Fields;
pub use tally::{Rejected, Rows, Tally};

use decision::{Timestamp, strategy::Strategy};
use engine::{Engine, EngineError};
use order::Order;
use row::{Reader, Said};
use std::{collections::BTreeMap, path::Path};

/// The rows of a table, by key.
pub type LookedUpRows = BTreeMap<String, Fields>;

/// One thing a row says happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// When.
    pub at: Timestamp,
    /// Name of the row: its source and content, the same whenever it is read.
    pub row: String,
    /// File and line.
    pub place: String,
    /// Position of the source in the mapping.
    pub source: usize,
    /// What.
    pub happened: Happened,
}

/// Everything the files say, in order of time, then of the mapping, then of the file.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What happened.
    pub items: Vec<Item>,
    /// The tables that others are looked up in.
    pub tables: BTreeMap<String, LookedUpRows>,
    /// What became of the rows so far; without an engine this is the dry run.
    pub tally: Tally,
}

/// How far an import is.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A file is being read.
    Reading(&'a str),
    /// So many rows are in the engine, of so many if that is known.
    Stored {
        /// Rows.
        done: usize,
        /// All rows.
        all: Option<usize>,
    },
}

/// Imports all files of a mapping below a folder, or one of them, into an engine; without engine this is a dry
/// run. Rows that only tell what is known of customers pass one by one; what happened to them is put in order
/// of time first, in memory.
///
/// # Errors
/// A sentence for the user when a file that must be there cannot be read, or the store failed.
pub fn run(
    mapping: &Mapping,
    strategy: &Strategy,
    data: &Path,
    now: Timestamp,
    engine: Option<&Engine>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Tally, String> {
    let Some(engine) = engine.filter(|_| mapping.tells_customers_only()) else {
        let reading = &mut |file: &str| progress(Progress::Reading(file));
        let mut gathered = gather(mapping, strategy, data, now, reading)?;
        if let Some(engine) = engine {
            let stored = &mut |done, all| progress(Progress::Stored { done, all: Some(all) });
            store(&mut gathered, mapping, engine, stored).map_err(|error| error.to_string())?;
        }
        return Ok(gathered.tally);
    };
    let mut feed = Feed::new(engine, mapping);
    let (mut tally, mut done, mut failed) = (Tally::default(), 0, None);
    let files = Files::open(mapping, strategy, data, now)?;
    files.read(&mut tally, &mut |_| {}, &mut |item, tally| {
        if failed.is_none() {
            failed = feed.take(&item, tally).err();
            done += 1;
            progress(Progress::Stored { done, all: None });
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => feed.finish(),
    }
    .map_err(|error| error.to_string())?;
    Ok(tally)
}

/// Reads all files of a mapping below a folder, or one of them. Rows before the mapping's retention,
/// counted from its end or else from `now`, are rejected.
///
/// # Errors
/// A sentence for the user when a file that must be there cannot be read.
pub fn gather(
    mapping: &Mapping,
    strategy: &Strategy,
    data: &Path,
    now: Timestamp,
    progress: &mut dyn FnMut(&str),
) -> Result<Gathered, String> {
    let (mut items, mut tally) = (Vec::new(), Tally::default());
    let files = Files::open(mapping, strategy, data, now)?;
    files.read(&mut tally, progress, &mut |item, _| items.push(item))?;
    items.sort_by_key(|item| (item.at, item.source));
    Ok(Gathered { items, tables: files.tables, tally })
}

/// Hears of every item, with the counts so far.
type Each<'a> = dyn FnMut(Item, &mut Tally) + 'a;

/// The files of a mapping, with the tables that they look things up in.
struct Files<'a> {
    mapping: &'a Mapping,
    strategy: &'a Strategy,
    data: &'a Path,
    oldest: Timestamp,
    tables: BTreeMap<String, LookedUpRows>,
}

impl<'a> Files<'a> {
    fn open(
        mapping: &'a Mapping,
        strategy: &'a Strategy,
        data: &'a Path,
        now: Timestamp,
    ) -> Result<Self, String> {
        let folder = match data.is_file() {
            true => data.parent().unwrap_or(Path::new(".")),
            false => data,
        };
        let mut tables = BTreeMap::new();
        for (name, table) in &mapping.tables {
            tables.insert(name.clone(), table::lookup(&folder.join(&table.file), table)?);
        }
        Ok(Self { mapping, strategy, data, oldest: mapping.oldest(strategy, now), tables })
    }

    fn read(
        &self,
        tally: &mut Tally,
        progress: &mut dyn FnMut(&str),
        each: &mut Each<'_>,
    ) -> Result<(), String> {
        let mut read = 0;
        for (index, source) in self.mapping.sources.iter().enumerate() {
            let path = table::locate(self.data, &source.file);
            let left_out = self.data.is_file() && path != self.data;
            if left_out || (source.optional && !path.exists()) {
                continue;
            }
            progress(&format!("reading {}", source.file));
            read += 1;
            self.rows(index, &path, tally, each)?;
        }
        if read == 0 {
            let known: Vec<&str> = self.mapping.sources.iter().map(|source| source.file.as_str()).collect();
            return Err(format!("the mapping reads none of it; it knows `{}`", known.join("`, `")));
        }
        Ok(())
    }

    fn rows(&self, index: usize, path: &Path, tally: &mut Tally, each: &mut Each<'_>) -> Result<(), String> {
        let source = &self.mapping.sources[index];
        let reader = Reader::new(source, self.strategy, &self.tables);
        let mut repeated: BTreeMap<[u8; 16], u32> = BTreeMap::new();
        let mut order = source.order.as_ref().and_then(|name| self.mapping.orders.get(name)).map(Order::new);
        table::read(path, &source.written, &mut |line| {
            tally.source(&source.name).rows += 1;
            let place = format!("{}:{}", source.file, line.number);
            order.iter_mut().for_each(Order::next);
            let said = line.fields.and_then(|mut fields| {
                order.as_mut().map_or(Ok(()), |order| order.add(&mut fields))?;
                let (row, times) = row_id(&source.name, &fields, &mut repeated);
                if let Some(reason) = exclusion::reason(&source.exclude, &fields, times)? {
                    *tally.source(&source.name).excluded.entry(reason.to_owned()).or_default() += 1;
                    return Ok(None);
                }
                let said = reader.read(fields, &row)?;
                let early = said.iter().flat_map(|said| &said.happened).any(|(at, _)| *at < self.oldest);
                match early {
                    true => Err("the row is older than the stated retention".to_owned()),
                    false => Ok(Some((row, said))),
                }
            });
            match said {
                Err(reason) => tally.reject(&source.name, place, reason),
                Ok(None) => {}
                Ok(Some((_, None))) => tally.source(&source.name).left_out += 1,
                Ok(Some((row, Some(said)))) => {
                    tally.source(&source.name).used += 1;
                    count(&source.name, &said, tally);
                    for (at, happened) in said.happened {
                        let (row, place) = (row.clone(), place.clone());
                        each(Item { at, row, place, source: index, happened }, tally);
                    }
                }
            }
        })
    }
}

fn count(source: &str, said: &Said, tally: &mut Tally) {
    for name in &said.set {
        *tally.attributes.entry(name.clone()).or_default() += 1;
    }
    for (name, rule) in &said.unknown {
        *tally.unknown.entry(name.clone()).or_default().entry(rule.clone()).or_default() += 1;
    }
    for (_, happened) in &said.happened {
        let rows = tally.source(source);
        match happened {
            Happened::Event(_) => rows.events += 1,
            Happened::Contact(_) => rows.contacts += 1,
            Happened::Silence(_) => rows.silences += 1,
            Happened::Outcome(_) => rows.outcomes += 1,
            Happened::Consent(report) => {
                let statuses =
                    tally.consents.entry(report.about.named().1.unwrap_or_default().to_owned()).or_default();
                *statuses.entry(format!("{:?}", report.status).to_lowercase()).or_default() += 1;
            }
        }
    }
}

/// Source and content, and how often that came by now; rows that are equal are told apart by their order.
fn row_id(source: &str, fields: &Fields, repeated: &mut BTreeMap<[u8; 16], u32>) -> (String, u32) {
    let mut hasher = blake3::Hasher::new();
    for (column, field) in fields {
        for part in [column, field] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    let hash = *hasher.finalize().as_bytes().first_chunk::<16>().expect("a hash has 32 bytes");
    let times = repeated.entry(hash).or_default();
    *times += 1;
    (format!("{source}/{:032x}/{times}", u128::from_be_bytes(hash)), *times)
}

/// Puts everything into an engine; `progress` hears how many of how many.
///
/// # Errors
/// The store failed. Rows the engine does not accept are counted in the tally.
pub fn store(
    gathered: &mut Gathered,
    mapping: &Mapping,
    engine: &Engine,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), EngineError> {
    let mut feed = Feed::new(engine, mapping);
    let all = gathered.items.len();
    for (number, item) in gathered.items.iter().enumerate() {
        feed.take(item, &mut gathered.tally)?;
        progress(number + 1, all);
    }
    feed.finish()
}
