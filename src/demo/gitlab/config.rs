//! The configuration of a stand-in: users, tokens, projects, merge requests, and the behaviour of its
//! bot. `templates/demo/gitlab.yaml` is one; tests bring their own. State that changes is in `state`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::config_deployments::DeploymentConfig;
use super::config_pipelines::{Earlier, Script, StagingConfig};
use crate::base::yaml::{self, YamlError};

/// The configuration of a stand-in.
#[derive(Debug, Clone, Deserialize)]
pub struct StandInConfig {
    /// GitLab version that it reports.
    pub version: String,
    /// GitLab revision that it reports.
    pub revision: String,
    /// Rate limit; without one, requests are not limited.
    pub rate_limit: Option<RateLimit>,
    /// Persons and bots.
    pub users: Vec<UserEntry>,
    /// Access tokens.
    #[serde(default)]
    pub tokens: Vec<TokenConfig>,
    /// Projects.
    pub projects: Vec<ProjectConfig>,
    /// The bot that answers comments.
    pub bot: Option<Bot>,
    /// Scripts of pipelines, by name.
    #[serde(default)]
    pub scripts: BTreeMap<String, Script>,
}

impl StandInConfig {
    /// Parses a configuration.
    ///
    /// # Errors
    /// Fails when the text is not a configuration, or has an unknown key.
    pub fn parse(file: &str, text: &str) -> Result<Self, YamlError> {
        let (config, unknown) = yaml::parse::<Self>(file, text)?;
        match unknown.into_iter().next() {
            None => Ok(config),
            Some(key) => Err(YamlError {
                file: file.to_owned(),
                position: yaml::position(text, &key.path),
                message: format!("unknown key `{}`", key.path),
            }),
        }
    }

    /// Sets the commit at the head of a merge request; returns `false` if there is no such merge request.
    pub fn set_head(&mut self, project: &str, iid: u64, sha: &str) -> bool {
        let found = self
            .projects
            .iter_mut()
            .filter(|one| one.path == project)
            .flat_map(|one| &mut one.merge_requests)
            .find(|one| one.iid == iid);
        found.map(|one| sha.clone_into(&mut one.sha)).is_some()
    }
}

/// A rate limit for each token.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct RateLimit {
    /// Number of requests in a period.
    pub requests: u64,
    /// Length of a period in seconds.
    pub period: u64,
}

/// A user.
#[derive(Debug, Clone, Deserialize)]
pub struct UserEntry {
    /// The user name, as in mentions.
    pub username: String,
    /// The display name.
    pub name: String,
    /// The user is a bot.
    #[serde(default)]
    pub bot: bool,
}

/// A token of a user.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenConfig {
    /// The secret.
    pub token: String,
    /// Name of its user.
    pub user: String,
    /// `api`, `read_api`, `read_user`.
    pub scopes: Vec<String>,
    /// The day on which it stops working (ISO 8601); without one, it never does.
    pub expires_at: Option<String>,
    /// The token has expired.
    #[serde(default)]
    pub expired: bool,
}

/// Audience of a project or of its pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody.
    #[default]
    Public,
    /// Members.
    Private,
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
pub struct ProjectConfig {
    /// `group/project`.
    pub path: String,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// Users who may see the project.
    #[serde(default)]
    pub visibility: Visibility,
    /// Users who may see its pipelines.
    #[serde(default)]
    pub pipelines: Visibility,
    /// Access levels of users: 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner.
    #[serde(default)]
    pub members: BTreeMap<String, u8>,
    /// Paths of files on its default branch.
    #[serde(default)]
    pub files: Vec<String>,
    /// Its merge requests.
    #[serde(default)]
    pub merge_requests: Vec<MergeRequestConfig>,
    /// Its own pipelines; without them, it has no CI.
    pub ci: Option<CiConfig>,
    /// Pipelines that the bot starts when a comment names none.
    #[serde(default)]
    pub staging: Vec<StagingConfig>,
    /// Its environments.
    #[serde(default)]
    pub environments: Vec<EnvironmentConfig>,
    /// Deployments to them, oldest first.
    #[serde(default)]
    pub deployments: Vec<DeploymentConfig>,
    /// Commits of its default branch, oldest first.
    #[serde(default)]
    pub history: Vec<String>,
    /// Commits that cannot be reverted without a conflict.
    #[serde(default)]
    pub conflicts: Vec<String>,
}

/// The pipelines of a project, as its CI configuration describes them.
#[derive(Debug, Clone, Deserialize)]
pub struct CiConfig {
    /// Name of the script that every pipeline follows.
    pub script: String,
    /// Pipelines of merge requests run on the merge with the target branch.
    #[serde(default)]
    pub merged_results: bool,
    /// Nobody may set variables of a pipeline.
    #[serde(default)]
    pub refuses_variables: bool,
    /// Inputs that its CI configuration declares.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Trigger tokens.
    #[serde(default)]
    pub triggers: Vec<TriggerConfig>,
}

