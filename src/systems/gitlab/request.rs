//! Plain-data requests: the resource, and its name for messages. Sending is `send`.

use serde_json::{Value, json};

use super::types::NoteOrder;
use crate::base::secret::Secret;

/// HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Reads a resource; may be repeated at will.
    Get,
    /// Creates a resource; never repeated without looking.
    Post,
    /// Replaces a resource; never repeated without looking.
    Put,
}

/// Request to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiRequest {
    pub(super) method: Method,
    /// Path below `/api/v4`, encoded.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    /// `ETag` of the last known answer, so that the server sends only changes.
    pub(super) etag: Option<String>,
    /// Maximum bytes wanted from the end of the answer.
    pub(super) tail: Option<usize>,
    /// Field of the body that is a secret: added when the body is sent, and shown nowhere.
    pub(super) secret: Option<(&'static str, Secret)>,
    /// Name of the resource, as a user calls it.
    pub(super) what: String,
}

impl ApiRequest {
    pub(super) fn get(path: String, what: String) -> Self {
        let (query, body, etag, tail, secret) = (Vec::new(), None, None, None, None);
        Self { method: Method::Get, path, query, body, etag, tail, secret, what }
    }

    pub(super) fn with(mut self, query: &[(&str, &str)]) -> Self {
        self.query.extend(query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        self
    }
}

/// Encodes a project's path as one segment of a URL: everything but letters, digits and `-_.~`.
pub(super) fn encode(project: &str) -> percent_encoding::PercentEncode<'_> {
    percent_encoding::utf8_percent_encode(project, UNRESERVED)
}

/// All bytes but those that RFC 3986 calls unreserved.
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) fn merge_request_path(project: &str, iid: u64) -> String {
    format!("/projects/{}/merge_requests/{iid}", encode(project))
}

pub(super) fn pipeline_path(project: &str, id: u64) -> String {
    format!("/projects/{}/pipelines/{id}", encode(project))
}

pub(super) fn version() -> ApiRequest {
    ApiRequest::get("/version".to_owned(), "its version".to_owned())
}

pub(super) fn user() -> ApiRequest {
    ApiRequest::get("/user".to_owned(), "the token's user".to_owned())
}

/// Builds a request for the token with which it is sent.
pub(super) fn token() -> ApiRequest {
    ApiRequest::get("/personal_access_tokens/self".to_owned(), "the token itself".to_owned())
}

pub(super) fn merge_request(project: &str, iid: u64) -> ApiRequest {
    ApiRequest::get(merge_request_path(project, iid), format!("merge request `{project}!{iid}`"))
}

/// Builds a request for the open merge requests of a project, the last changed ones first.
pub(super) fn open_merge_requests(project: &str) -> ApiRequest {
    let path = format!("/projects/{}/merge_requests", encode(project));
    ApiRequest::get(path, format!("the open merge requests of `{project}`")).with(&[
        ("state", "opened"),
        ("order_by", "updated_at"),
        ("per_page", "100"),
    ])
}

/// Builds a request for the names in a directory of the default branch.
pub(super) fn names(project: &str, directory: &str) -> ApiRequest {
    let path = format!("/projects/{}/repository/tree", encode(project));
    let what = format!("the directory `{directory}` of `{project}`");
    ApiRequest::get(path, what).with(&[("path", directory), ("per_page", "100")])
}

/// Builds a request for the changes of a merge request, file by file.
pub(super) fn changes(project: &str, iid: u64) -> ApiRequest {
    let path = format!("{}/diffs", merge_request_path(project, iid));
    ApiRequest::get(path, format!("the changes of `{project}!{iid}`")).with(&[("per_page", "100")])
}

/// Builds a request for comments.
pub(super) fn notes(project: &str, iid: u64, order: NoteOrder) -> ApiRequest {
    let sort = match order {
        NoteOrder::NewestFirst => "desc",
        NoteOrder::OldestFirst => "asc",
    };
    let path = format!("{}/notes", merge_request_path(project, iid));
    ApiRequest::get(path, format!("the comments of `{project}!{iid}`")).with(&[
        ("order_by", "created_at"),
        ("sort", sort),
        ("per_page", "100"),
    ])
}

pub(super) fn note(project: &str, iid: u64, id: u64) -> ApiRequest {
    let path = format!("{}/notes/{id}", merge_request_path(project, iid));
    ApiRequest::get(path, format!("comment {id} of `{project}!{iid}`"))
}

