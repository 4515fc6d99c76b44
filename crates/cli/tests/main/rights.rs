//! What an administrator does for customers, from the command line.

use crate::{attent, fresh_folder, serving::Serving, stderr, stdout};
use serde_json::{Value, json};

/// Runs a command against a server; its exit code, what it says, and what it says as JSON.
fn ask(serving: &Serving, arguments: &[&str]) -> (Option<i32>, String, Value) {
    let key = serving.key.as_deref().unwrap();
    let done = attent(&[arguments, &["--url", &serving.url, "--key", key]].concat());
    let said = stdout(&done);
    let json = serde_json::from_str(&said).unwrap_or(Value::Null);
    (done.status.code(), said + &stderr(&done), json)
}

fn know(serving: &Serving, kind: &str, value: &str, name: &str) {
    let event = json!({"id": value, "event": "customer_registered", "identifiers": {kind: value},
        "properties": {"first_name": name, "monthly_amount": 180, "bill_increase_percent": 30}});
    assert_eq!(serving.post("/v1/events", &event)["accepted"], 1);
}

#[test]
fn a_customer_is_shown_merged_parted_and_taken_along_from_the_command_line() {
    let folder = fresh_folder("rights");
    let serving = Serving::start(&folder.join("data"));
    know(&serving, "user_id", "42", "Noor");
    know(&serving, "email", "n@example.org", "N.");
    let shown = |who: &str| ask(&serving, &["customer", "show", "--identifier", who]);
    assert_eq!(shown("user_id=42").2["attributes"]["first_name"]["value"], "Noor");
    let (code, said, _) = shown("user_id=43");
    assert_eq!(code, Some(1), "{said}");
    let merge = [
        "customer",
        "merge",
        "--from",
        "email=n@example.org",
        "--into",
        "user_id=42",
        "--reason",
        "one passport",
    ];
    assert_eq!(ask(&serving, &merge).0, Some(0));
    let (code, said, _) = ask(&serving, &merge);
    assert!(code == Some(1) && said.contains("merged already"), "{said}");
    assert_eq!(shown("email=n@example.org").2["customer"], shown("user_id=42").2["customer"]);
    let unmerge = ["customer", "unmerge", "--identifier", "email=n@example.org", "--reason", "a mistake"];
    assert_eq!(ask(&serving, &unmerge).2["undone_because"], "a mistake");
    assert_eq!(shown("email=n@example.org").2["attributes"]["first_name"]["value"], "N.");
    assert_eq!(ask(&serving, &["customer", "conflicts"]).0, Some(0));
    let (code, lines, _) = ask(&serving, &["customer", "export", "--identifier", "user_id=42"]);
    assert_eq!(code, Some(0), "{lines}");
    let file = folder.join("lines.jsonl");
    std::fs::write(&file, &lines).unwrap();
    let import = ["customer", "import", "--identifier", "user_id=elsewhere", file.to_str().unwrap()];
    assert_eq!(ask(&serving, &import).2["lines"], lines.lines().count());
    assert_eq!(shown("user_id=elsewhere").2["attributes"]["first_name"]["value"], "Noor");
}

#[test]
fn token_keys_and_contested_decisions_are_kept_from_the_command_line() {
    let folder = fresh_folder("desk_keys");
    let serving = Serving::start(&folder.join("data"));
    know(&serving, "user_id", "42", "Noor");
    let file = folder.join("secret");
    std::fs::write(&file, "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU\n").unwrap();
    let add =
        ["token-keys", "add", "web", file.to_str().unwrap(), "--algorithm", "HS256", "--audience", "attent"];
    let (code, said, _) = ask(&serving, &add);
    assert_eq!(code, Some(0), "{said}");
    let (_, listed, key) = ask(&serving, &["token-keys", "list"]);
    assert_eq!((&key["id"], &key["identifies"]), (&json!("web"), &json!("user_id")));
    assert!(!listed.contains("BQUF"), "never the secret");
    assert_eq!(ask(&serving, &["token-keys", "revoke", "web"]).0, Some(0));
    assert_eq!(ask(&serving, &["token-keys", "revoke", "web"]).0, Some(1));
    assert_eq!(ask(&serving, &["queue", "list"]).0, Some(0));
    assert_eq!(ask(&serving, &["queue", "list", "--contested"]).0, Some(0));
    let decision = serving.decide();
    let refuse = ["queue", "refuse", &decision, "--by", "Piet", "--reason", "nothing to it"];
    let (code, said, _) = ask(&serving, &refuse);
    assert!(code == Some(1) && said.contains("nothing of this decision waits"), "{said}");
}
