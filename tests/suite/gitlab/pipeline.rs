//! Staging by a pipeline of GitLab, from the request to the last job.

use std::sync::Arc;

use cki::base::secret::Secret;
use cki::demo::gitlab::{ControlFile, FaultKind, InjectedFault, StandIn};
use cki::model::event::Event;
use cki::model::guard::{Credentials, Guard};
use cki::model::inventory::{Inventory, InventoryDocument, ParameterDecl, PipelineDecl, StageVia};
use cki::model::staging::{PipelineRequest, PipelineStatus, StageParameter, StagingParameter};
use cki::ops::stage::{
    self, AskResult, CancelError, MethodOptions, MethodPlan, PipelineOptions, ProgressOptions, SentRequest,
    StageError, StagingResult, TriggerToken,
};
use cki::systems::gitlab::GitLabError;

use super::progress::of;
use super::stage::{TOOLS, Try, statuses};
use super::{ALICE, READER, client, config, inject_fault, stand_in, stand_in_of};

const HEAD: &str = "9c41d0e0000000000000000000000000000000aa";

pub(super) fn yaml<T: serde::de::DeserializeOwned>(text: &str) -> T {
    cki::base::yaml::parse("x.yaml", text).expect("is valid").0
}

/// Staging of a merge request by the pipeline that an entry describes.
pub(super) fn by_pipeline(stand_in: &Arc<StandIn>, project: &str, iid: u64, decl: &str, set: &[&str]) -> Try {
    let declared: Vec<ParameterDecl> = yaml(
        "[{name: TAG, type: image-tag}, {name: URL}, {name: lib_pip_url}, {name: level, type: number, input: true}]",
    );
    let declared: Vec<StageParameter> =
        declared.iter().map(|one| StageParameter::from_inventory(one).expect("is valid")).collect();
    let chosen = set.iter().map(|text| StagingParameter::parse_for_pipeline(text).expect("can be sent"));
    let decl: PipelineDecl = yaml(decl);
    let text = "production: {hosts: ['*.prod.example.org']}\ncategories: []\ncomponents: []\n".into();
    let head = InventoryDocument { file: "inventory.yaml".to_owned(), text, reference: None };
    let inventory = Inventory::read("here", vec![head]).expect("is one");
    let credentials = Credentials::read("c.yaml", "{marks: [], rules: []}").expect("reads");
    let token = decl.token_variable.as_ref().map(|variable| TriggerToken {
        variable: variable.clone(),
        secret: Some(Secret::new("glptt-not-a-real-token")),
    });
    let options = PipelineOptions {
        request: PipelineRequest::new(&decl, chosen.collect(), &declared).expect("is valid"),
        declared,
        component: "tools".to_owned(),
        guard: Arc::new(Guard::new(&inventory, credentials)),
        token,
        environment: None,
    };
    let mut attempt = Try::new(stand_in, project, iid);
    attempt.staging.method = MethodOptions::Pipeline(options);
    attempt
}

fn posts(stand_in: &StandIn) -> usize {
    stand_in.requests().iter().filter(|request| request.starts_with("POST")).count()
}

pub(super) const BRANCH: &str = "{kind: branch, variables: {ENVIRONMENT: staging, IMAGE: 'mr-{{ number }}'}, inputs: {environment: staging}}";

