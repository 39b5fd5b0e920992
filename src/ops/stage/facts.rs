//! Facts about merge requests and comments, shortened and safe to show.

use super::StageError;
use crate::model::staging::{StagedHead, TemplateFacts};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::gitlab::{MergeRequest, Note, User};

/// A merge request that can be staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequestFacts {
    /// The project: `group/project`.
    pub project: String,
    /// The number.
    pub iid: u64,
    /// The title.
    pub title: String,
    /// User name of the author.
    pub author: Option<String>,
    /// The commit at its head.
    pub head: String,
    /// The source branch.
    pub source_branch: String,
    /// The target branch.
    pub target_branch: String,
    /// The number of the project of the source branch, if it is another one.
    pub fork: Option<u64>,
    /// The merge request is a draft.
    pub draft: bool,
    /// `opened`, `closed`, `locked` or `merged`.
    pub state: String,
    /// Address of its page.
    pub url: String,
}

impl MergeRequestFacts {
    pub(super) fn of(server: &str, project: &str, found: &MergeRequest) -> Result<Self, StageError> {
        if found.state != "opened" {
            let merge_request = format!("{project}!{}", found.iid);
            return Err(StageError::NotOpen { merge_request, state: shown(&found.state, 20) });
        }
        Self::of_any(server, project, found)
    }

    /// Returns the facts of a merge request in any state: what was staged stays readable.
    pub(super) fn of_any(server: &str, project: &str, found: &MergeRequest) -> Result<Self, StageError> {
        let reference = format!("{project}!{}", found.iid);
        let head = found.sha.clone().ok_or(StageError::NoCommits { merge_request: reference })?;
        let url = web_address(&found.web_url)
            .unwrap_or_else(|| format!("{server}/{project}/-/merge_requests/{}", found.iid));
        Ok(Self {
            project: project.to_owned(),
            iid: found.iid,
            title: shown(&found.title, 300),
            author: found.author.as_ref().map(|author| shown(&author.username, 100)),
            head: shown(&head, 64),
            source_branch: shown(&found.source_branch, 300),
            target_branch: shown(&found.target_branch, 300),
            fork: found.source_project_id.filter(|source| Some(*source) != found.target_project_id),
            draft: found.draft,
            state: shown(&found.state, 20),
            url,
        })
    }

    /// Returns `group/project!iid`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}!{}", self.project, self.iid)
    }

    /// Returns the head that a request is for.
    #[must_use]
    pub fn staged_head(&self) -> StagedHead {
        StagedHead { project: self.project.clone(), number: self.iid, sha: self.head.clone() }
    }

    /// Returns the address of the project's repository on a server.
    #[must_use]
    pub fn repository_url(&self, server: &str) -> String {
        format!("{server}/{}.git", self.project)
    }

    /// Returns the facts for templates of an entry.
    #[must_use]
    pub fn for_templates<'a>(&'a self, url: &'a str) -> TemplateFacts<'a> {
        TemplateFacts {
            project: &self.project,
            number: self.iid,
            sha: &self.head,
            source_branch: &self.source_branch,
            target_branch: &self.target_branch,
            url,
        }
    }

    pub(super) fn comment(&self, note: &Note) -> CommentRef {
        CommentRef {
            id: note.id,
            url: format!("{}#note_{}", self.url, note.id),
            created_at: shown(&note.created_at, 40),
        }
    }
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentRef {
    /// Its number.
    pub id: u64,
    /// Address of its page.
    pub url: String,
    /// The time of the comment (ISO 8601), from the server.
    pub created_at: String,
}

/// Returns whether a user has a name; GitLab ignores case in it.
pub(super) fn is_user(user: Option<&User>, name: &str) -> bool {
    user.is_some_and(|user| user.username.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge_request(state: &str, sha: Option<&str>) -> MergeRequest {
        serde_json::from_value(serde_json::json!({
            "iid": 3, "project_id": 1, "title": "\u{1b}[31mred", "state": state, "sha": sha,
            "web_url": "javascript:alert(1)", "author": null, "source_branch": "a", "target_branch": "main",
        }))
        .expect("is one")
    }

    #[test]
    fn facts_require_open_merge_request_with_commits() {
        let facts = MergeRequestFacts::of("https://h", "a/b", &merge_request("opened", Some("abc")));
        let facts = facts.expect("can be staged");
        assert_eq!((facts.title.as_str(), facts.url.as_str()), ("red", "https://h/a/b/-/merge_requests/3"));
        assert_eq!(facts.reference(), "a/b!3");
        let error = MergeRequestFacts::of("https://h", "a/b", &merge_request("merged", Some("abc")));
        assert_eq!(
            error.expect_err("is merged").to_string(),
            "merge request `a/b!3` is merged; only open ones can be staged"
        );
        assert!(matches!(
            MergeRequestFacts::of("https://h", "a/b", &merge_request("opened", None)),
            Err(StageError::NoCommits { .. })
        ));
    }
}
