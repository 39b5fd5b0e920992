//! A checked request for a pipeline of GitLab: the forced values of the entry, the chosen ones of the user, and the
//! marker by which the pipeline is found again. Sending it belongs in `systems::gitlab`.

use std::collections::BTreeMap;
use std::fmt;

use minijinja::context;

use super::parameter::check_declared;
use super::{StageParameter, StagingError, StagingParameter, shown};
use crate::base::digest;
use crate::base::template::{Templates, WorkBudget};
use crate::model::inventory::{InputValue, ParameterKind, PipelineDecl, PipelineKind};

/// Facts about a merge request that the forced values of an entry may use.
#[derive(Debug, Clone, Copy)]
pub struct PipelineFacts<'a> {
    /// `group/project`.
    pub project: &'a str,
    /// Number of the merge request.
    pub number: u64,
    /// Commit at its head.
    pub sha: &'a str,
    /// Source branch.
    pub source_branch: &'a str,
    /// Target branch.
    pub target_branch: &'a str,
}

/// A request for a pipeline; its templates are not filled yet.
#[derive(Debug, Clone)]
pub struct PipelineRequest {
    kind: PipelineKind,
    project: Option<String>,
    branch: Option<String>,
    variables: BTreeMap<String, String>,
    inputs: BTreeMap<String, InputValue>,
    chosen_variables: BTreeMap<String, String>,
    chosen_inputs: BTreeMap<String, InputValue>,
}

/// A request for a pipeline as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledPipeline {
    /// Kind of pipeline.
    pub kind: PipelineKind,
    /// Project in which it runs, if the entry names one.
    pub project: Option<String>,
    /// Branch or tag, if the entry names one.
    pub branch: Option<String>,
    /// Variables, by name.
    pub variables: BTreeMap<String, String>,
    /// Inputs, by name.
    pub inputs: BTreeMap<String, InputValue>,
}

impl PipelineRequest {
    /// Checks the chosen values against the declared parameters, and the description of the pipeline.
    ///
    /// # Errors
    /// Fails when a value is not declared, not allowed or forced, or the description lacks something.
    pub fn new(
        decl: &PipelineDecl,
        chosen: Vec<StagingParameter>,
        declared: &[StageParameter],
    ) -> Result<Self, StagingError> {
        check_decl(decl)?;
        for (index, one) in chosen.iter().enumerate() {
            let key = one.key().to_owned();
            if chosen[..index].iter().any(|earlier| earlier.key() == key) {
                return Err(StagingError::Repeated { key });
            }
            if decl.variables.contains_key(&key) || decl.inputs.contains_key(&key) {
                return Err(StagingError::Forced { key });
            }
            if decl.kind == PipelineKind::MergeRequest {
                return Err(StagingError::NoVariables);
            }
            if declared.is_empty() {
                return Err(StagingError::NoParameters { key });
            }
        }
        check_declared(&chosen, declared)?;
        let mut request = Self {
            kind: decl.kind,
            project: decl.project.clone(),
            branch: decl.branch.clone(),
            variables: decl.variables.clone(),
            inputs: decl.inputs.clone(),
            chosen_variables: BTreeMap::new(),
            chosen_inputs: BTreeMap::new(),
        };
        for one in chosen {
            let known = declared.iter().find(|known| known.name == one.key());
            let (key, value) = (one.key().to_owned(), one.value().to_owned());
            match known.filter(|known| known.is_input) {
                Some(known) => drop(request.chosen_inputs.insert(key, input(known.kind, &value))),
                None => drop(request.chosen_variables.insert(key, value)),
            }
        }
        Ok(request)
    }

    /// Returns the kind of pipeline.
    #[must_use]
    pub fn kind(&self) -> PipelineKind {
        self.kind
    }

