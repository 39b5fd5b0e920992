//! A GitLab server, through its REST API version 4. Pure functions build requests (`request`) and read
//! answers (`answer`, `pages`, `trace`); only `send` uses the network, and waits and retries by the rule in
//! `base::retry`. The use of merge requests belongs to `ops`.

mod answer;
mod ci;
mod deployed;
mod environments;
mod error;
mod new_pipeline;
mod notes;
mod pages;
mod pipelines;
mod request;
mod request_ci;
mod request_deployments;
mod revert_step;
mod send;
mod subject;
mod trace;
mod trace_sections;
mod types;
mod types_ci;
mod user;
mod watch;
mod wire;
mod wire_text;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::base::clock::Clock;
use crate::base::http::{HttpClient, is_loopback};
use crate::model::access_token::{AccessToken, TokenKind};
use crate::model::event::Events;
pub use environments::EnvironmentCall;
pub use error::GitLabError;
pub use new_pipeline::{NewPipeline, PipelineValues, RequestPreview};
use request::ApiRequest;
pub use request::PipelineFilter;
pub use revert_step::RevertStep;
use subject::Subject;
use types::ListedName;
pub use types::{
    Commit, Discussion, FileChange, Job, ListedMergeRequest, MergeRequest, MergeRequestTitle, Note,
    NoteOrder, Pipeline, PipelineVariable, TokenFacts, Version,
};
pub use types_ci::{
    Bridge, DeployJob, DownstreamPipeline, GitLabDeployment, GitLabEnvironment, ListedPipeline, PipelineStub,
};
pub use user::User;
pub use watch::Poller;

/// Maximum bytes to request from the end of a log.
const LOG_TAIL: usize = 64 << 10;

/// Dependencies of a client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// HTTP client factory and its policy.
    pub http: Arc<HttpClient>,
    /// Clock for waits and timeouts.
    pub clock: Arc<dyn Clock>,
    /// Receiver of messages about waits.
    pub events: Events,
    /// Timeout of one request.
    pub timeout: Duration,
}

impl ClientOptions {
    /// Creates them with a timeout of 30 seconds per request, and twice that for a log.
    #[must_use]
    pub fn new(http: Arc<HttpClient>, clock: Arc<dyn Clock>, events: Events) -> Self {
        Self { http, clock, events, timeout: Duration::from_secs(30) }
    }
}

/// Client of one server.
#[derive(Debug)]
pub struct GitLab {
    base: reqwest::Url,
    server: String,
    token: Option<AccessToken>,
    http: Arc<HttpClient>,
    clock: Arc<dyn Clock>,
    events: Events,
    timeout: Duration,
    /// Paths of lists that have more pages than are read.
    limited: Arc<Mutex<BTreeSet<String>>>,
}

