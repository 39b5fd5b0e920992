//! Several merge requests in one request: bound to the head of each, found again, and refused where they do not fit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cki::demo::gitlab::{ControlFile, StandIn};
use cki::host::signals::Shutdown;
use cki::model::event::{Event, Events};
use cki::model::inventory::StageVia;
use cki::model::staging::{PipelineStatus, StageParameter};
use cki::ops::stage::{
    self, AskResult, CombinedEntry, CombinedOptions, MethodOptions, ProgressOptions, ProgressState,
    SentRequest, StageError, StageOptions,
};
use cki::systems::gitlab::GitLab;

use super::pipeline::{BRANCH, by_pipeline, yaml};
use super::progress::of;
use super::stage::{TOOLS, Try};
use super::{ALICE, Recorder, client, stand_in};

const LIB: &str = "group/lib";
const LIB_HEAD: &str = "aa45aa45aa45aa45aa45aa45aa45aa45aa45aa45";

fn lib(merge_request: u64) -> CombinedOptions {
    let overrides: BTreeMap<_, _> = [("lib_pip_url".to_owned(), "git+{{ url }}@{{ sha }}".to_owned())].into();
    let entry = CombinedEntry { component: "lib".to_owned(), place: "i.yaml:9".to_owned(), overrides };
    CombinedOptions { project: LIB.to_owned(), merge_request, entry: Some(entry) }
}

fn push(stand_in: &StandIn, digit: &str) {
    let (project, sha) = (LIB.to_owned(), digit.repeat(40));
    stand_in.control(ControlFile::MoveHead { project, iid: 45, sha }).expect("is taken");
}

fn both(stand_in: &Arc<StandIn>) -> Try {
    let mut attempt = Try::new(stand_in, TOOLS, 213);
    attempt.staging.combined = vec![lib(45)];
    attempt
}

#[tokio::test]
async fn a_request_with_two_merge_requests_is_bound_to_both_heads() {
    let stand_in = stand_in();
    let attempt = both(&stand_in);
    let plan = attempt.plan().await.expect("can be staged");
    assert_eq!(plan.combined[0].reference(), "group/lib!45");
    let SentRequest::Comment(comment) = plan.request() else { panic!("a comment: {plan:?}") };
    let asks = format!("please test [lib_pip_url=git+{}/group/lib.git@{LIB_HEAD}]\n", stand_in.url());
    assert!(comment.contains(&asks), "{comment}");
    assert!(comment.ends_with(&format!(" with=group/lib!45@{LIB_HEAD} -->")), "{comment}");

    // A push to the other one, after it was shown: nothing is sent.
    push(&stand_in, "b");
    let error = attempt.run_plan(plan).await.expect_err("is not what was shown");
    assert!(error.to_string().starts_with("merge request `group/lib!45` has a new head commit"), "{error}");
    assert_eq!(attempt.asked(), 0);

    // A push while the pipelines run is said.
    let pushed = stand_in.clone();
    let attempt = both(&stand_in).on_event(move |event| {
        if matches!(event, Event::Pipeline(one) if one.status == PipelineStatus::Running) {
            push(&pushed, "c");
        }
    });
    let outcome = attempt.run().await.expect("is asked");
    assert!(outcome.succeeded(), "{outcome:?}");
    let warned = attempt.recorder.warnings();
    assert!(warned[0].starts_with("`group/lib!45` has a new head commit, ccccccccccc…;"), "{warned:?}");
    assert_eq!(outcome.combined[0].to_string(), format!("group/lib!45@{}", "b".repeat(40)));

    // The same heads are the same request; another head is another one.
    assert!(!both(&stand_in).plan().await.expect("can be staged").is_requested());
    push(&stand_in, "b");
    let again = both(&stand_in).run().await.expect("continues");
    assert!(matches!(again.asked, AskResult::Found(_)), "{:?}", again.asked);
    assert!(!Try::new(&stand_in, TOOLS, 213).plan().await.expect("can be staged").is_requested());

    // It is found from the server alone, with what has changed since.
    push(&stand_in, "d");
    let (gitlab, _) = client(&stand_in, Some(ALICE));
    let found = stage::progress(&gitlab, &of(TOOLS, 213), &Events::silent()).await.expect("is read");
    assert_eq!(found.combined[0].staged.reference(), "group/lib!45");
    assert_eq!(found.combined[0].moved_to, Some("d".repeat(40)));
    let recorder = Recorder::new(|_| ());
    let options = StageOptions::default();
    let events = Events::new(recorder.clone());
    let watched = stage::watch(&gitlab, &of(TOOLS, 213), &options, &events, &Shutdown::new()).await;
    assert!(watched.expect("is followed").succeeded());
    assert!(recorder.warnings()[0].starts_with("`group/lib!45` has a new head commit"));
}

