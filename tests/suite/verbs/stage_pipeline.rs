//! `cki stage --via pipeline` and `--help-bot` through the real program. The rules of the requests are tested in
//! `gitlab::pipeline`.

use cki::demo::gitlab::{StandIn, StandInConfig, StandInOptions, TimeScale};
use insta::assert_snapshot;

use crate::support::cli::Cli;

const TRIGGER: &str = "glptt-not-a-real-token";

fn stand_in() -> StandIn {
    let text = include_str!("../../fixtures/gitlab.yaml");
    let config = StandInConfig::parse("gitlab.yaml", text).expect("is valid");
    let began = "2026-11-22T10:00:00Z".parse().expect("is a time");
    StandIn::start(StandInOptions { config, pace: TimeScale::Live(1_000_000.0), began, port: 0 })
        .expect("starts")
}

#[test]
fn stage_via_pipeline_shows_and_starts_one_call() {
    let gitlab = stand_in();
    let mut cli = Cli::new();
    cli.set("CKI_GITLAB_URL", gitlab.url());
    cli.set("CKI_GITLAB_TOKEN", "alice-not-a-real-token");
    cli.set("CKI_STAGE_INTERVAL", "1");
    cli.inventory(
        "production: {hosts: ['*.prod.example.org']}
categories: []
components:
  - name: tools
    category: service
    stage:
      via: pipeline
      project: group/tools
      pipeline:
        kind: branch
        variables: {ENVIRONMENT: staging}
        inputs: {environment: staging}
      parameters: [{name: TAG, type: image-tag}, {name: ARCH, values: [x86_64, aarch64]}, {name: URL}]
  - name: deployed
    category: service
    stage:
      project: group/tools
      pipeline: {kind: trigger, project: group/deploy, ref: main, token_variable: A_TRIGGER_TOKEN}
",
    );
    let stage = |rest: &str| cli.run(&format!("stage --mr 213 --component tools {rest}"));
    assert_snapshot!(stage("--set TAG=mr-213 -n"), @r#"
    --- stderr
    group/tools !213  Retry on infra errors  head 9c41d0e
    Sends POST /api/v4/projects/group%2Ftools/pipeline
          {
            "ref": "retry",
            "variables": [
              {
                "key": "CKI_STAGE_REQUEST",
                "value": "9c41d0e0000000000000000000000000000000aa:745834a2411de706"
              },
              {
                "key": "ENVIRONMENT",
                "value": "staging"
              },
              {
                "key": "TAG",
                "value": "mr-213"
              }
            ],
            "inputs": {
              "environment": "staging"
            }
          }
    Nothing was started.
    --- exit 0
    "#);
    stage("--set TAG=latest -n").ends_with(2).says("the value must be `mr-` or `g-` and a number");
    stage("--set ARCH=x86-64 -n").ends_with(2).says("did you mean `x86_64`?");
    stage("--set ENVIRONMENT=production").ends_with(7).says("`ENVIRONMENT` is fixed by the entry");
    stage("--set URL=http://db.prod.example.org").ends_with(7).says("which belongs to production");
    stage("--rerun cki/1").ends_with(2).says("`--rerun` asks a bot");
    stage("--via kubernetes").ends_with(7).says("no context is named as staging");
    stage("--allow TAG").ends_with(2).says("`--allow` belongs to `--via kubernetes`");
    stage("--via nonsense").ends_with(2).says("`pipeline`");
    stage("--help-bot").ends_with(3).says("@cki-ci-bot has explained nothing on group/tools!213.");
    assert!(gitlab.requests().iter().all(|request| request.starts_with("GET")));

    let json = stage("--set TAG=mr-213 -y -o json").ends_with(0).json();
    assert_eq!((json["state"].as_str(), json["posted"].as_bool()), (Some("finished"), Some(true)), "{json}");
    assert_eq!(json["started_pipeline"], json["pipelines"][0]["id"], "{json}");
    assert_eq!(json["request"]["body"]["ref"], "retry");
    stage("--set TAG=mr-213 -y").ends_with(0).says("✔ success").says("The pipeline succeeded");

    let trigger = "stage --mr 213 --component deployed --via pipeline -y --no-wait --debug-http";
    cli.run(trigger).ends_with(5).says("trigger token in the environment variable `A_TRIGGER_TOKEN`");
    let started = cli.call(trigger).set("A_TRIGGER_TOKEN", TRIGGER).end().ends_with(0);
    started.says("POST /api/v4/projects/group%2Fdeploy/trigger/pipeline").says("$A_TRIGGER_TOKEN");
    let wrong = cli.call(trigger).set("A_TRIGGER_TOKEN", "glptt-wrong").end();
    let wrong = wrong.ends_with(3);
    for secret in [TRIGGER, "glptt-wrong"] {
        assert!(!format!("{wrong}").contains(secret), "{wrong}");
    }
}
