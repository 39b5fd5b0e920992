//! Staging a merge request, from the comment to the last pipeline.

use std::sync::Arc;
use std::time::Duration;

use cki::base::assets::embedded_text;
use cki::base::clock::SystemClock;
use cki::demo::gitlab::{ControlFile, FaultKind, StandIn, StandInConfig, StandInOptions, TimeScale};
use cki::host::signals::{Shutdown, Signal};
use cki::model::event::{Event, Events};
use cki::model::inventory::ProjectPatterns;
use cki::model::staging::{
    AnswerForm, PipelineStatus, Rerun, StageParameter, StagingParameter, StagingRequest,
};
use cki::ops::stage::{
    self, AskResult, BotOptions, BotPlan, MethodOptions, MethodPlan, SentRequest, StageError, StageOptions,
    StageOutcome, StagePlan, StagingOptions, StagingResult,
};
use cki::systems::gitlab::GitLabError;

use super::{
    ALICE, ByHand, READER, Recorder, client, config, gitlab_with, inject_fault, stand_in, stand_in_of,
};

pub(super) const TOOLS: &str = "group/tools";

/// One attempt at staging, with everything that can be varied.
pub(super) struct Try {
    pub(super) stand_in: Arc<StandIn>,
    pub(super) staging: StagingOptions,
    pub(super) options: StageOptions,
    pub(super) recorder: Recorder,
    pub(super) stop: Shutdown,
    pub(super) token: Option<&'static str>,
}

impl Try {
    pub(super) fn new(stand_in: &Arc<StandIn>, project: &str, iid: u64) -> Self {
        let request = StagingRequest::new("cki-ci-bot", vec![], vec![], &[]).expect("is valid");
        let template = embedded_text("comments/stage.md").expect("is built in").to_owned();
        let method = MethodOptions::Bot(BotOptions {
            request,
            declared: vec![],
            template,
            form: AnswerForm::Table,
            pipelines: ProjectPatterns::default(),
        });
        let staging =
            StagingOptions { project: project.to_owned(), merge_request: iid, combined: vec![], method };
        Self {
            stand_in: stand_in.clone(),
            staging,
            options: StageOptions::default(),
            recorder: Recorder::new(|_| ()),
            stop: Shutdown::new(),
            token: Some(ALICE),
        }
    }

    pub(super) fn with_request(mut self, parameters: &[&str], reruns: &[&str]) -> Self {
        let parameters =
            parameters.iter().map(|text| StagingParameter::parse(text).expect("can be sent")).collect();
        let reruns = reruns.iter().map(|text| Rerun::parse(text).expect("is one")).collect();
        self.bot().request = StagingRequest::new("cki-ci-bot", parameters, reruns, &[]).expect("is valid");
        self
    }

    pub(super) fn bot(&mut self) -> &mut BotOptions {
        match &mut self.staging.method {
            MethodOptions::Bot(bot) => bot,
            MethodOptions::Pipeline(_) => panic!("asks a bot"),
        }
    }

    pub(super) fn on_event(mut self, react: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.recorder = Recorder::new(react);
        self
    }

    pub(super) async fn plan(&self) -> Result<StagePlan, StageError> {
        let (gitlab, _) = client(&self.stand_in, self.token);
        stage::plan(&gitlab, &self.staging, &Events::silent()).await
    }

    pub(super) async fn run_plan(&self, plan: StagePlan) -> Result<StageOutcome, StageError> {
        let events = Events::new(self.recorder.clone());
        let clock = ByHand::new(&self.stand_in);
        let gitlab = gitlab_with(self.stand_in.url(), self.token, clock, events.clone());
        stage::run(&gitlab, plan, &self.options, &events, &self.stop).await
    }

    pub(super) async fn run(&self) -> Result<StageOutcome, StageError> {
        self.run_plan(self.plan().await?).await
    }

    /// Returns the number of comments that ask.
    pub(super) fn asked(&self) -> usize {
        let comments = self.stand_in.comments(&self.staging.project, self.staging.merge_request);
        comments.iter().filter(|(_, user, body)| user == "alice" && body.contains("please test")).count()
    }
}

/// The comment of a plan.
fn planned(plan: &StagePlan) -> &BotPlan {
    match &plan.method {
        MethodPlan::Bot(bot) => bot,
        MethodPlan::Pipeline(_) => panic!("asks a bot"),
    }
}

/// Group, branch and status of each pipeline.
pub(super) fn statuses(outcome: &StageOutcome) -> Vec<String> {
    let line = |one: &stage::PipelineOutcome| format!("{} {} {}", one.group, one.branch, one.status);
    outcome.pipelines.iter().map(line).collect()
}

