//! What a power loss leaves behind: everything that was acknowledged.
//!
//! The store lives on an ext4 file system in a file, which is cut off in the middle of writing: what was not
//! synced is gone, as when the power fails. Needs root, loop devices and `xfs_io`.

use crate::ledger::{Writer, acknowledged, check, rounds, told, write_if_started_for_it};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const IMAGE_BYTES: u64 = 768 * 1024 * 1024;

#[test]
fn no_acknowledged_batch_is_lost_when_the_power_fails() {
    if write_if_started_for_it() {
        return;
    }
    let test = "power::no_acknowledged_batch_is_lost_when_the_power_fails";
    let place = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::make(place.path()) else {
        return eprintln!(
            "skipped: cutting off a file system needs root, loop devices, mkfs.ext4 and xfs_io"
        );
    };
    let mut ledgers = [BTreeSet::new(), BTreeSet::new()];
    let value_bytes = [100, 20_000];
    for round in 0..rounds(2, 24) {
        // Every other round on a store of large rows, every fourth in the middle of making a new store.
        let (large, is_new) = (round % 2, round % 4 == 3);
        let folder = disk.mount.join(format!("store-{large}"));
        if is_new {
            std::fs::remove_dir_all(&folder).unwrap();
            ledgers[large].clear();
        }
        let first = (round as u64 + 1) * 1_000_000;
        let writer = Writer { first, value_bytes: value_bytes[large], ..Writer::of(test, &folder) };
        let cut_after = if is_new { 0 } else { 400 + 150 * (round % 7) };
        let mut seen = 0;
        told(&mut writer.start(&[]), |line, child| {
            ledgers[large].extend(acknowledged(line));
            if seen == cut_after {
                disk.cut_off(round % 3 == 2);
                child.kill().unwrap();
            }
            seen += 1;
        });
        assert!(seen > cut_after, "the writer ended by itself");
        disk.again();
        for (large, ledger) in ledgers.iter().enumerate() {
            let folder = disk.mount.join(format!("store-{large}"));
            if folder.exists() {
                check(&folder, ledger, value_bytes[large]);
            }
        }
        eprintln!("round {round}: {} and {} acknowledged, all kept", ledgers[0].len(), ledgers[1].len());
    }
}

/// A file system in a file, mounted until it is dropped.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    fn make(place: &Path) -> Option<Self> {
        let disk = Self { image: place.join("image"), mount: place.join("mount") };
        std::fs::create_dir(&disk.mount).unwrap();
        std::fs::File::create(&disk.image).unwrap().set_len(IMAGE_BYTES).unwrap();
        let can = succeeds(Command::new("mkfs.ext4").arg("-q").arg(&disk.image))
            && succeeds(Command::new("xfs_io").arg("-V"))
            && disk.mounted();
        can.then_some(disk)
    }

    fn mounted(&self) -> bool {
        succeeds(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))
    }

    /// Cuts the file system off; `log_first`: after its own log was written, as when it could still do that.
    fn cut_off(&self, log_first: bool) {
        let command = if log_first { "shutdown -f" } else { "shutdown" };
        assert!(succeeds(Command::new("xfs_io").args(["-x", "-c", command]).arg(&self.mount)));
    }

    fn again(&self) {
        assert!(succeeds(Command::new("umount").arg(&self.mount)), "the file system is still in use");
        assert!(self.mounted());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        succeeds(Command::new("umount").arg("-l").arg(&self.mount));
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
