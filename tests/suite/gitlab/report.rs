//! Reports on a staging for people outside of the team: what they contain, and the one comment.

use std::sync::Arc;
use std::time::Duration;

use cki::base::assets::Assets;
use cki::base::clock::Clock as _;
use cki::base::redact::without_tokens;
use cki::base::template::html::TextCleaner;
use cki::demo::gitlab::{ControlFile, FaultKind, InjectedFault};
use cki::model::event::Events;
use cki::ops::stage::{self, NoteResult, StagingProgress};
use cki::report::staging::{ReportTemplates, markdown, page};

use super::progress::{DEEP, of, request};
use super::{ALICE, client, config, inject_fault, stand_in, stand_in_of};

const SECRET: &str = "glpat-0123456789abcdefghij";

fn cleaner() -> TextCleaner {
    TextCleaner::new(Arc::new(|text| without_tokens(text).into_owned()))
}

fn html(progress: &StagingProgress) -> String {
    let templates = ReportTemplates::read(&Assets::new(vec![])).expect("are built in");
    page(progress, &templates, &cleaner()).expect("is made")
}

#[tokio::test]
async fn reports_are_self_contained_masked_and_escaped() {
    let mut config = config();
    let bad = &mut config.scripts.get_mut("bad").expect("is there").jobs[1];
    bad.name = "build <script>alert(1)</script> @all".to_owned();
    bad.log = format!("TOKEN={SECRET}\n/close\n~~~~~\n</pre><img src=x onerror=alert(1)>\nERROR: no\n");
    let stand_in = stand_in_of(config);
    request(&stand_in, DEEP, 1).await;
    let (alice, clock) = client(&stand_in, Some(ALICE));
    clock.sleep(Duration::from_secs(600)).await;
    let found = stage::progress(&alice, &of(DEEP, 1), &Events::silent()).await.expect("is read");
    let page = html(&found);
    for part in [
        "default-src 'none'; style-src 'sha256-",
        "Goes &lt;b&gt;deep&lt;/b&gt;",
        "@alice",
        "<svg class=\"timeline\"",
        "https://review.example.com/1",
        "build &lt;script&gt;alert(1)&lt;/script&gt; @all",
        "&lt;/pre&gt;&lt;img src=x",
        "ERROR: no",
        "2026-11-22 10:10:00 UTC",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for part in [SECRET, "<script", "<img", "url(", "@import", "review.example.com/2"] {
        assert!(!page.contains(part), "{part}: {page}");
    }
    let md = markdown(&found, &cleaner());
    assert!(md.starts_with("**Staging: ✔ Succeeded** · head `4444444`"), "{md}");
    assert!(
        md.contains("| › `downstream` |") && md.contains("`build <script>alert(1)</script> @\u{200b}all`"),
        "{md}"
    );
    assert!(!md.contains(SECRET) && md.contains("~~~~~~text\n"), "{md}");
    // Bots read a comment as text: nothing in it addresses one.
    assert!(!md.replace("@\u{200b}", "").contains('@'), "{md}");
    // No line of the log can be a quick action.
    assert!(md.lines().all(|line| !line.starts_with('/')), "{md}");
}

#[tokio::test]
async fn report_is_one_comment_of_the_user() {
    let stand_in = stand_in();
    let (alice, _) = client(&stand_in, Some(ALICE));
    let (bob, _) = client(&stand_in, Some("bob-not-a-real-token"));
    let facts =
        stage::progress(&alice, &of(DEEP, 1), &Events::silent()).await.expect("is read").merge_request;
    let reports = || {
        let comments = stand_in.comments(DEEP, 1);
        let ours = comments
            .into_iter()
            .filter(|(_, user, body)| user == "alice" && body.contains("cki:stage-report"));
        ours.map(|(_, _, body)| body.lines().last().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    // The report of another user is not replaced, although it has the same marker.
    stage::post_report(&bob, &facts, "bob's").await.expect("is posted");
    let post = async |text: &str| stage::post_report(&alice, &facts, text).await;
    assert!(matches!(post("first").await.expect("is posted"), NoteResult::Created(_)));
    assert!(matches!(post("first").await.expect("is there"), NoteResult::Unchanged(_)));
    assert!(matches!(post("second").await.expect("is updated"), NoteResult::Updated(_)));
    assert_eq!(reports(), ["second"]);
    // An update and a creation whose answer is lost are looked up.
    for (method, done) in [("PUT", true), ("PUT", false), ("POST", true), ("POST", false)] {
        if method == "POST" {
            let id =
                stand_in.comments(DEEP, 1).iter().find(|(_, user, _)| user == "alice").map(|(id, ..)| *id);
            stand_in.control(ControlFile::DeleteNote { id: id.expect("is there") }).expect("is taken");
        }
        let kind = FaultKind::Reset;
        let fault = InjectedFault {
            method: Some(method.to_owned()),
            path: "/notes".to_owned(),
            after: 0,
            times: 1,
            done,
            kind,
        };
        stand_in.control(ControlFile::Misbehave(fault)).expect("is taken");
        let text = format!("{method} {done}");
        let result = post(&text).await.expect("is posted in the end");
        assert_eq!(reports(), [text], "{result:?}");
    }
    inject_fault(&stand_in, "PUT", "/notes", 9, FaultKind::Status(500));
    post("third").await.expect_err("never arrives");
    assert_eq!(reports().len(), 1);
}
