//! A process that writes and tells what was acknowledged, and whether a store still holds that.
//!
//! The writing process is the test itself, started again; see [`Writer::of`].

use crate::fixture::{journal, open};
use decision::id::CustomerId;
use engine::storage::{Batch, JournalRow, Read, Store, StoreError, Table, Ticket, Write, key};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    pin::pin,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};
use store::{FjallStore, Options};

const FOLDER: &str = "ATTENT_STORE_LEDGER_FOLDER";
const FIRST: &str = "ATTENT_STORE_LEDGER_FIRST";
const BATCHES: &str = "ATTENT_STORE_LEDGER_BATCHES";
const VALUE_BYTES: &str = "ATTENT_STORE_LEDGER_VALUE_BYTES";
const LOADS: &str = "ATTENT_STORE_LEDGER_LOADS";
const WRITERS: u64 = 32;
/// How long a commit of the writing process may take.
pub const COMMIT_WITHIN: Duration = Duration::from_millis(400);

/// `small` rounds usually, `large` ones in the nightly tier.
pub fn rounds(small: usize, large: usize) -> usize {
    if std::env::var_os("ATTENT_NIGHTLY").is_some() { large } else { small }
}

/// How to start the writing process.
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    /// The name of the test that is the writing process.
    pub test: &'a str,
    pub folder: &'a Path,
    /// The first number written.
    pub first: u64,
    /// After how many batches it ends by itself.
    pub batches: u64,
    /// Size of one of the rows of a batch.
    pub value_bytes: usize,
    /// Whether its store loads: writes large groups sorted.
    pub loads: bool,
}

impl<'a> Writer<'a> {
    /// A writer for the test of this name, which calls [`write_if_started_for_it`] first.
    pub fn of(test: &'a str, folder: &'a Path) -> Self {
        Self { test, folder, first: 1, batches: u64::MAX, value_bytes: 100, loads: false }
    }

    /// Starts it, under another program when `wrapper` is not empty.
    pub fn start(self, wrapper: &[&str]) -> Child {
        let own = std::env::current_exe().unwrap();
        let own = own.to_str().unwrap();
        let arguments = [wrapper, &[own, "--exact", self.test, "--nocapture"]].concat();
        Command::new(arguments[0])
            .args(&arguments[1..])
            .env(FOLDER, self.folder)
            .env(FIRST, self.first.to_string())
            .env(BATCHES, self.batches.to_string())
            .env(VALUE_BYTES, self.value_bytes.to_string())
            .env(LOADS, u8::from(self.loads).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

/// Reads what a writing process tells, line by line, until it ends.
pub fn told(child: &mut Child, mut each: impl FnMut(&str, &mut Child)) {
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if let Some(complete) = line.strip_suffix('\n') {
            each(complete, child);
        }
        line.clear();
    }
    child.wait().unwrap();
}

/// The number that a line acknowledges.
pub fn acknowledged(line: &str) -> Option<u64> {
    line.strip_prefix("acknowledged ")?.parse().ok()
}

/// Whether this process was started by [`Writer::start`]; then it has written until it should end.
pub fn write_if_started_for_it() -> bool {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let Ok(folder) = std::env::var(FOLDER) else {
        return false;
    };
    let (first, batches) = (number(FIRST).unwrap(), number(BATCHES).unwrap());
    let value_bytes = number(VALUE_BYTES).unwrap() as usize;
    let options = match number(LOADS).unwrap() {
        0 => Options { commit_within: COMMIT_WITHIN, memtable_bytes: 1 << 20, ..Options::default() },
        _ => Options::loading(),
    };
    let store = FjallStore::open(Path::new(&folder), &options).unwrap();
    let (next, last) = (AtomicU64::new(first), first.saturating_add(batches));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, next) = (&store, &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= last || !write_one(store, writer, number, value_bytes) {
                        return;
                    }
                }
            });
        }
    });
    if store.health().stopped.is_some() {
        let later = store.commit(Batch::default()).and_then(|ticket| ticket.wait());
        tell(&format!("after the failure {}", later.is_ok()));
    }
    tell("done");
    true
}

