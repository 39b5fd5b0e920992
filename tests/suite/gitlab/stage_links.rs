//! Bots with commands of their own, which answer with links in place of a table: what is followed, and what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cki::demo::gitlab::{ControlFile, StandIn, StandInConfig};
use cki::model::event::{Event, Events};
use cki::model::staging::{AnswerForm, PipelineStatus, StagingParameter, StagingRequest};
use cki::ops::stage::{self, ProgressOptions, ProgressState, StageError, StageOutcome, StagingResult};

use super::progress::of;
use super::stage::{TOOLS, Try, statuses};
use super::{ALICE, client, config, stand_in_of};

const FAILING: &str = "group/failing";

/// A configuration whose bot takes commands, and whose merge requests have pipelines of their own: 620901 and 620902 of
/// the head of `group/tools!213`, 620903 of another commit.
fn commands() -> StandInConfig {
    let mut config = config();
    config.bot.as_mut().expect("has one").takes_commands = true;
    for project in config.projects.iter_mut().filter(|one| one.path == TOOLS) {
        project.merge_requests[0].pipelines = vec!["good".to_owned(), "bad".to_owned()];
        project.merge_requests[1].pipelines = vec!["good".to_owned()];
    }
    config
}

fn attempt(stand_in: &Arc<StandIn>, project: &str, iid: u64, projects: &[&str]) -> Try {
    let mut attempt = Try::new(stand_in, project, iid);
    let parameter = StagingParameter::parse("job=unit").expect("can be sent");
    let bot = attempt.bot();
    bot.request = StagingRequest::new("cki-ci-bot", vec![parameter], vec![], &[]).expect("is valid");
    bot.template = "/test {{ parameter.job }}".to_owned();
    bot.form = AnswerForm::TableOrLinks;
    bot.pipelines = projects.iter().map(|project| (*project).to_owned()).collect::<Vec<_>>().into();
    attempt.options.answer_within = Duration::from_secs(60);
    attempt
}

fn progress(project: &str, iid: u64, projects: &[&str]) -> ProgressOptions {
    let projects = projects.iter().map(|project| (*project).to_owned()).collect::<Vec<_>>();
    ProgressOptions { form: AnswerForm::TableOrLinks, pipelines: projects.into(), ..of(project, iid) }
}

fn notes(attempt: &Try) -> Vec<String> {
    let text = |event| if let Event::Note(text) = event { Some(text) } else { None };
    attempt.recorder.events().into_iter().filter_map(text).collect()
}

fn say(stand_in: &StandIn, user: &str, body: &str) {
    let (project, user, body) = (TOOLS.to_owned(), user.to_owned(), body.to_owned());
    stand_in.control(ControlFile::Comment { project, iid: 213, user, body }).expect("is taken");
}

fn link(stand_in: &StandIn, project: &str, id: u64) -> String {
    format!("{}/{project}/-/pipelines/{id}", stand_in.url())
}

/// Follows a command to which a silent bot gives these answers right after it was posted.
async fn answered(config: StandInConfig, projects: &[&str], answers: &[(&str, &str)]) -> (Try, StageOutcome) {
    let stand_in = stand_in_of(config);
    stand_in.advance(Duration::from_secs(10));
    stand_in.control(ControlFile::SilenceBot { silent: true }).expect("is taken");
    let answers: Vec<(String, String)> = answers
        .iter()
        .map(|(user, body)| {
            let body = body.replace("TOOLS/", &link(&stand_in, TOOLS, 0).replace("/0", "/"));
            ((*user).to_owned(), body.replace("URL", stand_in.url()))
        })
        .collect();
    let waits = AtomicBool::new(true);
    let attempt = attempt(&stand_in, TOOLS, 213, projects).on_event(move |event| {
        let is_posted = matches!(event, Event::Started { subject, .. } if subject == "answered");
        if is_posted && waits.swap(false, Ordering::SeqCst) {
            for (user, body) in &answers {
                say(&stand_in, user, body);
            }
        }
    });
    let outcome = attempt.run().await.expect("is asked");
    (attempt, outcome)
}

#[tokio::test]
async fn links_of_a_command_are_followed_and_found_again() {
    let stand_in = stand_in_of(commands());
    let projects = ["group/pipelines"];
    let attempt = attempt(&stand_in, FAILING, 1, &projects);
    let outcome = attempt.run().await.expect("is asked");
    // Two links, of which the second fails: nothing is merged or lost.
    assert_eq!(
        statuses(&outcome),
        ["group/pipelines main success", "group/pipelines c9s failed"],
        "{outcome:?}"
    );
    assert!(!outcome.succeeded() && outcome.pipelines[1].failed.iter().any(|job| job.name == "build x86_64"));
    assert_eq!(outcome.answer.as_ref().map(|answer| answer.id), Some(1_830_042));
    let (alice, _) = client(&stand_in, Some(ALICE));
    let found = stage::progress(&alice, &progress(FAILING, 1, &projects), &Events::silent()).await;
    let found = found.expect("is read");
    assert_eq!((found.state(), found.pipelines.len(), found.unread.len()), (ProgressState::Failed, 2, 0));
    assert_eq!(found.answer.map(|answer| answer.id), Some(1_830_042));
    let listed = stage::list(&alice, &progress(FAILING, 0, &projects)).await.expect("is read");
    assert!(listed.rows[0].pipelines.iter().all(PipelineStatus::is_finished), "{listed:?}");
    // Without configured projects, only pipelines of the merge request's project count.
    let found = stage::progress(&alice, &progress(FAILING, 1, &[]), &Events::silent()).await;
    assert_eq!(found.expect("is read").state(), ProgressState::Waiting);
}