#[tokio::test]
async fn stage_follows_a_request_to_its_end() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, TOOLS, 213).with_request(&["builder_image_tag=mr-213"], &[]);
    let plan = attempt.plan().await.expect("can be staged");
    assert_eq!(plan.merge_request.reference(), "group/tools!213");
    assert_eq!(plan.merge_request.url, format!("{}/group/tools/-/merge_requests/213", stand_in.url()));
    assert_eq!((plan.merge_request.author.as_deref(), plan.is_requested()), (Some("alice"), false));
    assert!(
        planned(&plan)
            .comment
            .starts_with("@cki-ci-bot please test [builder_image_tag=mr-213]\n\n<!-- cki:stage sha=9c41d0e")
    );
    assert!(stand_in.requests().iter().all(|request| request.starts_with("GET")), "a plan changes nothing");

    let outcome = attempt.run_plan(plan.clone()).await.expect("is asked");
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(statuses(&outcome), ["cki main success", "rhel rhel9 success"]);
    let AskResult::Posted(asked) = &outcome.asked else { panic!("posted: {:?}", outcome.asked) };
    assert_eq!(asked.url, format!("{}#note_{}", plan.merge_request.url, asked.id));
    let comments = stand_in.comments(TOOLS, 213);
    assert_eq!(
        comments[0],
        (asked.id, "alice".to_owned(), planned(&plan).comment.clone()),
        "stored as it was written"
    );
    assert_eq!(outcome.answer.as_ref().map(|answer| answer.id), Some(comments[1].0));
    let slow = &outcome.pipelines[1];
    assert_eq!((slow.id, slow.project.as_deref()), (Some(620_902), Some("group/sub/pipelines")));
    assert_eq!(slow.duration, Some(Duration::from_secs(300)));
    assert_eq!(slow.url, Some(format!("{}/group/sub/pipelines/-/pipelines/620902", stand_in.url())));
    assert!(!slow.by_hearsay && slow.failed.is_empty());
    assert!(outcome.took >= Duration::from_secs(300));
    assert!(attempt.recorder.warnings().is_empty(), "{:?}", attempt.recorder.warnings());

    let told: Vec<String> = attempt.recorder.events().iter().filter_map(line_of).collect();
    // Stages have no number.
    let (stages, told): (Vec<String>, Vec<String>) =
        told.into_iter().partition(|line| line.starts_with("0 "));
    assert_eq!(stages.iter().filter(|line| line.starts_with("0 success")).count(), 3, "{stages:?}");
    assert_eq!(
        told,
        [
            "asked: asking @cki-ci-bot",
            "asked done: comment 1830041",
            "answered: waiting for @cki-ci-bot",
            "answered done: 2 pipelines",
            "620901 created ",
            "620902 created ",
            "620901 pending ",
            "620902 pending ",
            "620901 running ",
            "620901 running prepare, 0 of 2 jobs",
            "620901 running build x86_64, 1 of 2 jobs",
            "620902 running ",
            "620902 running test aarch64, 0 of 1 jobs",
            "620901 success ",
            "620902 success ",
        ]
    );
}

fn line_of(event: &Event) -> Option<String> {
    match event {
        Event::Started { subject, doing } => Some(format!("{subject}: {doing}")),
        Event::Finished { subject, state, detail, .. } => {
            Some(format!("{subject} {}: {detail}", format!("{state:?}").to_lowercase()))
        }
        Event::Pipeline(one) => Some(format!("{} {} {}", one.id.unwrap_or(0), one.status, one.detail)),
        _ => None,
    }
}

#[tokio::test]
async fn stage_finds_an_earlier_request() {
    let stand_in = stand_in();
    let first = Try::new(&stand_in, TOOLS, 213).with_request(&["a=1", "b=2"], &[]);
    first.run().await.expect("is asked");
    let second = Try::new(&stand_in, TOOLS, 213).with_request(&["b=2", "a=1"], &[]);
    let plan = second.plan().await.expect("can be staged");
    assert_eq!(planned(&plan).earlier.as_ref().map(|earlier| earlier.id), Some(1_830_041));
    let outcome = second.run_plan(plan).await.expect("is found");
    assert!(
        matches!(&outcome.asked, AskResult::Found(found) if found.id == 1_830_041),
        "{:?}",
        outcome.asked
    );
    assert!(outcome.succeeded());
    assert_eq!(second.asked(), 1);

    let mut again = Try::new(&stand_in, TOOLS, 213).with_request(&["a=1", "b=2"], &[]);
    again.options.force = true;
    let outcome = again.run().await.expect("is asked");
    assert!(matches!(outcome.asked, AskResult::Posted(_)) && outcome.succeeded());
    assert_eq!(again.asked(), 2);
    assert_eq!(outcome.pipelines[0].id, Some(620_903), "the new answer, not the old one");

    let other = Try::new(&stand_in, TOOLS, 213).with_request(&["a=1", "b=3"], &[]);
    assert!(!other.plan().await.expect("can be staged").is_requested());
    let project = TOOLS.to_owned();
    stand_in.control(ControlFile::MoveHead { project, iid: 213, sha: "d".repeat(40) }).expect("is taken");
    assert!(!first.plan().await.expect("can be staged").is_requested(), "another commit");
}

