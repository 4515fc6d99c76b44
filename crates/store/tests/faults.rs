//! What happens when the disk fails or does not answer, at any point of a run: nothing is acknowledged after
//! a failure, and what was acknowledged before is there afterwards.
//!
//! Faults come from `strace` (system calls that fail or wait) and from a small `tmpfs` (a full disk).

use crate::ledger::{Writer, acknowledged, check, rounds, told, write_if_started_for_it};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
};

const SYNCS: &str = "fsync,fdatasync";
const BATCHES: u64 = 200;
/// Batches in a store that is not new.
const PREPARED: u64 = 50;
const VALUE_BYTES: usize = 8 * 1024;

/// Whether `strace` can change what system calls answer here.
fn can_inject() -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"])
        .status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: strace is not there, or may not trace");
    }
    can
}

fn strace<'a>(log: &'a str, fault: &'a str) -> Vec<&'a str> {
    let mut arguments =
        vec!["strace", "-f", "--seccomp-bpf", "-qq", "-o", log, "-e", "trace=fsync,fdatasync"];
    if !fault.is_empty() {
        arguments.extend(["-e", fault]);
    }
    arguments
}

/// Runs a writer and returns what it acknowledged and all it told.
fn run(writer: Writer<'_>, wrapper: &[&str]) -> (BTreeSet<u64>, Vec<String>) {
    let (mut ledger, mut lines) = (BTreeSet::new(), Vec::new());
    told(&mut writer.start(wrapper), |line, _| {
        ledger.extend(acknowledged(line));
        lines.push(line.to_owned());
    });
    (ledger, lines)
}

#[test]
fn nothing_is_acknowledged_after_a_sync_failed_and_everything_before_is_kept() {
    if write_if_started_for_it() || !can_inject() {
        return;
    }
    let test = "faults::nothing_is_acknowledged_after_a_sync_failed_and_everything_before_is_kept";
    let mut failed_open = 0;
    for is_new in [true, false] {
        let syncs = syncs_per_thread(test, is_new);
        for point in 0..rounds(2, 60).min(syncs) {
            let folder = tempfile::tempdir().unwrap();
            let writer = prepared(test, folder.path(), is_new);
            let at = 1 + point * (syncs - 1) / rounds(2, 60).min(syncs);
            let fault = format!("inject={SYNCS}:error=EIO:when={at}+");
            let (mut ledger, lines) = run(writer, &strace("/dev/null", &fault));
            assert!(!lines.contains(&"after the failure true".to_owned()), "sync {at} of {syncs}");
            failed_open += usize::from(lines.contains(&"after the failure false".to_owned()));
            ledger.extend((1..=PREPARED).filter(|_| !is_new));
            check(folder.path(), &ledger, VALUE_BYTES);
        }
    }
    eprintln!("{failed_open} failures hit an open store");
    assert!(failed_open > 0, "no failure hit an open store");
}

/// A writer for a new store, or for one in which the first batches are already acknowledged.
fn prepared<'a>(test: &'a str, folder: &'a Path, is_new: bool) -> Writer<'a> {
    let writer = Writer { value_bytes: VALUE_BYTES, ..Writer::of(test, folder) };
    if !is_new {
        run(Writer { batches: PREPARED, ..writer }, &[]);
    }
    Writer { first: PREPARED + 1, batches: BATCHES, ..writer }
}

/// How often the thread that syncs most does so in a run without faults; faults are counted per thread.
fn syncs_per_thread(test: &str, is_new: bool) -> usize {
    let recorded = tempfile::tempdir().unwrap();
    let (log, store) = (recorded.path().join("strace"), recorded.path().join("store"));
    run(prepared(test, &store, is_new), &strace(log.to_str().unwrap(), ""));
    let mut threads = BTreeMap::<String, usize>::new();
    for line in fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains("sync(")) {
        *threads.entry(line.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    threads.into_values().max().unwrap_or(1)
}

#[test]
fn a_full_disk_stops_the_store_and_it_opens_again_when_there_is_room() {
    if write_if_started_for_it() {
        return;
    }
    let test = "faults::a_full_disk_stops_the_store_and_it_opens_again_when_there_is_room";
    let mount = tempfile::tempdir().unwrap();
    for point in 0..rounds(3, 40) {
        let mebibytes = 1 + point * 7 % 40;
        let Some(_tmpfs) = Tmpfs::mount(mount.path(), mebibytes) else {
            return eprintln!("skipped: a small tmpfs can only be mounted by root");
        };
        let folder = mount.path().join("store");
        let writer = Writer { batches: 8_000, value_bytes: VALUE_BYTES, ..Writer::of(test, &folder) };
        let (ledger, lines) = run(writer, &[]);
        assert!(!lines.contains(&"after the failure true".to_owned()), "{mebibytes} MiB");
        assert!(!lines.contains(&"done".to_owned()) || lines.contains(&"after the failure false".to_owned()));
        Tmpfs::remount(mount.path(), 512);
        check(&folder, &ledger, VALUE_BYTES);
        eprintln!("{mebibytes} MiB: {} acknowledged, all kept", ledger.len());
    }
}

/// A small file system in memory until it is dropped.
struct Tmpfs<'a>(&'a Path);

impl<'a> Tmpfs<'a> {
    fn mount(at: &'a Path, mebibytes: usize) -> Option<Self> {
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }

    fn remount(at: &Path, mebibytes: usize) {
        let options = format!("remount,size={mebibytes}m");
        assert!(Command::new("mount").args(["-o", &options]).arg(at).status().unwrap().success());
    }
}

impl Drop for Tmpfs<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0).status());
    }
}

#[test]
fn a_disk_that_does_not_answer_is_told_and_the_store_goes_on_when_it_does() {
    if write_if_started_for_it() || !can_inject() {
        return;
    }
    let test = "faults::a_disk_that_does_not_answer_is_told_and_the_store_goes_on_when_it_does";
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer { batches: 3_000, ..Writer::of(test, folder.path()) };
    let fault = "inject=fdatasync:delay_enter=1500000:when=20";
    let (ledger, lines) = run(writer, &strace("/dev/null", fault));
    let told = |what: &str| lines.iter().position(|line| line == what);
    let (late, refused) = (told("late"), told("refused"));
    assert!(late.is_some() && refused.is_some(), "late {late:?}, refused {refused:?}");
    let since = &lines[refused.unwrap()..];
    assert!(since.iter().filter_map(|line| acknowledged(line)).count() > 500);
    assert!(told("done").is_some(), "the store goes on");
    check(folder.path(), &ledger, 100);
}