#[tokio::test]
async fn a_pipeline_takes_the_values_of_other_merge_requests() {
    let stand_in = stand_in();
    let attempt = || {
        let mut attempt = by_pipeline(&stand_in, TOOLS, 213, BRANCH, &[]);
        attempt.staging.combined = vec![lib(45)];
        attempt
    };
    let outcome = attempt().run().await.expect("is started");
    assert!(outcome.succeeded(), "{outcome:?}");
    let SentRequest::Call(call) = &outcome.request else { panic!("a call: {outcome:?}") };
    let variables = call.body["variables"].as_array().expect("is a list");
    let value = |key: &str| variables.iter().find(|one| one["key"] == key).expect(key)["value"].clone();
    assert_eq!(value("lib_pip_url"), format!("git+{}/group/lib.git@{LIB_HEAD}", stand_in.url()));
    let marker = value("CKI_STAGE_REQUEST");
    assert!(
        marker.as_str().is_some_and(|text| text.ends_with(&format!(":group/lib!45@{LIB_HEAD}"))),
        "{marker}"
    );
    assert!(matches!(attempt().run().await.expect("continues").asked, AskResult::Resumed(_)));
    push(&stand_in, "b");
    assert!(matches!(attempt().run().await.expect("is started").asked, AskResult::Started(_)));
}

#[tokio::test]
async fn pipelines_in_another_project_are_found_by_their_marker() {
    let stand_in = stand_in();
    let decl = "{kind: trigger, project: group/deploy, ref: main, token_variable: DEPLOY_TRIGGER_TOKEN, variables: {A: b}}";
    let mut attempt = by_pipeline(&stand_in, TOOLS, 213, decl, &[]);
    attempt.staging.combined = vec![lib(45)];
    attempt.options.no_wait = true;
    let AskResult::Started(started) = attempt.run().await.expect("is started").asked else {
        panic!("started")
    };
    let options = || ProgressOptions {
        via: StageVia::Pipeline,
        pipeline: Some(Box::new(yaml(decl))),
        ..of(TOOLS, 213)
    };
    let (bob, _) = client(&stand_in, Some("bob-not-a-real-token"));
    let read = async |gitlab: &GitLab| {
        stage::progress(gitlab, &options(), &Events::silent()).await.expect("is read")
    };
    let found = read(&bob).await;
    assert_eq!(found.state(), ProgressState::Running);
    assert_eq!((found.pipelines[0].id, found.pipelines[0].group.as_str()), (Some(started.id), "trigger"));
    assert_eq!(found.combined[0].staged.reference(), "group/lib!45");
    // Alice may start it, and not see it.
    let (alice, _) = client(&stand_in, Some(ALICE));
    let hidden = read(&alice).await;
    assert!(hidden.pipelines.is_empty(), "{hidden:?}");
    assert_eq!(
        hidden.unread,
        ["Without a token that may see them, pipelines of `group/deploy` are not shown."]
    );
    push(&stand_in, "b");
    let recorder = Recorder::new(|_| ());
    let events = Events::new(recorder.clone());
    let watched = stage::watch(&bob, &options(), &StageOptions::default(), &events, &Shutdown::new()).await;
    assert!(watched.expect("is followed").succeeded());
    assert!(recorder.warnings()[0].starts_with("`group/lib!45` has a new head commit"));
    let (project, sha) = (TOOLS.to_owned(), "c".repeat(40));
    stand_in.control(ControlFile::MoveHead { project, iid: 213, sha }).expect("is taken");
    assert_eq!(read(&bob).await.state(), ProgressState::NotRequested, "another commit");
}

