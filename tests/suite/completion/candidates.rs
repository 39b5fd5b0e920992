//! Candidates of completion for each kind of word, by the protocol of a shell without descriptions. Keys in real shells are in
//! the file above.

use cki::demo::gitlab::{StandIn, StandInConfig, StandInOptions, TimeScale};

use super::Home;

const INVENTORY: &str = "
repos: {tools: https://gitlab.example/group/tools}
components:
  - {name: greeter, category: service, kind: service, people: [ann], image: x, description: Greets.,
     environment: [{name: GREETING}, {name: TOKEN, secret: true}],
     stage: {project: group/tools, parameters: [{name: compiler, pattern: gcc|clang}, {name: tag, values: [a1, a2]}]}}
  - {name: sweeper, category: cron, kind: cronjob, people: [bob], build: {repo: tools, file: Containerfile}}
  - {name: page, category: site}
  - {name: page, category: cron}
";

fn home() -> Home {
    let home = Home::new("/usr/bin/elvish");
    home.write("cki.toml", "inventory = 'team.yaml'\nengine = 'docker'\n");
    home.write("team.yaml", INVENTORY);
    home
}

fn offered(home: &Home, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    home.answer("elvish", &words).lines().map(str::to_owned).collect()
}

#[test]
fn completion_offers_what_fits_the_command() {
    let home = home();
    for (line, values) in [
        ("cki run-local g", &["greeter"][..]),
        ("cki run-local greeter s", &["sweeper", "s3", "smtp"]),
        ("cki run-local po", &["postgres"]),
        ("cki run-local postgres p", &[]),
        ("cki env r", &["rabbitmq", "redis"]),
        ("cki build po", &[]),
        ("cki help in", &["init", "inventory"]),
        ("cki list se", &["services"]),
        ("cki list services r", &["rabbitmq", "redis"]),
        ("cki build ", &["sweeper"]),
        ("cki clone ", &["sweeper"]),
        ("cki stage --component ", &["greeter"]),
        ("cki show g", &["greeter"]),
        ("cki list g", &["greeter"]),
        ("cki list kind=", &["kind=cronjob", "kind=service"]),
        ("cki list owner=b", &["owner=bob"]),
        ("cki list k", &["kind="]),
        ("cki clone ki", &["kind="]),
        ("cki show kind=service,", &["kind=service,cronjob"]),
        ("cki show owner!=b", &["owner!=bob"]),
        ("cki inventory check g", &["greeter"]),
        ("cki inventory check -o ", &["text", "wide", "name", "json", "yaml", "sarif", "gitlab"]),
        ("cki graph -o ", &["tree", "wide", "name", "dot", "mermaid", "svg", "json", "yaml"]),
        ("cki list -o ", &["text", "wide", "name", "json", "yaml"]),
        ("cki -o ", &["text", "wide", "name", "json", "yaml"]),
        ("cki env greeter -o ", &["table", "wide", "name", "json", "yaml", "dotenv", "shell"]),
        ("cki logs -o ", &["text", "json"]),
        ("cki env greeter -e ", &["GREETING=", "TOKEN="]),
        ("cki env greeter -e TOKEN=x -e ", &["GREETING="]),
        ("cki env greeter --env=T", &["--env=TOKEN="]),
        ("cki run-local greeter --unset ", &["GREETING", "TOKEN"]),
        ("cki run-local greeter --allow ", &["GREETING", "TOKEN", "@command"]),
        ("cki env greeter --diff d", &["deployment"]),
        ("cki env greeter --diff g", &[]),
        ("cki run-local greeter --mount=", &["--mount=ro", "--mount=rw"]),
        ("cki stage --component greeter --set ", &["compiler=", "tag="]),
        ("cki stage --component greeter --set compiler=", &["compiler=gcc", "compiler=clang"]),
        ("cki stage --component greeter --set compiler=gcc --set ", &["tag="]),
        ("cki stage --project group/tools --set t", &["tag="]),
        ("cki stage --project group/tools --set tag=", &["tag=a1", "tag=a2"]),
        ("cki stage 1 --via p", &["pipeline"]),
        ("cki man comp", &["completions"]),
        ("cki config set offline ", &["true", "false"]),
        ("cki config get stage.b", &["stage.bot"]),
        ("cki run-local greeter --det", &["--detach"]),
        // Nothing that is known, and no flags.
        ("cki doctor ", &[]),
        ("cki stage 1 ", &[]),
        ("cki exec greeter ls -", &[]),
        ("cki down ", &[]),
    ] {
        assert_eq!(offered(&home, line), values, "{line}");
    }
    assert!(offered(&home, "cki run-local -").contains(&"--detach".to_owned()));
}

#[test]
fn completion_tells_entries_of_one_name_apart() {
    let home = home();
    let more = "  - {name: redis, category: site, image: x}\n  - {name: red, category: site}\n";
    home.write("team.yaml", &format!("{INVENTORY}{more}"));
    home.write("templates/services/own.yaml", "image: x\n");
    home.write("cki.toml", "inventory = 'team.yaml'\ntemplates = 'templates'\n");
    let mut shown = offered(&home, "cki show ");
    shown.sort();
    let services = ["http", "own", "postgres", "rabbitmq", "s3", "service:redis", "smtp", "valkey"];
    let components = ["cron/page", "greeter", "red", "redis", "site/page", "sweeper"];
    let mut all = [&services[..], &components].concat();
    all.sort_unstable();
    assert_eq!(shown, all);
    assert_eq!(offered(&home, "cki run-local red"), ["redis"]);
    let mut named = offered(&home, "cki show service:");
    named.sort();
    assert_eq!(named.len(), services.len());
    assert_eq!(named[..2], ["service:http", "service:own"]);
    assert_eq!(offered(&home, "cki show site/"), ["site/page", "site/red", "site/redis"]);
    assert_eq!(offered(&home, "cki show site/re"), ["site/red", "site/redis"]);
}

#[test]
fn completion_offers_requests_for_comments_of_the_clone() {
    let home = home();
    home.write("team.yaml", &format!("rfcs: {{repo: tools, directory: rfcs, prefix: CKI}}{INVENTORY}"));
    assert_eq!(offered(&home, "cki rfc show "), [""; 0]);
    home.write("cki/tools/rfcs/cki-001-a.md", "# CKI-001: First\n");
    home.write("cki/tools/rfcs/cki-012-b.md", "---\ntitle: \"CKI-012: \\e[31mRed\"\nstatus: Accepted\n---\n");
    home.write("cki/tools/rfcs/cki-x-b.md", "x");
    let text = home.answer("fish", &["cki", "rfc", "show", ""]);
    assert_eq!(text.trim(), "1\tFirst\n12\tRed");
    assert_eq!(offered(&home, "cki rfc show CKI-00"), ["CKI-001"]);
    assert_eq!(offered(&home, "cki rfc check 1 cki-"), ["cki-012"]);
    for (line, values) in [
        ("cki rfc check 1 ", &["12"][..]),
        ("cki rfc check CKI-012 ", &["1"]),
        ("cki rfc list --state ", &["open", "due", "merged", "local", "accepted"]),
        ("cki rfc list -o ", &["text", "wide", "name", "json", "yaml"]),
        ("cki rfc check -o ", &["text", "wide", "name", "json", "yaml", "sarif", "gitlab"]),
        ("cki clone --repo ", &["tools"]),
        ("cki rfc ", &["list", "show", "new", "check", "help"]),
    ] {
        assert_eq!(offered(&home, line), values, "{line}");
    }
}

#[test]
fn completion_survives_any_command_line() {
    let home = home();
    for line in [
        "cki",
        "",
        "cki  ",
        "cki --inventory  show ",
        "cki show \u{1}",
        "cki stage --mr x --component \u{fffd} --set =",
        "cki env greeter -e = --unset ",
        "cki run-local -- -- ",
        "cki --inventory /nowhere show ",
        "cki 'show \"",
    ] {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            home.answer(shell, &line.split(' ').collect::<Vec<_>>());
        }
    }
}

