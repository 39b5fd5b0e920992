//! Requests that revert a commit, as GitLab's REST API documents them: a branch, the revert on it, a merge request, and a
//! comment. Each can be shown before it is sent. Their order is up to `ops`.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::error::GitLabError;
use super::new_pipeline::RequestPreview;
use super::request::{self, ApiRequest, Method, encode};
use super::types::{MergeRequest, ProjectBranch};
use super::{GitLab, Note};

/// A step of a revert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevertStep {
    /// Creates a branch.
    Branch {
        /// `group/project`.
        project: String,
        /// Name.
        name: String,
        /// Branch that it starts from.
        from: String,
    },
    /// Reverts a commit on a branch.
    Revert {
        /// `group/project`.
        project: String,
        /// Commit.
        sha: String,
        /// Branch.
        branch: String,
    },
    /// Opens a merge request.
    MergeRequest {
        /// `group/project`.
        project: String,
        /// Source branch, which the merge removes.
        source: String,
        /// Target branch.
        target: String,
        /// Title.
        title: String,
        /// Description.
        description: String,
    },
    /// Comments on a merge request.
    Record {
        /// `group/project`.
        project: String,
        /// Number of the merge request.
        iid: u64,
        /// Text.
        body: String,
    },
}

impl RevertStep {
    /// Returns the request as people read it.
    #[must_use]
    pub fn preview(&self) -> RequestPreview {
        let request = self.request();
        let body = request.body.unwrap_or_else(|| json!({}));
        RequestPreview { method: "POST", path: format!("/api/v4{}", request.path), body }
    }

    fn request(&self) -> ApiRequest {
        let post = |path: String, what: String, body: Value| ApiRequest {
            method: Method::Post,
            body: Some(body),
            ..ApiRequest::get(path, what)
        };
        match self {
            Self::Branch { project, name, from } => post(
                format!("/projects/{}/repository/branches", encode(project)),
                format!("a new branch `{name}` of `{project}`"),
                json!({"branch": name, "ref": from}),
            ),
            Self::Revert { project, sha, branch } => post(
                format!("/projects/{}/repository/commits/{}/revert", encode(project), encode(sha)),
                format!("a revert of {sha} on `{branch}` of `{project}`"),
                json!({"branch": branch}),
            ),
            Self::MergeRequest { project, source, target, title, description } => post(
                format!("/projects/{}/merge_requests", encode(project)),
                format!("a new merge request of `{project}`"),
                json!({
                    "source_branch": source, "target_branch": target, "title": title, "description": description,
                    "remove_source_branch": true,
                }),
            ),
            Self::Record { project, iid, body } => request::create_note(project, *iid, body),
        }
    }
}

impl GitLab {
    /// Sends a step whose answer does not matter: a branch or a revert.
    ///
    /// # Errors
    /// Fails if the server does not confirm it; [`GitLabError::is_ambiguous`] marks the failures after which it may be
    /// done.
    pub async fn send_step(&self, step: &RevertStep) -> Result<(), GitLabError> {
        self.get::<IgnoredAny>(&step.request()).await.map(drop)
    }

    /// Opens the merge request of a step.
    ///
    /// # Errors
    /// As [`GitLab::send_step`].
    pub async fn open_merge_request(&self, step: &RevertStep) -> Result<MergeRequest, GitLabError> {
        self.get(&step.request()).await
    }

    /// Writes the comment of a step.
    ///
    /// # Errors
    /// As [`GitLab::send_step`].
    pub async fn send_record(&self, step: &RevertStep) -> Result<Note, GitLabError> {
        self.get(&step.request()).await
    }

    /// Returns the merge requests with a source branch, in any state, the newest first, at most a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn merge_requests_of_branch(
        &self,
        project: &str,
        branch: &str,
    ) -> Result<Vec<MergeRequest>, GitLabError> {
        let path = format!("/projects/{}/merge_requests", encode(project));
        let request = ApiRequest::get(path, format!("the merge requests of `{branch}` in `{project}`"));
        self.get(&request.with(&[("source_branch", branch), ("state", "all"), ("per_page", "100")])).await
    }

    /// Returns the default branch of a project.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn default_branch(&self, project: &str) -> Result<Option<String>, GitLabError> {
        let request =
            ApiRequest::get(format!("/projects/{}", encode(project)), format!("project `{project}`"));
        Ok(self.get::<ProjectBranch>(&request).await?.default_branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_the_forms_of_the_documentation() {
        let (project, branch) = ("group/web".to_owned(), "cki-revert-a0".to_owned());
        let step =
            RevertStep::Branch { project: project.clone(), name: branch.clone(), from: "main".to_owned() };
        let preview = step.preview();
        assert_eq!(preview.path, "/api/v4/projects/group%2Fweb/repository/branches");
        assert_eq!(preview.body, json!({"branch": "cki-revert-a0", "ref": "main"}));
        let step =
            RevertStep::Revert { project: project.clone(), sha: "a/0".to_owned(), branch: branch.clone() };
        assert_eq!(step.preview().path, "/api/v4/projects/group%2Fweb/repository/commits/a%2F0/revert");
        let (title, description) = ("t".to_owned(), "d".to_owned());
        let step = RevertStep::MergeRequest {
            project,
            source: branch,
            target: "main".to_owned(),
            title,
            description,
        };
        assert_eq!(step.preview().path, "/api/v4/projects/group%2Fweb/merge_requests");
        assert_eq!(step.preview().body["remove_source_branch"], true);
    }
}
