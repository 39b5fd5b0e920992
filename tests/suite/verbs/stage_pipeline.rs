//! `cki stage --via pipeline` and `--help-bot` through the real program. The rules of the requests are tested in
//! `gitlab::pipeline`.

use cki::demo::gitlab::TimeScale;
use insta::assert_snapshot;

use crate::support::stand_in::{ALICE, cli_of, stand_in};

const TRIGGER: &str = "glptt-not-a-real-token";
/// A second of the test is many days.
const AT_ONCE: TimeScale = TimeScale::Live(1_000_000.0);

#[test]
fn stage_via_pipeline_shows_and_starts_one_call() {
    let gitlab = stand_in(AT_ONCE, |_| ());
    let cli = cli_of(
        &gitlab,
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
      parameters: [{name: TAG, type: image-tag}, {name: ARCH, values: [x86_64, aarch64]}, {name: URL}, {name: DB_PASSWORD}]
  - name: asked
    category: service
    stage: {project: group/tools}
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
    stage("--set TAG=mr-213").ends_with(2).says("a pipeline needs a confirmation").says("add `--yes`");
    stage("--via bot").ends_with(2).says("a comment needs a confirmation").says("add `--yes`");
    stage("--help-bot").ends_with(3).says("@cki-ci-bot has explained nothing on group/tools!213.");
    // A secret value is sent, and shown nowhere; a comment would publish it.
    for flags in ["-n", "-n -o json", "-n --debug-http"] {
        let shown =
            stage(&format!("--set DB_PASSWORD=correcthorse99 {flags}")).ends_with(0).says("DB_PASSWORD");
        assert!(!shown.to_string().contains("correcthorse99"), "{flags}: {shown}");
    }
    for value in
        ["x=glpat-0123456789abcdef0123", "DB_PASSWORD=correcthorse99", "url=https://u:correcthorse99@h/x"]
    {
        let refused = cli.run(&format!("stage --mr 213 --component asked --set {value} -y"));
        let refused = refused.ends_with(7).says("everyone who sees the merge request reads the comment");
        assert!(!refused.to_string().contains("correcthorse99"), "{refused}");
    }
    assert!(gitlab.requests().iter().all(|request| request.starts_with("GET")));

    let json = stage("--set TAG=mr-213 -y -o json").ends_with(0).json();
    assert_eq!((json["state"].as_str(), json["posted"].as_bool()), (Some("finished"), Some(true)), "{json}");
    assert_eq!(json["started_pipeline"], json["pipelines"][0]["id"], "{json}");
    assert_eq!(json["request"]["body"]["ref"], "retry");
    let started = stage("--set TAG=mr-213 --set DB_PASSWORD=correcthorse99 -y --debug-http").ends_with(0);
    let started = started.says("✔ success").says("The pipeline succeeded");
    assert!(!started.to_string().contains("correcthorse99"), "{started}");

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

#[test]
fn stage_combines_merge_requests_of_other_components() {
    let gitlab = stand_in(AT_ONCE, |_| ());
    let cli = cli_of(
        &gitlab,
        "repos: {lib: 'https://gitlab.elsewhere.example/group/lib.git', other: 'https://h.example/group/other.git'}
categories: []
components:
  - {name: tools, category: service, stage: {project: group/tools}}
  - name: lib
    category: service
    sources: [{repo: lib}]
    stage: {override: {lib_pip_url: 'git+{{ url }}@{{ sha[:7] }}'}}
  - {name: other, category: service, sources: [{repo: other}]}
",
    );
    let plan = cli.run("stage tools --mr 213 --mr lib!45 -n").ends_with(0);
    let plan = plan.says("group/tools !213  Retry on infra errors  head 9c41d0e\nWith  group/lib !45  Wait longer  head aa45aa4");
    let plan = plan.says("[lib_pip_url=git+http://127.0.0.1:~PORT/group/lib.git@aa45aa4]");
    let plan = plan.says("Nothing was posted.");
    let same = cli.run("stage 213 --component tools --mr group/lib!45 -n").ends_with(0);
    assert_eq!(same.stderr, plan.stderr);
    let json = cli.run("stage tools --mr 213 --mr lib!45 -y --no-wait -o json").ends_with(0).json();
    assert_eq!(json["combined"][0]["merge_request"], "group/lib!45", "{json}");
    cli.run("stage status tools!213").ends_with(0).says("With group/lib!45 at aa45aa4.");
    let again = cli.run("stage tools --mr 213 --mr lib!45 --no-wait").ends_with(0);
    again.says("`cki stage --mr 213 --mr lib!45 --component tools` follows it.");
    for (words, exit, text) in [
        ("tools --mr 213 --mr 5", 2, "`group/tools!5` cannot be combined with `group/tools!213`: both are"),
        ("tools --mr 213 --mr other!1", 4, "the entry of `other` has no `stage.override`"),
        ("tools --mr 213 --mr group/none!1", 3, "no component of the inventory belongs to its project"),
        ("tools --mr 213 --mr none!1", 3, "no component `none`"),
        ("tools --component lib --mr 213", 2, "the command names `tools`, and `--component` names `lib`"),
        ("tools", 2, "name a merge request with `--mr`"),
        ("tools --mr lib!45", 2, "the merge request is of `lib`, and the command names `tools`"),
        ("lib --mr 45 --mr tools!213 --via kubernetes", 7, "no context is named as staging"),
    ] {
        cli.run(&format!("stage {words} -n")).ends_with(exit).says(text);
    }
}

#[test]
fn unstage_stops_the_environment_of_a_pipeline() {
    let gitlab = stand_in(AT_ONCE, |_| ());
    let cli = cli_of(
        &gitlab,
        "categories: []
components:
  - name: deep
    category: service
    stage: {via: pipeline, project: group/deep, environment: {name: 'review/{{ number }}'}}
  - name: careless
    category: service
    stage: {via: pipeline, project: group/deep, environment: {name: review/2}}
",
    );
    // Its staging reports the end of the pipeline there.
    let shown = cli.run("stage --mr 1 --component deep -n").ends_with(0);
    shown
        .says("Environment review/1  unchanged, at the end of the pipeline")
        .says("# POST /api/v4/projects/group%2Fdeep/deployments {\"environment\":\"review/1\"");
    let unstage = |rest: &str, token: &str| {
        cli.call(&format!("unstage --mr 1 --component {rest}")).set("CKI_GITLAB_TOKEN", token).end()
    };
    let plan = unstage("deep --dry-run", ALICE).ends_with(0);
    plan.says("Environment review/1  group/deep").says("Nothing was removed.");
    unstage("deep", ALICE).ends_with(2).says("add `--yes`");
    let nobody = unstage("deep --yes", "").ends_with(0).says("is not stopped: there is no token for");
    nobody.says("Nothing to remove.");
    unstage("deep --yes", "reader-not-a-real-token").ends_with(0).says("the token lacks the scope `api`");
    let careless = unstage("careless --yes", ALICE).ends_with(0);
    careless.says("it does not depend on `{{ number }}`").says("Nothing to remove.");
    assert!(gitlab.requests().iter().all(|request| request.starts_with("GET")));
    let json = unstage("deep --yes -o json", ALICE).ends_with(0).json();
    assert_eq!(json["environments"], serde_json::json!(["review/1"]), "{json}");
    assert_eq!(json["context"], serde_json::Value::Null);
    unstage("deep --yes", ALICE).ends_with(0).says("Nothing to remove.");
    let stopped = "POST /api/v4/projects/group%2Fdeep/environments/1/stop";
    assert_eq!(gitlab.requests().iter().filter(|request| *request == stopped).count(), 1);
}
