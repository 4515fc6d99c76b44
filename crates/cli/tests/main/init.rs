//! `attent init`.

use super::{attent, fresh_folder, stderr, stdout};
use std::path::Path;

fn lines(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            if path.is_dir() { lines(&path) } else { std::fs::read_to_string(path).unwrap().lines().count() }
        })
        .sum()
}

#[test]
fn the_first_strategy_has_at_most_thirty_lines_checks_and_decides() {
    let folder = fresh_folder("first");
    let path = folder.display().to_string();
    assert_eq!(attent(&["init", &path]).status.code(), Some(0));
    assert!((1..=30).contains(&lines(&folder)), "{} lines", lines(&folder));
    assert_eq!(attent(&["check", &path]).status.code(), Some(0));
    let tested = attent(&["test", &path]);
    assert_eq!(stdout(&tested), "pass  a new customer is welcomed\n1 passed, 0 failed\n");
    assert_eq!(tested.status.code(), Some(0));
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = fresh_folder("occupied");
    std::fs::write(folder.join("mine.txt"), "mine").expect("written");
    let output = attent(&["init", &folder.display().to_string()]);
    assert!(stderr(&output).ends_with("is not empty; give a new folder\n"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1);
}