    /// Fills the templates of the forced values; what the user chose is no template.
    ///
    /// # Errors
    /// Fails when a template is invalid, or makes a value that cannot be sent.
    pub fn fill(&self, facts: &PipelineFacts<'_>) -> Result<FilledPipeline, StagingError> {
        let templates = Templates::new(&WorkBudget::default());
        let PipelineFacts { project, number, sha, source_branch, target_branch } = *facts;
        let fill = |key: &str, text: &str| {
            let context = context! { project, number, sha, source_branch, target_branch };
            let filled = templates.render(text, context).map_err(|error| StagingError::PipelineTemplate {
                key: key.to_owned(),
                why: shown(&error.to_string()),
            })?;
            StagingParameter::for_pipeline(key, &filled).map(|one| one.value().to_owned())
        };
        let mut filled = FilledPipeline {
            kind: self.kind,
            project: self.project.clone(),
            branch: self.branch.as_deref().map(|branch| fill("ref", branch)).transpose()?,
            variables: self.chosen_variables.clone(),
            inputs: self.chosen_inputs.clone(),
        };
        for (key, value) in &self.variables {
            filled.variables.insert(key.clone(), fill(key, value)?);
        }
        for (key, value) in &self.inputs {
            let value = match value {
                InputValue::Text(text) => InputValue::Text(fill(key, text)?),
                other => other.clone(),
            };
            filled.inputs.insert(key.clone(), value);
        }
        Ok(filled)
    }
}

/// Checks that the description of a pipeline has what its kind needs, and nothing that its kind has no place for.
fn check_decl(decl: &PipelineDecl) -> Result<(), StagingError> {
    let has_values = !decl.variables.is_empty() || !decl.inputs.is_empty();
    let need = |key: &'static str, is_there: bool| {
        if is_there { Ok(()) } else { Err(StagingError::Incomplete { kind: decl.kind.as_str(), key }) }
    };
    match decl.kind {
        PipelineKind::MergeRequest if has_values => Err(StagingError::NoVariables),
        PipelineKind::MergeRequest | PipelineKind::Branch => Ok(()),
        PipelineKind::Trigger => {
            need("project", decl.project.is_some())?;
            need("ref", decl.branch.is_some())?;
            need("token_variable", decl.token_variable.is_some())?;
            // An entry cannot have just any secret of the user's environment sent.
            let name = decl.token_variable.as_deref().unwrap_or_default();
            if name.to_ascii_uppercase().contains("TRIGGER") {
                return Ok(());
            }
            Err(StagingError::TokenVariable { name: shown(name) })
        }
    }
}

/// Returns an input of a declared kind.
fn input(kind: ParameterKind, value: &str) -> InputValue {
    let number = || value.parse().map(InputValue::Int).or_else(|_| value.parse().map(InputValue::Float));
    match kind {
        ParameterKind::Boolean => InputValue::Bool(value == "true"),
        ParameterKind::Number => number().unwrap_or_else(|_| InputValue::Text(value.to_owned())),
        ParameterKind::String | ParameterKind::ImageTag => InputValue::Text(value.to_owned()),
    }
}

/// The variable of a pipeline that says which request it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineMarker(String);

impl PipelineMarker {
    /// Name of the variable.
    pub const VARIABLE: &'static str = "CKI_STAGE_REQUEST";

    /// Returns the marker of a request for the head of a merge request.
    #[must_use]
    pub fn new(reference: &str, sha: &str, request: &FilledPipeline) -> Self {
        let mut parts = vec![reference.to_owned(), request.kind.as_str().to_owned()];
        parts.extend([&request.project, &request.branch].map(|part| part.clone().unwrap_or_default()));
        parts.extend(request.variables.iter().map(|(key, value)| format!("{key}={value}")));
        parts.push("inputs".to_owned());
        parts.extend(request.inputs.iter().map(|(key, value)| format!("{key}={value:?}")));
        Self(format!("{sha}:{}", &digest::sha256_hex(parts)[..16]))
    }

    /// Returns whether a pipeline with these variables has the marker.
    #[must_use]
    pub fn is_in<'a>(&self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
        variables.into_iter().any(|(key, value)| key == Self::VARIABLE && value == self.0)
    }
}

