//! Placeholder secrets as a component and a person get them: files at the paths that variables hold,
//! certificates that programs verify, the same at every run of a workspace and never those of another.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli::{Cli, Outcome};
use crate::support::engine::{Engine, on};

on!(docker, native: run_local_shows_no_value_of_a_variable_in_its_arguments);
fn run_local_shows_no_value_of_a_variable_in_its_arguments(cli: &Cli) {
    super::app(cli, "service", "echo up $PLAIN here; sleep 1000", "");
    let mut run =
        cli.start("run-local app -e PLAIN=some-words --env=API_TOKEN=sesame-9 -eOTHER_TOKEN=sesame-8");
    run.until("up some-words here");
    let shown = run.arguments();
    assert!(shown.contains("-e PLAIN=********** --env=API_TOKEN=******** -eOTHER_TOKEN=********"), "{shown}");
    run.signal(nix::sys::signal::Signal::SIGINT);
    run.end().ends_with(130);
}

/// With a component that runs a script.
fn inventory(cli: &Cli, kind: &str, script: &str) {
    let command = serde_json::json!(["sh", "-c", script]);
    cli.inventory(&format!(
        "repos: {{tools: 'https://gitlab.com/cki-project/cki-tools', other: 'https://gitlab.prod.example.org/x'}}
production: {{hosts: ['*.prod.example.org']}}
components:
  - name: app
    category: {kind}
    kind: {kind}
    image: {{busybox}}
    run: {{command: {command}, read_only: true}}
    environment:
      - {{name: RABBITMQ_CAFILE, type: path, required: true}}
      - {{name: RABBITMQ_CERTFILE, type: path, required: true}}
      - {{name: GOOGLE_APPLICATION_CREDENTIALS, secret: true, required: true}}
      - {{name: GITLAB_TOKENS, type: json, required: true}}
      - {{name: SENTRY_DSN, type: url, secret: true}}
"
    ));
}

/// The directory in which the only workspace keeps what is its own.
fn state_directory(cli: &Cli) -> PathBuf {
    let workspaces = cli.directory().join("home/.local/state/cki/workspaces");
    let mut directories = std::fs::read_dir(workspaces).expect("is there");
    let directory = directories.next().expect("has one").expect("is read").path();
    assert!(directories.next().is_none(), "there is only one workspace");
    directory
}

fn certificates(cli: &Cli) -> serde_json::Value {
    let text = std::fs::read_to_string(state_directory(cli).join("certificates.json")).expect("is there");
    serde_json::from_str(&text).expect("is JSON")
}

/// The lines of private keys that are kept.
fn key_lines(cli: &Cli) -> Vec<String> {
    let kept = certificates(cli);
    let keys = [&kept["client"][1], &kept["signing_key"]].map(|key| key.as_str().expect("is text"));
    let lines = keys.iter().flat_map(|key| key.lines().filter(|line| !line.starts_with("-----")));
    lines.map(str::to_owned).collect()
}

#[track_caller]
fn assert_shows_no_key(cli: &Cli, outcome: &Outcome) {
    for line in key_lines(cli) {
        assert!(!outcome.stdout.contains(&line) && !outcome.stderr.contains(&line), "{outcome}");
    }
}

const SHOW: &str = "cat $RABBITMQ_CAFILE $RABBITMQ_CERTFILE $GOOGLE_APPLICATION_CREDENTIALS
    echo; echo tokens $GITLAB_TOKENS; echo shown";

on!(docker, podman, native: run_local_provides_files_at_path_variables);
fn run_local_provides_files_at_path_variables(cli: &Cli) {
    inventory(cli, "job", SHOW);
    let outcome = cli.run("run-local app").ends_with(0);
    assert_shows_no_key(cli, &outcome);
    let kept = certificates(cli);
    for certificate in [&kept["authority"], &kept["client"][0]] {
        assert!(outcome.stdout.contains(certificate.as_str().expect("is text")), "{outcome}");
    }
    let outcome = outcome
        .says("-----END CERTIFICATE-----\n••••••••\n")
        .says("\"type\": \"service_account\"")
        .says("tokens {\"gitlab.com\": \"GITLAB_TOKEN\"}");
    assert!(!outcome.stdout.contains("PRIVATE KEY-----"), "a key is hidden whole: {outcome}");
    assert_eq!(cli.leftovers(), [""; 0], "volumes and directories go with the run");
    inventory(cli, "job", "ls -l $RABBITMQ_CERTFILE | cut -c 1-10; echo x >> $RABBITMQ_CERTFILE");
    let mode = if cli.engine == Engine::Native { "-rw-------" } else { "-r--r--r--" };
    assert!(cli.run("run-local app -q").stdout.starts_with(mode));
}