pub(super) fn create_note(project: &str, iid: u64, body: &str) -> ApiRequest {
    let path = format!("{}/notes", merge_request_path(project, iid));
    let what = format!("a new comment on `{project}!{iid}`");
    ApiRequest { method: Method::Post, body: Some(json!({ "body": body })), ..ApiRequest::get(path, what) }
}

pub(super) fn discussions(project: &str, iid: u64) -> ApiRequest {
    let path = format!("{}/discussions", merge_request_path(project, iid));
    ApiRequest::get(path, format!("the threads of `{project}!{iid}`")).with(&[("per_page", "100")])
}

pub(super) fn pipeline(project: &str, id: u64) -> ApiRequest {
    ApiRequest::get(pipeline_path(project, id), format!("pipeline {id} of `{project}`"))
}

/// Filter of a project's pipelines.
#[derive(Debug, Clone, Copy)]
pub struct PipelineFilter<'a> {
    /// Branch or tag.
    pub branch: &'a str,
    /// Source, such as `api` or `trigger`.
    pub source: &'a str,
    /// User name of the person who started them.
    pub user: Option<&'a str>,
    /// Commit.
    pub sha: Option<&'a str>,
}

/// Builds a request for the newest pipelines that pass a filter.
pub(super) fn pipelines(project: &str, filter: &PipelineFilter<'_>) -> ApiRequest {
    let path = format!("/projects/{}/pipelines", encode(project));
    let PipelineFilter { branch, source, user, sha } = *filter;
    let optional = [("username", user), ("sha", sha)];
    let optional: Vec<(&str, &str)> =
        optional.iter().filter_map(|(key, value)| Some((*key, (*value)?))).collect();
    ApiRequest::get(path, format!("the pipelines of `{project}`"))
        .with(&[("ref", branch), ("source", source), ("per_page", "100")])
        .with(&optional)
}

pub(super) fn merge_request_pipelines(project: &str, iid: u64) -> ApiRequest {
    let path = format!("{}/pipelines", merge_request_path(project, iid));
    ApiRequest::get(path, format!("the pipelines of `{project}!{iid}`")).with(&[("per_page", "100")])
}

pub(super) fn pipeline_variables(project: &str, id: u64) -> ApiRequest {
    let path = format!("{}/variables", pipeline_path(project, id));
    ApiRequest::get(path, format!("the variables of pipeline {id} of `{project}`"))
        .with(&[("per_page", "100")])
}

pub(super) fn commit(project: &str, sha: &str) -> ApiRequest {
    let path = format!("/projects/{}/repository/commits/{}", encode(project), encode(sha));
    ApiRequest::get(path, format!("commit {sha} of `{project}`"))
}

pub(super) fn project(number: u64) -> ApiRequest {
    ApiRequest::get(format!("/projects/{number}"), format!("project {number}"))
}

pub(super) fn jobs(project: &str, pipeline: u64) -> ApiRequest {
    let path = format!("{}/jobs", pipeline_path(project, pipeline));
    ApiRequest::get(path, format!("the jobs of pipeline {pipeline} of `{project}`"))
        .with(&[("per_page", "100")])
}

pub(super) fn trace(project: &str, job: u64, tail: usize) -> ApiRequest {
    let path = format!("/projects/{}/jobs/{job}/trace", encode(project));
    ApiRequest { tail: Some(tail), ..ApiRequest::get(path, format!("the log of job {job} of `{project}`")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_paths_are_percent_encoded() {
        let path = merge_request("group/sub-group/a.b", 3).path;
        assert_eq!(path, "/projects/group%2Fsub-group%2Fa.b/merge_requests/3");
        assert_eq!(merge_request("a/b?c=ü", 3).path, "/projects/a%2Fb%3Fc%3D%C3%BC/merge_requests/3");
        assert_eq!(trace("a/b", 7, 10).path, "/projects/a%2Fb/jobs/7/trace");
    }

    #[test]
    fn create_note_posts_text_unchanged() {
        let request = create_note("a/b", 3, "@bot test [x=\"1\"]");
        assert_eq!(request.method, Method::Post);
        assert_eq!(request.body, Some(json!({"body": "@bot test [x=\"1\"]"})));
        assert_eq!(request.what, "a new comment on `a/b!3`");
    }
}
