//! The progress of a staging: followed with everything that it triggers, and found again from the server alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use cki::base::clock::{Clock, Sleep};
use cki::demo::gitlab::{
    ControlFile, DownstreamConfig, FaultKind, InjectedFault, ScriptJob, StandIn, StandInConfig,
};
use cki::host::signals::Shutdown;
use cki::model::event::{Event, Events};
use cki::model::inventory::{ProjectPatterns, StageVia};
use cki::model::staging::{AnswerForm, PipelineStatus};
use cki::ops::stage::{
    self, AskResult, CancelError, LogChoice, ProgressOptions, ProgressState, StageError, StageOptions,
    StageOutcome, StagingResult,
};

use super::stage::{TOOLS, Try, statuses};
use super::{
    ALICE, ByHand, READER, Recorder, client, config, gitlab_with, inject_fault, stand_in, stand_in_of,
};

const BOB: &str = "bob-not-a-real-token";
pub(super) const DEEP: &str = "group/deep";

/// The staging of a merge request.
pub(super) fn of(project: &str, merge_request: u64) -> ProgressOptions {
    ProgressOptions {
        project: project.to_owned(),
        merge_request,
        via: StageVia::Bot,
        bots: vec!["cki-ci-bot".to_owned()],
        form: AnswerForm::Table,
        pipeline: None,
        pipelines: ProjectPatterns::default(),
        cluster: None,
        log_lines: 5,
    }
}

/// Requests without following.
pub(super) async fn request(stand_in: &Arc<StandIn>, project: &str, iid: u64) -> AskResult {
    let mut attempt = Try::new(stand_in, project, iid);
    attempt.options.no_wait = true;
    attempt.run().await.expect("is asked").asked
}

async fn watch(stand_in: &Arc<StandIn>, clock: Arc<dyn Clock>, token: Option<&str>) -> StageOutcome {
    let gitlab = gitlab_with(stand_in.url(), token, clock, Events::silent());
    let options = StageOptions { answer_within: Duration::from_secs(300), ..StageOptions::default() };
    let outcome = stage::watch(&gitlab, &of(DEEP, 1), &options, &Events::silent(), &Shutdown::new()).await;
    outcome.expect("is found")
}

/// The requests for each pipeline.
fn asked(stand_in: &StandIn) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for request in stand_in.requests() {
        let Some((_, rest)) = request.split_once("/pipelines/") else { continue };
        *asked.entry(rest.split('/').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    asked
}

#[tokio::test]
async fn following_includes_triggered_pipelines() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, DEEP, 1);
    let outcome = attempt.run().await.expect("is asked");
    assert!(outcome.succeeded(), "{outcome:?}");
    let root = &outcome.pipelines[0];
    let course = root.course.as_ref().expect("was read");
    let below: Vec<String> = course.all()[1..]
        .iter()
        .map(|(level, one)| {
            format!("{level} {} {} {}", one.trigger.as_deref().unwrap_or_default(), one.project, one.status)
        })
        .collect();
    assert_eq!(below, ["1 child group/pipelines success", "1 downstream group/sub/pipelines failed"]);
    // The downstream pipeline may fail; its failed job is told all the same.
    let failed: Vec<(u64, &str)> = root.failed.iter().map(|job| (job.pipeline, job.name.as_str())).collect();
    assert_eq!(failed, [(620_903, "build x86_64")]);
    assert!(root.failed[0].log.contains(&"ERROR: Job failed: exit code 1".to_owned()), "{:?}", root.failed);
    let told: Vec<String> = attempt
        .recorder
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Pipeline(one) if one.finished => Some(format!("{}: {}", one.subject(), one.status)),
            _ => None,
        })
        .collect();
    for line in [
        "cki main · prepare: success",
        "cki main › child · build: success",
        "cki main › downstream: failed",
        "cki main: success",
    ] {
        assert!(told.contains(&line.to_owned()), "{line}: {told:#?}");
    }
    assert_eq!(told.iter().filter(|line| *line == "cki main: success").count(), 1, "{told:#?}");
}

