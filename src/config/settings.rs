//! The settings as typed values, for whoever uses them.

use std::path::PathBuf;
use std::time::Duration;

use super::layers::{Config, ConfigError, Origin};
use crate::base::http::CaFile;
use crate::base::secret::Secret;
use crate::host::Env;
use crate::model::inventory::Memory;

/// What runs components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// The best that is there.
    Auto,
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// Processes of this machine.
    Native,
}

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Format {
    /// Whether a text names a form that every command has.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        matches!(text, "text" | "json")
    }
}

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The inventory; `None` is the built-in one.
    pub inventory: Option<PathBuf>,
    /// The folder for clones.
    pub workspace: PathBuf,
    /// A folder with templates that replace built-in ones.
    pub templates: Option<PathBuf>,
    /// What runs components.
    pub engine: Engine,
    /// The form of results.
    pub output: Format,
    /// Whether to use colour.
    pub color: Color,
    /// Whether to connect to this machine only.
    pub offline: bool,
    /// How many repositories are cloned at the same time.
    pub jobs: usize,
    /// Additional certificates.
    pub ca_file: Option<CaFile>,
    /// The GitLab server, and who says so.
    pub gitlab_url: (String, Origin),
    /// The token for it, and who says so.
    pub gitlab_token: Option<(Secret, Origin)>,
    /// A file with the token.
    pub gitlab_token_file: Option<PathBuf>,
    /// A command that prints the token.
    pub gitlab_token_command: Option<String>,
    /// Where a server keeps the head of a merge request.
    pub merge_request_ref: String,
    /// The tag of published images.
    pub image_tag: String,
    /// Until something that is not ready counts as failed.
    pub ready_timeout: Duration,
    /// Between asking a component to stop and killing it.
    pub stop_grace: Duration,
    /// Memory that a component may use unless its entry says otherwise.
    pub memory: Memory,
    /// The user name of the bot.
    pub stage_bot: String,
    /// Until a staging request is given up.
    pub stage_timeout: Duration,
    /// Between two looks at a staging request.
    pub stage_interval: Duration,
}

impl Settings {
    /// Reads the typed values out of the layers.
    ///
    /// # Errors
    /// When there is no place for the workspace.
    pub fn resolve(config: &Config, env: &Env) -> Result<Self, ConfigError> {
        let text = |name: &str| config.get(name).map(|value| value.text).filter(|text| !text.is_empty());
        let required = |name: &str| text(name).unwrap_or_default();
        let path = |name: &str| config.get(name)?.path;
        let number = |name: &str| required(name).parse::<u64>().unwrap_or(1);
        let workspace = match path("workspace") {
            Some(folder) => folder,
            // A user without a home directory has a place for data, or for temporary files.
            None => env
                .home()
                .map(|home| home.join("cki"))
                .or_else(|| Some(env.data_folder()?.join("clones")))
                .unwrap_or_else(|| env.runtime_folder().join("clones")),
        };
        let url = config.get("gitlab.url");
        Ok(Self {
            inventory: path("inventory"),
            workspace,
            templates: path("templates"),
            engine: match required("engine").as_str() {
                "docker" => Engine::Docker,
                "podman" => Engine::Podman,
                "native" => Engine::Native,
                _ => Engine::Auto,
            },
            output: if required("output") == "json" { Format::Json } else { Format::Text },
            color: match required("color").as_str() {
                "always" => Color::Always,
                "never" => Color::Never,
                _ => Color::Auto,
            },
            offline: required("offline") == "true",
            jobs: usize::try_from(number("jobs")).unwrap_or(8),
            ca_file: config.ca_file(),
            gitlab_url: url.map_or((String::new(), Origin::Default), |value| (value.text, value.origin)),
            gitlab_token: config
                .get("gitlab.token")
                .filter(|value| !value.text.is_empty())
                .map(|value| (Secret::new(value.text), value.origin)),
            gitlab_token_file: path("gitlab.token_file"),
            gitlab_token_command: text("gitlab.token_command"),
            merge_request_ref: required("merge_request_ref"),
            image_tag: required("image_tag"),
            ready_timeout: Duration::from_secs(number("run.ready_timeout")),
            stop_grace: Duration::from_secs(number("run.stop_grace")),
            memory: Memory::parse(&required("run.memory")).unwrap_or_default(),
            stage_bot: required("stage.bot"),
            stage_timeout: Duration::from_secs(60 * number("stage.timeout")),
            stage_interval: Duration::from_secs(number("stage.interval")),
        })
    }
}
