//! What a killed process, or one whose disk failed, leaves behind: everything it acknowledged.

use crate::fixture::{journal, open};
use decision::id::CustomerId;
use engine::storage::{
    Batch, JournalRow, Read, Store, StoreError, Table, Ticket, VALUE_BYTES_MAX, Write, key,
};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};
use store::{FjallStore, Options};

const FOLDER: &str = "ATTENT_STORE_CRASH_FOLDER";
const FULL_DISK_FOLDER: &str = "ATTENT_STORE_FULL_DISK_FOLDER";
const FIRST: &str = "ATTENT_STORE_CRASH_FIRST";
const KILLS: u64 = 5;
const ACKNOWLEDGED_PER_KILL: usize = 300;

/// Starts itself as a child that writes and prints what was acknowledged, and kills it in the middle.
#[test]
fn no_acknowledged_batch_is_lost_when_the_process_is_killed() {
    if let (Ok(folder), Ok(first)) = (std::env::var(FOLDER), std::env::var(FIRST)) {
        write_until_killed(Path::new(&folder), first.parse().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        let fresh = kill_a_writer(folder.path(), (round + 1) * 1_000_000);
        assert!(fresh.len() >= ACKNOWLEDGED_PER_KILL);
        acknowledged.extend(fresh);
        check(folder.path(), &acknowledged);
    }
}

fn kill_a_writer(folder: &Path, first: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::no_acknowledged_batch_is_lost_when_the_process_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        let complete = line.ends_with('\n');
        if let Some(number) = line.trim_end().strip_prefix("acknowledged ").filter(|_| complete) {
            acknowledged.push(number.parse().unwrap());
        }
        line.clear();
        if acknowledged.len() == ACKNOWLEDGED_PER_KILL {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

fn write_until_killed(folder: &Path, first: u64) -> ! {
    let store = open(folder);
    let next = AtomicU64::new(first);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    store.commit(numbered(number)).unwrap().wait().unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "acknowledged {number}").unwrap();
                }
            });
        }
    });
    unreachable!("the writers never stop by themselves")
}

/// Starts itself as a child that may not write files beyond a size, and fills the disk as far as it goes.
#[cfg(unix)]
#[test]
fn a_failed_write_stops_the_store_and_loses_nothing_acknowledged() {
    if let Ok(folder) = std::env::var(FULL_DISK_FOLDER) {
        return fill_the_disk(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 140000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::a_failed_write_stops_the_store_and_loses_nothing_acknowledged",
            "--nocapture",
        ])
        .env(FULL_DISK_FOLDER, folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    check(folder.path(), &BTreeSet::from([1]));
}

#[cfg(unix)]
fn fill_the_disk(folder: &Path) {
    let options = Options { queued_bytes_max: 256 * 1024 * 1024, ..Options::default() };
    let store = FjallStore::open(folder, &options).unwrap();
    store.commit(numbered(1)).unwrap().wait().unwrap();
    let too_much = (0..5u8).map(|n| Write::put(Table::Meta, [n], vec![n + 1; VALUE_BYTES_MAX])).collect();
    let failing = store.commit(Batch { writes: too_much, journal: Vec::new() }).unwrap();
    let behind = store.commit(Batch::default());
    let error = failing.wait().unwrap_err();
    assert!(
        matches!(&error, StoreError::Stopped { reason } if reason.contains("a write to disk failed")),
        "{error}"
    );
    assert_eq!(behind.and_then(Ticket::wait), Err(error.clone()));
    assert_eq!(store.get(&[]).unwrap_err(), error);
    assert_eq!(store.commit(numbered(2)).unwrap_err(), error);
    assert!(store.health().stopped.is_some());
    assert_eq!(store.close(), Err(error));
}

fn customer(number: u64) -> CustomerId {
    CustomerId(u128::from(number))
}

fn numbered(number: u64) -> Batch {
    let (owner, value) = (Some(customer(number)), number.to_string());
    let write = Write::put(Table::Profile, key::customer(customer(number)), value.as_bytes())
        .owned_by(customer(number));
    Batch {
        writes: vec![write],
        journal: vec![JournalRow { owner, value: value.into(), expires_at_ms: None }],
    }
}

fn check(folder: &Path, acknowledged: &BTreeSet<u64>) {
    let store = open(folder);
    for &number in acknowledged {
        let read = Read::new(Table::Profile, key::customer(customer(number)));
        let row = store.get(&[read]).unwrap().remove(0);
        assert_eq!(row.value(), Some(number.to_string().as_bytes()));
    }
    let entries = journal(&store);
    assert!(entries.iter().map(|(sequence, _)| *sequence).eq(1..=entries.len() as u64), "numbers have a gap");
    let numbers: BTreeSet<u64> =
        entries.into_iter().map(|(_, value)| value.unwrap().parse().unwrap()).collect();
    assert!(acknowledged.is_subset(&numbers));
}
