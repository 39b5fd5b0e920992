//! Output of `cki` for other programs, read back by them: environment files by Docker Compose, a shell
//! and `cki`; the Compose file of a run by Docker Compose. A value comes out as it went in, or the
//! program that reads another one was named.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::support;

pub(crate) type Values = BTreeMap<String, String>;

/// Texts that are hard to write.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9 /.:,@%+~-]{0,3}",
        4 => prop::sample::select(vec!["$", "$(V1)", "$$(V2)", "'", "\"", "`", "\\", "\n", "\r", "\r\n", "\t", "#", " #", "${A}", "$A", "$$", "=", "!", "é", "{", "}", "\\n", "it's", "&", "|", ">", "?", "- ", "null", "010", "\u{1}", "\u{7f}", "\u{85}", "\u{9f}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{fffe}"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// Runs `cki` on a component with these variables and this command.
pub(crate) fn cki(directory: &Path, values: &Values, command: &[String], args: &[&str]) -> Output {
    let environment: Vec<Value> =
        values.iter().map(|(name, value)| json!({"name": name, "default": value, "secret": false})).collect();
    let component = json!({
        "name": "a", "category": "service", "image": "localhost/x:1",
        "run": {"command": command}, "environment": environment,
    });
    let inventory = json!({"version": 1, "components": [component]}).to_string();
    std::fs::write(directory.join("i.json"), in_ascii(&inventory)).expect("writes");
    let mut program = Command::new(env!("CARGO_BIN_EXE_cki"));
    program.env_clear().envs(support::clean_env(directory).iter()).current_dir(directory);
    program.args(["--inventory", "i.json"]).args(args).output().expect("runs cki")
}

/// Escapes the characters of JSON that YAML takes for line breaks, or refuses.
fn in_ascii(json: &str) -> String {
    let escaped = |one: char| match one {
        ' '..='~' => one.to_string(),
        _ => one.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    json.chars().map(escaped).collect()
}

fn compose(program: &str, directory: &Path, file: &str) -> Result<Value, String> {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", directory).current_dir(directory);
    let output = command.args(["-p", "p", "-f", file, "config", "--format", "json"]).output();
    let output = output.expect("runs docker-compose");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut config: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
    Ok(config["services"]["a"].take())
}

fn environment_of(service: &Value) -> Values {
    let all = service["environment"].as_object().into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.replace("$$", "$")))).collect()
}

pub(crate) fn plain(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The values that a program reads, without those of which it was said that it reads others.
fn check(who: &str, told: &str, values: &Values, read: &Values) -> Result<(), TestCaseError> {
    let line = told.lines().find(|line| line.contains(&format!("{who} reads other values"))).unwrap_or("");
    for (name, value) in values.iter().filter(|(name, _)| !line.contains(&format!("`{name}`"))) {
        prop_assert_eq!(read.get(name), Some(value), "{} reads {} so", who, name);
    }
    Ok(())
}

fn environment_file_is_read_back(program: &str, values: &Values) -> Result<(), TestCaseError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    let written = cki(directory, values, &["x".to_owned()], &["env", "a", "-o", "dotenv"]);
    prop_assert!(written.status.success(), "{}", plain(&written));
    std::fs::write(directory.join("o.env"), &written.stdout).expect("writes");
    std::fs::write(directory.join("c.yaml"), "services: {a: {image: x, env_file: o.env}}").expect("writes");
    let told = String::from_utf8_lossy(&written.stderr).into_owned();
    let service = compose(program, directory, "c.yaml").map_err(TestCaseError::fail)?;
    check("Docker Compose", &told, values, &environment_of(&service))?;
    let shell = Command::new("sh")
        .args(["-c", "set -a; . ./o.env; env -0"])
        .env_clear()
        .current_dir(directory)
        .output();
    let shell = String::from_utf8_lossy(&shell.expect("runs a shell").stdout).into_owned();
    let read = shell.split('\0').filter_map(|one| one.split_once('='));
    check(
        "a shell",
        &told,
        values,
        &read.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    )?;
    let back = cki(
        directory,
        &Values::new(),
        &["x".to_owned()],
        &["env", "a", "--env-file", "o.env", "-o", "json", "--reveal"],
    );
    let back: Value = serde_json::from_slice(&back.stdout).map_err(|_| TestCaseError::fail(plain(&back)))?;
    let read = back["variables"].as_array().into_iter().flatten();
    let read =
        read.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["value"].as_str()?.to_owned())));
    check("cki", "", values, &read.collect())
}

fn printed_run_is_read_back(program: &str, values: &Values, command: &[String]) -> Result<(), TestCaseError> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let directory = directory.path();
    let args = ["run-local", "a", "--engine", "docker", "--print", "compose", "--reveal"];
    let written = cki(directory, values, command, &args);
    prop_assert!(written.status.success(), "{}", plain(&written));
    std::fs::write(directory.join("c.yaml"), &written.stdout).expect("writes");
    let service = compose(program, directory, "c.yaml").map_err(TestCaseError::fail)?;
    prop_assert_eq!(&environment_of(&service), values);
    let words = service["command"].as_array().into_iter().flatten().filter_map(Value::as_str);
    prop_assert_eq!(words.map(|word| word.replace("$$", "$")).collect::<Vec<_>>(), command);
    Ok(())
}

pub(crate) fn run<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = support::cases().unwrap_or(25);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    if let Err(error) = support::runner(config).run(strategy, test) {
        panic!("{error}");
    }
}

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn env_dotenv_output_is_read_back_by_every_reader() {
    let program = support::compose();
    let values = prop::collection::btree_map("V[0-9]", text(), 1..8);
    run(&values, |values| environment_file_is_read_back(&program, &values));
}

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn run_local_print_compose_is_read_back_by_docker_compose() {
    let program = support::compose();
    let values = prop::collection::btree_map("V[0-9]", text(), 1..8);
    let command = prop::collection::vec(text(), 1..4);
    run(&(values, command), |(values, command)| printed_run_is_read_back(&program, &values, &command));
}
