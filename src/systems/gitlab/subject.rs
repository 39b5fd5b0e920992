//! The subject of an answer: a proxy or a confused server may answer a request with the body of another one, and its
//! content must not be taken for the requested one.

use super::error::GitLabError;
use super::request::ApiRequest;
use super::types::{Job, MergeRequest, Note, Pipeline};
use super::types_ci::{Bridge, GitLabEnvironment};

/// An answer that names its subject.
pub trait Subject {
    /// Returns whether the answer may be about the resource with this number.
    fn is_about(&self, id: u64) -> bool;
}

impl Subject for MergeRequest {
    fn is_about(&self, id: u64) -> bool {
        self.iid == id
    }
}

impl Subject for Note {
    fn is_about(&self, id: u64) -> bool {
        self.id == id
    }
}

impl Subject for Pipeline {
    fn is_about(&self, id: u64) -> bool {
        self.id == id
    }
}

impl Subject for GitLabEnvironment {
    fn is_about(&self, id: u64) -> bool {
        self.id == id
    }
}

impl Subject for Vec<Job> {
    fn is_about(&self, id: u64) -> bool {
        self.iter().all(|job| job.pipeline.as_ref().is_none_or(|pipeline| pipeline.id == id))
    }
}

impl Subject for Vec<Bridge> {
    fn is_about(&self, id: u64) -> bool {
        self.iter().all(|job| job.pipeline.as_ref().is_none_or(|pipeline| pipeline.id == id))
    }
}

impl Subject for Vec<Note> {
    // A comment in a list does not have to name its merge request.
    fn is_about(&self, _id: u64) -> bool {
        true
    }
}

/// Fails if an answer is about something else.
pub(super) fn check<T: Subject>(
    server: &str,
    request: &ApiRequest,
    found: T,
    id: u64,
) -> Result<T, GitLabError> {
    if found.is_about(id) {
        return Ok(found);
    }
    Err(GitLabError::BadAnswer {
        server: server.to_owned(),
        what: request.what.clone(),
        why: "it is about something else".to_owned(),
    })
}