#[tokio::test]
async fn a_request_to_the_bot_of_another_entry_is_found() {
    let stand_in = stand_in();
    let comment = |body: &str| {
        let (project, user) = (TOOLS.to_owned(), "alice".to_owned());
        let body = body.to_owned();
        stand_in.control(ControlFile::Comment { project, iid: 213, user, body }).expect("is taken");
    };
    comment("@cki-ci-bot please test");
    let (gitlab, _) = client(&stand_in, Some(ALICE));
    let read = async || {
        let bots = ["first-bot", "cki-ci-bot"].map(str::to_owned).to_vec();
        let options = ProgressOptions { bots, ..of(TOOLS, 213) };
        stage::progress(&gitlab, &options, &Events::silent()).await.expect("is read")
    };
    stand_in.advance(Duration::from_secs(20));
    assert_eq!(read().await.pipelines.len(), 2);
    // The newest request counts, whatever bot it asks; a command names none.
    comment("@first-bot please test");
    assert_eq!(read().await.request.expect("is there").text, "@first-bot please test");
    let head = "9c41d0e0000000000000000000000000000000aa";
    comment(&format!("/test all\n\n<!-- cki:stage sha={head} request={} -->", "0".repeat(16)));
    let found = read().await;
    assert_eq!((found.request.expect("is there").text.as_str(), found.pipelines.len()), ("/test all", 0));
    comment("/test without a marker");
    assert_eq!(read().await.request.expect("is there").text, "/test all");
}

#[tokio::test]
async fn merge_requests_that_do_not_fit_are_named_with_the_reason() {
    let stand_in = stand_in();
    let refused = async |combined: Vec<CombinedOptions>, change: &dyn Fn(&mut Try)| {
        let mut attempt = Try::new(&stand_in, TOOLS, 213);
        attempt.staging.combined = combined;
        change(&mut attempt);
        let error = attempt.plan().await.expect_err("does not fit");
        assert!(matches!(error, StageError::NotCombined { .. } | StageError::NotOpen { .. }), "{error:?}");
        error.to_string()
    };
    let nothing = |_: &mut Try| ();
    let both = "`group/lib!45` cannot be combined with `group/tools!213`: ";
    let without = CombinedOptions { entry: None, ..lib(45) };
    assert_eq!(
        refused(vec![without], &nothing).await,
        format!("{both}no component of the inventory belongs to its project")
    );
    let mut empty = lib(45);
    empty.entry.as_mut().expect("has one").overrides.clear();
    assert_eq!(
        refused(vec![empty], &nothing).await,
        format!("{both}i.yaml:9: the entry of `lib` has no `stage.override`")
    );
    let same = CombinedOptions { project: TOOLS.to_owned(), merge_request: 5, ..lib(45) };
    assert_eq!(
        refused(vec![same], &nothing).await,
        "`group/tools!5` cannot be combined with `group/tools!213`: both are merge requests of the same project"
    );
    let twice = refused(vec![lib(45), lib(46)], &nothing).await;
    assert!(twice.starts_with("`group/lib!46` cannot be combined with `group/lib!45`"), "{twice}");
    assert!(refused(vec![lib(46)], &nothing).await.starts_with("merge request `group/lib!46` is closed"));
    let declare = |attempt: &mut Try| {
        attempt.bot().declared = vec![StageParameter::new("image_tag", None, None).expect("is valid")];
    };
    assert_eq!(
        refused(vec![lib(45)], &declare).await,
        format!("{both}there is no staging parameter `lib_pip_url`; it can be `image_tag`")
    );
    let of_merge_request = |attempt: &mut Try| {
        attempt.staging.method = match by_pipeline(&stand_in, TOOLS, 213, "{}", &[]).staging.method {
            MethodOptions::Pipeline(options) => MethodOptions::Pipeline(options),
            MethodOptions::Bot(_) => panic!("a pipeline"),
        };
    };
    let kind = refused(vec![lib(45)], &of_merge_request).await;
    assert!(kind.ends_with("`merge-request` takes neither variables nor inputs"), "{kind}");
    assert!(stand_in.requests().iter().all(|request| request.starts_with("GET")));
}
