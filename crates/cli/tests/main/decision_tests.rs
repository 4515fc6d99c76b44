//! `attent test`.

use super::{attent, fresh_folder, stderr, stdout};

/// The first strategy, with the expectation of its test replaced.
fn expecting(name: &str, expect: &str) -> String {
    let folder = fresh_folder(name);
    let path = folder.display().to_string();
    attent(&["init", &path]);
    let file = folder.join("tests/welcome.toml");
    let text = std::fs::read_to_string(&file).expect("the test");
    let right = "expect = { action = \"service/onboarding/welcome\" }";
    assert_eq!(text.matches(right).count(), 1);
    std::fs::write(&file, text.replace(right, expect)).expect("written");
    path
}

#[test]
fn a_failing_test_shows_what_was_expected_what_came_and_where() {
    let path = expecting("failing", "expect = { silence = true }");
    let output = attent(&["test", &path]);
    let expected = format!(
        "FAIL  a new customer is welcomed
      because  the first month decides whether somebody feels at home
      expected silence
      got      `service/onboarding/welcome`
      at       {path}/tests/welcome.toml:9
0 passed, 1 failed
"
    );
    assert_eq!(stdout(&output), expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn machines_get_the_differences_with_their_line() {
    let path = expecting("failing-json", "expect = { silence = true }");
    let output = attent(&["test", &path, "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["failed"], 1);
    assert_eq!(told["tests"][0]["line"], 2);
    assert_eq!(told["tests"][0]["differences"][0]["line"], 9);
}

#[test]
fn a_filter_that_matches_no_test_is_trouble() {
    let path = expecting("filtered", "expect = { silence = true }");
    assert_eq!(attent(&["test", &path, "--filter", "WELCOMED"]).status.code(), Some(1));
    let output = attent(&["test", &path, "--filter", "farewell"]);
    assert_eq!(stderr(&output), "attent: no test has `farewell` in its name\n");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_strategy_with_problems_is_not_tested() {
    let path = expecting("unfit", "expect = { silence = \"yes\" }");
    let output = attent(&["test", &path]);
    assert!(
        stdout(&output).contains("`silence` expects `true` or `false`, found `yes`"),
        "{}",
        stdout(&output)
    );
    assert_eq!(output.status.code(), Some(1));
}
