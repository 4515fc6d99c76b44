//! Every kept input keeps every promise.

use std::{fs, path::PathBuf};

/// Most bytes of all kept inputs together.
const CORPUS_BYTES_MAX: usize = 1 << 20;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// The kept inputs of one door, by file name.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(corpus().join(target)).expect("every target has kept inputs");
    let mut kept: Vec<_> = files
        .map(|file| file.expect("the folder can be listed").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a kept input can be read")))
        .collect();
    kept.sort();
    kept
}

fn replay(target: &str) {
    let kept = kept(target);
    assert!(!kept.is_empty(), "`{target}` has no kept inputs");
    for (name, bytes) in kept {
        let promise = std::panic::catch_unwind(|| hostile::run(target, &bytes));
        assert!(promise.is_ok(), "a promise broke for {name}");
    }
}

#[test]
fn kept_rules_are_answered_or_refused() {
    replay("rule");
}

#[test]
fn kept_files_are_read_or_refused() {
    replay("document");
}

#[test]
fn kept_strategies_decide_well_or_are_refused() {
    replay("strategy");
}

#[test]
fn kept_mappings_and_tables_are_imported_or_refused() {
    replay("import");
}

#[test]
fn kept_bodies_are_answered_or_refused() {
    replay("requests");
}

#[test]
fn kept_records_are_replayed_or_refused() {
    replay("record");
}

#[test]
fn kept_models_are_read_or_refused() {
    replay("model");
}

#[test]
fn kept_models_are_of_the_present_format() {
    for (name, bytes) in kept("model") {
        let is_read = match std::path::Path::new(&name).file_name().and_then(|name| name.to_str()) {
            Some("seed-new" | "seed-waiting" | "seed-settled") => learning::Snapshot::decode(&bytes).is_ok(),
            Some("seed-learner-new" | "seed-learner-waiting" | "seed-learner-settled") => {
                postcard::take_from_bytes::<learning::Learner>(&bytes).is_ok()
            }
            _ => true,
        };
        assert!(is_read, "{name} is refused: write it anew with the example `model_seeds`");
    }
}

#[test]
fn every_door_has_a_fuzz_target_and_the_corpus_stays_small() {
    let mut bytes = 0;
    for (target, _) in hostile::TARGETS {
        let source = corpus().join(format!("../fuzz_targets/{target}.rs"));
        assert!(source.exists(), "`{target}` has no fuzz target");
        bytes += kept(target).iter().map(|(_, input)| input.len()).sum::<usize>();
    }
    assert!(bytes <= CORPUS_BYTES_MAX, "the corpus has {bytes} bytes");
}