#[tokio::test]
async fn stage_ignores_the_marker_of_another_user() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, TOOLS, 213);
    let body = planned(&attempt.plan().await.expect("can be staged")).comment.clone();
    let (project, user) = (TOOLS.to_owned(), "bob".to_owned());
    stand_in.control(ControlFile::Comment { project, iid: 213, user, body }).expect("is taken");
    assert!(!attempt.plan().await.expect("can be staged").is_requested());
}

#[tokio::test]
async fn stage_dry_run_posts_nothing_and_no_wait_returns_early() {
    let stand_in = stand_in();
    let mut attempt = Try::new(&stand_in, TOOLS, 213);
    attempt.options.dry_run = true;
    let outcome = attempt.run().await.expect("changes nothing");
    assert!(matches!((&outcome.asked, &outcome.ended), (AskResult::No, StagingResult::DryRun)));
    let SentRequest::Comment(comment) = &outcome.request else { panic!("a comment: {outcome:?}") };
    assert!(comment.contains("@cki-ci-bot") && !outcome.succeeded());
    assert_eq!(attempt.asked(), 0);
    attempt.options.dry_run = false;
    attempt.options.no_wait = true;
    let outcome = attempt.run().await.expect("is asked");
    assert!(matches!((&outcome.asked, &outcome.ended), (AskResult::Posted(_), StagingResult::NotWaited)));
    assert_eq!(attempt.asked(), 1);
}

#[tokio::test]
async fn stage_refuses_invalid_merge_requests_and_tokens() {
    let stand_in = stand_in();
    for (project, iid, message) in [
        (TOOLS, 5, "merge request `group/tools!5` is closed; only open ones can be staged"),
        (TOOLS, 6, "merge request `group/tools!6` is merged; only open ones can be staged"),
        (TOOLS, 7, "merge request `group/tools!7` has no commits yet"),
        (TOOLS, 99, "merge request `group/tools!99` was not found on"),
        ("secret/project", 1, "merge request `secret/project!1` was not found on"),
    ] {
        let error = Try::new(&stand_in, project, iid).plan().await.expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let mut nobody = Try::new(&stand_in, TOOLS, 213);
    nobody.token = None;
    let error = nobody.run().await.expect_err("nobody may comment");
    assert_eq!(
        error.to_string(),
        format!("commenting on `group/tools!213` needs a token for `{}`", stand_in.url())
    );
    let mut reader = Try::new(&stand_in, TOOLS, 213);
    reader.token = Some(READER);
    let error = reader.run().await.expect_err("may only read");
    assert!(matches!(error, StageError::NoScope { missing: "api", .. }), "{error}");
    assert_eq!(stand_in.requests().iter().filter(|one| one.starts_with("POST")).count(), 0);
    let mut wrong = Try::new(&stand_in, TOOLS, 213);
    wrong.token = Some("wrong");
    let error = wrong.plan().await.expect_err("is nobody");
    assert!(matches!(error, StageError::GitLab(GitLabError::Unauthorised { .. })), "{error}");
    inject_fault(&stand_in, "GET", "/api/v4/version", 1, FaultKind::Page);
    let error = Try::new(&stand_in, TOOLS, 99).plan().await.expect_err("is not GitLab");
    assert!(matches!(error, StageError::GitLab(GitLabError::NotGitLab { .. })), "{error}");
    assert_eq!(nobody.asked(), 0);
    assert!(StageParameter::new("a", Some("("), None).is_err());
}

#[tokio::test]
async fn stage_reports_the_failed_job_of_a_pipeline() {
    let stand_in = stand_in();
    let outcome = Try::new(&stand_in, "group/failing", 1).run().await.expect("is asked");
    assert!(!outcome.succeeded() && matches!(outcome.ended, StagingResult::Finished));
    assert_eq!(statuses(&outcome), ["cki main success", "cki c9s failed"]);
    let [job] = &outcome.pipelines[1].failed[..] else { panic!("one job: {outcome:?}") };
    assert_eq!((job.name.as_str(), job.stage.as_str()), ("build x86_64", "build"));
    assert_eq!(job.reason.as_deref(), Some("script_failure"));
    assert_eq!(
        job.log,
        [
            "Building",
            "make[1]: *** No rule to make target 'modules_install'.  Stop.",
            "ERROR: Job failed: exit code 1",
        ],
        "no escape sequence is left"
    );
    assert!(outcome.pipelines[0].failed.is_empty());
}

#[tokio::test]
async fn stage_reruns_an_earlier_pipeline() {
    let stand_in = stand_in();
    let good =
        Try::new(&stand_in, TOOLS, 213).with_request(&[], &["cki/620247"]).run().await.expect("is asked");
    assert_eq!(statuses(&good), ["cki 620247 success"]);
    assert!(good.succeeded());
    let none = Try::new(&stand_in, TOOLS, 213).with_request(&[], &["cki/620247", "cki/1"]).run().await;
    let none = none.expect("is asked");
    assert_eq!(statuses(&none), ["cki 620247 success", "cki 1 not found"]);
    assert!(!none.succeeded() && matches!(none.ended, StagingResult::Finished));
}

#[tokio::test]
async fn stage_stops_on_a_signal_and_can_resume() {
    let stand_in = stand_in();
    let stop = Shutdown::new();
    let raise = stop.clone();
    let mut attempt = Try::new(&stand_in, TOOLS, 213).on_event(move |event| {
        if matches!(event, Event::Pipeline(one) if one.status == PipelineStatus::Running) {
            raise.trigger(Signal::Interrupt);
        }
    });
    attempt.stop = stop;
    let outcome = attempt.run().await.expect("is asked");
    assert!(matches!(outcome.ended, StagingResult::Stopped(Signal::Interrupt)), "{:?}", outcome.ended);
    assert_eq!(statuses(&outcome)[0], "cki main running");
    let told: Vec<String> = attempt.recorder.events().iter().filter_map(line_of).collect();
    assert_eq!(
        told[told.len() - 2..],
        [
            "cki main skipped: running, not followed any more",
            "rhel rhel9 skipped: pending, not followed any more",
        ]
    );
    attempt.stop = Shutdown::new();
    attempt.recorder = Recorder::new(|_| ());
    let outcome = attempt.run().await.expect("continues");
    assert!(matches!(outcome.asked, AskResult::Found(_)) && outcome.succeeded());
    assert_eq!(attempt.asked(), 1);
}

#[tokio::test]
async fn stage_posts_nothing_after_an_early_signal() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, TOOLS, 213);
    attempt.stop.trigger(Signal::Terminate);
    let outcome = attempt.run().await.expect("asks nothing");
    assert!(matches!(
        (&outcome.asked, &outcome.ended),
        (AskResult::No, StagingResult::Stopped(Signal::Terminate))
    ));
    assert_eq!(attempt.asked(), 0);
}