#[tokio::test]
async fn each_poll_asks_once_about_a_pipeline() {
    let mut config = config();
    let job = |number: usize| ScriptJob {
        name: format!("test {number}"),
        stage: format!("stage {}", number / 20),
        seconds: 30.0 + number as f64,
        result: PipelineStatus::Success,
        allow_failure: false,
        log: String::new(),
        triggers: None,
    };
    let mut jobs: Vec<ScriptJob> = (0..60).map(job).collect();
    jobs.push(ScriptJob {
        triggers: Some(DownstreamConfig { project: None, branch: "main".into(), script: "good".into() }),
        ..job(61)
    });
    config.scripts.get_mut("parent").expect("is there").jobs = jobs;
    let stand_in = stand_in_of(config);
    request(&stand_in, DEEP, 1).await;
    let clock = ByHand::new(&stand_in);
    let outcome = watch(&stand_in, clock.clone(), Some(ALICE)).await;
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(outcome.pipelines[0].jobs, Some((61, 61)));
    let polls = clock.pauses().len();
    for (pipeline, asked) in asked(&stand_in) {
        // One for each poll, and each of its three resources once more at the end.
        assert!(asked <= polls + 4, "{asked} requests about {pipeline} in {polls} polls");
    }
    let pauses = clock.pauses();
    assert_eq!(pauses[0], Duration::from_secs(1));
    assert_eq!(pauses.iter().max(), Some(&Duration::from_secs(5)));
}

#[tokio::test]
async fn pipelines_in_a_circle_are_followed_once() {
    let stand_in = stand_in();
    request(&stand_in, DEEP, 1).await;
    stand_in.advance(Duration::from_secs(30));
    let (gitlab, _) = client(&stand_in, Some(ALICE));
    let events = Events::silent();
    stage::progress(&gitlab, &of(DEEP, 1), &events).await.expect("is read");
    // The trigger job of the first pipeline triggers that pipeline itself.
    stand_in.control(ControlFile::Trigger { job: 9_000_002, pipeline: 620_901 }).expect("is taken");
    let found = stage::progress(&gitlab, &of(DEEP, 1), &events).await.expect("ends");
    let course = found.pipelines[0].course.as_ref().expect("was read");
    let ids: Vec<u64> = course.all().iter().map(|(_, one)| one.id).collect();
    assert_eq!(ids, [620_901, 620_903]);
}

/// A machine that sleeps for eight hours in the middle.
#[derive(Debug)]
struct Sleepy {
    clock: Arc<ByHand>,
    slept: AtomicBool,
}

impl Clock for Sleepy {
    fn elapsed(&self) -> Duration {
        let hours = if self.slept.load(Ordering::Relaxed) { 8 } else { 0 };
        self.clock.elapsed() + Duration::from_secs(3600 * hours)
    }

    fn wall(&self) -> SystemTime {
        self.clock.wall()
    }

    fn sleep(&self, span: Duration) -> Sleep<'_> {
        if self.clock.pauses().len() == 5 {
            self.slept.store(true, Ordering::Relaxed);
        }
        self.clock.sleep(span)
    }
}

#[tokio::test]
async fn following_survives_sleep_and_a_lost_network() {
    let stand_in = stand_in();
    request(&stand_in, DEEP, 1).await;
    let clock = Arc::new(Sleepy { clock: ByHand::new(&stand_in), slept: AtomicBool::new(false) });
    let recorder = Recorder::new(|_| ());
    let events = Events::new(recorder.clone());
    let gitlab = gitlab_with(stand_in.url(), Some(ALICE), clock, events.clone());
    let options = StageOptions { timeout: Some(Duration::from_secs(600)), ..StageOptions::default() };
    inject_fault(&stand_in, "GET", "/pipelines/620901", 12, FaultKind::Reset);
    let outcome = stage::watch(&gitlab, &of(DEEP, 1), &options, &events, &Shutdown::new()).await;
    let outcome = outcome.expect("is found");
    assert!(matches!(outcome.ended, StagingResult::Finished), "{:?}", outcome.ended);
    assert!(outcome.succeeded());
    assert_eq!(recorder.warnings().len(), 1, "{:?}", recorder.warnings());
    let notes = |event: &Event| matches!(event, Event::Note(text) if text.contains("was asleep for 8 h"));
    assert!(recorder.events().iter().any(notes), "{:?}", recorder.events());
}