impl fmt::Display for PipelineMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::ParameterDecl;

    const FACTS: PipelineFacts<'_> = PipelineFacts {
        project: "group/tools",
        number: 213,
        sha: "9c41d0e",
        source_branch: "retry",
        target_branch: "main",
    };

    fn json(value: &impl serde::Serialize) -> String {
        serde_json::to_string(value).expect("is JSON")
    }

    fn decl(yaml: &str) -> PipelineDecl {
        crate::base::yaml::parse("x.yaml", yaml).expect("is a pipeline").0
    }

    fn declared() -> Vec<StageParameter> {
        let text = "[{name: TAG, type: image-tag}, {name: level, type: number, input: true}, {name: fast, \
                    type: boolean, input: true}, {name: ARCH, values: [x86_64, aarch64]}]";
        let all: Vec<ParameterDecl> = crate::base::yaml::parse("x.yaml", text).expect("is a list").0;
        all.iter().map(|one| StageParameter::from_inventory(one).expect("is valid")).collect()
    }

    fn request(yaml: &str, chosen: &[&str]) -> Result<FilledPipeline, StagingError> {
        let chosen = chosen.iter().map(|text| StagingParameter::parse_for_pipeline(text));
        PipelineRequest::new(&decl(yaml), chosen.collect::<Result<_, _>>()?, &declared())?.fill(&FACTS)
    }

    #[test]
    fn pipeline_request_keeps_types_and_fills_forced_templates() {
        let yaml = "{kind: branch, ref: 'mr-{{ number }}', variables: {COMMIT: '{{ sha }}'}, inputs: {environment: \
                    staging, dry: true, level: 2}}";
        let chosen = ["TAG=mr-213", "fast=true", "ARCH=x86_64"];
        // A forced name is not a parameter, even if it is declared.
        assert_eq!(request(yaml, &["level=3"]), Err(StagingError::Forced { key: "level".into() }));
        let filled = request(yaml, &chosen).expect("is valid");
        assert_eq!(filled.branch.as_deref(), Some("mr-213"));
        assert_eq!(json(&filled.variables), r#"{"ARCH":"x86_64","COMMIT":"9c41d0e","TAG":"mr-213"}"#);
        assert_eq!(json(&filled.inputs), r#"{"dry":true,"environment":"staging","fast":true,"level":2}"#);
        let marker = |filled: &FilledPipeline| PipelineMarker::new("group/tools!213", "9c41d0e", filled);
        assert_eq!(
            marker(&filled),
            marker(&request(yaml, &["ARCH=x86_64", "fast=true", "TAG=mr-213"]).expect("is"))
        );
        assert_ne!(marker(&filled), marker(&request(yaml, &["TAG=mr-213"]).expect("is valid")));
        // What the user chose is no template.
        let level = request("{kind: branch}", &["level=2.5", "fast=false"]).expect("is valid");
        assert_eq!(json(&level.inputs), r#"{"fast":false,"level":2.5}"#);
    }

    #[test]
    fn pipeline_request_refuses_what_gitlab_would_not_take() {
        let trigger = |rest: &str| format!("{{kind: trigger, project: g/d, ref: main, {rest}}}");
        for (yaml, chosen, why) in [
            ("{kind: branch, variables: {A: b}}", &["A=c"][..], "`A` is fixed by the entry"),
            ("{}", &["TAG=mr-1"], "takes neither variables nor inputs"),
            ("{variables: {A: b}}", &[], "takes neither variables nor inputs"),
            ("{kind: branch}", &["TAG=latest"], "`mr-` or `g-` and a number"),
            ("{kind: branch}", &["TAG=mr-"], "`mr-` or `g-` and a number"),
            ("{kind: branch}", &["fast=yes"], "`true` or `false`"),
            ("{kind: branch}", &["level=many"], "a number"),
            ("{kind: branch}", &["ARCH=x86-64"], "did you mean `x86_64`?"),
            ("{kind: branch}", &["leve=1"], "did you mean `level`?"),
            ("{kind: branch}", &["TAG=mr-1", "TAG=mr-2"], "more than once"),
            ("{kind: branch, variables: {A: '{{ nobody }}'}}", &[], "the template of `A`"),
            ("{kind: trigger, ref: main, token_variable: A_TRIGGER_TOKEN}", &[], "`stage.pipeline.project`"),
            (&trigger("variables: {}"), &[], "`stage.pipeline.token_variable`"),
            (&trigger("token_variable: AWS_SECRET_ACCESS_KEY"), &[], "`TRIGGER`"),
        ] {
            let error = request(yaml, chosen).expect_err(yaml).to_string();
            assert!(error.contains(why), "{yaml}: {error}");
        }
        let none = PipelineRequest::new(
            &decl("{kind: branch}"),
            vec![StagingParameter::parse_for_pipeline("A=b").expect("can be sent")],
            &[],
        );
        assert!(matches!(none, Err(StagingError::NoParameters { key }) if key == "A"));
        assert!(StagingParameter::parse_for_pipeline("A=[x] {y}").is_ok(), "brackets mean nothing to GitLab");
        assert!(StagingParameter::parse_for_pipeline("A=a\nb").is_err());
    }
}