#[tokio::test]
async fn pipeline_of_a_branch_is_started_once_and_followed() {
    let stand_in = stand_in();
    let mut dry = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &["TAG=mr-213", "level=2"]);
    dry.options.dry_run = true;
    let outcome = dry.run().await.expect("changes nothing");
    let SentRequest::Call(call) = &outcome.request else { panic!("a call: {outcome:?}") };
    assert_eq!((call.method, call.path.as_str()), ("POST", "/api/v4/projects/group%2Ftools/pipeline"));
    let marker = call.body["variables"][0]["value"].as_str().expect("is a text");
    assert!(marker.starts_with(&format!("{HEAD}:")), "{marker}");
    assert_eq!(
        call.body,
        serde_json::json!({
            "ref": "retry",
            "variables": [
                {"key": "CKI_STAGE_REQUEST", "value": marker},
                {"key": "ENVIRONMENT", "value": "staging"},
                {"key": "IMAGE", "value": "mr-213"},
                {"key": "TAG", "value": "mr-213"},
            ],
            "inputs": {"environment": "staging", "level": 2},
        })
    );
    assert_eq!(posts(&stand_in), 0);

    let first = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &["TAG=mr-213", "level=2"]);
    let outcome = first.run().await.expect("is started");
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(statuses(&outcome), ["branch retry success"]);
    let AskResult::Started(started) = &outcome.asked else { panic!("started: {outcome:?}") };
    assert_eq!((started.project.as_str(), started.sha.as_str()), (TOOLS, HEAD));
    assert_eq!(started.url, format!("{}/group/tools/-/pipelines/{}", stand_in.url(), started.id));
    let again = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &["level=2", "TAG=mr-213"])
        .run()
        .await
        .expect("continues");
    assert!(matches!(&again.asked, AskResult::Resumed(found) if found.id == started.id), "{:?}", again.asked);
    assert_eq!(posts(&stand_in), 1);
    let other = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &["TAG=mr-214"]).run().await.expect("is started");
    assert!(matches!(&other.asked, AskResult::Started(_)), "other values: {:?}", other.asked);
    let mut forced = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &["TAG=mr-213", "level=2"]);
    forced.options.force = true;
    assert!(matches!(forced.run().await.expect("is started").asked, AskResult::Started(_)));
    assert_eq!(posts(&stand_in), 3);
}

#[tokio::test]
async fn pipeline_of_a_merge_request_may_run_on_its_merge() {
    let stand_in = stand_in();
    let outcome = by_pipeline(&stand_in, TOOLS, 213, "{}", &[]).run().await.expect("is started");
    assert_eq!(statuses(&outcome), ["merge-request refs/merge-requests/213/head success"]);
    let merged = || by_pipeline(&stand_in, "group/merged", 1, "{}", &[]);
    let outcome = merged().run().await.expect("is started");
    assert_eq!(statuses(&outcome), ["merge-request refs/merge-requests/1/merge failed"]);
    assert_eq!(outcome.pipelines[0].failed[0].name, "build x86_64");
    // An earlier one is found by the merged commit, too.
    let outcome = merged().run().await.expect("continues");
    assert!(matches!(outcome.asked, AskResult::Resumed(_)), "{:?}", outcome.asked);
    let (project, sha) = ("group/merged".to_owned(), "7".repeat(40));
    stand_in.control(ControlFile::MoveHead { project, iid: 1, sha }).expect("is taken");
    assert!(!merged().plan().await.expect("can be staged").is_requested(), "another commit");
}

#[tokio::test]
async fn pipeline_with_inputs_alone_is_not_mistaken_for_another() {
    let stand_in = stand_in();
    let decl = "{kind: branch, inputs: {environment: staging}}";
    let attempt = || by_pipeline(&stand_in, "group/merged", 1, decl, &[]);
    let outcome = attempt().run().await.expect("is started without a variable");
    assert!(matches!(outcome.asked, AskResult::Started(_)), "{:?}", outcome.asked);
    let error = attempt().run().await.expect_err("its inputs are hidden");
    assert!(matches!(error, StageError::Incomparable { .. }), "{error}");
    assert_eq!(posts(&stand_in), 1);
    let decl = "{kind: branch, variables: {A: b}}";
    let error = by_pipeline(&stand_in, "group/merged", 1, decl, &[]).run().await.expect_err("is refused");
    assert!(error.to_string().contains("Insufficient permissions to set pipeline variables"), "{error}");
}

