//! Web servers, as anybody may ask them: whether a page is there, without a login and without reading it. Reading the
//! status of an answer is `answer`, the state of a host `host`. Pages that are read are up to `ops`.

mod answer;
mod host;
mod page_state;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Method, Url, header};
use tokio::sync::Semaphore;

use crate::base::clock::Clock;
use crate::base::http::{HttpClient, innermost_cause, is_about_tls};
use crate::base::retry::{Attempt, RetryDecision, RetryLimits, asked_wait};
use crate::base::text::{safe_line, truncate};
use answer::{AnswerStep, WebAnswer, leads_to_login, leads_to_this_network};
use host::WebHost;
pub use page_state::PageState;

/// Limits of retries.
const RETRIES: RetryLimits = RetryLimits { tries: 3, patience: Duration::from_secs(60) };
/// Maximum time of one request.
const PATIENCE: Duration = Duration::from_secs(15);
/// Maximum number of redirects to follow.
const REDIRECTS: usize = 10;
/// Maximum number of requests at a time, to all hosts.
const PARALLEL: usize = 16;
/// Maximum columns of a reason from outside.
const LONGEST_REASON: usize = 200;

/// Client of all web servers. Its requests carry no login, no cookie and no referrer.
#[derive(Debug)]
pub struct Web {
    http: Arc<HttpClient>,
    clock: Arc<dyn Clock>,
    hosts: Mutex<HashMap<String, Arc<WebHost>>>,
    all: Semaphore,
}

impl Web {
    /// Creates a client. Opens no connection.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock, hosts: Mutex::default(), all: Semaphore::new(PARALLEL) }
    }

    /// Returns the state of the page at an address of HTTP. A login in the address is not sent.
    pub async fn state(&self, url: &Url) -> PageState {
        match self.follow(url, &Method::HEAD).await {
            // Many servers refuse HEAD, or answer it with an error although the page is there.
            PageState::Gone(_) | PageState::Faulty(_) => self.follow(url, &Method::GET).await,
            state => state,
        }
    }

    /// Asks for a page, and for those that its redirects lead to.
    async fn follow(&self, url: &Url, method: &Method) -> PageState {
        let url = plain(url.clone());
        let (mut at, mut is_permanent_so_far) = (url.clone(), true);
        for _ in 0..=REDIRECTS {
            let answer = match self.ask(&at, method).await {
                Ok(answer) => answer,
                Err(state) => return state,
            };
            let (to, is_permanent) = match answer.step(&at) {
                AnswerStep::Redirect { to, is_permanent } => (plain(to), is_permanent),
                AnswerStep::End(PageState::Reached) if at != url && is_permanent_so_far => {
                    return PageState::Moved(at);
                }
                AnswerStep::End(state) => return state,
            };
            if leads_to_login(&to) && !leads_to_login(&url) {
                return PageState::NeedsLogin;
            }
            if leads_to_this_network(&to) && !leads_to_this_network(&at) {
                return PageState::Gone(
                    "redirects to an address of this machine or a private network".to_owned(),
                );
            }
            is_permanent_so_far &= is_permanent;
            at = to;
        }
        PageState::Gone(format!("has more than {REDIRECTS} redirects"))
    }

    /// Sends a request until the answer is usable or the retry rule gives up.
    async fn ask(&self, url: &Url, method: &Method) -> Result<WebAnswer, PageState> {
        let host = self.host(url);
        // It is kept between tries: a server that does not answer is asked for no more pages meanwhile.
        let _turn = host.turn().await;
        let mut tries = 0;
        loop {
            tries += 1;
            host.ready(&*self.clock).await?;
            let sent = self.send(url, method).await;
            let trouble = match &sent {
                Ok(answer) => Attempt::Status(answer.status, answer.asked_wait),
                Err(fault) if fault.is_unsent => Attempt::NotSent,
                Err(_) => Attempt::Broken,
            };
            match RETRIES.next(true, tries, trouble, fastrand::f64()) {
                RetryDecision::Wait(pause) if matches!(trouble, Attempt::Status(429, _)) => {
                    // The limit is one of the host, so all its requests wait.
                    host.pause(&*self.clock, pause);
                }
                RetryDecision::Wait(pause) => self.clock.sleep(pause).await,
                RetryDecision::GiveUp(_) => return conclude(sent, &host),
            }
        }
    }

    /// Makes one try; reads the head of the answer only.
    async fn send(&self, url: &Url, method: &Method) -> Result<WebAnswer, NoAnswer> {
        let client = self.http.single_client_for(url).map_err(|error| NoAnswer {
            why: format!("cannot be asked: {error}"),
            is_unsent: true,
            is_of_host: true,
        })?;
        // Closed only while tasks of this client still run, which is never.
        let _slot = self.all.acquire().await;
        let request = client.request(method.clone(), url.clone()).timeout(PATIENCE);
        let response = request.send().await.map_err(|error| NoAnswer {
            why: reason(&error),
            is_unsent: error.is_connect() || error.is_builder(),
            is_of_host: error.is_connect() || error.is_timeout(),
        })?;
        let text = |name: &str| response.headers().get(name)?.to_str().ok();
        Ok(WebAnswer {
            status: response.status().as_u16(),
            location: text(header::LOCATION.as_str()).map(str::to_owned),
            asked_wait: asked_wait(text("retry-after"), text("ratelimit-reset"), self.clock.wall()),
        })
    }

    fn host(&self, url: &Url) -> Arc<WebHost> {
        let key = url.origin().ascii_serialization();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(key).or_default().clone()
    }
}

/// Failed try: no answer.
#[derive(Debug)]
struct NoAnswer {
    /// Reason, as the end of a sentence whose subject is the address.
    why: String,
    is_unsent: bool,
    /// It is likely to be the same for each page of the host.
    is_of_host: bool,
}

/// Returns what the last try says. If it is about the host, no further request is sent there.
fn conclude(sent: Result<WebAnswer, NoAnswer>, host: &WebHost) -> Result<WebAnswer, PageState> {
    match sent {
        Ok(answer) if answer.status == 429 => {
            // A wait that is too long holds for all pages; a limit may also be one of this page.
            let is_too_long = answer.asked_wait.is_some_and(|wait| wait > RETRIES.patience);
            Err(host.limit(is_too_long))
        }
        Ok(answer) => Ok(answer),
        Err(fault) => {
            let state = PageState::Unreachable(fault.why);
            Err(if fault.is_of_host { host.close(state) } else { state })
        }
    }
}

/// Returns an address without a login and without the place in the page.
fn plain(mut url: Url) -> Url {
    // An address of HTTP has a host, so this cannot fail.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url
}

fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "does not answer in time".to_owned();
    }
    let what = if is_about_tls(error) { "has no valid certificate" } else { "cannot be reached" };
    let cause = innermost_cause(error).unwrap_or_else(|| "the request could not be made".to_owned());
    format!("{what}: {}", truncate(&safe_line(&cause), LONGEST_REASON))
}
