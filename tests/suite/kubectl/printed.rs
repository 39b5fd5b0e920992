//! The Pod that `--print kube` prints, read by `kubectl`: variables and command are those of the run once
//! Kubernetes has expanded them. No server is asked: `kubectl set env --local` reads the file and writes
//! the object as JSON.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use serde_json::Value;

use super::resolve::expanded;
use crate::compose::printed::{Values, cki, plain, run, text};
use crate::support;

/// The container of the Pod in a file.
fn container(kubectl: &str, directory: &Path, file: &str) -> Result<Value, String> {
    let mut command = Command::new(kubectl);
    command.env_clear().env("HOME", directory).current_dir(directory);
    let output = command.args(["set", "env", "--local", "-f", file, "-o", "json", "ADDED=1"]).output();
    let output = output.expect("runs kubectl");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut pod: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok(pod["spec"]["containers"][0].take())
}

fn is_read_back(kubectl: &str, values: &Values, command: &[String]) -> Result<(), TestCaseError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    let args = ["run-local", "a", "--engine", "native", "--print", "kube", "--reveal"];
    let written = cki(directory, values, command, &args);
    prop_assert!(written.status.success(), "{}", plain(&written));
    std::fs::write(directory.join("pod.yaml"), &written.stdout).expect("writes");
    let container = container(kubectl, directory, "pod.yaml").map_err(TestCaseError::fail)?;
    let mut read = Values::new();
    for item in container["env"].as_array().into_iter().flatten() {
        // An empty value is left out.
        let empty = Value::from("");
        let value = item.get("value").unwrap_or(&empty);
        let (Some(name), Some(value)) = (item["name"].as_str(), value.as_str()) else {
            return Err(TestCaseError::fail(format!("no text: {item}")));
        };
        read.insert(name.to_owned(), expanded(value, &read));
    }
    read.remove("ADDED");
    prop_assert_eq!(&read, values);
    let words = container["command"].as_array().into_iter().flatten().filter_map(Value::as_str);
    prop_assert_eq!(words.map(|word| expanded(word, &read)).collect::<Vec<_>>(), command);
    Ok(())
}

#[test]
#[ignore = "needs CKI_TEST_KUBECTL (bash tests/run)"]
fn run_local_print_kube_is_read_back_by_kubectl() {
    let kubectl = support::kubectl();
    let values = prop::collection::btree_map("V[0-9]", text(), 1..8);
    let command = prop::collection::vec(text(), 1..4);
    run(&(values, command), |(values, command)| is_read_back(&kubectl, &values, &command));
}