#[tokio::test]
async fn links_of_several_answers_are_followed_once() {
    let answers = [
        ("cki-ci-bot", "Started TOOLS/620901, see TOOLS/620901/builds"),
        ("cki-ci-bot", "And [TOOLS/620901](TOOLS/620902)"),
    ];
    let (_, outcome) = answered(commands(), &[], &answers).await;
    let ids: Vec<Option<u64>> = outcome.pipelines.iter().map(|one| one.id).collect();
    assert_eq!(ids, [Some(620_901), Some(620_902)], "{outcome:?}");
    assert!(!outcome.succeeded() && matches!(outcome.ended, StagingResult::Finished));
    // A table that comes first is the answer.
    let table = "Group|Branch|ID|Status\n-|-|-|-\ncki|main|[620901](TOOLS/620901)|pending";
    let (_, outcome) = answered(commands(), &[], &[("cki-ci-bot", table), answers[1]]).await;
    assert_eq!(statuses(&outcome), ["cki main success"], "{outcome:?}");
}

#[tokio::test]
async fn links_to_other_pipelines_are_never_followed() {
    // Quotations, code, other people, hosts and commits.
    let hostile = "> TOOLS/620901\n\n```\nTOOLS/620901\n```\n`TOOLS/620901` <!-- TOOLS/620901 -->\n\
        https://evil.example/group/tools/-/pipelines/620901 URL@evil.example/group/tools/-/pipelines/620901\n\
        URL/group%2Ftools/-/pipelines/620901 URL/group/tools/-/pipelines/%36 TOOLS/620903 URL/group/lib/-/pipelines/620901";
    let answers = [("bob", "TOOLS/620902"), ("cki-ci-bot", hostile)];
    let (attempt, outcome) = answered(commands(), &[], &answers).await;
    assert!(matches!(outcome.ended, StagingResult::NoAnswer(Some(_))), "{outcome:?}");
    assert!(outcome.pipelines.is_empty());
    let told = notes(&attempt);
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert!(told.contains(&"Pipeline 620903 of `group/tools`, which an answer of @cki-ci-bot links to, is not followed: it runs on another commit."), "{told:?}");
    assert!(told.contains(&"Pipeline 620901 of `group/lib`, which an answer of @cki-ci-bot links to, is not followed: `stage.pipelines` does not name its project."), "{told:?}");
    let asked = attempt.stand_in.requests();
    assert!(asked.iter().all(|request| !request.contains("/pipelines/620901")), "{asked:?}");

    // A pipeline of another repository must be newer than the request.
    let mut config = commands();
    for project in config.projects.iter_mut().filter(|one| one.path == "group/deep") {
        project.merge_requests[0].pipelines = vec!["good".to_owned()];
    }
    let old = [("cki-ci-bot", "URL/group/deep/-/pipelines/620904")];
    let (attempt, outcome) = answered(config, &["group/deep"], &old).await;
    assert!(outcome.pipelines.is_empty(), "{outcome:?}");
    let told = notes(&attempt);
    assert!(
        told.iter().any(|text| text.ends_with("is not followed: it is older than the request.")),
        "{told:?}"
    );
}

#[tokio::test]
async fn links_that_cannot_be_read_make_the_result_unknown() {
    let mut config = commands();
    for project in config.projects.iter_mut().filter(|one| one.path == TOOLS) {
        project.staging.truncate(1);
        project.staging[0].project = "group/deploy".to_owned();
    }
    let stand_in = stand_in_of(config);
    let projects = ["group/deploy"];
    let outcome = attempt(&stand_in, TOOLS, 213, &projects).run().await.expect("is asked");
    assert!(outcome.is_unknown() && !outcome.succeeded(), "{outcome:?}");
    let unseen = outcome.pipelines[0].unseen();
    assert!(unseen[0].starts_with("Pipeline 620904 of `group/deploy` cannot be read: "), "{unseen:?}");
    let (alice, _) = client(&stand_in, Some(ALICE));
    let found = stage::progress(&alice, &progress(TOOLS, 213, &projects), &Events::silent()).await;
    let found = found.expect("is read");
    assert_eq!((found.state(), found.unread), (ProgressState::Unknown, unseen));
}

#[tokio::test]
async fn an_answer_with_too_many_links_is_an_error() {
    let many: String = (0..60).map(|id| format!("TOOLS/{}\n", 1000 + id)).collect();
    let (_, outcome) = answered(commands(), &[], &[("cki-ci-bot", &format!("TOOLS/620901\n{many}"))]).await;
    let StagingResult::Lost(error) = &outcome.ended else { panic!("{:?}", outcome.ended) };
    assert!(matches!(error, StageError::AnswerTooLong { .. }), "{error}");
}