/// A trigger token.
#[derive(Debug, Clone, Deserialize)]
pub struct TriggerConfig {
    /// The secret.
    pub token: String,
    /// Name of its owner.
    pub user: String,
}

/// A merge request.
#[derive(Debug, Clone, Deserialize)]
pub struct MergeRequestConfig {
    /// The number.
    pub iid: u64,
    /// The title.
    pub title: String,
    /// Description text.
    #[serde(default)]
    pub description: String,
    /// User name of the author.
    pub author: String,
    /// Its branch.
    pub source_branch: String,
    /// `opened`, `closed`, `merged`.
    #[serde(default = "opened")]
    pub state: String,
    /// The commit at its head; empty while there is none.
    #[serde(default)]
    pub sha: String,
    /// The time of its creation (ISO 8601), if it is not that of the stand-in's start.
    pub created_at: Option<String>,
    /// Paths of the files that it adds.
    #[serde(default)]
    pub adds: Vec<String>,
    /// Paths of the files that it changes.
    #[serde(default)]
    pub changes: Vec<String>,
    /// It has a thread that is not resolved.
    #[serde(default)]
    pub unresolved: bool,
    /// The commit that merged it.
    pub merge_commit_sha: Option<String>,
    /// The commit it starts from.
    #[serde(default = "first_commit")]
    pub base_sha: String,
    /// Scripts of the pipelines that its head has had, oldest first.
    #[serde(default)]
    pub pipelines: Vec<String>,
}

impl MergeRequestConfig {
    /// Creates an open merge request with a head.
    #[must_use]
    pub fn new(
        iid: u64,
        title: String,
        description: String,
        author: &str,
        source_branch: String,
        sha: String,
    ) -> Self {
        Self {
            iid,
            title,
            description,
            author: author.to_owned(),
            source_branch,
            state: opened(),
            sha,
            created_at: None,
            adds: Vec::new(),
            changes: Vec::new(),
            unresolved: false,
            merge_commit_sha: None,
            base_sha: first_commit(),
            pipelines: Vec::new(),
        }
    }
}

fn opened() -> String {
    "opened".to_owned()
}

fn first_commit() -> String {
    "1".repeat(40)
}

/// The bot.
#[derive(Debug, Clone, Deserialize)]
pub struct Bot {
    /// Its user.
    pub user: String,
    /// Seconds until it answers.
    #[serde(default)]
    pub answers_after: f64,
    /// The bot answers in the comment's thread; otherwise in a separate comment.
    #[serde(default = "yes")]
    pub threads: bool,
    /// The pipeline numbers in its table are links.
    #[serde(default = "yes")]
    pub links: bool,
    /// It takes commands such as `/test NAME`, and answers with links in text; otherwise with a table.
    #[serde(default)]
    pub takes_commands: bool,
    /// The number of the first pipeline that it starts.
    #[serde(default = "one")]
    pub first_pipeline: u64,
    /// Earlier pipelines that it can run again.
    #[serde(default)]
    pub history: Vec<Earlier>,
}

fn yes() -> bool {
    true
}

fn one() -> u64 {
    1
}

/// An environment of a project.
#[derive(Debug, Clone, Deserialize)]
pub struct EnvironmentConfig {
    /// The name.
    pub name: String,
    /// Address of the application.
    pub url: Option<String>,
    /// `available`, `stopping` or `stopped`.
    #[serde(default = "available")]
    pub state: String,
    /// The time at which it stops (ISO 8601).
    pub auto_stop_at: Option<String>,
    /// `production`, `staging`, `testing`, `development` or `other`.
    pub tier: Option<String>,
    /// The commit that was deployed first.
    pub sha: Option<String>,
}

fn available() -> String {
    "available".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assets::embedded_text;

    #[test]
    fn built_in_config_is_valid_and_accepts_heads() {
        let text = embedded_text("demo/gitlab.yaml").expect("is built in");
        let mut config = StandInConfig::parse("gitlab.yaml", text).expect("is valid");
        assert!(config.set_head("cki-project/cki-tools", 213, &"a".repeat(40)));
        assert!(!config.set_head("cki-project/cki-tools", 1, &"a".repeat(40)));
        for project in &config.projects {
            for staging in &project.staging {
                assert!(config.scripts.contains_key(&staging.script), "{}", staging.script);
                assert!(config.projects.iter().any(|one| one.path == staging.project), "{}", staging.project);
            }
        }
        assert!(config.tokens.iter().all(|token| token.token.contains("not-a-real-token")));
    }

    #[test]
    fn config_parse_rejects_unknown_keys() {
        let error =
            StandInConfig::parse("x.yaml", "version: a\nrevision: b\nusers: []\nprojects: []\nbto: {}\n");
        assert_eq!(error.expect_err("has a key too many").to_string(), "x.yaml:5:1: unknown key `bto`");
    }
}
