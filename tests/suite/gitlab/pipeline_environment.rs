//! The environment of GitLab that stands for a staging by a pipeline.

use std::sync::Arc;

use cki::demo::gitlab::{DeploymentConfig, EnvironmentConfig, StandIn};
use cki::model::inventory::StageEnvironmentDecl;
use cki::model::staging::PipelineStatus;
use cki::ops::stage::{EnvironmentChange, MethodOptions, StageOutcome};

use super::pipeline::{BRANCH, by_pipeline};
use super::stage::{TOOLS, Try};
use super::{ALICE, client, config, stand_in, stand_in_of};

const NAME: &str = "review/213";

fn with_environment(stand_in: &Arc<StandIn>, decl: &str, set: &[&str]) -> Try {
    let mut attempt = by_pipeline(stand_in, TOOLS, 213, decl, set);
    let MethodOptions::Pipeline(options) = &mut attempt.staging.method else { panic!("is a pipeline") };
    options.environment = Some(StageEnvironmentDecl {
        name: "review/{{ number }}".to_owned(),
        url: Some("https://mr-{{ number }}.example".to_owned()),
    });
    attempt
}

fn changes(stand_in: &StandIn) -> Vec<String> {
    let is_change = |one: &String| !one.starts_with("GET") && !one.ends_with("/pipeline");
    stand_in.requests().into_iter().filter(is_change).collect()
}

fn change(outcome: &StageOutcome) -> &EnvironmentChange {
    &outcome.environment.as_ref().expect("is planned").change
}

#[tokio::test]
async fn pipelines_report_their_end_to_the_environment() {
    let stand_in = stand_in();
    let mut dry = with_environment(&stand_in, BRANCH, &[]);
    dry.options.dry_run = true;
    let outcome = dry.run().await.expect("changes nothing");
    let sent = outcome.environment.as_ref().expect("is planned").previews();
    let sent: Vec<(&str, &str)> = sent.iter().map(|one| (one.method, one.path.as_str())).collect();
    let paths = ["environments", "deployments"].map(|last| format!("/api/v4/projects/group%2Ftools/{last}"));
    assert_eq!(sent, [("POST", paths[0].as_str()), ("POST", paths[1].as_str())]);
    let mut unfollowed = with_environment(&stand_in, BRANCH, &[]);
    unfollowed.options.no_wait = true;
    unfollowed.run().await.expect("is started");
    assert_eq!(changes(&stand_in), Vec::<String>::new(), "its end is not known");

    // The same request follows it, and reports the end once.
    for _ in 0..2 {
        let outcome = with_environment(&stand_in, BRANCH, &[]).run().await.expect("continues");
        assert!(outcome.succeeded(), "{outcome:?}");
        assert_eq!(changes(&stand_in), paths.clone().map(|path| format!("POST {path}")));
    }
    let (alice, _) = client(&stand_in, Some(ALICE));
    let found = alice.find_environment(TOOLS, NAME).await.expect("is read").expect("is there");
    assert_eq!(found.external_url.as_deref(), Some("https://mr-213.example"));
    let deployed = alice.deployments(TOOLS).await.expect("are read");
    assert_eq!((deployed.len(), &deployed[0].status), (1, &PipelineStatus::Success));
}

#[tokio::test]
async fn environments_of_jobs_and_without_rights_are_left_alone() {
    let mut config = config();
    let project = config.projects.iter_mut().find(|one| one.path == TOOLS).expect("is there");
    let (state, name) = ("available".to_owned(), NAME.to_owned());
    project.environments.push(EnvironmentConfig {
        name,
        url: None,
        state,
        auto_stop_at: None,
        tier: None,
        sha: None,
    });
    project.deployments.push(DeploymentConfig {
        environment: NAME.to_owned(),
        sha: "b".repeat(40),
        status: PipelineStatus::Success,
        job: Some("deploy review".to_owned()),
        user: None,
        created_at: None,
    });
    let stand_in = stand_in_of(config);
    let outcome = with_environment(&stand_in, BRANCH, &[]).run().await.expect("is started");
    assert!(outcome.succeeded() && matches!(change(&outcome), EnvironmentChange::OfJob), "{outcome:?}");
    // Without a right to change environments, the pipeline is the same.
    let trigger = "{kind: trigger, project: group/deploy, ref: main, token_variable: DEPLOY_TRIGGER_TOKEN, variables: {A: b}}";
    let mut nobody = with_environment(&stand_in, trigger, &[]);
    (nobody.token, nobody.options.no_wait) = (None, true);
    let outcome = nobody.run().await.expect("is started");
    let EnvironmentChange::Skipped(why) = change(&outcome) else { panic!("is skipped: {outcome:?}") };
    assert!(why.starts_with("there is no token"), "{why}");
    let is_start = |one: &String| one.ends_with("/trigger/pipeline");
    assert!(changes(&stand_in).iter().all(is_start), "{:?}", changes(&stand_in));
}