#[tokio::test]
async fn stage_succeeds_with_the_demo_configuration() {
    let config = StandInConfig::parse("gitlab.yaml", embedded_text("demo/gitlab.yaml").expect("is built in"));
    let mut config = config.expect("is valid");
    assert!(config.set_head("cki-project/cki-tools", 213, &"a".repeat(40)));
    let began = jiff::Timestamp::now();
    let options = StandInOptions { config, pace: TimeScale::Live(200.0), began, port: 0 };
    let stand_in = Arc::new(StandIn::start(options).expect("starts"));
    let attempt =
        Try::new(&stand_in, "cki-project/cki-tools", 213).with_request(&["builder_image_tag=mr-213"], &[]);
    let options = StageOptions { interval: Duration::from_millis(5), ..StageOptions::default() };
    let token = Some("demo-not-a-real-token");
    let clock = Arc::new(SystemClock::new());
    let gitlab = gitlab_with(stand_in.url(), token, clock, Events::silent());
    let plan = stage::plan(&gitlab, &attempt.staging, &Events::silent()).await.expect("can be staged");
    let outcome =
        stage::run(&gitlab, plan, &options, &Events::silent(), &Shutdown::new()).await.expect("is asked");
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(statuses(&outcome), ["cki main success", "cki c9s success"]);
}

#[tokio::test]
async fn stage_ignores_the_answer_to_another_user() {
    for (threads, warned) in [(true, false), (false, true)] {
        let mut config = config();
        config.bot.as_mut().expect("has one").threads = threads;
        let stand_in = stand_in_of(config);
        let (project, user) = (TOOLS.to_owned(), "bob".to_owned());
        let body = "@cki-ci-bot test [a=b]".to_owned();
        stand_in.control(ControlFile::Comment { project, iid: 213, user, body }).expect("is taken");
        stand_in.advance(Duration::from_secs(4));
        let attempt = Try::new(&stand_in, TOOLS, 213);
        let outcome = attempt.run().await.expect("is asked");
        assert!(outcome.succeeded());
        let warnings = attempt.recorder.warnings();
        assert_eq!(!warnings.is_empty(), warned, "{warnings:?}");
        if threads {
            assert_eq!(outcome.pipelines[0].id, Some(620_903), "the second answer is ours");
        }
    }
}
