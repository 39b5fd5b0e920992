//! The client against a server that misbehaves.

use std::sync::Arc;
use std::time::Duration;

use cki::base::http::{HttpClient, HttpPolicy};
use cki::base::secret::Secret;
use cki::demo::gitlab::{ControlFile, FaultKind, RateLimit};
use cki::model::event::Events;
use cki::systems::gitlab::{ClientOptions, GitLab, GitLabError, Note, NoteOrder, Poller};

use super::{
    ALICE, ByHand, READER, Recorder, client, config, gitlab_with, inject_fault, stand_in, stand_in_of,
};
use crate::support::ports::free_port;

const MR: &str = "/merge_requests/213";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test]
async fn client_reads_and_creates_resources() {
    let stand_in = stand_in();
    let (gitlab, clock) = client(&stand_in, Some(ALICE));
    assert_eq!(gitlab.version().await.expect("is told").version, "18.5.1-ee");
    assert_eq!(gitlab.user().await.expect("is told").username, "alice");
    let mr = gitlab.merge_request("group/tools", 213).await.expect("is there");
    assert_eq!((mr.state.as_str(), mr.sha.is_some()), ("opened", true));
    let made = gitlab.create_note("group/tools", 213, "Hello, <b>you</b>\n").await.expect("is made");
    assert_eq!(gitlab.note("group/tools", 213, made.id).await.expect("is there"), made);
    assert_eq!(made.body, "Hello, <b>you</b>\n");
    assert!(clock.pauses().is_empty());
}

#[tokio::test]
async fn client_reads_pages_up_to_the_limit() {
    let stand_in = stand_in();
    let log = Recorder::new(|_| ());
    let events = Events::new(log.clone());
    let gitlab = gitlab_with(stand_in.url(), Some(ALICE), ByHand::new(&stand_in), events);
    for number in 0..250 {
        let body = format!("number {number}");
        let (project, user) = ("group/tools".to_owned(), "bob".to_owned());
        stand_in.control(ControlFile::Comment { project, iid: 213, user, body }).expect("is taken");
    }
    let newest = async |pages: usize, enough: fn(&[Note]) -> bool| {
        gitlab.notes("group/tools", 213, NoteOrder::NewestFirst, pages, enough).await
    };
    let all = newest(10, |_| false).await.expect("are there");
    assert_eq!((all.len(), log.warnings()), (250, Vec::new()));
    assert_eq!(all[0].body, "number 249", "newest first");
    let some = newest(2, |_| false).await.expect("are there");
    assert_eq!(some.len(), 200);
    let again = newest(2, |_| false).await.expect("are there");
    assert_eq!(again.len(), 200);
    let said = format!("Of the comments of `group/tools!213` on `{}`, only 200 are read.", stand_in.url());
    assert_eq!(log.warnings(), [said], "it is said once");
    let first = newest(10, |_| true).await.expect("are there");
    assert_eq!(first.len(), 100);
    // A complete search ends with the list, or fails.
    let oldest = async || gitlab.all_notes("group/tools", 213, NoteOrder::OldestFirst, |_| false).await;
    let all = oldest().await.expect("are there");
    assert_eq!((all.len(), all[0].body.as_str()), (250, "number 0"), "oldest first");
    inject_fault(&stand_in, "GET", "/notes", 1000, FaultKind::SmallPages(1));
    let error = oldest().await.expect_err("has more pages than are read");
    assert_eq!(
        error.to_string(),
        format!(
            "`{}` has more of the comments of `group/tools!213` than the 200 that can be read, so nothing is posted: \
             the same comment may be among the others",
            stand_in.url()
        )
    );
    stand_in.control(ControlFile::Behave).expect("is taken");
    inject_fault(&stand_in, "GET", "/notes", 10, FaultKind::Circle);
    let error = newest(10, |_| false).await.expect_err("never ends");
    assert!(matches!(error, GitLabError::Circle { .. }), "{error}");
}

