//! The description of the pipeline that staging starts. The rules of a request are in `model::staging`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::schema::scalars;
use crate::base::variable;

/// The pipeline that staging starts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct PipelineDecl {
    /// Kind of pipeline.
    #[serde(default)]
    pub kind: PipelineKind,
    /// Project in which a branch pipeline or a triggered one runs: `group/project`. The default for a branch pipeline
    /// is the project of the merge request's source branch.
    pub project: Option<String>,
    /// Branch or tag. The default for a branch pipeline is the source branch.
    #[serde(rename = "ref")]
    pub branch: Option<String>,
    /// Environment variable of the user with the trigger token; its name has the word `TRIGGER`.
    pub token_variable: Option<String>,
    /// Variables of every request, which `--set` cannot change.
    #[serde(default, deserialize_with = "variable::keys")]
    #[schemars(schema_with = "scalars::variables")]
    pub variables: BTreeMap<String, String>,
    /// Inputs of every request, which `--set` cannot change.
    #[serde(default)]
    pub inputs: BTreeMap<String, InputValue>,
}

/// Kind of pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PipelineKind {
    /// The pipeline of the merge request; it takes neither variables nor inputs.
    #[default]
    MergeRequest,
    /// The pipeline of a branch, by default of the merge request's source branch.
    Branch,
    /// A pipeline of another project, started with a trigger token.
    Trigger,
}

impl PipelineKind {
    /// Returns the word of the entry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MergeRequest => "merge-request",
            Self::Branch => "branch",
            Self::Trigger => "trigger",
        }
    }
}

/// Value of a pipeline's input, with its type.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum InputValue {
    /// `true` or `false`.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
}

impl fmt::Display for InputValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl JsonSchema for InputValue {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("InputValue")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

impl<'de> Deserialize<'de> for InputValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(InputVisitor)
    }
}

struct InputVisitor;

impl Visitor<'_> for InputVisitor {
    type Value = InputValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, `true` or `false`")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<InputValue, E> {
        Ok(InputValue::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<InputValue, E> {
        Ok(InputValue::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<InputValue, E> {
        i64::try_from(value).map(InputValue::Int).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<InputValue, E> {
        Ok(InputValue::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<InputValue, E> {
        Ok(InputValue::Text(value.to_owned()))
    }
}
