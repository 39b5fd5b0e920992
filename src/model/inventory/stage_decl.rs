//! The settings of an entry for staging its merge requests. The rules of a request are in `model::staging`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::pipeline_decl::PipelineDecl;
use super::project_patterns::ProjectPatterns;

/// Settings of staging a component's merge requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct StageDecl {
    /// Method; `bot` if the entry does not say.
    pub via: Option<StageVia>,
    /// Project on GitLab: `group/project`.
    pub project: Option<String>,
    /// Projects whose pipelines are followed, by name or as `group/*`; without any, all that the bot links to.
    #[serde(default)]
    pub pipelines: ProjectPatterns,
    /// User name of the bot.
    pub bot: Option<String>,
    /// Template of the comment, in place of `comments/stage.md`: `/test {{ parameter.name }}`.
    pub command: Option<String>,
    /// Pipeline of the method `pipeline`; without one, that of the merge request.
    pub pipeline: Option<Box<PipelineDecl>>,
    /// Parameters that a request may set.
    #[serde(default)]
    pub parameters: Vec<ParameterDecl>,
    /// Values that stand for a merge request of this component when it is staged together with one of another component:
    /// templates, by the parameter of the other one.
    #[serde(default, rename = "override")]
    pub overrides: BTreeMap<String, String>,
    /// Environment of GitLab for a release on Kubernetes, or for the result of a pipeline, which `cki unstage` stops.
    pub environment: Option<StageEnvironmentDecl>,
}

/// Environment of GitLab for the staging of a merge request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct StageEnvironmentDecl {
    /// Name: a template that uses `number`, such as `review/{{ number }}`.
    pub name: String,
    /// Address of the application: a template.
    pub url: Option<String>,
}

impl StageDecl {
    /// Returns the method.
    #[must_use]
    pub fn via(&self) -> StageVia {
        self.via.unwrap_or_default()
    }
}

/// Method of staging.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StageVia {
    /// A comment on the merge request asks a bot.
    #[default]
    Bot,
    /// A pipeline of GitLab is started.
    Pipeline,
    /// The merge request's image is deployed into a staging namespace.
    Kubernetes,
}

impl StageVia {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::Bot, Self::Pipeline, Self::Kubernetes];

    /// Returns the word of the entry and of `--via`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Pipeline => "pipeline",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// Returns the method of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == word)
    }
}

impl fmt::Display for StageVia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A parameter of a staging request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct ParameterDecl {
    /// Key.
    pub name: String,
    /// Kind of its values.
    #[serde(default, rename = "type")]
    pub kind: ParameterKind,
    /// Allowed values; without any, all that match the type and the pattern.
    #[serde(default)]
    pub values: Vec<String>,
    /// Regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// Makes it an input of the pipeline, in place of a variable.
    #[serde(default)]
    pub input: bool,
    /// Purpose.
    pub description: Option<String>,
}

/// Kind of a parameter's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// Any text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// Number.
    Number,
    /// Tag of an image that a merge request or a pipeline built: `mr-` or `g-` and a number.
    ImageTag,
}
