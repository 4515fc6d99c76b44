//! The worlds that come with the product, used as their own pages say.

use super::{attent, fresh_folder, stderr, stdout};
use std::path::PathBuf;

const WORLDS: [&str; 6] = ["energy", "travel", "retailer", "bank-calls", "mail-test", "shop"];

/// A folder of real data beside the repository.
fn data(name: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if folder.is_dir() {
        return Some(folder.display().to_string());
    }
    eprintln!("skipped: there is no `{}`", folder.display());
    None
}

fn mapping(world: &str) -> String {
    format!("../../worlds/{world}/mapping.toml")
}

#[test]
fn every_world_checks_and_passes_its_own_tests() {
    for world in WORLDS {
        let strategy = format!("../../worlds/{world}/strategy");
        let checked = attent(&["check", &strategy]);
        assert_eq!(checked.status.code(), Some(0), "{world}: {}", stderr(&checked));
        let tested = attent(&["test", &strategy]);
        assert_eq!(tested.status.code(), Some(0), "{world}: {}", stdout(&tested));
    }
}

/// The line of a source in the table of an import: rows, events, contacts, silences, outcomes, duplicates, rejects.
fn counts(printed: &str, source: &str) -> Vec<u64> {
    let line = printed.lines().find(|line| line.starts_with(source)).expect(source);
    line[source.len()..].split_whitespace().map(|count| count.parse().expect("a count")).collect()
}

#[test]
fn calls_without_dates_or_ids_are_imported_by_a_mapping_alone() {
    let Some(data) = data("bank-marketing") else { return };
    let imported = attent(&["import", "--mapping", &mapping("bank-calls"), "--data", &data, "--dry-run"]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    let printed = stdout(&imported);
    assert_eq!(counts(&printed, "calls"), [32_950, 0, 32_950, 0, 0, 0, 0]);
    assert_eq!(counts(&printed, "answers"), [32_950, 0, 0, 0, 2_100, 0, 0]);
}

#[test]
fn a_randomised_test_is_imported_with_its_silences() {
    let Some(data) = data("hillstrom-email") else { return };
    let imported = attent(&["import", "--mapping", &mapping("mail-test"), "--data", &data, "--dry-run"]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    let printed = stdout(&imported);
    assert_eq!(counts(&printed, "e-mails"), [31_659, 0, 21_178, 0, 0, 0, 0]);
    assert_eq!(counts(&printed, "silences"), [31_659, 0, 0, 10_481, 0, 0, 0]);
}

#[test]
fn whole_files_are_kept_and_backtested_at_night() {
    if std::env::var_os("ATTENT_NIGHTLY").is_none() {
        eprintln!("skipped: the whole files are for the nightly tier");
        return;
    }
    let shown = [
        ("bank-calls", "bank-marketing", "ALARM 2008-11-17"),
        ("mail-test", "hillstrom-email", "as we would have decided"),
    ];
    for (world, folder, shows) in shown {
        let Some(data) = data(folder) else { return };
        let store = fresh_folder(&format!("{world}-store"));
        let into = store.to_str().expect("a path");
        let imported = attent(&["import", "--mapping", &mapping(world), "--data", &data, "--into", into]);
        assert_eq!(imported.status.code(), Some(0), "{world}: {}", stderr(&imported));
        let tested = attent(&["backtest", "--world", &format!("../../worlds/{world}"), "--data", &data]);
        assert_eq!(tested.status.code(), Some(0), "{world}: {}", stderr(&tested));
        assert!(stdout(&tested).contains(shows), "{world}");
    }
}
