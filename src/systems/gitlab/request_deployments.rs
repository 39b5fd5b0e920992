//! Requests about what is deployed, and how it got there: environments, merge requests of a commit, ancestors. Requests
//! about pipelines are in `request_ci`.

use super::request::{ApiRequest, encode};

/// Builds a request for the environments of a project.
pub(super) fn environments(project: &str) -> ApiRequest {
    let path = format!("/projects/{}/environments", encode(project));
    ApiRequest::get(path, format!("the environments of `{project}`")).with(&[("per_page", "100")])
}

/// Builds a request for the merge requests that brought a commit.
pub(super) fn merge_requests_of_commit(project: &str, sha: &str) -> ApiRequest {
    let path = format!("/projects/{}/repository/commits/{}/merge_requests", encode(project), encode(sha));
    ApiRequest::get(path, format!("the merge requests of commit {sha} of `{project}`"))
        .with(&[("per_page", "20")])
}

/// Builds a request for the nearest common ancestor of two commits.
pub(super) fn merge_base(project: &str, one: &str, other: &str) -> ApiRequest {
    let path = format!("/projects/{}/repository/merge_base", encode(project));
    let what = format!("the common ancestor of {one} and {other} in `{project}`");
    ApiRequest::get(path, what).with(&[("refs[]", one), ("refs[]", other)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_about_deployments_encode_what_they_name() {
        let asked = merge_requests_of_commit("a/b", "../x");
        assert_eq!(asked.path, "/projects/a%2Fb/repository/commits/..%2Fx/merge_requests");
        let query = merge_base("a/b", "1", "2").query;
        assert_eq!(query, [("refs[]", "1"), ("refs[]", "2")].map(|(key, value)| (key.into(), value.into())));
    }
}
