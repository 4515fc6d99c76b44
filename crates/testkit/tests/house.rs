//! The house keeps its arrows: `learning ← decision ← engine ← {store, insight ← {simulation, server}} ← cli`.

use std::{collections::BTreeSet, fs, path::Path};

/// Which crates of the house each crate may know.
const MAY_KNOW: [(&str, &[&str]); 10] = [
    ("learning", &[]),
    ("decision", &["learning"]),
    ("engine", &["decision", "learning"]),
    ("store", &["decision", "engine"]),
    ("simulation", &["decision", "engine", "insight", "learning"]),
    ("insight", &["decision", "engine", "learning"]),
    ("server", &["decision", "engine", "insight", "learning"]),
    ("cli", &["decision", "engine", "insight", "learning", "server", "simulation", "store"]),
    ("testkit", &["decision", "engine", "learning"]),
    ("hostile", &["decision", "engine", "learning", "server", "simulation"]),
];

fn crates() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn knows(name: &str, section: &str) -> BTreeSet<String> {
    let manifest =
        fs::read_to_string(crates().join(name).join("Cargo.toml")).expect("every crate has a manifest");
    let manifest: toml::Table = manifest.parse().expect("the manifest is TOML");
    let table = manifest.get(section).and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let house: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    table.into_iter().map(|(name, _)| name).filter(|name| house.contains(name.as_str())).collect()
}

#[test]
fn arrows_between_crates_go_one_way() {
    for (name, may_know) in MAY_KNOW {
        let known = knows(name, "dependencies");
        let unexpected: Vec<_> = known.iter().filter(|known| !may_know.contains(&known.as_str())).collect();
        assert!(unexpected.is_empty(), "`{name}` may not know {unexpected:?}");
    }
}

#[test]
fn every_crate_has_its_place_in_the_house() {
    let listed: BTreeSet<String> = MAY_KNOW.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<String> = fs::read_dir(crates())
        .expect("the crates are here")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    assert_eq!(found, listed);
}

#[test]
fn nothing_ships_the_testkit() {
    for (name, _) in MAY_KNOW {
        assert!(!knows(name, "dependencies").contains("testkit"), "`{name}` ships the testkit");
    }
}

#[test]
fn pure_crates_forbid_clocks_files_and_unordered_maps() {
    for name in ["learning", "decision"] {
        let rules = fs::read_to_string(crates().join(name).join("clippy.toml"))
            .expect("pure crates have a clippy.toml");
        for forbidden in ["std::time::SystemTime", "std::collections::HashMap", "std::fs"] {
            assert!(rules.contains(forbidden), "`{name}` does not forbid `{forbidden}`");
        }
        let root =
            fs::read_to_string(crates().join(name).join("src/lib.rs")).expect("every crate has a root");
        assert!(root.contains("#![deny(clippy::disallowed_types, clippy::disallowed_methods)]"), "`{name}`");
    }
}
