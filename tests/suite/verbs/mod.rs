//! Tests of the commands through the real program: output, exit code and effects. Each command, or small group of
//! commands, has a file; `kill` and `kill_matrix` test the leftovers of a killed `cki`, `faults` a failing machine,
//! and `bad_input` invalid input. A test's name begins with the command.

mod bad_input;
mod build;
mod clone;
mod clone_directories;
mod dependencies;
mod deployment;
mod detached;
mod docs;
mod env;
mod faults;
mod firewall;
mod formats;
mod forwarder;
mod graph;
mod group;
mod guard;
mod hints;
mod init;
mod inventory_backstage;
mod inventory_check;
mod inventory_drift;
mod inventory_fix;
mod inventory_layers;
mod inventory_links;
mod inventory_new;
mod inventory_site;
mod inventory_sync;
mod kill;
mod kill_matrix;
mod list;
mod login;
mod logs;
mod logs_cut;
mod masked_output;
mod network;
mod non_utf8_names;
mod panics;
mod plan;
mod prompts;
mod publish;
mod release;
mod release_progress;
mod retained;
mod rfc;
mod rfc_new;
mod rollback;
mod run;
mod scan;
mod secrets;
mod service_alone;
mod services;
mod settings;
mod shell;
mod show;
mod special_files;
mod stage_pipeline;
mod stage_progress;
mod status;
mod streams;
mod tls;
mod trust;
mod watch;
mod working_tree;

pub(crate) use publish::count_bytes;
pub(crate) use special_files::block_all_threads;

use std::io::{Read as _, Write as _};

use crate::support::cli::{Cli, Outcome};

/// An inventory with one component, `app`, that runs a script in a shell. `more` is what else its
/// `run` says.
fn app(cli: &Cli, kind: &str, script: &str, more: &str) {
    let command = serde_json::json!(["sh", "-c", script, "app"]);
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    cli.inventory(&format!(
        "production: {{environment: {{IS_PRODUCTION: 'false'}}}}
components:
  - name: app
    category: {kind}
    kind: {kind}
    image: {{busybox}}
    run: {{command: {command}{more}}}
"
    ));
}

/// The last object of a run's output as JSON.
fn result(outcome: &Outcome) -> serde_json::Value {
    let last = outcome.stdout.lines().last().expect("says something");
    let value: serde_json::Value = serde_json::from_str(last).expect("is JSON");
    assert_eq!(value["type"], "result", "{outcome}");
    value
}

/// Returns the answer of a server of this machine.
fn get(port: u16, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer
}