#[tokio::test]
async fn pipeline_of_a_trigger_hides_its_token() {
    let stand_in = stand_in();
    let decl = "{kind: trigger, project: group/deploy, ref: main, token_variable: DEPLOY_TRIGGER_TOKEN, variables: \
                {ENVIRONMENT: staging, SHA: '{{ sha }}'}}";
    let mut attempt = by_pipeline(&stand_in, TOOLS, 213, decl, &[]);
    attempt.options.no_wait = true;
    let plan = attempt.plan().await.expect("can be staged");
    let MethodPlan::Pipeline(pipeline) = &plan.method else { panic!("a pipeline: {plan:?}") };
    assert_eq!(pipeline.preview.path, "/api/v4/projects/group%2Fdeploy/trigger/pipeline");
    assert_eq!(pipeline.preview.body["token"], "$DEPLOY_TRIGGER_TOKEN");
    assert_eq!(pipeline.preview.body["variables"]["SHA"], HEAD);
    assert!(!format!("{plan:?}").contains("glptt"), "{plan:?}");
    let outcome = attempt.run_plan(plan).await.expect("is started");
    assert!(
        matches!(&outcome.asked, AskResult::Started(one) if one.project == "group/deploy"),
        "{outcome:?}"
    );
    // Alice may start it, and not see it.
    attempt.options.no_wait = false;
    let outcome = attempt.run().await.expect("is started");
    assert!(
        matches!(&outcome.ended, StagingResult::Lost(StageError::GitLab(GitLabError::NotFound { .. }))),
        "{outcome:?}"
    );
    let mut bob = by_pipeline(&stand_in, TOOLS, 213, decl, &[]);
    bob.token = Some("bob-not-a-real-token");
    let outcome = bob.run().await.expect("continues");
    assert!(outcome.succeeded() && matches!(outcome.asked, AskResult::Resumed(_)), "{outcome:?}");
    let MethodOptions::Pipeline(options) = &mut attempt.staging.method else { panic!("a pipeline") };
    options.token.as_mut().expect("has one").secret = None;
    let error = attempt.run().await.expect_err("has no token");
    assert!(matches!(error, StageError::NoTriggerToken { .. }), "{error}");
    assert_eq!(posts(&stand_in), 2);
}

#[tokio::test]
async fn pipeline_is_bound_to_the_commit_that_was_shown() {
    let stand_in = stand_in();
    let attempt = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &[]);
    let plan = attempt.plan().await.expect("can be staged");
    let moved = |digit: &str| (TOOLS.to_owned(), digit.repeat(40));
    let (project, sha) = moved("b");
    stand_in.control(ControlFile::MoveHead { project, iid: 213, sha }).expect("is taken");
    let error = attempt.run_plan(plan).await.expect_err("is not what was shown");
    assert!(matches!(error, StageError::HeadMoved { .. }), "{error}");
    assert_eq!(posts(&stand_in), 0);
    // A push after the check, and before the pipeline.
    let (project, sha) = moved("c");
    stand_in.control(ControlFile::MoveHeadBeforePipeline { project, iid: 213, sha }).expect("is taken");
    let error = attempt.run().await.expect_err("runs on another commit");
    assert!(matches!(&error, StageError::OtherCommit { sha, .. } if *sha == "c".repeat(40)), "{error}");
    // A push while it runs is said.
    let push = stand_in.clone();
    let attempt = attempt.on_event(move |event| {
        if matches!(event, Event::Pipeline(one) if one.status == PipelineStatus::Running) {
            let (project, sha) = moved("d");
            push.control(ControlFile::MoveHead { project, iid: 213, sha }).expect("is taken");
        }
    });
    assert!(attempt.run().await.expect("is started").succeeded());
    assert!(
        attempt.recorder.warnings()[0].contains("has a new head commit"),
        "{:?}",
        attempt.recorder.warnings()
    );
}

#[tokio::test]
async fn pipeline_is_never_started_twice_after_a_lost_response() {
    for (decl, done) in [("{}", true), (BRANCH, true), (BRANCH, false)] {
        for kind in [FaultKind::Reset, FaultKind::Status(502)] {
            let stand_in = stand_in();
            let path = if decl == BRANCH { "/pipeline" } else { "/pipelines" }.to_owned();
            let fault =
                InjectedFault { method: Some("POST".to_owned()), path, after: 0, times: 1, done, kind };
            stand_in.control(ControlFile::Misbehave(fault)).expect("is taken");
            let outcome = by_pipeline(&stand_in, TOOLS, 213, decl, &[]).run().await.expect("is started");
            assert!(outcome.succeeded(), "{outcome:?}");
            assert!(matches!(&outcome.asked, AskResult::Started(_)), "{:?}", outcome.asked);
            // The stand-in numbers pipelines one after the other.
            assert_eq!(outcome.pipelines[0].id, Some(620_901), "{decl} {done}");
            assert!(!done || posts(&stand_in) == 1, "{decl} {done}");
        }
    }
}