#[tokio::test]
async fn client_retries_transient_errors() {
    let stand_in = stand_in();
    for how in [
        FaultKind::Status(500),
        FaultKind::Status(502),
        FaultKind::Reset,
        FaultKind::Truncated,
        FaultKind::HalfJson,
    ] {
        let (gitlab, clock) = client(&stand_in, Some(ALICE));
        inject_fault(&stand_in, "GET", MR, 4, how.clone());
        gitlab.merge_request("group/tools", 213).await.expect("comes in the end");
        assert_eq!(clock.pauses().len(), 4, "{how:?}");
        assert!(clock.pauses().is_sorted(), "{how:?}: {:?}", clock.pauses());
        inject_fault(&stand_in, "GET", MR, 5, how.clone());
        let error = gitlab.merge_request("group/tools", 213).await.expect_err("fails five times");
        assert!(error.is_transient(), "{how:?}: {error}");
        stand_in.control(ControlFile::Behave).expect("is taken");
    }
}

#[tokio::test]
async fn client_waits_as_long_as_a_rate_limit_says() {
    for (retry_after, reset_in, wait) in [
        (Some("7"), None, seconds(7)),
        (Some("Sun, 22 Nov 2026 10:00:09 GMT"), None, seconds(9)),
        (None, Some(20), seconds(20)),
        (None, None, Duration::from_millis(200)),
    ] {
        let stand_in = stand_in();
        let (gitlab, clock) = client(&stand_in, Some(ALICE));
        let how = FaultKind::TooMany { retry_after: retry_after.map(str::to_owned), reset_in };
        inject_fault(&stand_in, "GET", MR, 1, how);
        gitlab.merge_request("group/tools", 213).await.expect("comes in the end");
        let [pause] = clock.pauses()[..] else { panic!("one pause: {:?}", clock.pauses()) };
        assert!((wait..wait + seconds(1)).contains(&pause), "{pause:?} for {wait:?}");
    }
    let stand_in = stand_in();
    let (gitlab, clock) = client(&stand_in, Some(ALICE));
    inject_fault(
        &stand_in,
        "GET",
        MR,
        1,
        FaultKind::TooMany { retry_after: Some("3600".into()), reset_in: None },
    );
    let error = gitlab.merge_request("group/tools", 213).await.expect_err("is too long to wait");
    assert!(matches!(error, GitLabError::RateLimited { wait: Some(wait), .. } if wait == seconds(3600)));
    assert!(error.to_string().ends_with("it asks to wait 60 m"), "{error}");
    assert!(clock.pauses().is_empty());
}

#[tokio::test]
async fn client_keeps_the_rate_limit() {
    let mut config = config();
    config.rate_limit = Some(RateLimit { requests: 10, period: 60 });
    let stand_in = stand_in_of(config);
    let (gitlab, clock) = client(&stand_in, Some(ALICE));
    for _ in 0..25 {
        gitlab.merge_request("group/tools", 213).await.expect("comes in the end");
    }
    assert_eq!(clock.pauses().len(), 2);
}

#[tokio::test]
async fn client_never_retries_an_ambiguous_comment() {
    let stand_in = stand_in();
    let (gitlab, clock) = client(&stand_in, Some(ALICE));
    for how in [FaultKind::Status(502), FaultKind::Reset, FaultKind::Truncated, FaultKind::HalfJson] {
        inject_fault(&stand_in, "POST", "/notes", 1, how.clone());
        let error = gitlab.create_note("group/tools", 213, "x").await.expect_err("fails");
        assert!(error.is_ambiguous(), "{how:?}: {error}");
    }
    // Of these, two were cut off after they had been made.
    assert_eq!(stand_in.comments("group/tools", 213).len(), 2);
    assert!(clock.pauses().is_empty());
    inject_fault(
        &stand_in,
        "POST",
        "/notes",
        2,
        FaultKind::TooMany { retry_after: Some("3".into()), reset_in: None },
    );
    gitlab.create_note("group/tools", 213, "x").await.expect("is made in the end");
    assert_eq!(stand_in.comments("group/tools", 213).len(), 3);
    assert_eq!(clock.pauses().len(), 2);
}

