//! What a killed process, or one whose disk failed, leaves behind: everything it acknowledged.

use crate::{
    fixture::{batch, open, row, save, text},
    ledger::{Writer, acknowledged, check, rounds, told, write_if_started_for_it},
};
use engine::storage::{Batch, Store, StoreError, Table, Ticket, VALUE_BYTES_MAX, Write};
use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
};
use store::{FjallStore, Options};

const FULL_DISK_FOLDER: &str = "ATTENT_STORE_FULL_DISK_FOLDER";
const ACKNOWLEDGED_PER_KILL: usize = 300;

/// Starts itself as a child with 32 writers that tells what was acknowledged, and kills it in the middle.
#[test]
fn no_acknowledged_batch_is_lost_when_the_process_is_killed() {
    if write_if_started_for_it() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = BTreeSet::new();
    for round in 0..rounds(3, 100) {
        let mut seen = 0;
        let first = (round as u64 + 1) * 1_000_000;
        let writer =
            Writer::of("crash::no_acknowledged_batch_is_lost_when_the_process_is_killed", folder.path());
        told(&mut Writer { first, ..writer }.start(&[]), |line, child| {
            ledger.extend(acknowledged(line));
            seen += 1;
            if seen == ACKNOWLEDGED_PER_KILL {
                child.kill().unwrap();
            }
        });
        assert!(seen >= ACKNOWLEDGED_PER_KILL);
        check(folder.path(), &ledger, 100);
    }
}

/// The same with groups that are written sorted: killed at another moment of a group in every round.
#[test]
fn no_acknowledged_batch_is_lost_when_a_load_is_killed() {
    if write_if_started_for_it() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = BTreeSet::new();
    let rounds = rounds(5, 100) as u64;
    for round in 0..rounds {
        let mut seen = 0;
        let writer = Writer::of("crash::no_acknowledged_batch_is_lost_when_a_load_is_killed", folder.path());
        let writer = Writer { first: (round + 1) * 1_000_000, loads: true, ..writer };
        told(&mut writer.start(&[]), |line, child| {
            ledger.extend(acknowledged(line));
            seen += 1;
            if seen == 64 {
                std::thread::sleep(std::time::Duration::from_millis(20 + 7 * round % 100));
                child.kill().unwrap();
            }
        });
        assert!(seen >= 64);
        check(folder.path(), &ledger, 100);
    }
}

#[test]
fn a_folder_whose_making_was_cut_short_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("data.new/keyspaces")).unwrap();
    std::fs::write(folder.path().join("data.new/0.jnl"), [0; 100]).unwrap();
    let store = open(folder.path());
    save(&store, batch([Write::put(Table::Meta, "a", "kept")]));
    drop(store);
    assert_eq!(text(&row(&open(folder.path()), Table::Meta, "a")), Some("kept"));
    assert!(!folder.path().join("data.new").exists());
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
    assert_eq!(text(&row(&open(folder.path()), Table::Quota, "first")), Some("kept"));
}

#[cfg(unix)]
fn fill_the_disk(folder: &Path) {
    let options = Options { queued_bytes_max: 256 * 1024 * 1024, ..Options::default() };
    let store = FjallStore::open(folder, &options).unwrap();
    save(&store, batch([Write::put(Table::Quota, "first", "kept")]));
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
    assert_eq!(store.commit(Batch::default()).unwrap_err(), error);
    assert!(store.health().stopped.is_some());
    assert_eq!(store.close(), Err(error));
}
