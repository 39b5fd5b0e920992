//! `staging` in the head of an inventory: where merge requests are deployed for a test, and how their values differ
//! from production. Applying the rules is up to `model::staging`; the staging of a single component is in `entry`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::scalars;
use crate::base::variable;

/// Deployment of merge requests to a staging namespace.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct StagingDecl {
    /// Cluster and namespace for `cki stage --via kubernetes`.
    #[serde(default)]
    pub kubernetes: StagingCluster,
    /// Tag of a merge request's image, with `{n}` for its number; `mr-{n}` by default.
    pub image_tag: Option<String>,
    /// Variables with their value in staging; they override those of `production.environment`.
    #[serde(default, deserialize_with = "variable::keys")]
    #[schemars(schema_with = "scalars::variables")]
    pub environment: BTreeMap<String, String>,
    /// Rules for values of variables; the first that fits counts.
    #[serde(default)]
    pub values: Vec<ValueRuleDecl>,
    /// Rules for names of variables.
    #[serde(default)]
    pub variables: Vec<NameRuleDecl>,
    /// Rules for names of Secrets. A Secret without a rule is refused, since it may be one of production.
    #[serde(default)]
    pub secrets: Vec<NameRuleDecl>,
    /// Rules for the keys of Secrets.
    #[serde(default)]
    pub secret_keys: Vec<NameRuleDecl>,
    /// Hosts of production that staging uses, too.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Limits of containers that set none.
    #[serde(default)]
    pub limits: StagingLimits,
    /// Days until a deployed merge request counts as expired; 3 by default.
    pub days: Option<u16>,
}

/// Cluster and namespace that are meant for staging.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct StagingCluster {
    /// Context in the configuration of `kubectl`.
    pub context: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
}

/// Rule for values of variables.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct ValueRuleDecl {
    /// Regular expression that the whole name of the variable must match; any name by default.
    pub variable: Option<String>,
    /// Regular expression that the whole value must match.
    pub pattern: String,
    /// Value in staging, with `${1}` for the first group of the pattern.
    pub replacement: String,
}

/// Rule for names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct NameRuleDecl {
    /// Regular expression that the whole name must match.
    pub pattern: String,
    /// Name in staging, with `${1}` for the first group of the pattern.
    pub replacement: String,
}

/// Limits of a container.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct StagingLimits {
    /// Processor time, as Kubernetes writes it; `1` by default.
    pub cpu: Option<String>,
    /// Memory, as Kubernetes writes it; `1Gi` by default.
    pub memory: Option<String>,
}
