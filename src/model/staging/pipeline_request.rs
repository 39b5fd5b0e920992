//! A checked request for a pipeline of GitLab: the forced values of the entry, the chosen ones of the user, and the
//! marker by which the pipeline is found again. Sending it belongs in `systems::gitlab`.

use std::collections::BTreeMap;
use std::fmt;

use super::combined::is_commit;
use super::parameter::check_declared;
use super::{StageParameter, StagedHead, StagingError, StagingParameter, TemplateFacts, shown};
use crate::base::digest;
use crate::model::inventory::{InputValue, ParameterKind, PipelineDecl, PipelineKind};

/// Section of an entry with the templates of forced values.
const SECTION: &str = "stage.pipeline";

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
    combined: Vec<StagedHead>,
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
    /// Heads of the merge requests that are staged together with this one.
    pub combined: Vec<StagedHead>,
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
        let mut request = Self {
            kind: decl.kind,
            project: decl.project.clone(),
            branch: decl.branch.clone(),
            variables: decl.variables.clone(),
            inputs: decl.inputs.clone(),
            chosen_variables: BTreeMap::new(),
            chosen_inputs: BTreeMap::new(),
            combined: Vec::new(),
        };
        request.choose(chosen, declared)?;
        Ok(request)
    }

    /// Adds a merge request that is staged together with this one, and the values that stand for it.
    ///
    /// # Errors
    /// Fails when a value is not declared, not allowed, forced, or given already.
    pub fn combine(
        &self,
        head: StagedHead,
        values: Vec<StagingParameter>,
        declared: &[StageParameter],
    ) -> Result<Self, StagingError> {
        let mut request = self.clone();
        request.choose(values, declared)?;
        request.combined.push(head);
        Ok(request)
    }

    fn choose(
        &mut self,
        chosen: Vec<StagingParameter>,
        declared: &[StageParameter],
    ) -> Result<(), StagingError> {
        for (index, one) in chosen.iter().enumerate() {
            let key = one.key().to_owned();
            let is_chosen = self.chosen_variables.contains_key(&key) || self.chosen_inputs.contains_key(&key);
            if is_chosen || chosen[..index].iter().any(|earlier| earlier.key() == key) {
                return Err(StagingError::Repeated { key });
            }
            if self.variables.contains_key(&key) || self.inputs.contains_key(&key) {
                return Err(StagingError::Forced { key });
            }
            if self.kind == PipelineKind::MergeRequest {
                return Err(StagingError::NoVariables);
            }
            if declared.is_empty() {
                return Err(StagingError::NoParameters { key });
            }
        }
        check_declared(&chosen, declared)?;
        for one in chosen {
            let known = declared.iter().find(|known| known.name == one.key());
            let (key, value) = (one.key().to_owned(), one.value().to_owned());
            match known.filter(|known| known.is_input) {
                Some(known) => drop(self.chosen_inputs.insert(key, input(known.kind, &value))),
                None => drop(self.chosen_variables.insert(key, value)),
            }
        }
        Ok(())
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
    pub fn fill(&self, facts: &TemplateFacts<'_>) -> Result<FilledPipeline, StagingError> {
        let fill = |key: &str, text: &str| {
            let filled = facts.fill(SECTION, key, text)?;
            StagingParameter::for_pipeline(key, &filled).map(|one| one.value().to_owned())
        };
        let mut filled = FilledPipeline {
            kind: self.kind,
            project: self.project.clone(),
            branch: self.branch.as_deref().map(|branch| fill("ref", branch)).transpose()?,
            variables: self.chosen_variables.clone(),
            inputs: self.chosen_inputs.clone(),
            combined: self.combined.clone(),
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

/// The variable of a pipeline that says which request it is for: the commit, a digest of the request, and the merge
/// requests that it stages together with its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineMarker {
    sha: String,
    digest: String,
    combined: Vec<StagedHead>,
}

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
        let combined = request.combined.clone();
        parts.extend(combined.iter().map(|head| format!("with {head}")));
        Self { sha: sha.to_owned(), digest: digest::sha256_hex(parts)[..16].to_owned(), combined }
    }

    /// Parses the value of the variable.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.splitn(3, ':');
        let (sha, digest) = (parts.next()?, parts.next()?);
        let is_digest = digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_commit(sha) || !is_digest {
            return None;
        }
        let combined = parts.next().map_or(Some(Vec::new()), StagedHead::parse_list)?;
        Some(Self { sha: sha.to_owned(), digest: digest.to_owned(), combined })
    }

    /// Returns the commit at the head of the merge request.
    #[must_use]
    pub fn sha(&self) -> &str {
        &self.sha
    }

    /// Returns the heads of the merge requests that it stages together with its own.
    #[must_use]
    pub fn combined(&self) -> &[StagedHead] {
        &self.combined
    }

    /// Returns whether a pipeline with these variables has the marker.
    #[must_use]
    pub fn is_in<'a>(&self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
        let own = self.to_string();
        variables.into_iter().any(|(key, value)| key == Self::VARIABLE && value == own)
    }
}

impl fmt::Display for PipelineMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sha, self.digest)?;
        if !self.combined.is_empty() {
            write!(f, ":{}", StagedHead::list(&self.combined))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::ParameterDecl;

    const FACTS: TemplateFacts<'_> = TemplateFacts {
        project: "group/tools",
        number: 213,
        sha: "9c41d0e",
        source_branch: "retry",
        target_branch: "main",
        url: "https://gitlab.example/group/tools.git",
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
    fn combined_merge_requests_are_part_of_the_marker() {
        let sha = "9c41d0e0000000000000000000000000000000aa";
        let head = || StagedHead { project: "group/lib".into(), number: 45, sha: sha.into() };
        let value = |text: &str| vec![StagingParameter::parse_for_pipeline(text).expect("can be sent")];
        let plain = PipelineRequest::new(&decl("{kind: branch}"), value("ARCH=x86_64"), &declared());
        let plain = plain.expect("is valid");
        let both = plain.combine(head(), value("TAG=mr-45"), &declared()).expect("is valid");
        let marker = |request: &PipelineRequest| {
            PipelineMarker::new("group/tools!213", sha, &request.fill(&FACTS).expect("is valid"))
        };
        assert_ne!(marker(&plain).digest, marker(&both).digest);
        let text = marker(&both).to_string();
        assert!(
            text.starts_with(&format!("{sha}:")) && text.ends_with(&format!(":group/lib!45@{sha}")),
            "{text}"
        );
        assert_eq!(PipelineMarker::parse(&text), Some(marker(&both)));
        assert_eq!(PipelineMarker::parse(&marker(&plain).to_string()), Some(marker(&plain)));
        for wrong in ["", "abc:0123456789abcdef", &format!("{sha}:x"), &format!("{text},x")] {
            assert_eq!(PipelineMarker::parse(wrong), None, "{wrong}");
        }
        for (text, why) in [
            ("ARCH=aarch64", "`ARCH` is set more than once"),
            ("lib_pip_url=x", "there is no staging parameter `lib_pip_url`"),
        ] {
            let error = plain.combine(head(), value(text), &declared()).expect_err(text).to_string();
            assert!(error.contains(why), "{error}");
        }
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
