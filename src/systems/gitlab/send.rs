//! The only code here that uses the network: sends a request, reads a bounded answer, waits and retries. The
//! retry rule is in `base::retry`, the reading of answers in `answer`.

use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};

use super::GitLab;
use super::answer::{ApiAnswer, Headers, cut, error_for_status};
use super::error::GitLabError;
use super::request::{ApiRequest, Method};
use super::wire;
use crate::base::http::{innermost_cause, is_about_tls, is_loopback};
use crate::base::redact::Redactor;
use crate::base::retry::{Attempt, RetryDecision, RetryLimits, asked_wait};
use crate::base::secret::Secret;
use crate::base::text::duration;
use crate::model::access_token::{AccessToken, TokenKind};
use crate::model::event::Event;

/// Maximum bytes of a JSON answer.
const JSON_LIMIT: usize = 8 << 20;
/// Maximum bytes to read of a log whose end is wanted.
const LOG_LIMIT: u64 = 128 << 20;
/// Limits of retries.
const RETRIES: RetryLimits = RetryLimits { tries: 5, patience: Duration::from_secs(120) };
/// Maximum tries for a server that accepts a request and does not answer: each takes the whole time limit.
const SILENT_TRIES: u32 = 2;
/// Longest pause that is not reported.
const WORTH_SAYING: Duration = Duration::from_secs(2);

/// Failed try: no whole answer.
#[derive(Debug)]
enum SendFault {
    NotSent(reqwest::Error),
    Broken(reqwest::Error),
    Truncated,
    TooLong(usize),
}

impl GitLab {
    /// Sends a request until the answer is usable or the retry rule gives up.
    pub(super) async fn send(&self, request: &ApiRequest) -> Result<ApiAnswer, GitLabError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.once(request).await?;
            let trouble = match &outcome {
                Ok(answer) if answer.status < 400 && answer.is_cut_short() => Attempt::Broken,
                Ok(ApiAnswer { status, headers, .. }) => {
                    let (after, reset) =
                        (headers.retry_after.as_deref(), headers.rate_limit_reset.as_deref());
                    Attempt::Status(*status, asked_wait(after, reset, self.clock.wall()))
                }
                Err(SendFault::NotSent(_)) => Attempt::NotSent,
                Err(_) => Attempt::Broken,
            };
            let is_silent = matches!(&outcome, Err(SendFault::Broken(error)) if error.is_timeout());
            if is_silent && tries >= SILENT_TRIES {
                return self.conclude(request, outcome, None);
            }
            if is_silent && request.method == Method::Get {
                let (limit, what) = (duration(self.limit_of(request)), &request.what);
                self.events.note(format!(
                    "No answer from `{}` within {limit}: asking for {what} once more.",
                    self.server
                ));
            }
            match RETRIES.next(request.method == Method::Get, tries, trouble, fastrand::f64()) {
                RetryDecision::Wait(pause) => {
                    if pause > WORTH_SAYING {
                        self.events.note(format!("`{}` asks to wait {}.", self.server, duration(pause)));
                    }
                    self.clock.sleep(pause).await;
                }
                RetryDecision::GiveUp(wait) => return self.conclude(request, outcome, wait),
            }
        }
    }

    fn conclude(
        &self,
        request: &ApiRequest,
        outcome: Result<ApiAnswer, SendFault>,
        wait: Option<Duration>,
    ) -> Result<ApiAnswer, GitLabError> {
        let server = self.server.clone();
        let what = request.what.clone();
        match outcome {
            Ok(answer) if answer.status == 429 => Err(GitLabError::RateLimited { server, wait }),
            Ok(answer) => error_for_status(&self.server, request, answer, self.token.is_some()),
            Err(SendFault::NotSent(error)) if is_about_tls(&error) => {
                Err(GitLabError::Tls { server, why: why(&error) })
            }
            Err(SendFault::NotSent(error)) => {
                Err(GitLabError::Unreachable { server, why: why(&error), may_have_arrived: false })
            }
            Err(SendFault::Broken(error)) => {
                Err(GitLabError::Unreachable { server, why: why(&error), may_have_arrived: true })
            }
            Err(SendFault::Truncated) => Err(GitLabError::Truncated { server, what }),
            Err(SendFault::TooLong(limit)) => Err(GitLabError::TooLong { server, what, limit }),
        }
    }

    /// Makes one try. The outer error is one that no retry can fix.
    async fn once(&self, request: &ApiRequest) -> Result<Result<ApiAnswer, SendFault>, GitLabError> {
        if self.http.policy().offline && !self.base.host_str().is_some_and(is_loopback) {
            return Err(GitLabError::Offline { server: self.server.clone() });
        }
        let client = self.http.client_for(&self.base)?;
        let mut url = self.base.clone();
        url.set_path(&format!("{}/api/v4{}", self.base.path().trim_end_matches('/'), request.path));
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut sending = match request.method {
            Method::Get => client.get(url.clone()),
            Method::Post => client.post(url.clone()),
            Method::Put => client.put(url.clone()),
        };
        let headers = self.headers(request)?;
        let debugs = self.http.policy().debug;
        let secrets = self.token.iter().map(|token| &token.secret);
        let redactor = Redactor::new(secrets.chain(request.secret.iter().map(|(_, secret)| secret)));
        if debugs {
            self.debug(wire::request_lines(request, url.as_str(), &headers, &redactor));
        }
        sending = sending.timeout(self.limit_of(request)).headers(headers);
        if let Some(mut body) = request.body.clone() {
            if let (Some((name, secret)), Some(fields)) = (&request.secret, body.as_object_mut()) {
                fields.insert((*name).to_owned(), secret.expose().into());
            }
            sending = sending.json(&body);
        }
        Ok(match sending.send().await {
            // A followed redirect turns the request into a GET: nothing was changed.
            Ok(response) if request.method != Method::Get && *response.url() != url => {
                let location = Some(response.url().to_string());
                Ok(ApiAnswer {
                    status: 302,
                    headers: Headers { location, ..Headers::default() },
                    ..ApiAnswer::default()
                })
            }
            // Removes the token from server text before it gets any further.
            Ok(response) => {
                let head = debugs.then(|| response.headers().clone());
                let received = receive(request, response).await;
                if let (Some(head), Ok(answer)) = (&head, &received) {
                    self.debug(wire::answer_lines(request, answer.status, head, &answer.body, &redactor));
                }
                received.map(|answer| without_token(answer, &redactor))
            }
            Err(error) if error.is_connect() || error.is_builder() => Err(SendFault::NotSent(error)),
            Err(error) => Err(SendFault::Broken(error)),
        })
    }

    /// Returns the time limit of one try: a log may be long.
    fn limit_of(&self, request: &ApiRequest) -> Duration {
        self.timeout * if request.tail.is_some() { 2 } else { 1 }
    }

    /// Reports lines of a request or an answer.
    fn debug(&self, lines: Vec<String>) {
        lines.into_iter().for_each(|line| self.events.send(Event::Wire(line)));
    }

    fn headers(&self, request: &ApiRequest) -> Result<HeaderMap, GitLabError> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            let (name, secret) = header_of(token);
            let mut value =
                HeaderValue::from_str(secret.expose()).map_err(|_| GitLabError::Unauthorised {
                    server: self.server.clone(),
                    what: request.what.clone(),
                    had_token: true,
                })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut set = |name, text: &str| {
            // The value came in a header, so it can be sent in one.
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        if let Some(etag) = &request.etag {
            set(header::IF_NONE_MATCH, etag);
        }
        if let Some(tail) = request.tail {
            set(header::RANGE, &format!("bytes=-{tail}"));
        }
        Ok(headers)
    }
}

