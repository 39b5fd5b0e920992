//! Types of GitLab's API, with the fields that this program reads. Fields that older servers omit are
//! optional. Requests are `request`.

use serde::Deserialize;

use super::types_ci::PipelineStub;
use super::user::User;
use crate::model::staging::PipelineStatus;

/// Answer of `GET /version`.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Version, such as `18.5.1-ee`.
    pub version: String,
    /// Commit of the build.
    pub revision: String,
}

/// Facts about an access token, as the server tells them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TokenFacts {
    /// Name that its user gave it.
    #[serde(default)]
    pub name: String,
    /// Scopes, such as `api`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Day on which it stops working (ISO 8601); `None` if never.
    pub expires_at: Option<String>,
}

/// Merge request.
#[derive(Debug, Clone, Deserialize)]
pub struct MergeRequest {
    /// Number within its project.
    pub iid: u64,
    /// Title.
    pub title: String,
    /// State: `opened`, `closed`, `locked` or `merged`.
    pub state: String,
    /// Commit at its head; `None` while it has no commits.
    pub sha: Option<String>,
    /// URL of its page.
    pub web_url: String,
    /// Author.
    pub author: Option<User>,
    /// Source branch.
    pub source_branch: String,
    /// Target branch.
    pub target_branch: String,
    /// Project of the source branch; `None` if it was deleted.
    pub source_project_id: Option<u64>,
    /// Project of the merge request.
    pub target_project_id: Option<u64>,
    /// Marked as a draft, not ready to merge.
    #[serde(default)]
    pub draft: bool,
    /// Commit that merged it; `None` for a fast-forward merge, and before the merge.
    pub merge_commit_sha: Option<String>,
    /// Commit with all its changes, if they were squashed.
    pub squash_commit_sha: Option<String>,
    /// Timestamp of the merge (ISO 8601).
    pub merged_at: Option<String>,
}

/// Merge request in a list.
#[derive(Debug, Clone, Deserialize)]
pub struct MergeRequestTitle {
    /// Number within its project.
    pub iid: u64,
    /// Title.
    pub title: String,
}

/// Open merge request in a list, with the facts about its discussion.
#[derive(Debug, Clone, Deserialize)]
pub struct ListedMergeRequest {
    /// Number within its project.
    pub iid: u64,
    /// Title.
    pub title: String,
    /// Author.
    pub author: Option<User>,
    /// Source branch.
    #[serde(default)]
    pub source_branch: String,
    /// Timestamp of its creation (ISO 8601).
    #[serde(default)]
    pub created_at: String,
    /// URL of its page.
    #[serde(default)]
    pub web_url: String,
    /// Marked as a draft, not ready to merge.
    #[serde(default)]
    pub draft: bool,
    /// All its threads are resolved; `None` if the server does not say.
    pub blocking_discussions_resolved: Option<bool>,
}

/// Name in a directory of a repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ListedName {
    /// The name.
    pub(super) name: String,
}

/// Change of a file in a merge request.
#[derive(Debug, Clone, Deserialize)]
pub struct FileChange {
    /// Path after the change.
    pub new_path: String,
    /// The file is new.
    #[serde(default)]
    pub new_file: bool,
    /// The file had another path before.
    #[serde(default)]
    pub renamed_file: bool,
}

/// Order of comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteOrder {
    /// The newest one first.
    NewestFirst,
    /// The oldest one first.
    OldestFirst,
}

/// Comment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Note {
    /// Comment ID, unique on the server and ascending.
    pub id: u64,
    /// Text as written.
    pub body: String,
    /// Author.
    pub author: Option<User>,
    /// Timestamp of its creation (ISO 8601).
    pub created_at: String,
    /// Written by GitLab itself to record an action.
    #[serde(default)]
    pub system: bool,
}

/// Thread of comments, or a single comment.
#[derive(Debug, Clone, Deserialize)]
pub struct Discussion {
    /// Thread ID.
    pub id: String,
    /// Its comments, oldest first.
    pub notes: Vec<Note>,
}

/// Pipeline.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Pipeline {
    /// Pipeline ID, unique on the server.
    pub id: u64,
    /// Status.
    pub status: PipelineStatus,
    /// Branch or tag.
    #[serde(rename = "ref")]
    pub branch: Option<String>,
    /// Commit.
    pub sha: Option<String>,
    /// URL of its page.
    pub web_url: String,
    /// Timestamp of its creation (ISO 8601).
    pub created_at: Option<String>,
    /// Timestamp of its start (ISO 8601).
    pub started_at: Option<String>,
    /// Timestamp of its end (ISO 8601).
    pub finished_at: Option<String>,
    /// Duration in seconds, once it has ended.
    pub duration: Option<f64>,
    /// User who started it; only where a pipeline is read alone.
    pub user: Option<User>,
}

/// Variable of a pipeline.
#[derive(Debug, Clone, Deserialize)]
pub struct PipelineVariable {
    /// Name.
    pub key: String,
    /// Value.
    #[serde(default)]
    pub value: String,
}

/// Commit.
#[derive(Debug, Clone, Deserialize)]
pub struct Commit {
    /// Hash.
    #[serde(default)]
    pub id: String,
    /// First line of its message.
    #[serde(default)]
    pub title: String,
    /// Its parents.
    #[serde(default)]
    pub parent_ids: Vec<String>,
}

/// Project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Project {
    /// `group/project`.
    pub(super) path_with_namespace: String,
}

/// Default branch of a project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ProjectBranch {
    /// Name; a project without commits has none.
    pub(super) default_branch: Option<String>,
}

/// Job of a pipeline.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Job {
    /// Job ID.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Stage.
    pub stage: String,
    /// Status.
    pub status: PipelineStatus,
    /// Its failure does not fail the pipeline.
    #[serde(default)]
    pub allow_failure: bool,
    /// Reason of its failure, in GitLab's word.
    pub failure_reason: Option<String>,
    /// URL of its page.
    pub web_url: String,
    /// Timestamp of its start (ISO 8601).
    pub started_at: Option<String>,
    /// Timestamp of its end (ISO 8601).
    pub finished_at: Option<String>,
    /// Its pipeline.
    pub pipeline: Option<PipelineStub>,
}