/// Writes a batch, again and again while the disk does not answer; `false` when the store has stopped.
fn write_one(store: &FjallStore, writer: u64, number: u64, value_bytes: usize) -> bool {
    loop {
        let committed = store.commit(numbered(writer, number, value_bytes));
        let refused = committed.is_err();
        match committed.and_then(in_time) {
            Ok(()) => {
                tell(&format!("acknowledged {number}"));
                return true;
            }
            Err(StoreError::Stopped { .. }) => return false,
            Err(StoreError::Stalled { .. }) if !refused => {
                tell("late");
                return true;
            }
            Err(_) => {
                tell("refused");
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Waits like somebody who owes an answer.
fn in_time(ticket: Ticket) -> Result<(), StoreError> {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut ticket = pin!(ticket);
    loop {
        match ticket.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{line}"));
}

fn customer(number: u64) -> CustomerId {
    CustomerId(u128::from(number))
}

/// A batch of this number: a row of the customer, a row of nobody, the writer's last number, two entries.
fn numbered(writer: u64, number: u64, value_bytes: usize) -> Batch {
    let (owner, text) = (Some(customer(number)), number.to_string());
    let entry = |owner| JournalRow { owner, value: text.clone().into(), expires_at_ms: None };
    Batch {
        writes: vec![
            Write::put(Table::Profile, key::customer(customer(number)), text.as_bytes())
                .owned_by(customer(number)),
            Write::put(Table::Quota, number.to_be_bytes(), large(number, value_bytes)),
            Write::put(Table::Household, writer.to_be_bytes(), number.to_be_bytes()),
        ],
        journal: vec![entry(owner), entry(None)],
    }
}

/// A value that tells its number at every place, and does not compress to nothing.
fn large(number: u64, bytes: usize) -> Vec<u8> {
    (number..).flat_map(|n| blake3::hash(&n.to_be_bytes()).as_bytes().to_owned()).take(bytes).collect()
}

/// Opens a store and checks that everything acknowledged is there, whole, and nothing else by halves.
pub fn check(folder: &Path, acknowledged: &BTreeSet<u64>, value_bytes: usize) {
    let store = open(folder);
    let found = numbers(&store, value_bytes);
    let lost: Vec<u64> = acknowledged.difference(&found).copied().collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let mut counts = BTreeMap::<u64, u64>::new();
    let entries = journal(&store);
    assert!(entries.iter().map(|(sequence, _)| *sequence).eq(1..=entries.len() as u64), "numbers have a gap");
    for (_, value) in entries {
        *counts.entry(value.unwrap().parse().unwrap()).or_default() += 1;
    }
    assert!(counts.keys().eq(found.iter()), "rows and journal tell different batches");
    assert!(counts.values().all(|count| *count == 2), "a batch is there by halves");
    let last = store.scan(Table::Household, &[], None, usize::MAX).unwrap();
    let last = last.iter().map(|(_, value)| u64::from_be_bytes((**value).try_into().unwrap()));
    assert_eq!(last.max(), found.last().copied(), "an older row hides a newer one");
}

/// The numbers whose rows are there, every one with all its rows.
fn numbers(store: &FjallStore, value_bytes: usize) -> BTreeSet<u64> {
    let rows = store.scan(Table::Quota, &[], None, usize::MAX).unwrap();
    let number = |(key, value): &(Vec<u8>, engine::storage::Value)| {
        let number = u64::from_be_bytes(key.as_slice().try_into().unwrap());
        assert!(**value == large(number, value_bytes), "row {number} is not what was written");
        let own = Read::new(Table::Profile, key::customer(customer(number)));
        let row = store.get(&[own]).unwrap().remove(0);
        assert_eq!(row.value(), Some(number.to_string().as_bytes()));
        number
    };
    rows.iter().map(number).collect()
}
