//! Requests that start a pipeline, as GitLab's REST API documents them: of a merge request, of a branch, and with a
//! trigger token. What they are for is up to `ops`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::request::{ApiRequest, Method, encode};
use crate::base::secret::Secret;
use crate::model::inventory::InputValue;

/// A pipeline to start.
#[derive(Debug, Clone)]
pub enum NewPipeline {
    /// The pipeline of a merge request.
    MergeRequest {
        /// `group/project`.
        project: String,
        /// Number of the merge request.
        iid: u64,
    },
    /// A pipeline of a branch or tag.
    Branch(PipelineValues),
    /// A pipeline of a branch or tag, in the name of the token's owner.
    Trigger {
        /// Project, branch and values.
        values: PipelineValues,
        /// Trigger token.
        token: Secret,
        /// Name of the token, which is shown in its place.
        token_name: String,
    },
}

/// Project, branch and values of a pipeline.
#[derive(Debug, Clone)]
pub struct PipelineValues {
    /// `group/project`, or the number of a project.
    pub project: String,
    /// Branch or tag.
    pub branch: String,
    /// Variables, by name.
    pub variables: BTreeMap<String, String>,
    /// Inputs, by name.
    pub inputs: BTreeMap<String, InputValue>,
}

/// A request as people read it, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPreview {
    /// HTTP method.
    pub method: &'static str,
    /// Path on the server.
    pub path: String,
    /// Body; the name of a variable stands for a token.
    pub body: Value,
}

impl NewPipeline {
    /// Returns the project in which the pipeline is started.
    #[must_use]
    pub fn project(&self) -> &str {
        match self {
            Self::MergeRequest { project, .. } => project,
            Self::Branch(values) | Self::Trigger { values, .. } => &values.project,
        }
    }

    /// Returns the request as people read it.
    #[must_use]
    pub fn preview(&self) -> RequestPreview {
        let request = self.request();
        let mut body = request.body.unwrap_or_else(|| json!({}));
        if let (Self::Trigger { token_name, .. }, Some(fields)) = (self, body.as_object_mut()) {
            fields.insert("token".to_owned(), json!(format!("${token_name}")));
        }
        RequestPreview { method: "POST", path: format!("/api/v4{}", request.path), body }
    }

    /// Builds the request.
    pub(super) fn request(&self) -> ApiRequest {
        let post = |path: String, what: String, body: Value| ApiRequest {
            method: Method::Post,
            body: Some(body),
            ..ApiRequest::get(path, what)
        };
        match self {
            Self::MergeRequest { project, iid } => post(
                format!("/projects/{}/merge_requests/{iid}/pipelines", encode(project)),
                format!("a new pipeline of `{project}!{iid}`"),
                json!({}),
            ),
            Self::Branch(values) => {
                let variable = |(key, value): (&String, &String)| json!({"key": key, "value": value});
                let variables: Vec<Value> = values.variables.iter().map(variable).collect();
                let path = format!("/projects/{}/pipeline", encode(&values.project));
                post(path, values.what(), values.body(json!(variables)))
            }
            Self::Trigger { values, token, .. } => {
                let path = format!("/projects/{}/trigger/pipeline", encode(&values.project));
                let request = post(path, values.what(), values.body(json!(values.variables)));
                ApiRequest { secret: Some(("token", token.clone())), ..request }
            }
        }
    }
}

impl PipelineValues {
    fn what(&self) -> String {
        format!("a new pipeline of `{}` on `{}`", self.project, self.branch)
    }

    /// Returns the body; a request without variables or inputs does not mention them.
    fn body(&self, variables: Value) -> Value {
        let mut body = Map::new();
        body.insert("ref".to_owned(), json!(self.branch));
        if !self.variables.is_empty() {
            body.insert("variables".to_owned(), variables);
        }
        if !self.inputs.is_empty() {
            body.insert("inputs".to_owned(), json!(self.inputs));
        }
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> PipelineValues {
        PipelineValues {
            project: "group/deploy".to_owned(),
            branch: "main".to_owned(),
            variables: [("TAG".to_owned(), "mr-213".to_owned())].into(),
            inputs: [("level".to_owned(), InputValue::Int(3))].into(),
        }
    }

    #[test]
    fn new_pipeline_requests_have_the_forms_of_the_documentation() {
        let of_merge_request =
            NewPipeline::MergeRequest { project: "group/tools".to_owned(), iid: 213 }.preview();
        assert_eq!(of_merge_request.path, "/api/v4/projects/group%2Ftools/merge_requests/213/pipelines");
        assert_eq!(of_merge_request.body, json!({}));
        let branch = NewPipeline::Branch(values()).preview();
        assert_eq!(branch.path, "/api/v4/projects/group%2Fdeploy/pipeline");
        let expected =
            json!({"ref": "main", "variables": [{"key": "TAG", "value": "mr-213"}], "inputs": {"level": 3}});
        assert_eq!(branch.body, expected);
    }

    #[test]
    fn trigger_token_is_shown_by_its_name_only() {
        let token = Secret::new("glptt-0123456789");
        let token_name = "DEPLOY_TRIGGER_TOKEN".to_owned();
        let trigger = NewPipeline::Trigger { values: values(), token, token_name };
        let preview = trigger.preview();
        assert_eq!(preview.path, "/api/v4/projects/group%2Fdeploy/trigger/pipeline");
        let expected = json!({
            "ref": "main", "variables": {"TAG": "mr-213"}, "inputs": {"level": 3}, "token": "$DEPLOY_TRIGGER_TOKEN",
        });
        assert_eq!(preview.body, expected);
        let shown = format!("{trigger:?} {preview:?} {:?}", trigger.request());
        assert!(!shown.contains("glptt"), "{shown}");
    }
}
