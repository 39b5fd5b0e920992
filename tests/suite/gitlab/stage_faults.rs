//! Staging while everything goes wrong that can: the server, the network, and people.

use std::time::Duration;

use cki::demo::gitlab::{ControlFile, FaultKind, InjectedFault};
use cki::model::event::Event;
use cki::model::staging::PipelineStatus;
use cki::ops::stage::{AskResult, StageError, StagingResult};
use cki::systems::gitlab::GitLabError;

use super::stage::{TOOLS, Try, statuses};
use super::{ALICE, inject_fault, stand_in};

/// Breaks requests after so many were let through.
fn delayed_fault(method: &str, path: &str, after: u32, times: u32, how: FaultKind) -> ControlFile {
    let (method, path) = (Some(method.to_owned()), path.to_owned());
    ControlFile::Misbehave(InjectedFault { method, path, after, times, done: false, kind: how })
}

#[tokio::test]
async fn stage_never_posts_twice_after_a_lost_response() {
    for how in [
        FaultKind::Reset,
        FaultKind::Status(502),
        FaultKind::Status(504),
        FaultKind::Truncated,
        FaultKind::HalfJson,
    ] {
        for done in [true, false] {
            let stand_in = stand_in();
            // These two always carry the request out: it is their answer that is broken.
            if done && matches!(how, FaultKind::Truncated | FaultKind::HalfJson) {
                continue;
            }
            let mut attempt = Try::new(&stand_in, TOOLS, 213);
            attempt.options.no_wait = true;
            let (method, path) = (Some("POST".to_owned()), "/notes".to_owned());
            let fault = InjectedFault { method, path, after: 0, times: 1, done, kind: how.clone() };
            stand_in.control(ControlFile::Misbehave(fault)).expect("is taken");
            let outcome = attempt.run().await.expect("is asked");
            assert!(matches!(outcome.asked, AskResult::Posted(_)));
            assert_eq!(attempt.asked(), 1, "{how:?} {done}");
        }
    }
}

#[tokio::test]
async fn stage_reports_an_uncertain_comment() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, TOOLS, 213);
    let plan = attempt.plan().await.expect("can be staged");
    inject_fault(&stand_in, "POST", "/notes", 1, FaultKind::Reset);
    stand_in.control(delayed_fault("GET", "/notes", 1, 5, FaultKind::Reset)).expect("is taken");
    let error = attempt.run_plan(plan).await.expect_err("is not known");
    assert_eq!(error.to_string(), "it is not known whether the comment on `group/tools!213` was posted");
    assert!(matches!(error, StageError::Uncertain { .. }));
    inject_fault(&stand_in, "POST", "/notes", 3, FaultKind::Status(500));
    let error = attempt.run().await.expect_err("never arrives");
    assert!(matches!(error, StageError::GitLab(GitLabError::Server { status: 500, .. })), "{error}");
    assert_eq!(attempt.asked(), 0);
}

#[tokio::test]
async fn stage_survives_transient_server_errors() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, TOOLS, 213);
    let limit = FaultKind::TooMany { retry_after: Some("30".into()), reset_in: None };
    let bare = FaultKind::TooMany { retry_after: None, reset_in: None };
    for (after, how) in
        [limit, bare, FaultKind::Status(500), FaultKind::Truncated, FaultKind::HalfJson, FaultKind::Reset]
            .into_iter()
            .enumerate()
    {
        let after = 10 + 15 * u32::try_from(after).expect("is small");
        stand_in.control(delayed_fault("GET", "", after, 3, how)).expect("is taken");
    }
    let outcome = attempt.run().await.expect("is asked");
    assert!(outcome.succeeded(), "{outcome:?}");
    assert!(attempt.recorder.warnings().is_empty(), "{:?}", attempt.recorder.warnings());
}

