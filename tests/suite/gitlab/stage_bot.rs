//! The bot's side of staging: its explanation, its commands, and the projects of its pipelines.

use cki::demo::gitlab::ControlFile;
use cki::model::event::Events;
use cki::model::inventory::ProjectPatterns;
use cki::model::staging::{Marker, StagingParameter, StagingRequest};
use cki::ops::stage::{self, AskResult, StageOptions};

use super::stage::{TOOLS, Try};
use super::{client, config, stand_in, stand_in_of};

#[tokio::test]
async fn stage_shows_the_welcome_of_the_bot() {
    let stand_in = stand_in();
    let attempt = Try::new(&stand_in, TOOLS, 213);
    let (gitlab, _) = client(&stand_in, attempt.token);
    let ask = async || stage::bot_welcome(&gitlab, TOOLS, 213, "cki-ci-bot", &Events::silent()).await;
    assert!(ask().await.expect("is read").comment.is_none());
    for (user, body) in [("bob", "hello"), ("cki-ci-bot", "Hi!\n\u{1b}[31mI test."), ("cki-ci-bot", "second")]
    {
        let (project, user, body) = (TOOLS.to_owned(), user.to_owned(), body.to_owned());
        stand_in.control(ControlFile::Comment { project, iid: 213, user, body }).expect("is taken");
    }
    let found = ask().await.expect("is read");
    assert_eq!(found.lines, ["Hi!", "I test."]);
    assert_eq!(found.comment.map(|comment| comment.id), Some(1_830_042));
    let (nobody, _) = client(&stand_in, None);
    let error =
        stage::bot_welcome(&nobody, TOOLS, 213, "cki-ci-bot", &Events::silent()).await.expect_err("no token");
    assert!(
        error.to_string().starts_with("reading the comments of `group/tools!213` needs a token"),
        "{error}"
    );
}

#[tokio::test]
async fn stage_follows_pipelines_of_the_configured_projects_only() {
    let stand_in = stand_in();
    let mut attempt = Try::new(&stand_in, TOOLS, 213);
    attempt.bot().pipelines = vec!["group/sub/*".to_owned()].into();
    let outcome = attempt.run().await.expect("is asked");
    let hearsay: Vec<bool> = outcome.pipelines.iter().map(|one| one.by_hearsay).collect();
    assert_eq!(hearsay, [true, false], "{outcome:?}");
    let foreign = |request: &String| request.contains("/projects/group%2Fpipelines/");
    assert_eq!(stand_in.requests().iter().find(|request| foreign(request)), None);
    assert!(outcome.succeeded(), "the bot's word counts");
}

#[tokio::test]
async fn stage_works_without_links_in_the_answer() {
    let mut config = config();
    config.bot.as_mut().expect("has one").links = false;
    let stand_in = stand_in_of(config);
    let mut attempt = Try::new(&stand_in, TOOLS, 213).with_request(&[], &["cki/620247"]);
    attempt.bot().pipelines = vec!["group/pipelines".to_owned()].into();
    let outcome = attempt.run().await.expect("is asked");
    let [one] = &outcome.pipelines[..] else { panic!("one pipeline: {outcome:?}") };
    assert!(one.succeeded() && !one.by_hearsay);
    assert_eq!(one.project.as_deref(), Some("group/pipelines"));
    attempt.bot().pipelines = ProjectPatterns::default();
    attempt.options = StageOptions { force: true, ..StageOptions::default() };
    let outcome = attempt.run().await.expect("is asked");
    let [one] = &outcome.pipelines[..] else { panic!("one pipeline: {outcome:?}") };
    assert!(one.succeeded() && one.by_hearsay, "not a pipeline of the merge request's project");
}

#[tokio::test]
async fn stage_sends_the_command_of_another_bot_once() {
    let stand_in = stand_in();
    let command = |job: &str| {
        let mut attempt = Try::new(&stand_in, TOOLS, 213);
        let parameter = StagingParameter::parse(&format!("job={job}")).expect("can be sent");
        let bot = attempt.bot();
        bot.request = StagingRequest::new("cki-ci-bot", vec![parameter], vec![], &[]).expect("is valid");
        bot.template = "/test {{ parameter.job }}".to_owned();
        attempt.options.no_wait = true;
        attempt
    };
    let outcome = command("unit").run().await.expect("is asked");
    assert!(matches!(outcome.asked, AskResult::Posted(_)), "{:?}", outcome.asked);
    let (_, _, body) = &stand_in.comments(TOOLS, 213)[0];
    assert!(body.starts_with("/test unit\n\n") && Marker::find(body).is_some(), "{body}");
    assert!(matches!(command("unit").run().await.expect("is found").asked, AskResult::Found(_)));
    assert!(matches!(command("e2e").run().await.expect("is asked").asked, AskResult::Posted(_)));
}