#[tokio::test]
async fn client_errors_are_told_apart() {
    let stand_in = stand_in();
    let (alice, _) = client(&stand_in, Some(ALICE));
    let (reader, _) = client(&stand_in, Some(READER));
    let (nobody, _) = client(&stand_in, None);
    let (wrong, _) = client(&stand_in, Some("wrong"));
    let error = alice.merge_request("secret/project", 1).await.expect_err("is hidden");
    assert!(error.is_not_found(), "{error}");
    let error = alice.merge_request("group/tools", 99).await.expect_err("is not there");
    assert_eq!(
        error.to_string(),
        format!("merge request `group/tools!99` was not found on `{}`", stand_in.url())
    );
    let error = reader.create_note("group/tools", 213, "x").await.expect_err("has no right");
    assert!(
        matches!(&error, GitLabError::Forbidden { .. }) && error.to_string().contains("higher privileges")
    );
    let error = wrong.user().await.expect_err("is nobody");
    assert!(matches!(error, GitLabError::Unauthorised { had_token: true, .. }), "{error}");
    let error = nobody.note("group/tools", 213, 1).await.expect_err("wants a token");
    assert!(matches!(error, GitLabError::Unauthorised { had_token: false, .. }), "{error}");
    nobody.merge_request("group/tools", 213).await.expect("is public");
    stand_in.control(ControlFile::Expire { token: ALICE.into() }).expect("is taken");
    let error = alice.user().await.expect_err("is expired");
    assert!(matches!(error, GitLabError::Unauthorised { .. }), "{error}");
}

#[tokio::test]
async fn client_reports_a_server_that_is_not_gitlab() {
    let stand_in = stand_in();
    let (gitlab, _) = client(&stand_in, Some(ALICE));
    inject_fault(&stand_in, "GET", "/version", 1, FaultKind::Page);
    let error = gitlab.version().await.expect_err("is a page");
    assert!(matches!(error, GitLabError::NotGitLab { .. }), "{error}");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let (_, clock) = client(&stand_in, None);
    let gone = gitlab_with(&nobody, None, clock.clone(), Events::silent());
    let error = gone.version().await.expect_err("is closed");
    assert_eq!(error.to_string(), format!("cannot reach `{nobody}`: Connection refused (os error 111)"));
    assert!(!error.is_ambiguous());
    assert_eq!(clock.pauses().len(), 4);
}

#[tokio::test]
async fn poller_reports_changes_only() {
    let stand_in = stand_in();
    let (gitlab, _) = client(&stand_in, Some(ALICE));
    let mut watch = Poller::merge_request("group/tools", 213);
    assert!(gitlab.refresh(&mut watch).await.expect("is read"));
    assert!(!gitlab.refresh(&mut watch).await.expect("is read"));
    let sha = "b".repeat(40);
    let project = "group/tools".to_owned();
    stand_in.control(ControlFile::MoveHead { project, iid: 213, sha: sha.clone() }).expect("is taken");
    assert!(gitlab.refresh(&mut watch).await.expect("is read"));
    assert_eq!(watch.value().and_then(|mr| mr.sha.clone()), Some(sha));
}