#[tokio::test]
async fn stage_survives_an_outage_up_to_a_limit() {
    for (failures, lost) in [(60, false), (100_000, true)] {
        let stand_in = stand_in();
        let attempt = Try::new(&stand_in, TOOLS, 213);
        stand_in
            .control(delayed_fault("GET", "/pipelines/", 4, failures, FaultKind::Status(503)))
            .expect("is taken");
        let outcome = attempt.run().await.expect("is asked");
        let warnings = attempt.recorder.warnings();
        assert_eq!(warnings.len(), 1, "said once: {warnings:?}");
        assert!(warnings[0].contains("(status 503)"), "{warnings:?}");
        assert_eq!(outcome.succeeded(), !lost, "{outcome:?}");
        if lost {
            assert!(matches!(
                &outcome.ended,
                StagingResult::Lost(StageError::GitLab(GitLabError::Server { .. }))
            ));
            assert_eq!(outcome.pipelines.len(), 2, "what was known stays known");
        }
    }
}

#[tokio::test]
async fn stage_ends_when_the_token_expires() {
    let stand_in = stand_in();
    let expire = stand_in.clone();
    let attempt = Try::new(&stand_in, TOOLS, 213).on_event(move |event| {
        if matches!(event, Event::Pipeline(one) if one.status == PipelineStatus::Running) {
            expire.control(ControlFile::Expire { token: ALICE.into() }).expect("is taken");
        }
    });
    let outcome = attempt.run().await.expect("is asked");
    let StagingResult::Lost(StageError::GitLab(error)) = &outcome.ended else {
        panic!("{:?}", outcome.ended)
    };
    assert!(matches!(error, GitLabError::Unauthorised { had_token: true, .. }), "{error}");
    assert_eq!(statuses(&outcome)[0], "cki main running");
}

#[tokio::test]
async fn stage_warns_of_a_push_and_refuses_an_outdated_plan() {
    let stand_in = stand_in();
    let push = stand_in.clone();
    let attempt = Try::new(&stand_in, TOOLS, 213).on_event(move |event| {
        if matches!(event, Event::Pipeline(one) if one.status == PipelineStatus::Pending) {
            let project = TOOLS.to_owned();
            push.control(ControlFile::MoveHead { project, iid: 213, sha: "b".repeat(40) }).expect("is taken");
            let (project, state) = (TOOLS.to_owned(), "merged".to_owned());
            push.control(ControlFile::SetState { project, iid: 213, state }).expect("is taken");
        }
    });
    let plan = attempt.plan().await.expect("can be staged");
    let outcome = attempt.run_plan(plan.clone()).await.expect("is asked");
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(
        attempt.recorder.warnings(),
        [
            "`group/tools!213` has a new head commit, bbbbbbbbbbb…; the followed pipelines were requested for 9c41d0e0000….",
            "`group/tools!213` is merged now.",
        ]
    );
    let (project, state) = (TOOLS.to_owned(), "opened".to_owned());
    stand_in.control(ControlFile::SetState { project, iid: 213, state }).expect("is taken");
    let error = attempt.run_plan(plan).await.expect_err("is not what was shown");
    assert!(matches!(&error, StageError::HeadMoved { .. }), "{error}");
    assert_eq!(attempt.asked(), 1);
}

#[tokio::test]
async fn stage_ends_when_the_request_is_deleted() {
    let stand_in = stand_in();
    let mut attempt = Try::new(&stand_in, TOOLS, 213);
    attempt.options.no_wait = true;
    attempt.run().await.expect("is asked");
    let plan = attempt.plan().await.expect("can be staged");
    // Gone after it was found, before anybody answered.
    let delete = stand_in.clone();
    let mut attempt = attempt.on_event(move |event| {
        if matches!(event, Event::Finished { subject, .. } if subject == "asked") {
            delete.control(ControlFile::DeleteNote { id: 1_830_041 }).expect("is taken");
        }
    });
    attempt.options.no_wait = false;
    let outcome = attempt.run_plan(plan).await.expect("is found");
    assert!(
        matches!(&outcome.ended, StagingResult::Lost(StageError::RequestDeleted { .. })),
        "{:?}",
        outcome.ended
    );
}

