//! Tests of `cki show`.

use insta::assert_snapshot;

use super::list::cli;
use crate::support::cli::Cli;

#[test]
fn show_prints_all_fields() {
    assert_snapshot!(cli().run("show herder"), @r"
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
    Depends on      listens  infrastructure/bus      (inferred)
                    reads    external/gitlab         (missing)
                    calls    service/helper
                    runs on  infrastructure/cluster  (missing)
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
    ");
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
    assert_snapshot!(cli().call("show herder --color never").terminal(80).end(), @r"
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
    Depends on      listens  infrastructure/bus      (inferred)
                    reads    external/gitlab         (missing)
                    calls    service/helper
                    runs on  infrastructure/cluster  (missing)
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
    Written in      inventory.yaml
    --- exit 0
    ");
}

#[test]
fn show_prints_json() {
    let shown = cli().run("show herder -o json").ends_with(0).json();
    let dependencies = serde_json::json!([
        {"verb": "listens", "target": "infrastructure/bus", "missing": false, "inferred": true},
        {"verb": "reads", "target": "external/gitlab", "missing": true, "inferred": false},
        {"verb": "calls", "target": "service/helper", "missing": false, "inferred": false},
        {"verb": "runs on", "target": "infrastructure/cluster", "missing": true, "inferred": false},
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
    Depends on      writes   storage/s3-aws-arr
                    clones   external/gitlab-com   (missing)
                    runs on  infrastructure/ocp45
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