#[tokio::test]
async fn client_checks_addresses_and_the_offline_policy() {
    let stand_in = stand_in();
    let (gitlab, clock) = client(&stand_in, Some(ALICE));
    assert_eq!(gitlab.server(), stand_in.url());
    let means = |http: HttpClient| ClientOptions::new(Arc::new(http), clock.clone(), Events::silent());
    for url in ["gitlab.com", "ftp://x", "https://user:secret@x/", "https://x/?a=b", ""] {
        let error = GitLab::new(url, None, means(HttpClient::default())).expect_err(url).to_string();
        assert!(!error.contains("secret"), "{error}");
    }
    let long = format!("{}/api/v4/", stand_in.url());
    assert!(
        GitLab::new(&long, None, means(HttpClient::default()))
            .is_ok_and(|one| one.server() == stand_in.url())
    );
    let offline = || HttpClient::new(HttpPolicy { offline: true, ..HttpPolicy::default() });
    let far = GitLab::new("https://gitlab.example.com", None, means(offline())).expect("is an address");
    assert!(matches!(far.version().await, Err(GitLabError::Offline { .. })));
    let near = GitLab::new(stand_in.url(), Some(Secret::new(ALICE).into()), means(offline()))
        .expect("is an address");
    near.version().await.expect("is on this machine");
}

#[tokio::test]
async fn client_times_out_on_a_slow_response() {
    let stand_in = stand_in();
    let (_, clock) = client(&stand_in, None);
    let mut means = ClientOptions::new(Arc::new(HttpClient::default()), clock, Events::silent());
    inject_fault(&stand_in, "GET", MR, 1, FaultKind::Slow(50));
    let patient = GitLab::new(stand_in.url(), None, means.clone()).expect("is an address");
    patient.merge_request("group/tools", 213).await.expect("comes");
    means.timeout = Duration::from_millis(50);
    inject_fault(&stand_in, "GET", MR, 5, FaultKind::Slow(60_000));
    let hasty = GitLab::new(stand_in.url(), None, means).expect("is an address");
    let error = hasty.merge_request("group/tools", 213).await.expect_err("does not come");
    assert!(error.to_string().ends_with("it does not answer in time"), "{error}");
}

#[tokio::test]
async fn stand_in_closes_its_port_when_dropped() {
    let stand_in = stand_in();
    let (gitlab, _) = client(&stand_in, None);
    let url = stand_in.url().to_owned();
    gitlab.merge_request("group/tools", 213).await.expect("is there");
    inject_fault(&stand_in, "GET", MR, 1, FaultKind::Slow(60_000));
    let hanging = tokio::spawn(async move { gitlab.merge_request("group/tools", 213).await });
    while stand_in.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    hanging.abort();
    let _ = hanging.await;
    drop(stand_in);
    let address = url.strip_prefix("http://").expect("is HTTP").to_owned();
    // A process that another test forks at this moment has the socket, too, until it ends or is replaced.
    let closed = || std::net::TcpStream::connect(&address).is_err();
    assert!(crate::support::comes_true(closed), "the port is closed");
}

#[tokio::test]
async fn client_follows_redirects_of_reads_on_one_host_only() {
    let stand_in = stand_in();
    let (gitlab, _) = client(&stand_in, Some(ALICE));
    let moved = |target: &str| FaultKind::Redirect(target.to_owned());
    inject_fault(
        &stand_in,
        "POST",
        "/notes",
        1,
        moved("/api/v4/projects/group%2Ftools/merge_requests/213/notes?x"),
    );
    let error = gitlab.create_note("group/tools", 213, "x").await.expect_err("was sent elsewhere");
    assert!(
        matches!(&error, GitLabError::Elsewhere { target, .. } if target.ends_with("/notes?x")),
        "{error}"
    );
    assert!(!error.is_ambiguous());
    inject_fault(&stand_in, "GET", MR, 1, moved("http://gitlab.example.com/"));
    let error = gitlab.merge_request("group/tools", 213).await.expect_err("is another host");
    let expected = format!("`{}` sends requests on to `http://gitlab.example.com/`", stand_in.url());
    assert_eq!(error.to_string(), expected);
    inject_fault(&stand_in, "GET", MR, 1, moved("/api/v4/projects/101/merge_requests/213"));
    gitlab.merge_request("group/tools", 213).await.expect("is followed on the same host");
}