#[tokio::test]
async fn pipeline_requests_without_rights_or_with_production_send_nothing() {
    let stand_in = stand_in();
    let url = ["URL=https://db.prod.example.org/x"];
    let error = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &url).plan().await.expect_err("names production");
    let error = error.to_string();
    assert!(error.contains("`URL` of `tools` (of the pipeline) names `db.prod.example.org`"), "{error}");
    let mut reader = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &[]);
    reader.token = Some(READER);
    let error = reader.run().await.expect_err("may only read");
    assert!(error.to_string().contains("which starting a pipeline of `group/tools!213` needs"), "{error}");
    reader.token = None;
    let error = reader.run().await.expect_err("is nobody");
    assert!(
        error.to_string().starts_with("starting a pipeline of `group/tools!213` needs a token"),
        "{error}"
    );
    let mut bob = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &[]);
    bob.token = Some("bob-not-a-real-token");
    let error = bob.run().await.expect_err("is no developer");
    assert!(matches!(error, StageError::GitLab(GitLabError::Forbidden { .. })), "{error}");
    // What answers something else than GitLab is not taken for a pipeline.
    inject_fault(&stand_in, "POST", "/pipeline", 1, FaultKind::Page);
    let error = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &[]).run().await.expect_err("is not GitLab");
    assert!(matches!(error, StageError::GitLab(GitLabError::NotGitLab { .. })), "{error}");
}

#[tokio::test]
async fn started_pipelines_are_canceled_by_those_who_started_them() {
    let mut config = config();
    for project in config.projects.iter_mut().filter(|one| one.path == "group/deploy") {
        project.members.insert("alice".to_owned(), 40);
    }
    let stand_in = stand_in_of(config);
    let decl = "{kind: trigger, project: group/deploy, ref: main, token_variable: DEPLOY_TRIGGER_TOKEN, variables: {A: b}}";
    let progress =
        ProgressOptions { via: StageVia::Pipeline, pipeline: Some(Box::new(yaml(decl))), ..of(TOOLS, 213) };
    let (bob, _) = client(&stand_in, Some("bob-not-a-real-token"));
    let error = stage::plan_cancel(&bob, &progress).await.expect_err("nothing was started");
    assert!(matches!(error, CancelError::Stage(StageError::NotRequested { .. })), "{error}");
    let mut attempt = by_pipeline(&stand_in, TOOLS, 213, decl, &[]);
    attempt.options.no_wait = true;
    attempt.run().await.expect("is started");
    // The trigger token acts in the name of Bob.
    let (alice, _) = client(&stand_in, Some(ALICE));
    let error = stage::plan_cancel(&alice, &progress).await.expect_err("is Bob's");
    assert!(matches!(&error, CancelError::NotYours { by, .. } if by == "bob"), "{error}");
    let mut plan = stage::plan_cancel(&bob, &progress).await.expect("is his");
    assert_eq!((plan.requested_by.as_str(), plan.pipelines.len()), ("bob", 1));
    stage::cancel(&bob, &mut plan).await.expect("is canceled");
    assert_eq!(plan.pipelines[0].status, PipelineStatus::Canceled);
    assert!(stage::plan_cancel(&bob, &progress).await.expect("is read").pipelines.is_empty());

    // A pipeline of the merge request has no marker: its starter and the head tell whose it is, also on a merge of the head.
    for (project, iid) in [(TOOLS, 213), ("group/merged", 1)] {
        let progress = ProgressOptions {
            via: StageVia::Pipeline,
            pipeline: Some(Box::new(yaml("{}"))),
            ..of(project, iid)
        };
        let error = stage::plan_cancel(&alice, &progress).await.expect_err("nothing was started");
        assert!(matches!(error, CancelError::Stage(StageError::NotRequested { .. })), "{error}");
        let mut attempt = by_pipeline(&stand_in, project, iid, "{}", &[]);
        attempt.options.no_wait = true;
        attempt.run().await.expect("is started");
        let error = stage::plan_cancel(&bob, &progress).await.expect_err("is Alice's");
        assert!(matches!(&error, CancelError::NotYours { by, .. } if by == "alice"), "{error}");
        let mut plan = stage::plan_cancel(&alice, &progress).await.expect("is hers");
        assert_eq!((plan.requested_by.as_str(), plan.pipelines.len()), ("alice", 1), "{plan:?}");
        stage::cancel(&alice, &mut plan).await.expect("is canceled");
        assert_eq!(plan.pipelines[0].status, PipelineStatus::Canceled);
        // Of another head, it is nobody's.
        let moved = ControlFile::MoveHead { project: project.to_owned(), iid, sha: "8".repeat(40) };
        stand_in.control(moved).expect("is taken");
        let error = stage::plan_cancel(&alice, &progress).await.expect_err("nothing was started");
        assert!(matches!(error, CancelError::Stage(StageError::NotRequested { .. })), "{error}");
    }
}
