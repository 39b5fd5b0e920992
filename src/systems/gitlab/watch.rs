//! Looking at the same thing again and again: the server is asked only for what changed, by the
//! tag of what was seen last (`ETag`, RFC 9110).

use serde::de::DeserializeOwned;

use super::answer::{self, Answer};
use super::error::GitLabError;
use super::request::{self, Request};
use super::{GitLab, Job, MergeRequest, Note, Pipeline, pages};

/// Something that is looked at repeatedly, and how it was last seen.
#[derive(Debug)]
pub struct Watch<T> {
    request: Request,
    etag: Option<String>,
    value: Option<T>,
}

impl<T> Watch<T> {
    fn new(request: Request) -> Self {
        Self { request, etag: None, value: None }
    }

    /// How it was last seen.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl Watch<MergeRequest> {
    /// A merge request.
    #[must_use]
    pub fn merge_request(project: &str, iid: u64) -> Self {
        Self::new(request::merge_request(project, iid))
    }
}

impl Watch<Note> {
    /// One comment of a merge request.
    #[must_use]
    pub fn note(project: &str, iid: u64, id: u64) -> Self {
        Self::new(request::note(project, iid, id))
    }
}

impl Watch<Vec<Note>> {
    /// The comments of a merge request, newest first.
    #[must_use]
    pub fn notes(project: &str, iid: u64) -> Self {
        Self::new(request::notes(project, iid))
    }
}

impl Watch<Pipeline> {
    /// A pipeline.
    #[must_use]
    pub fn pipeline(project: &str, id: u64) -> Self {
        Self::new(request::pipeline(project, id))
    }
}

impl Watch<Vec<Job>> {
    /// The jobs of a pipeline.
    #[must_use]
    pub fn jobs(project: &str, pipeline: u64) -> Self {
        Self::new(request::jobs(project, pipeline))
    }
}

impl GitLab {
    /// Looks again; `false` if nothing changed.
    ///
    /// # Errors
    /// When it cannot be read; what was seen last stays.
    pub async fn refresh<T: DeserializeOwned>(&self, watch: &mut Watch<T>) -> Result<bool, GitLabError> {
        let Some(answer) = self.changed(watch).await? else { return Ok(false) };
        watch.value = Some(answer::read(&self.server, &watch.request, &answer)?);
        watch.etag = answer.headers.etag;
        Ok(true)
    }

    /// Looks again at a list, page by page until `enough` says so, and at most so many pages.
    ///
    /// # Errors
    /// When it cannot be read; what was seen last stays.
    pub async fn refresh_list<T: DeserializeOwned>(
        &self,
        watch: &mut Watch<Vec<T>>,
        pages: usize,
        mut enough: impl FnMut(&[T]) -> bool,
    ) -> Result<bool, GitLabError> {
        let Some(answer) = self.changed(watch).await? else { return Ok(false) };
        let mut items: Vec<T> = answer::read(&self.server, &watch.request, &answer)?;
        // The tag of the first page says nothing of the others.
        let mut etag = answer.headers.etag.clone();
        if let Some(query) = pages::next(&watch.request, &answer.headers).filter(|_| !enough(&items)) {
            etag = None;
            let rest = Request { query, ..watch.request.clone() };
            items.extend(self.list(rest, pages.saturating_sub(1), enough).await?.items);
        }
        watch.value = Some(items);
        watch.etag = etag;
        Ok(true)
    }

    async fn changed<T>(&self, watch: &Watch<T>) -> Result<Option<Answer>, GitLabError> {
        let request = Request { etag: watch.etag.clone(), ..watch.request.clone() };
        let answer = self.send(&request).await?;
        Ok((answer.status != 304).then_some(answer))
    }
}
