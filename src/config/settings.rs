//! The settings as typed values. Layers and origins are in `layers`.

use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::layers::Config;
use super::value::{SettingOrigin, SettingValue};
use crate::base::http::CaFile;
use crate::base::secret::Secret;
use crate::host::Env;
use crate::model::inventory::{InventorySources, Memory};

/// Selected engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// The best available engine.
    Auto,
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// Processes of this machine.
    Native,
}

/// Format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text for people.
    Text,
    /// JSON for programs.
    Json,
    /// YAML for programs.
    Yaml,
}

/// Use of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// Only on a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Returns whether to use colour independent of the terminal; `None` leaves it to the terminal.
    #[must_use]
    pub fn forced(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::Always => Some(true),
            Self::Never => Some(false),
        }
    }
}

/// All settings, typed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Sources of the inventory.
    pub inventory: InventorySources,
    /// Directory for clones.
    pub workspace: PathBuf,
    /// Directory with templates that replace built-in ones.
    pub templates: Option<PathBuf>,
    /// Selected engine.
    pub engine: Engine,
    /// Format of results.
    pub output: Format,
    /// Use of colour.
    pub color: Color,
    /// Connect to this machine only.
    pub offline: bool,
    /// Number of repositories to clone in parallel.
    pub jobs: usize,
    /// Additional certificates.
    pub ca_file: Option<CaFile>,
    /// GitLab server, and the origin of the setting.
    pub gitlab_url: (String, SettingOrigin),
    /// Token for the server, and the origin of the setting.
    pub gitlab_token: Option<(Secret, SettingOrigin)>,
    /// File with the token.
    pub gitlab_token_file: Option<PathBuf>,
    /// Command that prints the token.
    pub gitlab_token_command: Option<String>,
    /// Git ref of the head of a merge request on a server.
    pub merge_request_ref: String,
    /// Tag of published images.
    pub image_tag: String,
    /// Timeout for a unit to become ready.
    pub ready_timeout: Duration,
    /// Time between the request to stop and the kill of a component.
    pub stop_grace: Duration,
    /// Memory limit of a component without one in its entry.
    pub memory: Memory,
    /// User name of the bot.
    pub stage_bot: String,
    /// Timeout of a staging request.
    pub stage_timeout: Duration,
    /// Context of the staging cluster.
    pub stage_context: Option<String>,
    /// Staging namespace.
    pub stage_namespace: Option<String>,
    /// Context of the cluster of production.
    pub production_context: Option<String>,
    /// Namespace of production.
    pub production_namespace: Option<String>,
    /// Times in which production is not changed without one more confirmation.
    pub production_quiet: String,
    /// Program that talks to the staging cluster.
    pub stage_kubectl: Option<String>,
    /// Interval between two polls of a staging request.
    pub stage_interval: Duration,
}

/// Returns the sources of the inventory.
fn sources(value: Option<SettingValue>, env: &Env) -> InventorySources {
    let of_project =
        value.as_ref().is_some_and(|value| matches!(value.origin, SettingOrigin::Project { .. }));
    let list = value.map(|value| value.sources).unwrap_or_default();
    let cache = env.cache_directory();
    InventorySources {
        list,
        copies: cache.as_deref().map(InventorySources::copies_in),
        cache: cache.as_deref().map(InventorySources::cache_in),
        of_project,
    }
}

impl Settings {
    /// Returns the identity of the inventory, by which its runs are found: its canonical path, or those of its layers.
    #[must_use]
    pub fn inventory_id(&self) -> String {
        self.inventory.identity()
    }

    /// Reads the typed values from the layers.
    ///
    /// # Errors
    /// Fails if no directory is available for the workspace.
    pub fn resolve(config: &Config, env: &Env) -> Result<Self, ConfigError> {
        let text = |name: &str| config.get(name).map(|value| value.text).filter(|text| !text.is_empty());
        let required = |name: &str| text(name).unwrap_or_default();
        let path = |name: &str| config.get(name)?.path;
        let number = |name: &str| required(name).parse::<u64>().unwrap_or(1);
        let workspace = match path("workspace") {
            Some(directory) => directory,
            // Without a home directory, the workspace goes below the data or temporary directory.
            None => env
                .home()
                .map(|home| home.join("cki"))
                .or_else(|| Some(env.data_directory()?.join("clones")))
                .unwrap_or_else(|| env.runtime_directory().join("clones")),
        };
        let url = config.get("gitlab.url");
        Ok(Self {
            inventory: sources(config.get("inventory"), env),
            workspace,
            templates: path("templates"),
            engine: match required("engine").as_str() {
                "docker" => Engine::Docker,
                "podman" => Engine::Podman,
                "native" => Engine::Native,
                _ => Engine::Auto,
            },
            output: match required("output").as_str() {
                "json" => Format::Json,
                "yaml" => Format::Yaml,
                _ => Format::Text,
            },
            color: match required("color").as_str() {
                "always" => Color::Always,
                "never" => Color::Never,
                _ => Color::Auto,
            },
            offline: required("offline") == "true",
            jobs: usize::try_from(number("jobs")).unwrap_or(8),
            ca_file: config.ca_file(),
            gitlab_url: url
                .map_or((String::new(), SettingOrigin::Default), |value| (value.text, value.origin)),
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
            stage_context: text("stage.context"),
            stage_namespace: text("stage.namespace"),
            production_context: text("production.context"),
            production_namespace: text("production.namespace"),
            production_quiet: required("production.quiet"),
            stage_kubectl: text("stage.kubectl"),
            stage_interval: Duration::from_secs(number("stage.interval")),
        })
    }
}
