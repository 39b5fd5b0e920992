//! The client of web pages against a server that counts its requests. Pauses take no time.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cki::base::clock::{Clock, Sleep};
use cki::base::http::HttpClient;
use cki::systems::web::{PageState, Web};
use futures_util::future::join_all;
use reqwest::Url;

use crate::support::ports::free_port;
use crate::support::web_server::WebServer;

/// A clock that a pause advances at once.
#[derive(Debug, Default)]
struct PausedClock {
    now: Mutex<Duration>,
    pauses: Mutex<Vec<Duration>>,
}

impl PausedClock {
    fn pauses(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.pauses.lock().expect("is not poisoned"))
    }
}

impl Clock for PausedClock {
    fn elapsed(&self) -> Duration {
        *self.now.lock().expect("is not poisoned")
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.elapsed()
    }

    fn sleep(&self, span: Duration) -> Sleep<'_> {
        Box::pin(async move {
            *self.now.lock().expect("is not poisoned") += span;
            self.pauses.lock().expect("is not poisoned").push(span);
            tokio::task::yield_now().await;
        })
    }
}

fn web() -> (Web, Arc<PausedClock>) {
    let clock = Arc::new(PausedClock::default());
    (Web::new(Arc::new(HttpClient::default()), clock.clone()), clock)
}

fn url(text: &str) -> Url {
    Url::parse(text).expect(text)
}

#[tokio::test]
async fn web_tells_the_states_of_pages_apart() {
    let server = WebServer::start();
    let (web, clock) = web();
    let gone = |why: &str| PageState::Gone(why.to_owned());
    for (path, state, requests) in [
        ("/ok/a", PageState::Reached, vec!["HEAD /ok/a"]),
        ("/get/a", PageState::Reached, vec!["GET /get/a", "HEAD /get/a"]),
        ("/status/404/a", gone("answers 404"), vec!["GET /status/404/a", "HEAD /status/404/a"]),
        ("/status/403/a", PageState::NeedsLogin, vec!["HEAD /status/403/a"]),
        ("/moved/a", PageState::Moved(url(&server.url("/ok/a"))), vec!["HEAD /moved/a", "HEAD /ok/a"]),
        ("/found/b", PageState::Reached, vec!["HEAD /found/b", "HEAD /ok/b"]),
        ("/private/a", PageState::NeedsLogin, vec!["HEAD /private/a"]),
    ] {
        assert_eq!(web.state(&url(&server.url(path))).await, state, "{path}");
        assert_eq!(server.seen(), requests, "{path}");
    }
    let state = web.state(&url(&server.url("/loop/a"))).await;
    assert_eq!(state, gone("has more than 10 redirects"));
    assert!(clock.pauses().is_empty());
    // The login of an address, and the one that a server puts into a redirect, are not sent.
    let with_login = server.url("/ok/a").replace("127", "me:secret@127");
    assert_eq!(web.state(&url(&with_login)).await, PageState::Reached);
    let to = server.url(&format!("/to?{with_login}"));
    assert_eq!(web.state(&url(&to)).await, PageState::Moved(url(&server.url("/ok/a"))));
    for header in ["authorization", "cookie", "referer"] {
        assert!(!server.had_header(header), "{header}");
    }
    assert!(server.had_header("user-agent"));
}

#[tokio::test]
async fn web_retries_faults_and_waits_as_long_as_it_is_told() {
    let server = WebServer::start();
    let (web, clock) = web();
    assert_eq!(web.state(&url(&server.url("/flaky/2/a"))).await, PageState::Reached);
    assert_eq!((server.seen().len(), clock.pauses().len()), (3, 2));
    let faulty = PageState::Faulty("answers 503".to_owned());
    assert_eq!(web.state(&url(&server.url("/flaky/99/a"))).await, faulty);
    assert_eq!(server.seen().len(), 6, "three times HEAD, three times GET");
    clock.pauses();
    assert_eq!(web.state(&url(&server.url("/limited/1/7/a"))).await, PageState::Reached);
    let [pause] = clock.pauses()[..] else { panic!("one pause") };
    assert!((Duration::from_secs(7)..Duration::from_secs(8)).contains(&pause), "{pause:?}");
    assert_eq!(server.seen().len(), 2);
    // A minute is not too long, and a limit of one page says nothing about the others.
    assert_eq!(web.state(&url(&server.url("/limited/1/60/a"))).await, PageState::Reached);
    for number in 0..2 {
        let page = url(&server.url(&format!("/limited/99/0/{number}")));
        assert_eq!(web.state(&page).await, PageState::RateLimited);
        assert_eq!(web.state(&url(&server.url("/ok/a"))).await, PageState::Reached);
    }
    clock.pauses();
    server.seen();
    // A wait that is too long ends all requests to this server.
    assert_eq!(web.state(&url(&server.url("/limited/1/3600/a"))).await, PageState::RateLimited);
    assert_eq!(web.state(&url(&server.url("/ok/a"))).await, PageState::RateLimited);
    assert_eq!(server.seen(), ["HEAD /limited/1/3600/a"]);
}

#[tokio::test]
async fn web_asks_a_server_four_times_at_once() {
    let server = WebServer::start();
    let (web, _) = web();
    // Four of them are answered together, so fewer at a time would never end.
    let pages: Vec<Url> = (0..12).map(|number| url(&server.url(&format!("/held/4/{number}")))).collect();
    let states = join_all(pages.iter().map(|page| web.state(page))).await;
    assert!(states.iter().all(|state| *state == PageState::Reached), "{states:?}");
    assert_eq!((server.seen().len(), server.most_at_a_time()), (12, 4));
}

#[tokio::test]
async fn web_gives_up_a_server_that_does_not_answer() {
    let (web, clock) = web();
    let dead = free_port();
    let pages: Vec<Url> = (0..20).map(|number| url(&format!("http://127.0.0.1:{dead}/{number}"))).collect();
    let states = join_all(pages.iter().map(|page| web.state(page))).await;
    let is_refused = |state: &PageState| match state {
        PageState::Unreachable(why) => why.starts_with("cannot be reached: Connection refused"),
        _ => false,
    };
    assert!(states.iter().all(is_refused), "{states:?}");
    // Only the pages that were asked for at first are retried.
    assert!((2..=8).contains(&clock.pauses().len()));
    let server = WebServer::start();
    assert_eq!(web.state(&url(&server.url("/ok/a"))).await, PageState::Reached, "others are still asked");
}
