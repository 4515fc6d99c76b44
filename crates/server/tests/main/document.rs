//! The OpenAPI document: in the repository as the server gives it, and sound.

use crate::harness::Server;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

const FILE: &str = "../../docs/reference/openapi.json";

#[test]
fn the_document_in_the_repository_is_the_one_that_the_server_gives() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = serde_json::to_string_pretty(&server::openapi()).unwrap() + "\n";
    if std::env::var_os("ATTENT_WRITE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/reference/openapi.json is out of date; run this test with ATTENT_WRITE_DOCS=1"
    );
    let given = Server::start().get("/openapi.json").json;
    assert_eq!(given, serde_json::from_str::<Value>(&kept).unwrap());
}

#[test]
fn every_operation_is_named_described_and_guarded_and_every_reference_leads_somewhere() {
    let document = serde_json::to_value(server::openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
            let declared = operation["parameters"].as_array().cloned().unwrap_or_default();
            for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                assert!(
                    declared.iter().any(|parameter| parameter["name"] == name && parameter["in"] == "path"),
                    "{path}"
                );
            }
        }
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    assert_eq!(document["components"]["securitySchemes"].as_object().unwrap().len(), 3);
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