/// Removes the token from text of the server.
fn without_token(mut answer: ApiAnswer, redactor: &Redactor) -> ApiAnswer {
    answer.body = redactor.bytes(&answer.body);
    let Headers { content_type, location, .. } = &mut answer.headers;
    *content_type = redactor.text(content_type);
    if let Some(location) = location {
        *location = redactor.text(location);
    }
    answer
}

/// Returns the header that carries a token, and its value.
fn header_of(token: &AccessToken) -> (&'static str, Secret) {
    match token.kind {
        TokenKind::Access => ("private-token", token.secret.clone()),
        TokenKind::OAuth => ("authorization", Secret::new(format!("Bearer {}", token.secret.expose()))),
        TokenKind::Job => ("job-token", token.secret.clone()),
    }
}

/// Reads the headers and at most the limit of the body.
async fn receive(request: &ApiRequest, mut response: reqwest::Response) -> Result<ApiAnswer, SendFault> {
    let status = response.status().as_u16();
    let headers = headers_of(&response);
    // A log from its start: only its end is kept.
    let tail = request.tail.filter(|_| status == 200);
    let limit = request.tail.map_or(JSON_LIMIT, |tail| tail.max(64 << 10));
    let mut body: Vec<u8> = Vec::new();
    let mut skipped = 0u64;
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(ApiAnswer { status, headers, body, skipped }),
            Err(error) if error.is_timeout() => return Err(SendFault::Broken(error)),
            Err(_) => return Err(SendFault::Truncated),
        };
        body.extend_from_slice(&chunk);
        match tail {
            Some(tail) if body.len() > tail => {
                let excess = body.len() - tail;
                body.drain(..excess);
                skipped += excess as u64;
                if skipped > LOG_LIMIT {
                    return Err(SendFault::TooLong(usize::try_from(LOG_LIMIT).unwrap_or(usize::MAX)));
                }
            }
            None if body.len() > limit => return Err(SendFault::TooLong(limit)),
            _ => {}
        }
    }
}

fn headers_of(response: &reqwest::Response) -> Headers {
    let text = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    Headers {
        content_type: text("content-type").unwrap_or_default(),
        etag: text("etag").filter(|etag| etag.len() <= 1000),
        link: text("link"),
        next_page: text("x-next-page"),
        location: text("location"),
        retry_after: text("retry-after"),
        rate_limit_reset: text("ratelimit-reset"),
        content_range: text("content-range"),
        gitlab_meta: response.headers().contains_key("x-gitlab-meta"),
    }
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    cut(&innermost_cause(error).unwrap_or_else(|| "the request could not be made".to_owned()))
}
