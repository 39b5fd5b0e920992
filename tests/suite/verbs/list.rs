//! Tests of `cki list`, its pager, and errors of usage.

use insta::assert_snapshot;

use crate::support::call::Call;
use crate::support::cli::Cli;

const INVENTORY: &str = "\
version: 1
title: Sample
categories:
  - {id: service, title: Services, description: run continuously, kind: service}
  - {id: cronjob, title: Cron jobs, kind: cronjob}
  - {id: infrastructure, title: Infrastructure}
repos:
  tools: https://git.example.org/tools
  internal: https://git.internal.example.org/secret
production:
  environment: {IS_PRODUCTION: \"false\"}
components:
  - name: herder
    category: service
    description: >-
      Retries jobs that failed because of the infrastructure, and tells the people who are on duty
      what it did and why.
    infrastructure: cluster
    people: [infra, night-shift]
    documentation: [{label: README, repo: tools, path: README.md}, {label: operations, url: 'https://docs.example.org/herder'}]
    sources: [{repo: tools, path: herder}, {repo: internal}]
    monitoring: [{label: dashboard, url: 'https://grafana.example.org/d/1'}]
    dependencies:
      - {verb: listens, target: infrastructure/bus, inferred: true}
      - {verb: reads, target: external/gitlab}
      - {verb: calls, target: service/helper}
    environment:
      - {name: LOG_LEVEL, type: enum, default: INFO, description: How much is logged.}
      - {name: API_TOKEN, secret: true, required: true, default: never-shown}
      - {name: API_URL, type: url, required: true, description: The server to ask.}
    image: registry.example.org/herder
    build: {repo: tools, file: builds/herder.in}
    run:
      command: [python3, -m, herder]
      once: [python3, -m, herder, --once, '{args}']
      ports: [8000]
      needs: [rabbitmq]
      ready: {http: /metrics, port: 8000}
    stage: {via: bot, project: group/tools, parameters: [{name: tag, pattern: 'mr-\\d+'}]}
  - {name: helper, category: service, description: Helps the herder., people: [infra]}
  - {name: nightly-herder, category: cronjob, dependencies: [{verb: calls, target: service/helper, inferred: true}]}
  - {name: bus, category: infrastructure, description: A message bus.}
";

/// An inventory in which an entry has every key.
pub(super) fn cli() -> Cli {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    cli
}

/// The references in a JSON answer.
fn found(cli: &Cli, line: &str) -> Vec<String> {
    let answer = cli.run(&format!("list -o json {line}")).ends_with(0).json();
    let all = answer["components"].as_array().expect("is a list");
    all.iter().map(|one| one["reference"].as_str().expect("is text").to_owned()).collect()
}

#[test]
fn list_groups_components_by_category() {
    assert_snapshot!(cli().run("list"), @"
    Services  run continuously
      helper          Helps the herder.                                                                                                  infra
    ▸ herder          Retries jobs that failed because of the infrastructure, and tells the people who are on duty what it did and why.  infra · night-shift · cluster

    Cron jobs
      nightly-herder  –

    Infrastructure
      bus             A message bus.
    --- stderr
    4 components · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml · ▸ can be run: `cki run-local NAME`
    --- exit 0
    ");
}

#[test]
fn list_fits_the_terminal() {
    assert_snapshot!(cli().call("list --color never").terminal(80).end(), @"
    Services  run continuously
      helper          Helps the herder.
    ▸ herder          Retries jobs that failed because of the infrastructure, and t…

    Cron jobs
      nightly-herder  –

    Infrastructure
      bus             A message bus.
    --- stderr
    4 components · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml · ▸ can be run: `cki run-local NAME`
    --- exit 0
    ");
    assert_snapshot!(cli().call("list --color never").terminal(160).end(), @"
    Services  run continuously
      helper          Helps the herder.
    ▸ herder          Retries jobs that failed because of the infrastructure, and tells the people who are on duty what it did and why.

    Cron jobs
      nightly-herder  –

    Infrastructure
      bus             A message bus.
    --- stderr
    4 components · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml · ▸ can be run: `cki run-local NAME`
    --- exit 0
    ");
}

#[test]
fn list_prints_names_all_columns_and_yaml() {
    assert_snapshot!(cli().run("list -o name --runnable"), @"
    herder
    --- exit 0
    ");
    assert_snapshot!(cli().call("list -o wide --color never").terminal(60).end(), @"
    NAME            CATEGORY        KIND     OWNER              INFRASTRUCTURE  RUNNABLE  DESCRIPTION
    helper          service         service  infra              –               no        Helps the herder.
    herder          service         service  infra,night-shift  cluster         yes       Retries jobs that failed because of the infrastructure, and tells the people who are on duty what it did and why.
    nightly-herder  cronjob         cronjob  –                  –               no        –
    bus             infrastructure  –        –                  –               no        A message bus.
    --- stderr
    4 components · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml · ▸ can be run: `cki run-local NAME`
    --- exit 0
    ");
    let cli = cli();
    let yaml = cli.run("list helper -o yaml").ends_with(0).stdout;
    let json = cli.run("list helper -o json").ends_with(0).json();
    let (read, _) = cki::base::yaml::parse::<serde_json::Value>("list", &yaml).expect("is YAML");
    assert_eq!(read, json, "{yaml}");
}

#[test]
fn list_prints_json() {
    assert_snapshot!(cli().run("list helper -o json"), @r#"
    {
      "schema_version": 2,
      "inventory": "Sample",
      "origin": "/tmp/cki-TESTID/project/inventory.yaml",
      "total": 4,
      "components": [
        {
          "name": "helper",
          "category": "service",
          "reference": "service/helper",
          "description": "Helps the herder.",
          "kind": "service",
          "infrastructure": null,
          "people": [
            "infra"
          ],
          "runnable": false
        }
      ]
    }
    --- exit 0
    "#);
}

#[test]
fn list_filters_by_words_and_attributes() {
    let cli = cli();
    let found = |line: &str| found(&cli, line);
    assert_eq!(found("HERDER"), ["service/helper", "service/herder", "cronjob/nightly-herder"]);
    assert_eq!(found("herder retries"), ["service/herder"]);
    assert_eq!(found("--kind cronjob"), ["cronjob/nightly-herder"]);
    assert_eq!(found("kind=service --owner night-shift"), ["service/herder"]);
    assert_eq!(found("--infrastructure cluster"), ["service/herder"]);
    assert_eq!(found("category=infrastructure"), ["infrastructure/bus"]);
    assert_eq!(found("--kind service nothing-like-it"), [""; 0]);
    assert_snapshot!(cli.run("list nothing-like-it"), @"
    --- stderr
    0 of 4 components · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    ");
}

#[test]
fn list_prints_the_built_in_inventory() {
    let cli = Cli::new();
    assert_snapshot!(cli.run("list kind=cronjob"), @"
    Cron jobs  small pieces of code that run regularly
      datawarehouse-backup          –
      datawarehouse-report-crawler  Watches the mailing list archive for CKI result mails and submits the reports to DataWarehouse.
      git-cache-updater             Mirrors kernel and other repositories into an S3 bucket that pipelines use instead of full clones.
    ▸ gitlab-ci-bot                 Runs canary pipelines with merge request code when asked by a comment to @cki-ci-bot.
    ▸ gitrepo-trigger               Triggers pipelines when the HEAD commit of a watched branch changes.
      lookaside-kernel-configs      –
      lookaside-static              Syncs the lookaside git repository to an S3 bucket so that tests can fetch files without SSL.       infra · ocp45
      orphan-hunter                 Deletes Kubernetes Pods spawned by gitlab-runner whose GitLab job has already finished.
    --- stderr
    8 of 44 components · inventory: CKI, built in · ▸ can be run: `cki run-local NAME`
    --- exit 0
    ");
    let all = cli.run("list -o json").ends_with(0).json();
    assert_eq!(all["components"].as_array().map(Vec::len), Some(44));
    assert_eq!((&all["origin"], &all["total"]), (&"built in".into(), &44.into()));
}

#[test]
fn list_uses_colour_on_terminals_and_on_request() {
    let cli = cli();
    let is_coloured = |call: Call<'_>| call.end().ends_with(0).stdout.contains('\x1b');
    assert!(is_coloured(cli.call("list").terminal(80)));
    assert!(is_coloured(cli.call("list --color always")));
    assert!(!is_coloured(cli.call("list")));
    assert!(!is_coloured(cli.call("list").terminal(80).set("NO_COLOR", "1")));
    assert!(!is_coloured(cli.call("list").terminal(80).set("TERM", "dumb")));
}

#[test]
fn long_results_go_through_the_pager_on_a_terminal() {
    let cli = cli();
    let paged = |command: &str, columns: Option<u16>| {
        let call = cli.call(command).set("PAGER", "sed 's/^/paged: /'");
        let call = columns.into_iter().fold(call, Call::terminal);
        call.end().ends_with(0).stdout.contains("paged: ")
    };
    for command in ["list", "list -o wide", "list services", "graph herder"] {
        assert!(paged(command, Some(80)), "{command}");
    }
    for command in ["list --no-pager", "list -o name", "list -o json"] {
        assert!(!paged(command, Some(80)), "{command}");
    }
    assert!(!paged("list", None), "a program reads the list itself");
    assert!(job_control(&cli, "cki list").contains("paged: "), "a shell runs it in the foreground");
    // A pager in the background would be suspended for ever.
    let in_background = job_control(&cli, "cki list & wait");
    assert!(in_background.contains("herder") && !in_background.contains("paged: "), "{in_background}");
}

/// Runs a command line in a shell with job control on a terminal of its own.
fn job_control(cli: &Cli, line: &str) -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_cki"));
    let directory = program.parent().expect("is in a directory").display();
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &format!("bash -mc '{line}'"), "/dev/null"]).env_clear();
    script.env("PATH", format!("{directory}:/usr/bin:/bin")).env("HOME", cli.project());
    script.env("PAGER", "sed 's/^/paged: /'").stdin(std::process::Stdio::null());
    let outcome = script.output().expect("`script` of bsdutils is there");
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}

#[test]
fn list_quiet_prints_data_only() {
    assert_snapshot!(cli().run("list -q bus"), @"
    Infrastructure
      bus  A message bus.
    --- exit 0
    ");
}

#[test]
fn list_and_show_strip_control_characters() {
    let cli = Cli::new();
    let description = r#""red \e[31m, a bell \a, a new\nline, backwards \u202E""#;
    let text = r#"components: [{name: a, category: x, description: DESCRIPTION, people: ["\e]0;title\a"], kind: "\e[2J"}]"#;
    cli.inventory(&text.replace("DESCRIPTION", description));
    for line in ["list", "show a"] {
        let outcome = cli.call(line).terminal(160).set("NO_COLOR", "1").end().ends_with(0);
        let alive = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!outcome.stdout.contains(alive), "{:?}", outcome.stdout);
    }
    assert_snapshot!(cli.run("list"), @"
    x
      a  red , a bell , a new
    --- stderr
    1 component · inventory: untitled, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    ");
}

#[test]
fn usage_errors_exit_with_2() {
    let cli = cli();
    assert_snapshot!(cli.run("lst"), @"
    --- stderr
    error: `cki` has no command `lst`.
    hint: did you mean `list`?
    --- exit 2
    ");
    assert_snapshot!(cli.run("show"), @"
    --- stderr
    error: `cki show` needs `<COMPONENT>...`.
    hint: usage: `cki show <COMPONENT>...`.
    --- exit 2
    ");
    assert_snapshot!(cli.run("list -o yml"), @"
    --- stderr
    error: this command has no output format `yml` (did you mean `yaml`?); choose `text`, `wide`, `name`, `json` or `yaml`.
    hint: `cki list --help` shows its usage.
    --- exit 2
    ");
    assert_snapshot!(cli.run("clone herder --jobs 0"), @"
    --- stderr
    error: `0` is not a value of `--jobs <N>`: it must be from 1 to 64.
    hint: `cki clone --help` shows its usage.
    --- exit 2
    ");
}
