//! `attent check`.

use super::{ENERGY, attent, fresh_folder, stderr, stdout};

const BROKEN: &str = "tests/broken/strategy";

#[test]
fn a_broken_strategy_shows_every_mistake_in_one_run() {
    let output = attent(&["check", BROKEN]);
    assert_eq!(stdout(&output), include_str!("../broken/expected.txt"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn machines_get_the_same_problems_with_line_and_column() {
    let output = attent(&["check", BROKEN, "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems = told["problems"].as_array().expect("a list");
    let shown = stdout(&attent(&["check", BROKEN]));
    assert_eq!(told["ok"], false);
    assert_eq!(problems.len(), shown.matches("error: ").count());
    for problem in problems {
        let (file, line, column) = (problem["file"].as_str().unwrap(), &problem["line"], &problem["column"]);
        assert!(shown.contains(&format!("{BROKEN}/{file}:{line}:{column}\n")), "{problem}");
    }
}

#[test]
fn the_energy_world_checks() {
    let output = attent(&["check", ENERGY]);
    assert_eq!(stderr(&output), "");
    assert!(stdout(&output).contains(" checks: "), "{}", stdout(&output));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_folder_that_is_not_there_is_trouble() {
    let output = attent(&["check", "tests/nowhere"]);
    assert_eq!(stderr(&output), "attent: `tests/nowhere` does not exist\n");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_file_that_is_not_text_is_told_with_the_other_problems() {
    let folder = fresh_folder("not-text");
    std::fs::write(folder.join("purposes.toml"), [0xff, 0xfe]).expect("written");
    let shown = stdout(&attent(&["check", &folder.display().to_string()]));
    let about_it: Vec<&str> =
        shown.split("\n\n").filter(|problem| problem.contains("purposes.toml")).collect();
    assert_eq!(about_it.len(), 1, "{shown}");
    assert!(about_it[0].starts_with("error: the file is not UTF-8 text"), "{shown}");
}