#[test]
fn stage_keeps_merge_requests_for_completion() {
    let config = StandInConfig::parse("gitlab.yaml", include_str!("../../fixtures/gitlab.yaml"));
    let stand_in = StandIn::start(StandInOptions {
        config: config.expect("is valid"),
        pace: TimeScale::ByHand,
        began: jiff::Timestamp::UNIX_EPOCH,
        port: 0,
    });
    let stand_in = stand_in.expect("starts");
    let home = home();
    home.write("cki.toml", &format!("inventory = 'team.yaml'\n[gitlab]\nurl = '{}'\n", stand_in.url()));
    assert_eq!(offered(&home, "cki stage --component greeter --mr "), [""; 0]);
    let staged = home
        .command(env!("CARGO_BIN_EXE_cki"))
        .args(["stage", "--component", "greeter", "213", "-n"])
        .envs([("CKI_GITLAB_TOKEN", "reader-not-a-real-token"), ("CKI_INVENTORY", "team.yaml")])
        .env("CKI_GITLAB_URL", stand_in.url())
        .output()
        .expect("runs");
    drop(stand_in);
    let text = home.answer("fish", &["cki", "stage", "--component", "greeter", "--mr", ""]);
    assert_eq!(
        text.trim(),
        "7\tEmpty one\n213\tRetry on infra errors",
        "{}",
        String::from_utf8_lossy(&staged.stderr)
    );
    for line in
        ["cki run-local greeter --mr ", "cki stage --component greeter ", "cki stage --project group/tools "]
    {
        let numbers: Vec<&str> = text.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(offered(&home, line), numbers, "{line}");
    }
    for line in ["cki stage --component greeter --mr 213 ", "cki stage --component greeter 213 --mr "] {
        assert_eq!(offered(&home, line), [""; 0], "one is there already: {line}");
    }
    assert_eq!(offered(&home, "cki stage --mr 213 gree"), ["greeter"]);
    let of_component: Vec<String> = offered(&home, "cki stage greeter --mr ");
    assert_eq!(of_component, ["7", "213"]);
    // Bash shows titles in a list, and inserts numbers.
    let list = |kind: &str| {
        let output = home
            .command(env!("CARGO_BIN_EXE_cki"))
            .envs([
                ("COMPLETE", "bash"),
                ("_CKI_LINE", "cki stage --component greeter "),
                ("_CKI_TYPE", kind),
            ])
            .arg("--")
            .output();
        String::from_utf8(output.expect("runs").stdout).expect("is text")
    };
    assert!(list("63").contains("  ("), "{}", list("63"));
    assert!(!list("9").contains('('), "{}", list("9"));
    // A cache that is broken offers nothing.
    let cache = home.directory.path().join(".cache/cki/merge-requests");
    for entry in std::fs::read_dir(cache).expect("is there") {
        std::fs::write(entry.expect("is there").path(), "{\"open\": [").expect("writes");
    }
    assert_eq!(offered(&home, "cki stage --component greeter --mr "), [""; 0]);
}
