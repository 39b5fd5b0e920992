//! A GitLab server, through its REST API version 4. Requests are built (`request`) and answers
//! read (`answer`, `pages`, `trace`) by pure functions; `send` alone uses the network, and waits
//! and tries again by the rule in `retry`. What is done with merge requests is for `ops`.

mod answer;
mod error;
mod pages;
mod request;
mod retry;
mod send;
mod trace;
mod types;
mod watch;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::base::clock::Clock;
use crate::base::http::{Http, is_loopback};
use crate::base::secret::Secret;
use crate::model::event::Events;
pub use error::GitLabError;
use request::Request;
pub use types::{Discussion, Job, MergeRequest, Note, Pipeline, Project, User, Version};
pub use watch::Watch;

/// So much of the end of a log is asked for.
const LOG_TAIL: usize = 64 << 10;

/// What a client works with.
#[derive(Debug, Clone)]
pub struct Means {
    /// How to connect.
    pub http: Arc<Http>,
    /// How to wait.
    pub clock: Arc<dyn Clock>,
    /// Where to say why it waits.
    pub events: Events,
    /// How long one request may take.
    pub timeout: Duration,
}

impl Means {
    /// With a time limit of one minute for a request.
    #[must_use]
    pub fn new(http: Arc<Http>, clock: Arc<dyn Clock>, events: Events) -> Self {
        Self { http, clock, events, timeout: Duration::from_secs(60) }
    }
}

/// A client of one server.
#[derive(Debug)]
pub struct GitLab {
    base: reqwest::Url,
    server: String,
    token: Option<Secret>,
    http: Arc<Http>,
    clock: Arc<dyn Clock>,
    events: Events,
    timeout: Duration,
}

/// A list, as far as it was read.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// What was read.
    pub items: Vec<T>,
    /// Whether all was read that was wanted: not, if there were too many pages.
    pub complete: bool,
}

impl GitLab {
    /// A client of the server at an address such as `https://gitlab.com`. Nothing is opened.
    ///
    /// # Errors
    /// When the address cannot be that of a server.
    pub fn new(base_url: &str, token: Option<Secret>, means: Means) -> Result<Self, GitLabError> {
        let fail = |why: &str| GitLabError::BadUrl { url: answer::cut(base_url), why: why.to_owned() };
        let trimmed = base_url.trim().trim_end_matches('/');
        let trimmed = trimmed.strip_suffix("/api/v4").unwrap_or(trimmed);
        let base = reqwest::Url::parse(trimmed).map_err(|_| fail("it is not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(fail("it begins with neither `https://` nor `http://`"));
        }
        let host = base.host_str().ok_or_else(|| fail("it names no host"))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(GitLabError::BadUrl {
                url: format!("{}://…@{host}", base.scheme()),
                why: "it holds a login; a token is given apart from it".to_owned(),
            });
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(fail("it holds more than a server and a path"));
        }
        let server = base.as_str().trim_end_matches('/').to_owned();
        if base.scheme() == "http" && !is_loopback(host) && token.is_some() {
            means.events.warn(format!("The token travels to `{server}` without encryption."));
        }
        let Means { http, clock, events, timeout } = means;
        Ok(Self { base, server, token, http, clock, events, timeout })
    }

    /// The server's address, without a slash at its end.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whether requests carry a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The clock by which it waits.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What GitLab it is. GitLab says so only to those who have a token.
    ///
    /// # Errors
    /// [`GitLabError::NotGitLab`] for a server that is something else.
    pub async fn version(&self) -> Result<Version, GitLabError> {
        let found: Result<Version, GitLabError> = self.get(&request::version()).await;
        let not_gitlab =
            |why: &str| GitLabError::NotGitLab { server: self.server.clone(), why: why.to_owned() };
        found.map_err(|error| match error {
            GitLabError::NotFound { .. } => not_gitlab("it has no `/api/v4/version`"),
            GitLabError::BadAnswer { .. } => not_gitlab("its `/api/v4/version` says something else"),
            error => error,
        })
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn user(&self) -> Result<User, GitLabError> {
        self.get(&request::user()).await
    }

    /// A project by its path.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn project(&self, project: &str) -> Result<Project, GitLabError> {
        self.get(&request::project(project)).await
    }

    /// A merge request.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn merge_request(&self, project: &str, iid: u64) -> Result<MergeRequest, GitLabError> {
        self.get(&request::merge_request(project, iid)).await
    }

    /// The comments of a merge request, newest first, page by page until `enough` says so, and at
    /// most so many pages of a hundred.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn notes(
        &self,
        project: &str,
        iid: u64,
        pages: usize,
        enough: impl FnMut(&[Note]) -> bool,
    ) -> Result<Listing<Note>, GitLabError> {
        self.list(request::notes(project, iid), pages, enough).await
    }

    /// The threads of a merge request, oldest first, at most so many pages of a hundred.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn discussions(
        &self,
        project: &str,
        iid: u64,
        pages: usize,
    ) -> Result<Listing<Discussion>, GitLabError> {
        self.list(request::discussions(project, iid), pages, |_| false).await
    }

    /// One comment.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn note(&self, project: &str, iid: u64, id: u64) -> Result<Note, GitLabError> {
        self.get(&request::note(project, iid, id)).await
    }

    /// Comments on a merge request. It is tried again only if it certainly did not happen; see
    /// [`GitLabError::is_ambiguous`] for when it may have.
    ///
    /// # Errors
    /// When the server does not say that the comment was made.
    pub async fn create_note(&self, project: &str, iid: u64, body: &str) -> Result<Note, GitLabError> {
        self.get(&request::create_note(project, iid, body)).await
    }

    /// A pipeline.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn pipeline(&self, project: &str, id: u64) -> Result<Pipeline, GitLabError> {
        self.get(&request::pipeline(project, id)).await
    }

    /// The jobs of a pipeline, at most so many pages of a hundred.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn jobs(
        &self,
        project: &str,
        pipeline: u64,
        pages: usize,
    ) -> Result<Listing<Job>, GitLabError> {
        self.list(request::jobs(project, pipeline), pages, |_| false).await
    }

    /// The last lines of a job's log that say something: safe to show, of bounded length.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn log_tail(&self, project: &str, job: u64, lines: usize) -> Result<Vec<String>, GitLabError> {
        let answer = self.send(&request::trace(project, job, LOG_TAIL)).await?;
        Ok(trace::last_lines(&answer.body, answer.is_tail(), lines))
    }

    async fn get<T: DeserializeOwned>(&self, request: &Request) -> Result<T, GitLabError> {
        let answer = self.send(request).await?;
        answer::read(&self.server, request, &answer)
    }

    /// Reads page after page.
    async fn list<T: DeserializeOwned>(
        &self,
        mut request: Request,
        pages: usize,
        mut enough: impl FnMut(&[T]) -> bool,
    ) -> Result<Listing<T>, GitLabError> {
        let mut items: Vec<T> = Vec::new();
        let mut seen = BTreeSet::from([request.query.clone()]);
        for _ in 0..pages {
            let answer = self.send(&request).await?;
            let page: Vec<T> = answer::read(&self.server, &request, &answer)?;
            items.extend(page);
            let next = pages::next(&request, &answer.headers);
            let Some(query) = next.filter(|_| !enough(&items)) else {
                return Ok(Listing { items, complete: true });
            };
            if !seen.insert(query.clone()) {
                let (server, what) = (self.server.clone(), request.what.clone());
                return Err(GitLabError::Circle { server, what });
            }
            request.query = query;
        }
        Ok(Listing { items, complete: false })
    }
}