#[tokio::test]
async fn stage_follows_pipelines_after_the_answer_is_deleted() {
    for hidden in [false, true] {
        let stand_in = stand_in();
        for project in ["group/pipelines", "group/sub/pipelines"].into_iter().filter(|_| hidden) {
            let project = project.to_owned();
            stand_in.control(ControlFile::HidePipelines { project }).expect("is taken");
        }
        let delete = stand_in.clone();
        let attempt = Try::new(&stand_in, TOOLS, 213).on_event(move |event| {
            if matches!(event, Event::Pipeline(one) if one.status == PipelineStatus::Running) {
                // The second time it is gone already.
                let _ = delete.control(ControlFile::DeleteNote { id: 1_830_042 });
            }
        });
        let outcome = attempt.run().await.expect("is asked");
        let warnings = attempt.recorder.warnings();
        assert!(warnings.iter().any(|text| text.contains("answer was deleted")), "{warnings:?}");
        assert_eq!(outcome.succeeded(), !hidden, "{outcome:?}");
        if hidden {
            assert!(matches!(&outcome.ended, StagingResult::Lost(StageError::AnswerDeleted { .. })));
        }
    }
}

#[tokio::test]
async fn stage_follows_hidden_pipelines_by_the_answer() {
    let stand_in = stand_in();
    stand_in.control(ControlFile::HidePipelines { project: "group/sub/pipelines".into() }).expect("is taken");
    let outcome = Try::new(&stand_in, TOOLS, 213).run().await.expect("is asked");
    assert!(outcome.succeeded(), "{outcome:?}");
    let hearsay: Vec<bool> = outcome.pipelines.iter().map(|one| one.by_hearsay).collect();
    assert_eq!(hearsay, [false, true]);
}

#[tokio::test]
async fn stage_counts_a_deleted_pipeline_as_failed() {
    let stand_in = stand_in();
    let delete = stand_in.clone();
    let attempt = Try::new(&stand_in, TOOLS, 213).on_event(move |event| {
        if matches!(event, Event::Pipeline(one) if one.id == Some(620_902) && one.status == PipelineStatus::Pending) {
            // The second time it is gone already.
            let _ = delete.control(ControlFile::DeletePipeline { id: 620_902 });
        }
    });
    let outcome = attempt.run().await.expect("is asked");
    assert!(matches!(outcome.ended, StagingResult::Finished) && !outcome.succeeded(), "{outcome:?}");
    assert!(outcome.pipelines[1].gone && outcome.pipelines[0].succeeded());
    assert_eq!(attempt.recorder.warnings(), ["Pipeline 620902 (`rhel`, `rhel9`) was deleted."]);
}

#[tokio::test]
async fn stage_times_out() {
    let stand_in = stand_in();
    let mut attempt = Try::new(&stand_in, TOOLS, 213);
    attempt.options.timeout = Some(Duration::from_secs(120));
    let outcome = attempt.run().await.expect("is asked");
    assert!(matches!(outcome.ended, StagingResult::TimedOut), "{:?}", outcome.ended);
    assert_eq!(statuses(&outcome), ["cki main success", "rhel rhel9 running"]);
    assert!(outcome.took >= Duration::from_secs(120) && outcome.took < Duration::from_secs(130));
}

#[tokio::test]
async fn stage_gives_up_on_a_silent_bot() {
    let stand_in = stand_in();
    stand_in.control(ControlFile::SilenceBot { silent: true }).expect("is taken");
    let within = |mut attempt: Try| {
        attempt.options.answer_within = Duration::from_secs(300);
        attempt
    };
    let outcome = within(Try::new(&stand_in, TOOLS, 213)).run().await.expect("is asked");
    assert!(matches!(outcome.ended, StagingResult::NoAnswer(None)), "{:?}", outcome.ended);
    assert!(outcome.took >= Duration::from_secs(300) && outcome.took < Duration::from_secs(310));
    stand_in.control(ControlFile::SilenceBot { silent: false }).expect("is taken");
    let outcome = within(Try::new(&stand_in, "group/nothing", 1)).run().await.expect("is asked");
    let StagingResult::NoAnswer(Some(said)) = &outcome.ended else { panic!("{:?}", outcome.ended) };
    assert_eq!(said, "There is nothing to test for this project.");
}

#[tokio::test]
async fn stage_sends_few_requests_per_poll() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, TOOLS, 213);
    let outcome = attempt.run().await.expect("is asked");
    let looks = outcome.took.as_secs() / 5;
    let requests = u64::try_from(stand_in.requests().len()).expect("is small");
    // The merge request, the answer, and each unfinished pipeline; more often after a change.
    assert!(requests < looks * 7, "{requests} requests for {looks} looks");
}
