//! Parts of a staging that nobody reads: pipelines below a followed one, whose result is the server's word above them, or
//! unknown; and comments beyond the searched ones.

use std::sync::Arc;
use std::time::Duration;

use cki::demo::gitlab::{ControlFile, FaultKind, StandIn};
use cki::host::signals::Shutdown;
use cki::model::event::Events;
use cki::model::staging::PipelineStatus;
use cki::ops::stage::{self, AskResult, NoteResult, ProgressState, StageOptions, StageOutcome};

use super::progress::{DEEP, of};
use super::stage::Try;
use super::{ALICE, client, config, inject_fault, stand_in_of};

/// A stand-in whose downstream pipeline is hidden, matters, and outlasts the pipeline above.
fn hidden(result: PipelineStatus) -> Arc<StandIn> {
    let mut config = config();
    let parent = config.scripts.get_mut("parent").expect("is there");
    parent.jobs[2].allow_failure = false;
    parent.jobs[2].triggers.as_mut().expect("triggers").script = "slow".to_owned();
    config.scripts.get_mut("slow").expect("is there").jobs[0].result = result;
    let stand_in = stand_in_of(config);
    let project = "group/sub/pipelines".to_owned();
    stand_in.control(ControlFile::HidePipelines { project }).expect("is taken");
    stand_in
}

async fn followed(stand_in: &Arc<StandIn>) -> StageOutcome {
    Try::new(stand_in, DEEP, 1).run().await.expect("is asked")
}

#[tokio::test]
async fn hidden_pipelines_have_the_result_that_their_trigger_tells() {
    let stand_in = hidden(PipelineStatus::Success);
    let outcome = followed(&stand_in).await;
    assert!(outcome.succeeded() && !outcome.is_unknown(), "{outcome:?}");
    // It ran for five minutes longer than the pipeline above it.
    assert!(outcome.took >= Duration::from_secs(335), "{:?}", outcome.took);

    let outcome = followed(&hidden(PipelineStatus::Failed)).await;
    assert!(!outcome.succeeded() && !outcome.is_unknown(), "{outcome:?}");
    let course = outcome.pipelines[0].course.as_ref().expect("was read");
    assert_eq!((&course.status, course.children.len()), (&PipelineStatus::Success, 2));
    assert_eq!(course.children[1].status, PipelineStatus::Failed);
}

#[tokio::test]
async fn a_result_that_nobody_tells_is_unknown() {
    // The list of trigger jobs is hidden, too, once it has named the pipeline below.
    let stand_in = hidden(PipelineStatus::Failed);
    super::progress::request(&stand_in, DEEP, 1).await;
    stand_in.advance(Duration::from_secs(30));
    let (alice, _) = client(&stand_in, Some(ALICE));
    let read = async || stage::progress(&alice, &of(DEEP, 1), &Events::silent()).await.expect("is read");
    assert_eq!(read().await.state(), ProgressState::Running);

    let attempt = Try::new(&stand_in, DEEP, 1).on_event({
        let stand_in = stand_in.clone();
        move |event| {
            let is_named = format!("{event:?}").contains("downstream");
            if is_named {
                inject_fault(&stand_in, "GET", "/620901/bridges", 1000, FaultKind::Status(403));
            }
        }
    });
    let outcome = attempt.run().await.expect("is found");
    assert!(outcome.is_unknown() && !outcome.succeeded(), "{outcome:?}");
    let unseen = outcome.pipelines[0].unseen();
    assert!(unseen[0].starts_with("Pipeline 620903 of `group/sub/pipelines`, which `downstream` has triggered, cannot be read; it was last "), "{unseen:?}");

    // A deleted pipeline leaves a trigger job without one.
    stand_in.control(ControlFile::Behave).expect("is taken");
    assert_eq!(read().await.state(), ProgressState::Running);
    stand_in.control(ControlFile::DeletePipeline { id: 620_903 }).expect("is there");
    let found = read().await;
    assert_eq!(found.state(), ProgressState::Unknown, "{found:?}");
    assert_eq!(
        found.unread,
        [
            "The server does not name the pipeline that `downstream` of pipeline 620901 of `group/pipelines` has triggered."
        ]
    );
}

#[tokio::test]
async fn a_request_beyond_the_searched_comments_is_not_denied() {
    let stand_in = stand_in_of(config());
    super::progress::request(&stand_in, DEEP, 1).await;
    let (alice, _) = client(&stand_in, Some(ALICE));
    let read = async || stage::progress(&alice, &of(DEEP, 1), &Events::silent()).await.expect("is read");
    let talk = |user: &str, count: usize| {
        for _ in 0..count {
            let (project, user, body) = (DEEP.to_owned(), user.to_owned(), "Any news?".to_owned());
            stand_in.control(ControlFile::Comment { project, iid: 1, user, body }).expect("is taken");
        }
    };
    talk("cki-ci-bot", 1);
    talk("bob", 1500);
    assert_eq!(read().await.state(), ProgressState::Waiting, "the request is found");
    talk("bob", 600);
    let found = read().await;
    assert_eq!((found.state(), found.searched), (ProgressState::NotFound, Some(2000)), "{found:?}");
    assert_eq!(
        found.unread,
        ["Only the newest 2000 comments of `group/deep!1` were searched for a request."]
    );
    let options = StageOptions::default();
    let error = stage::watch(&alice, &of(DEEP, 1), &options, &Events::silent(), &Shutdown::new()).await;
    let denied = error.expect_err("is not found").to_string();
    assert_eq!(
        denied,
        "no request for the head 4444444 is among the newest 2000 comments of `group/deep!1`, and the older ones were not searched"
    );
    let error = stage::plan_cancel(&alice, &of(DEEP, 1)).await.expect_err("is not found");
    assert_eq!(error.to_string(), denied);
    // What the bot says first is among the oldest.
    let welcome = stage::bot_welcome(&alice, DEEP, 1, "cki-ci-bot", &Events::silent()).await;
    assert_eq!(welcome.expect("is read").lines, ["Any news?"]);

    // Asking again finds the request all the same, and so does a report.
    let asked = super::progress::request(&stand_in, DEEP, 1).await;
    assert!(matches!(asked, AskResult::Found(_)), "{asked:?}");
    let post = async |text: &str| stage::post_report(&alice, &found.merge_request, text).await;
    assert!(matches!(post("first").await.expect("is posted"), NoteResult::Created(_)));
    assert!(matches!(post("second").await.expect("is replaced"), NoteResult::Updated(_)));
}

#[tokio::test]
async fn nothing_is_posted_on_more_comments_than_can_be_read() {
    let stand_in = stand_in_of(config());
    for _ in 0..201 {
        let (project, user, body) = (DEEP.to_owned(), "bob".to_owned(), "Any news?".to_owned());
        stand_in.control(ControlFile::Comment { project, iid: 1, user, body }).expect("is taken");
    }
    inject_fault(&stand_in, "GET", "/notes", 10_000, FaultKind::SmallPages(1));
    let error = Try::new(&stand_in, DEEP, 1).run().await.expect_err("is refused").to_string();
    assert!(error.contains("than the 200 that can be read, so nothing is posted"), "{error}");
    assert_eq!(stand_in.comments(DEEP, 1).len(), 201);
}