on!(docker, podman, native: logs_masks_private_keys);
fn logs_masks_private_keys(cli: &Cli) {
    inventory(cli, "service", &format!("{SHOW}; sleep 600"));
    cli.run("run-local app --detach").ends_with(0);
    cli.wait_for("all is shown", || cli.run("logs app").stdout.contains("shown"));
    let outcome = cli.run("logs app").ends_with(0).says("-----END CERTIFICATE-----\n••••••••\n");
    assert_shows_no_key(cli, &outcome);
    cli.run("down app").ends_with(0);
}

/// Returns the values that programs read, without the parts that differ from run to run.
fn values(cli: &Cli, more: &str) -> String {
    cli.run(&format!("env app -o dotenv {more}")).ends_with(0).stdout
}

#[test]
fn env_placeholder_secrets_are_stable_per_workspace() {
    let cli = Cli::new();
    inventory(&cli, "job", "true");
    // At the same instant, too, the very first time.
    let both = [(); 4].map(|()| cli.start("env app -o dotenv"));
    let first: Vec<String> = both.into_iter().map(|run| run.end().ends_with(0).stdout).collect();
    assert!(first.iter().all(|one| *one == first[0]) && first[0] == values(&cli, ""));
    let directory = state_directory(&cli);
    let mode = |path: &Path| std::fs::metadata(path).expect("is there").mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!((mode(&directory.join("seed")), mode(&directory.join("certificates.json"))), (0o600, 0o600));
    let token = |text: &str| text.lines().find(|line| line.starts_with("GITLAB_TOKEN=")).map(str::to_owned);
    let other = values(&cli, "--workspace /tmp/none/other");
    assert!(token(&other).is_some() && token(&other) != token(&first[0]));
    // Another machine, or another person, with a workspace of the same path.
    let state = cli.directory().join("elsewhere");
    let text =
        cli.call("env app -o dotenv").set("XDG_STATE_HOME", state.to_str().expect("is text")).end().stdout;
    assert!(token(&text).is_some() && token(&text) != token(&first[0]));
}

#[test]
fn env_names_an_unusable_state_directory() {
    let cli = Cli::new();
    inventory(&cli, "job", "true");
    let outcome = cli.call("env app").set("XDG_STATE_HOME", "/proc/none").end().fails();
    outcome.says("error: cannot create `/proc/none/cki/workspaces/");
    cli.run("env app").ends_with(0);
    std::fs::write(state_directory(&cli).join("seed"), "x").expect("writes");
    cli.run("env app").ends_with(4).says("seed` is not as `cki` has written it.").says("hint: remove it");
}

/// Runs OpenSSL's own program.
fn openssl(directory: &Path, arguments: &[&str]) -> (bool, String) {
    let output =
        Command::new("openssl").current_dir(directory).args(arguments).output().expect("is installed");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
#[ignore = "needs openssl (bash tests/run)"]
fn env_certificates_pass_openssl_verify() {
    let cli = Cli::new();
    inventory(&cli, "job", "true");
    cli.run("env app").ends_with(0);
    let kept = certificates(&cli);
    let directory = cli.project();
    let text = |value: &serde_json::Value| value.as_str().expect("is text").to_owned();
    std::fs::write(directory.join("ca.pem"), text(&kept["authority"])).expect("writes");
    for (who, purpose) in [("client", "sslclient"), ("server", "sslserver")] {
        let pair = format!("{}{}", text(&kept[who][0]), text(&kept[who][1]));
        std::fs::write(directory.join("pair.pem"), pair).expect("writes");
        let verify = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.pem", "pair.pem"];
        let (good, said) = openssl(&directory, &verify);
        assert!(good, "{who}: {said}");
        let of_certificate = openssl(&directory, &["x509", "-in", "pair.pem", "-noout", "-pubkey"]);
        let of_key = openssl(&directory, &["pkey", "-in", "pair.pem", "-pubout"]);
        assert!(of_certificate.0 && of_certificate.1.contains("PUBLIC KEY"), "{who}: {}", of_certificate.1);
        assert_eq!(of_certificate, of_key, "{who}");
    }
    let said = openssl(&directory, &["x509", "-in", "pair.pem", "-noout", "-checkhost", "rabbitmq"]);
    assert!(said.1.contains("does match"));
}
