//! Requests about pipelines as parts of a whole, and about environments. Requests for single pipelines and jobs are in
//! `request`.

use serde_json::json;

use super::request::{ApiRequest, Method, encode, merge_request_path, pipeline_path};

/// Builds a request for the jobs of a pipeline that trigger other pipelines.
pub(super) fn bridges(project: &str, pipeline: u64) -> ApiRequest {
    let path = format!("{}/bridges", pipeline_path(project, pipeline));
    ApiRequest::get(path, format!("the trigger jobs of pipeline {pipeline} of `{project}`"))
        .with(&[("per_page", "100")])
}

/// Builds a request for the pipelines of a commit, newest first.
pub(super) fn pipelines_of_commit(project: &str, sha: &str) -> ApiRequest {
    let path = format!("/projects/{}/pipelines", encode(project));
    ApiRequest::get(path, format!("the pipelines of `{project}`")).with(&[("sha", sha), ("per_page", "100")])
}

/// Builds a request that cancels a pipeline.
pub(super) fn cancel(project: &str, pipeline: u64) -> ApiRequest {
    let path = format!("{}/cancel", pipeline_path(project, pipeline));
    let what = format!("canceling pipeline {pipeline} of `{project}`");
    ApiRequest { method: Method::Post, ..ApiRequest::get(path, what) }
}

/// Builds a request that replaces the text of a comment.
pub(super) fn update_note(project: &str, iid: u64, id: u64, body: &str) -> ApiRequest {
    let path = format!("{}/notes/{id}", merge_request_path(project, iid));
    let what = format!("an update of comment {id} of `{project}!{iid}`");
    ApiRequest { method: Method::Put, body: Some(json!({ "body": body })), ..ApiRequest::get(path, what) }
}

/// Builds a request for the deployments of a project, newest first.
pub(super) fn deployments(project: &str) -> ApiRequest {
    let path = format!("/projects/{}/deployments", encode(project));
    ApiRequest::get(path, format!("the deployments of `{project}`")).with(&[
        ("order_by", "id"),
        ("sort", "desc"),
        ("per_page", "100"),
    ])
}

/// Builds a request for one environment.
pub(super) fn environment(project: &str, id: u64) -> ApiRequest {
    let path = format!("/projects/{}/environments/{id}", encode(project));
    ApiRequest::get(path, format!("environment {id} of `{project}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_about_pipelines_have_their_method_and_path() {
        let asked = cancel("a/b", 7);
        assert_eq!((asked.method, asked.path.as_str()), (Method::Post, "/projects/a%2Fb/pipelines/7/cancel"));
        let asked = update_note("a/b", 3, 9, "x");
        assert_eq!(
            (asked.method, asked.path.as_str()),
            (Method::Put, "/projects/a%2Fb/merge_requests/3/notes/9")
        );
        assert_eq!(bridges("a/b", 7).path, "/projects/a%2Fb/pipelines/7/bridges");
        let asked = pipelines_of_commit("a/b", "abc");
        assert!(asked.query.contains(&("sha".to_owned(), "abc".to_owned())), "{asked:?}");
    }
}