#[tokio::test]
async fn progress_is_found_by_everybody_from_the_server() {
    let stand_in = stand_in();
    let events = Events::silent();
    let (alice, _) = client(&stand_in, Some(ALICE));
    let state = |found: &stage::StagingProgress| found.state();
    let before = stage::progress(&alice, &of(DEEP, 1), &events).await.expect("is read");
    assert_eq!(state(&before), ProgressState::NotRequested);
    request(&stand_in, DEEP, 1).await;
    let waiting = stage::progress(&alice, &of(DEEP, 1), &events).await.expect("is read");
    assert_eq!(state(&waiting), ProgressState::Waiting);
    stand_in.advance(Duration::from_secs(30));
    let (reader, _) = client(&stand_in, Some(READER));
    let running = stage::progress(&reader, &of(DEEP, 1), &events).await.expect("is read");
    assert_eq!(state(&running), ProgressState::Running);
    let request = running.request.as_ref().expect("is found");
    assert_eq!((request.author.as_str(), request.text.as_str()), ("alice", "@cki-ci-bot please test"));
    assert_eq!(request.sha.as_deref(), Some("4".repeat(40).as_str()));
    let review = &running.environments;
    assert_eq!(
        (review.len(), review[0].name.as_str(), review[0].state.as_deref()),
        (1, "review/1", Some("available"))
    );
    stand_in.advance(Duration::from_secs(600));
    let (bob, _) = client(&stand_in, Some(BOB));
    let ended = stage::progress(&bob, &of(DEEP, 1), &events).await.expect("is read");
    assert_eq!(state(&ended), ProgressState::Succeeded);
    assert!(ended.pipelines[0].failed.iter().any(|job| !job.log.is_empty()), "{ended:?}");

    // Without a token, comments are hidden, and so are the bot's pipelines.
    let (nobody, _) = client(&stand_in, None);
    let found = stage::progress(&nobody, &of(DEEP, 1), &events).await.expect("is read");
    assert_eq!((state(&found), found.environments.len()), (ProgressState::NotRequested, 1));
    assert!(found.unread[0].starts_with("Without a token for "), "{:?}", found.unread);

    // After a push, the old request is not taken for the new head.
    let (project, sha) = (DEEP.to_owned(), "e".repeat(40));
    stand_in.control(ControlFile::MoveHead { project, iid: 1, sha }).expect("is taken");
    let moved = stage::progress(&alice, &of(DEEP, 1), &events).await.expect("is read");
    assert_eq!((state(&moved), moved.pipelines.len()), (ProgressState::NotRequested, 0));
    assert_eq!(moved.outdated.and_then(|one| one.sha), Some("4".repeat(40)));
    let options = StageOptions::default();
    let error = stage::watch(&alice, &of(DEEP, 1), &options, &events, &Shutdown::new()).await;
    let error = error.expect_err("is for another commit").to_string();
    assert_eq!(
        error,
        "the last staging of `group/deep!1` was requested for 4444444, not for its head eeeeeee"
    );
}

/// A configuration in which merge requests have pipelines of their own, which everybody sees.
fn with_own_pipelines() -> StandInConfig {
    let mut config = config();
    for project in config.projects.iter_mut().filter(|one| one.path == DEEP) {
        project.merge_requests[0].pipelines = vec!["good".to_owned()];
    }
    config
}

#[tokio::test]
async fn public_pipelines_are_followed_without_a_token() {
    let stand_in = stand_in_of(with_own_pipelines());
    let outcome = watch(&stand_in, ByHand::new(&stand_in), None).await;
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(statuses(&outcome), ["merge request refs/merge-requests/1/head success"]);
    // After a push there is no pipeline of the head, which is waited for; that of the old head is not taken.
    let (project, sha) = (DEEP.to_owned(), "e".repeat(40));
    stand_in.control(ControlFile::MoveHead { project, iid: 1, sha }).expect("is taken");
    let outcome = watch(&stand_in, ByHand::new(&stand_in), None).await;
    assert!(matches!(outcome.ended, StagingResult::NoAnswer(None)), "{:?}", outcome.ended);
    assert!(outcome.took >= Duration::from_secs(300), "{:?}", outcome.took);
}

