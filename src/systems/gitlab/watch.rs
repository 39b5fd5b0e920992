//! Polling of a resource: sends the `ETag` of the last answer (RFC 9110), so that the server answers only
//! with changes. The pace of polling is the caller's.

use serde::de::DeserializeOwned;

use super::answer::{self, ApiAnswer};
use super::error::GitLabError;
use super::request::{self, ApiRequest};
use super::subject::{self, Subject};
use super::{Bridge, GitLab, Job, MergeRequest, Note, NoteOrder, Pipeline, pages, request_ci};

/// A polled resource, and its last known value.
#[derive(Debug)]
pub struct Poller<T> {
    request: ApiRequest,
    /// Number of its subject.
    id: u64,
    etag: Option<String>,
    value: Option<T>,
}

impl<T> Poller<T> {
    fn new(request: ApiRequest, id: u64) -> Self {
        Self { request, id, etag: None, value: None }
    }

    /// Returns the last known value.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl Poller<MergeRequest> {
    /// Watches a merge request.
    #[must_use]
    pub fn merge_request(project: &str, iid: u64) -> Self {
        Self::new(request::merge_request(project, iid), iid)
    }
}

impl Poller<Note> {
    /// Watches one comment of a merge request.
    #[must_use]
    pub fn note(project: &str, iid: u64, id: u64) -> Self {
        Self::new(request::note(project, iid, id), id)
    }
}

impl Poller<Vec<Note>> {
    /// Watches the comments of a merge request, newest first.
    #[must_use]
    pub fn notes(project: &str, iid: u64) -> Self {
        Self::new(request::notes(project, iid, NoteOrder::NewestFirst), iid)
    }
}

impl Poller<Pipeline> {
    /// Watches a pipeline.
    #[must_use]
    pub fn pipeline(project: &str, id: u64) -> Self {
        Self::new(request::pipeline(project, id), id)
    }
}

impl Poller<Vec<Job>> {
    /// Watches the jobs of a pipeline.
    #[must_use]
    pub fn jobs(project: &str, pipeline: u64) -> Self {
        Self::new(request::jobs(project, pipeline), pipeline)
    }
}

impl Poller<Vec<Bridge>> {
    /// Watches the jobs of a pipeline that trigger other pipelines.
    #[must_use]
    pub fn bridges(project: &str, pipeline: u64) -> Self {
        Self::new(request_ci::bridges(project, pipeline), pipeline)
    }
}

impl GitLab {
    /// Reads the resource again; returns `false` if nothing changed.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer; the last known value stays.
    pub async fn refresh<T: DeserializeOwned + Subject>(
        &self,
        watch: &mut Poller<T>,
    ) -> Result<bool, GitLabError> {
        let Some(answer) = self.changed(watch).await? else { return Ok(false) };
        let found = answer::read(&self.server, &watch.request, &answer)?;
        watch.value = Some(subject::check(&self.server, &watch.request, found, watch.id)?);
        watch.etag = answer.headers.etag;
        Ok(true)
    }

    /// Reads a list again, page by page until `enough` returns true, and at most `pages` pages.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer; the last known value stays.
    pub async fn refresh_list<T: DeserializeOwned>(
        &self,
        watch: &mut Poller<Vec<T>>,
        pages: usize,
        mut enough: impl FnMut(&[T]) -> bool,
    ) -> Result<bool, GitLabError>
    where
        Vec<T>: Subject,
    {
        let Some(answer) = self.changed(watch).await? else { return Ok(false) };
        let mut items: Vec<T> = answer::read(&self.server, &watch.request, &answer)?;
        // The tag of the first page says nothing about the other pages.
        let mut etag = answer.headers.etag.clone();
        if let Some(query) = pages::next(&watch.request, &answer.headers).filter(|_| !enough(&items)) {
            etag = None;
            let rest = ApiRequest { query, ..watch.request.clone() };
            items = self.list_after(items, rest, pages.saturating_sub(1), enough).await?;
        }
        watch.value = Some(subject::check(&self.server, &watch.request, items, watch.id)?);
        watch.etag = etag;
        Ok(true)
    }

    async fn changed<T>(&self, watch: &Poller<T>) -> Result<Option<ApiAnswer>, GitLabError> {
        let request = ApiRequest { etag: watch.etag.clone(), ..watch.request.clone() };
        let answer = self.send(&request).await?;
        Ok((answer.status != 304).then_some(answer))
    }
}
