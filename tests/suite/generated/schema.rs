//! The JSON Schema of inventories: the file in the reference, and its verdicts on files, by an independent
//! validator, beside those of the reader.

use std::path::Path;
use std::process::Command;

use cki::model::inventory::check::{self, Rule};
use cki::model::inventory::{Inventory, InventoryDocument};
use cki::model::reference::Reference;
use serde_json::{Value, json};

use super::inventory::examples;
use crate::support;
use crate::support::cli::Cli;

/// The schema in the project's files.
const FILE: &str = "docs/reference/inventory.schema.json";

#[test]
fn inventory_schema_is_up_to_date() {
    let text = Cli::new().run("inventory schema").ends_with(0).stdout;
    assert_eq!(Cli::new().run("inventory schema -o json").ends_with(0).stdout, text);
    super::golden(FILE, &text);
}

/// Returns the verdicts of Python's validator on documents: the messages of the errors in each.
fn verdicts(documents: &[Value]) -> Vec<Vec<String>> {
    let program = "import json, sys, jsonschema\n\
                   schema, documents = (json.load(open(name)) for name in sys.argv[1:])\n\
                   jsonschema.Draft7Validator.check_schema(schema)\n\
                   validator = jsonschema.Draft7Validator(schema)\n\
                   print(json.dumps([[e.message for e in validator.iter_errors(one)] for one in documents]))";
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("documents.json");
    std::fs::write(&file, json!(documents).to_string()).expect("writes");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let output =
        Command::new(support::python()).args(["-c", program]).args([schema, file]).output().expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("is JSON")
}

#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn inventory_schema_accepts_the_built_in_inventory() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/inventory");
    let files = ignore::WalkBuilder::new(directory)
        .standard_filters(false)
        .build()
        .map(|file| file.expect("is readable").into_path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    assert!(files.len() > 40);
    let text = |path| std::fs::read_to_string(path).expect("is text");
    let value = |path| match serde_yaml::from_str(&text(path)).expect("is YAML") {
        // A file with comments only.
        Value::Null => json!({}),
        value => value,
    };
    let documents: Vec<Value> = files.iter().map(value).collect();
    for (file, errors) in files.iter().zip(verdicts(&documents)) {
        assert_eq!(errors, [""; 0], "{}", file.display());
    }
}

/// Each value of the documented examples is replaced, and each key misspelt.
#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn inventory_schema_agrees_with_the_reader() {
    let mut documents = Vec::new();
    let is_whole =
        |path: &str| ["inventory.yaml", "one-file.yaml"].contains(&path) || path.starts_with("service/");
    for (path, text) in examples().into_iter().filter(|(path, _)| is_whole(path)) {
        let reference = path.strip_suffix(".yaml").and_then(Reference::parse);
        let whole: Value = serde_yaml::from_str(&text).expect("is YAML");
        documents.push((reference.clone(), whole.clone()));
        for pointer in pointers(&whole) {
            let changes = [json!("some text"), json!(7), json!([]), json!({}), json!([7]), json!({"a": 7})];
            for value in changes {
                let mut changed = whole.clone();
                *changed.pointer_mut(&pointer).expect("is there") = value;
                documents.push((reference.clone(), changed));
            }
            documents.extend(misspelt(&whole, &pointer).map(|changed| (reference.clone(), changed)));
        }
    }
    let all: Vec<Value> = documents.iter().map(|(_, document)| document.clone()).collect();
    let mut different = Vec::new();
    for ((reference, document), errors) in documents.into_iter().zip(verdicts(&all)) {
        let text = document.to_string();
        let read = fault(reference, &text);
        if read.is_some() == errors.is_empty() {
            different.push(format!("reader: {read:?}, schema: {errors:?}\n{text}"));
        }
    }
    assert!(all.len() > 500, "{}", all.len());
    assert_eq!(different, [""; 0], "{}", different.join("\n\n"));
}

/// Returns what the reader finds wrong in a file, references to other entries aside.
fn fault(reference: Option<Reference>, text: &str) -> Option<String> {
    let document = InventoryDocument { file: "file".into(), text: text.to_owned().into(), reference };
    match Inventory::read("here", vec![document]) {
        Err(error) => Some(error.to_string()),
        Ok(inventory) => {
            let findings = check::check(&inventory).findings;
            let formal = [Rule::UnknownKey, Rule::UnknownRule];
            findings.into_iter().find(|one| formal.contains(&one.rule)).map(|one| format!("{one:?}"))
        }
    }
}

/// Returns JSON pointers to all values below a value.
fn pointers(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.replace('/', "~1"), child)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, child)| (at.to_string(), child)).collect(),
        _ => Vec::new(),
    };
    let below = |(key, child): &(String, &Value)| {
        let below = pointers(child).into_iter().map(|rest| format!("/{key}{rest}")).collect::<Vec<_>>();
        std::iter::once(format!("/{key}")).chain(below).collect::<Vec<_>>()
    };
    children.iter().flat_map(below).collect()
}

/// Returns the document with the last key of a pointer misspelt, if it is a key.
fn misspelt(whole: &Value, pointer: &str) -> Option<Value> {
    let (parent, key) = pointer.rsplit_once('/')?;
    let mut changed = whole.clone();
    let map = changed.pointer_mut(parent)?.as_object_mut()?;
    let value = map.remove(&key.replace("~1", "/"))?;
    map.insert(format!("{key}x"), value);
    Some(changed)
}