#[tokio::test]
async fn logs_and_lists_are_read_from_the_server() {
    let stand_in = stand_in();
    request(&stand_in, "group/failing", 1).await;
    stand_in.advance(Duration::from_secs(600));
    let (alice, _) = client(&stand_in, Some(ALICE));
    let failing = of("group/failing", 1);
    let logs =
        async |choice: LogChoice| stage::logs(&alice, &failing, &choice, 2).await.map(|logs| logs.jobs);
    let failed = logs(LogChoice::Failed).await.expect("are read");
    let names: Vec<&str> = failed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["lint", "build x86_64"]);
    assert_eq!(failed[1].lines[1], "ERROR: Job failed: exit code 1");
    assert_eq!(logs(LogChoice::Named("prepare".into())).await.expect("are read")[0].lines, ["prepared"]);
    assert_eq!(logs(LogChoice::All).await.expect("are read").len(), 4);
    let error = logs(LogChoice::Named("bild x86_64".into())).await.expect_err("is none").to_string();
    assert!(error.ends_with("have no job `bild x86_64`; did you mean `build x86_64`?"), "{error}");

    let listed = stage::list(&alice, &of("group/failing", 0)).await.expect("is read");
    assert_eq!((listed.open, listed.rows.len()), (1, 1));
    let row = &listed.rows[0];
    assert_eq!((row.requested_by.as_deref(), row.is_outdated), (Some("alice"), false));
    assert_eq!(row.pipelines, [PipelineStatus::Success, PipelineStatus::Failed]);
    let (nobody, _) = client(&stand_in, None);
    let listed = stage::list(&nobody, &of(TOOLS, 0)).await.expect("is read");
    assert_eq!((listed.open, listed.rows.len(), listed.unread.len()), (2, 0, 1), "{listed:?}");
}

#[tokio::test]
async fn cancel_ends_the_pipelines_of_ones_own_request() {
    let mut config = config();
    for project in config.projects.iter_mut().filter(|one| one.path.ends_with("pipelines")) {
        project.members.insert("alice".to_owned(), 30);
    }
    let stand_in = stand_in_of(config);
    request(&stand_in, DEEP, 1).await;
    stand_in.advance(Duration::from_secs(30));
    let (alice, _) = client(&stand_in, Some(ALICE));
    let mut plan = stage::plan_cancel(&alice, &of(DEEP, 1)).await.expect("can be canceled");
    assert_eq!(plan.pipelines.iter().map(|one| one.id).collect::<Vec<_>>(), [620_901, 620_902, 620_903]);
    assert!(stand_in.requests().iter().all(|one| !one.contains("/cancel")), "a plan changes nothing");
    // One cancellation is lost, and made again; of another, only the answer is lost, and it is looked up.
    for (path, done) in [("/620901/cancel", false), ("/620902/cancel", true)] {
        let fault = InjectedFault {
            method: Some("POST".to_owned()),
            path: path.to_owned(),
            after: 0,
            times: 1,
            done,
            kind: FaultKind::Reset,
        };
        stand_in.control(ControlFile::Misbehave(fault)).expect("is taken");
    }
    stage::cancel(&alice, &mut plan).await.expect("is canceled");
    assert!(plan.pipelines.iter().all(|one| one.status == PipelineStatus::Canceled), "{plan:?}");
    assert_eq!(stand_in.requests().iter().filter(|one| one.contains("/cancel")).count(), 4);
    assert_eq!(plan.ending(), 3);
    let found = stage::progress(&alice, &of(DEEP, 1), &Events::silent()).await.expect("is read");
    assert_eq!(found.state(), ProgressState::Failed);
    assert!(stage::plan_cancel(&alice, &of(DEEP, 1)).await.expect("is read").pipelines.is_empty());
    let (bob, _) = client(&stand_in, Some(BOB));
    let error = stage::plan_cancel(&bob, &of(DEEP, 1)).await.expect_err("is not bob's");
    assert!(matches!(error, CancelError::NotYours { .. }), "{error}");
    let (reader, _) = client(&stand_in, Some(READER));
    let error = stage::plan_cancel(&reader, &of(DEEP, 1)).await.expect_err("may only read");
    assert!(matches!(error, CancelError::Stage(StageError::NoScope { .. })), "{error}");
    let (nobody, _) = client(&stand_in, None);
    let error = stage::plan_cancel(&nobody, &of(DEEP, 1)).await.expect_err("may not");
    assert!(matches!(error, CancelError::NoToken { .. }), "{error}");
}

#[tokio::test]
async fn a_dry_run_takes_three_round_trips() {
    let stand_in = stand_in();
    Try::new(&stand_in, TOOLS, 213).plan().await.expect("can be staged");
    let mut requests = stand_in.requests();
    // The user and the token are asked at once.
    requests[1..3].sort();
    let mr = "GET /api/v4/projects/group%2Ftools/merge_requests/213";
    let notes = format!("{mr}/notes");
    assert_eq!(requests, [mr, "GET /api/v4/personal_access_tokens/self", "GET /api/v4/user", &notes]);
}