impl GitLab {
    /// Creates a client of the server at an address such as `https://gitlab.com`. Opens no connection.
    ///
    /// # Errors
    /// Fails if the address cannot be that of a server, or if a token would travel without encryption.
    pub fn new(
        base_url: &str,
        token: Option<AccessToken>,
        means: ClientOptions,
    ) -> Result<Self, GitLabError> {
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
            return Err(GitLabError::Unencrypted { server });
        }
        let ClientOptions { http, clock, events, timeout } = means;
        Ok(Self { base, server, token, http, clock, events, timeout, limited: Arc::default() })
    }

    /// Returns the server's address, without a trailing slash.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns whether requests carry a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Returns the clock by which the client waits.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Returns the version of GitLab, which GitLab tells only clients with a token.
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

    /// Returns the user to whom the token belongs.
    ///
    /// # Errors
    /// Fails if the server does not answer.
    pub async fn user(&self) -> Result<User, GitLabError> {
        self.get(&request::user()).await
    }

    /// Returns what the server says about the token itself: its scopes and its end. `None` if it does not say: an older
    /// server, or a token of another kind.
    ///
    /// # Errors
    /// Fails if the server does not answer, or does not accept the token.
    pub async fn token_facts(&self) -> Result<Option<TokenFacts>, GitLabError> {
        if self.token.as_ref().is_none_or(|token| token.kind != TokenKind::Access) {
            return Ok(None);
        }
        match self.get(&request::token()).await {
            Ok(facts) => Ok(Some(facts)),
            Err(
                GitLabError::Forbidden { .. } | GitLabError::NotFound { .. } | GitLabError::Refused { .. },
            ) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns a merge request.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn merge_request(&self, project: &str, iid: u64) -> Result<MergeRequest, GitLabError> {
        self.about(&request::merge_request(project, iid), iid).await
    }

    /// Returns the open merge requests of a project, the last changed ones first, at most a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn open_merge_requests(&self, project: &str) -> Result<Vec<MergeRequestTitle>, GitLabError> {
        self.get(&request::open_merge_requests(project)).await
    }

    /// Returns all open merge requests of a project, the last changed ones first, from at most `pages` pages of a
    /// hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn all_open_merge_requests(
        &self,
        project: &str,
        pages: usize,
    ) -> Result<Vec<ListedMergeRequest>, GitLabError> {
        self.list(request::open_merge_requests(project), pages, |_| false).await
    }

    /// Returns the names in a directory on the default branch of a project, from at most `pages` pages of a hundred; none
    /// if there is no such directory.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn names(
        &self,
        project: &str,
        directory: &str,
        pages: usize,
    ) -> Result<Vec<String>, GitLabError> {
        match self.list::<ListedName>(request::names(project, directory), pages, |_| false).await {
            Ok(names) => Ok(names.into_iter().map(|one| one.name).collect()),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Returns the changes of a merge request by file, from at most `pages` pages of a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn changes(
        &self,
        project: &str,
        iid: u64,
        pages: usize,
    ) -> Result<Vec<FileChange>, GitLabError> {
        self.list(request::changes(project, iid), pages, |_| false).await
    }

    /// Returns the threads of a merge request, oldest first, from at most `pages` pages of a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn discussions(
        &self,
        project: &str,
        iid: u64,
        pages: usize,
    ) -> Result<Vec<Discussion>, GitLabError> {
        self.list(request::discussions(project, iid), pages, |_| false).await
    }

    /// Returns the jobs of a pipeline, from at most `pages` pages of a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn jobs(&self, project: &str, pipeline: u64, pages: usize) -> Result<Vec<Job>, GitLabError> {
        self.list(request::jobs(project, pipeline), pages, |_| false).await
    }

    /// Returns the last non-empty lines of a job's log, safe to show and of bounded length.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn log_tail(&self, project: &str, job: u64, lines: usize) -> Result<Vec<String>, GitLabError> {
        let answer = self.send(&request::trace(project, job, LOG_TAIL)).await?;
        Ok(trace::last_lines(&answer.body, answer.is_tail(), lines))
    }

    async fn get<T: DeserializeOwned>(&self, request: &ApiRequest) -> Result<T, GitLabError> {
        let answer = self.send(request).await?;
        answer::read(&self.server, request, &answer)
    }

    /// Reads a resource by its number.
    async fn about<T: DeserializeOwned + Subject>(
        &self,
        request: &ApiRequest,
        id: u64,
    ) -> Result<T, GitLabError> {
        subject::check(&self.server, request, self.get(request).await?, id)
    }

    /// Reports once for each list that it has more items than are read.
    fn warn_of_limit(&self, request: &ApiRequest, count: usize) {
        let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        if limited.insert(request.path.clone()) {
            self.events.warn(format!("Of {} on `{}`, only {count} are read.", request.what, self.server));
        }
    }

    /// Reads a list page by page.
    async fn list<T: DeserializeOwned>(
        &self,
        request: ApiRequest,
        pages: usize,
        enough: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, GitLabError> {
        self.list_after(Vec::new(), request, pages, enough).await
    }

    /// Reads further pages of a list whose first items are known.
    async fn list_after<T: DeserializeOwned>(
        &self,
        items: Vec<T>,
        mut request: ApiRequest,
        pages: usize,
        enough: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, GitLabError> {
        let (items, is_complete) = self.read_pages(items, &mut request, pages, enough).await?;
        if !is_complete {
            self.warn_of_limit(&request, items.len());
        }
        Ok(items)
    }

    /// Reads pages of a list after its first items; returns `false` if there are more pages than `pages`.
    async fn read_pages<T: DeserializeOwned>(
        &self,
        mut items: Vec<T>,
        request: &mut ApiRequest,
        pages: usize,
        mut enough: impl FnMut(&[T]) -> bool,
    ) -> Result<(Vec<T>, bool), GitLabError> {
        let mut seen = BTreeSet::from([request.query.clone()]);
        for _ in 0..pages {
            let answer = self.send(request).await?;
            let page: Vec<T> = answer::read(&self.server, request, &answer)?;
            items.extend(page);
            let next = pages::next(request, &answer.headers);
            let Some(query) = next.filter(|_| !enough(&items)) else {
                return Ok((items, true));
            };
            if !seen.insert(query.clone()) {
                let (server, what) = (self.server.clone(), request.what.clone());
                return Err(GitLabError::Circle { server, what });
            }
            request.query = query;
        }
        Ok((items, false))
    }
}
