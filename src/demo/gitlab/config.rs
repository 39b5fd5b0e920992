//! What a stand-in serves, as data: users, tokens, projects, merge requests, and how its bot
//! behaves. `templates/demo/gitlab.yaml` is one; tests bring their own.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::base::yaml::{self, YamlError};
use crate::model::staging::PipelineStatus;

/// Everything.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// What it says it is.
    pub version: String,
    /// The commit that it says it was built from.
    pub revision: String,
    /// How many requests it allows; without it, any number.
    pub rate_limit: Option<RateLimit>,
    /// People and bots.
    pub users: Vec<User>,
    /// Who may come in.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// Projects.
    pub projects: Vec<Project>,
    /// The bot that answers comments.
    pub bot: Option<Bot>,
    /// How pipelines go, by name.
    #[serde(default)]
    pub scripts: BTreeMap<String, Script>,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// When it is not one, or has a key that nothing reads.
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

    /// Sets the commit at the head of a merge request; `false` if there is no such one.
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

/// So many requests in so many seconds, for each token.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct RateLimit {
    /// How many.
    pub requests: u64,
    /// In how many seconds.
    pub period: u64,
}

/// A user.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// The name to mention.
    pub username: String,
    /// The name to show.
    pub name: String,
    /// Not a person.
    #[serde(default)]
    pub bot: bool,
}

/// A token of a user.
#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    /// The token itself.
    pub token: String,
    /// Whose it is.
    pub user: String,
    /// `api`, `read_api`, `read_user`.
    pub scopes: Vec<String>,
    /// It was valid once.
    #[serde(default)]
    pub expired: bool,
}

/// Who sees something.
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
pub struct Project {
    /// `group/project`.
    pub path: String,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// Who sees it.
    #[serde(default)]
    pub visibility: Visibility,
    /// Who sees its pipelines.
    #[serde(default)]
    pub pipelines: Visibility,
    /// Access levels of users: 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner.
    #[serde(default)]
    pub members: BTreeMap<String, u8>,
    /// Its merge requests.
    #[serde(default)]
    pub merge_requests: Vec<MergeRequest>,
    /// What the bot tries for it when no pipeline is named.
    #[serde(default)]
    pub staging: Vec<Staging>,
}

/// A merge request.
#[derive(Debug, Clone, Deserialize)]
pub struct MergeRequest {
    /// The number.
    pub iid: u64,
    /// The title.
    pub title: String,
    /// What it says.
    #[serde(default)]
    pub description: String,
    /// Who made it.
    pub author: String,
    /// Its branch.
    pub source_branch: String,
    /// `opened`, `closed`, `merged`.
    #[serde(default = "opened")]
    pub state: String,
    /// The commit at its head; empty while there is none.
    #[serde(default)]
    pub sha: String,
    /// The commit it starts from.
    #[serde(default = "first_commit")]
    pub base_sha: String,
}

fn opened() -> String {
    "opened".to_owned()
}

fn first_commit() -> String {
    "1".repeat(40)
}

/// A pipeline that the bot starts.
#[derive(Debug, Clone, Deserialize)]
pub struct Staging {
    /// The bot's name for its group.
    pub group: String,
    /// The branch that it tries.
    pub branch: String,
    /// The project in which it runs.
    pub project: String,
    /// How it goes.
    pub script: String,
}

/// The bot.
#[derive(Debug, Clone, Deserialize)]
pub struct Bot {
    /// Its user.
    pub user: String,
    /// After how many seconds it answers.
    #[serde(default)]
    pub answers_after: f64,
    /// It answers in the thread of the comment, not beside it.
    #[serde(default = "yes")]
    pub threads: bool,
    /// The numbers in its table lead to the pipelines.
    #[serde(default = "yes")]
    pub links: bool,
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

/// An earlier pipeline.
#[derive(Debug, Clone, Deserialize)]
pub struct Earlier {
    /// The bot's name for its group.
    pub group: String,
    /// Its number.
    pub id: u64,
    /// The branch that it tried.
    pub branch: String,
    /// The project in which it ran.
    pub project: String,
    /// How it goes when it is run again.
    pub script: String,
}

/// How a pipeline goes.
#[derive(Debug, Clone, Deserialize)]
pub struct Script {
    /// Seconds before it waits for a runner.
    #[serde(default)]
    pub created: f64,
    /// Seconds it waits for a runner.
    #[serde(default)]
    pub pending: f64,
    /// Its jobs; stages follow one another in the order of their first job.
    pub jobs: Vec<ScriptJob>,
}

/// How a job goes.
#[derive(Debug, Clone, Deserialize)]
pub struct ScriptJob {
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// How long it takes.
    pub seconds: f64,
    /// How it ends.
    #[serde(default = "success")]
    pub result: PipelineStatus,
    /// Its failure is not the pipeline's.
    #[serde(default)]
    pub allow_failure: bool,
    /// What it writes.
    #[serde(default)]
    pub log: String,
}

fn success() -> PipelineStatus {
    PipelineStatus::Success
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assets::embedded_text;

    #[test]
    fn our_own_is_valid_and_its_heads_can_be_set() {
        let text = embedded_text("demo/gitlab.yaml").expect("is built in");
        let mut config = Config::parse("gitlab.yaml", text).expect("is valid");
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
    fn an_unknown_key_is_found() {
        let error = Config::parse("x.yaml", "version: a\nrevision: b\nusers: []\nprojects: []\nbto: {}\n");
        assert_eq!(error.expect_err("has a key too many").to_string(), "x.yaml:5:1: unknown key `bto`");
    }
}
