//! What GitLab's API says, as far as this program reads it. Fields that it does not need are not
//! here; fields that older servers leave out are optional.

use serde::Deserialize;

use crate::model::staging::PipelineStatus;

/// `GET /version`.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// As `18.5.1-ee`.
    pub version: String,
    /// The commit it was built from.
    pub revision: String,
}

/// A person or a bot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The number.
    pub id: u64,
    /// The name to mention.
    pub username: String,
    /// The name to show.
    #[serde(default)]
    pub name: String,
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
pub struct Project {
    /// The number.
    pub id: u64,
    /// `group/project`.
    pub path_with_namespace: String,
    /// Its page.
    pub web_url: String,
}

/// A merge request.
#[derive(Debug, Clone, Deserialize)]
pub struct MergeRequest {
    /// The number within its project.
    pub iid: u64,
    /// The project's number.
    pub project_id: u64,
    /// The title.
    pub title: String,
    /// `opened`, `closed`, `locked`, `merged`.
    pub state: String,
    /// The commit at its head; none while it has no commits.
    pub sha: Option<String>,
    /// Its page.
    pub web_url: String,
    /// Who made it.
    pub author: Option<User>,
    /// The branch that is to be merged.
    pub source_branch: String,
    /// The branch it is to be merged into.
    pub target_branch: String,
    /// Not meant to be merged yet.
    #[serde(default)]
    pub draft: bool,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Note {
    /// The number, unique on the server and growing.
    pub id: u64,
    /// The text as written.
    pub body: String,
    /// Who wrote it.
    pub author: Option<User>,
    /// When it was written (ISO 8601).
    pub created_at: String,
    /// Written by GitLab itself about what was done.
    #[serde(default)]
    pub system: bool,
}

/// A thread of comments, or a single one.
#[derive(Debug, Clone, Deserialize)]
pub struct Discussion {
    /// The id.
    pub id: String,
    /// Its comments, oldest first.
    pub notes: Vec<Note>,
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Pipeline {
    /// The number, unique on the server.
    pub id: u64,
    /// How it is.
    pub status: PipelineStatus,
    /// The branch or tag.
    #[serde(rename = "ref")]
    pub branch: Option<String>,
    /// Its page.
    pub web_url: String,
    /// When it began (ISO 8601).
    pub started_at: Option<String>,
    /// How many seconds it ran, once it has ended.
    pub duration: Option<f64>,
}

/// A job of a pipeline.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Job {
    /// The number.
    pub id: u64,
    /// The name.
    pub name: String,
    /// The stage.
    pub stage: String,
    /// How it is.
    pub status: PipelineStatus,
    /// Its failure is not the pipeline's.
    #[serde(default)]
    pub allow_failure: bool,
    /// Why it failed, in GitLab's word.
    pub failure_reason: Option<String>,
    /// Its page.
    pub web_url: String,
}
