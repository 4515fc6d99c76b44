//! The energy world's files, damaged at random: always problems with a place, never a crash.

use super::ENERGY;
use decision::strategy::{Files, load};
use proptest::prelude::*;
use std::{path::Path, sync::LazyLock};

static WORLD: LazyLock<Files> = LazyLock::new(|| {
    let mut files = Files::default();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(ENERGY), "", &mut files);
    assert!(!files.0.is_empty(), "the energy world has files");
    files
});

fn read(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            read(&path, &format!("{name}/"), files);
        } else if name.ends_with(".toml") {
            files.0.insert(name, std::fs::read_to_string(&path).expect("text"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_world_gives_problems_with_a_place_never_a_crash(
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..60_usize, "[\\[\\]{}'\"=.,#\\\\ \na-z0-9é]{0,8}"),
            1..4,
        ),
    ) {
        let mut files = WORLD.clone();
        for (file, at, removed, inserted) in damage {
            let (_, text) = files.0.iter_mut().nth(file.index(WORLD.0.len())).expect("a file");
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.ceil_char_boundary(start + removed);
            text.replace_range(start..end, &inserted);
        }
        for problem in load(&files).err().unwrap_or_default() {
            if let Some(span) = problem.span {
                prop_assert!(files.0[&problem.file].get(span).is_some());
            }
        }
    }
}
