//! Pipelines that users and trigger tokens start, with GitLab's permissions, refusals and filters. The pipelines of
//! the bot are in `bot`.

use serde_json::{Value, json};

use super::config::CiConfig;
use super::reply::{IncomingRequest, Reply, page};
use super::state::{PipelineStart, ServerState, StoredPipeline};
use crate::base::digest;

impl ServerState {
    /// Starts the pipeline of a merge request.
    pub(super) fn start_of_merge_request(
        &mut self,
        project: &str,
        iid: u64,
        user: &str,
    ) -> Result<Reply, Reply> {
        self.push_first();
        self.may_start(project, user)?;
        let found = self.merge_request(project, iid).cloned().ok_or_else(Reply::no_record)?;
        let Some(ci) = self.ci(project) else { return Err(Reply::message(405, "405 Method Not Allowed")) };
        let (branch, sha) = if ci.merged_results {
            let merge = digest::sha256_hex([found.sha.as_str(), "merge"])[..40].to_owned();
            self.merges.insert(merge.clone(), found.sha.clone());
            (format!("refs/merge-requests/{iid}/merge"), merge)
        } else {
            (format!("refs/merge-requests/{iid}/head"), found.sha.clone())
        };
        self.start(
            200,
            PipelineStart {
                project,
                branch: &branch,
                script: &ci.script,
                sha: Some(sha),
                source: "merge_request_event",
                user,
                variables: Vec::new(),
            },
        )
    }

    /// Starts the pipeline of a branch.
    pub(super) fn start_of_branch(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        user: &str,
    ) -> Result<Reply, Reply> {
        self.push_first();
        self.may_start(project, user)?;
        let branch = incoming.required("ref")?;
        let listed: Vec<Value> = fields(incoming, "variables")?;
        let variable =
            |one: &Value| Some((one["key"].as_str()?.to_owned(), one["value"].as_str()?.to_owned()));
        let variables: Option<Vec<_>> = listed.iter().map(variable).collect();
        let variables = variables.ok_or_else(|| Reply::error(400, "variables[0][key] is invalid"))?;
        self.start_on(201, incoming, project, branch, "api", user, variables)
    }

    /// Starts a pipeline in the name of the owner of a trigger token.
    pub(super) fn start_of_trigger(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
    ) -> Result<Reply, Reply> {
        self.push_first();
        let token = incoming.required("token")?;
        let branch = incoming.required("ref")?;
        let ci = self.ci(project).ok_or_else(|| Reply::message(404, "404 Not Found"))?;
        let trigger = ci.triggers.iter().find(|one| one.token == token);
        let user = trigger.ok_or_else(|| Reply::message(404, "404 Not Found"))?.user.clone();
        let listed: serde_json::Map<String, Value> = fields(incoming, "variables")?;
        let variable = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        let variables: Option<Vec<_>> = listed.iter().map(variable).collect();
        let variables = variables.ok_or_else(|| {
            Reply::message(400, "400 Bad request - variables needs to be a map of key-valued strings")
        })?;
        self.start_on(201, incoming, project, branch, "trigger", &user, variables)
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of GitLab's request")]
    fn start_on(
        &mut self,
        status: u16,
        incoming: &IncomingRequest,
        project: &str,
        branch: &str,
        source: &'static str,
        user: &str,
        variables: Vec<(String, String)>,
    ) -> Result<Reply, Reply> {
        let refuse = |why: &str| Reply::json(400, &json!({"message": {"base": [why]}}));
        let ci = self.ci(project).ok_or_else(|| refuse("Missing CI config file"))?;
        if !variables.is_empty() && ci.refuses_variables {
            return Err(refuse("Insufficient permissions to set pipeline variables"));
        }
        let inputs: serde_json::Map<String, Value> = fields(incoming, "inputs")?;
        if let Some(unknown) = inputs.keys().find(|name| !ci.inputs.contains(name)) {
            return Err(refuse(&format!("Given inputs not defined in the `spec` section: {unknown}")));
        }
        let (_, config) = self.project(project).ok_or_else(|| Reply::not_found("Project"))?;
        let of_branch = config.merge_requests.iter().find(|one| one.source_branch == branch);
        let sha = of_branch.map(|one| one.sha.clone());
        if sha.is_none() && branch != "main" {
            return Err(refuse("Reference not found"));
        }
        let script = ci.script.clone();
        self.start(status, PipelineStart { project, branch, script: &script, sha, source, user, variables })
    }

    fn start(&mut self, status: u16, start: PipelineStart<'_>) -> Result<Reply, Reply> {
        let now = self.time.now();
        let id = self
            .start_pipeline(start, now)
            .ok_or_else(|| Reply::message(500, "500 Internal Server Error"))?;
        let started = self.pipelines.iter().find(|one| one.id == id).ok_or_else(Reply::no_record)?;
        Ok(Reply::json(status, &self.whole_pipeline_view(started)))
    }

    fn ci(&self, project: &str) -> Option<CiConfig> {
        self.project(project).and_then(|(_, project)| project.ci.clone())
    }

    /// Developers and above may start pipelines.
    pub(super) fn may_start(&self, project: &str, user: &str) -> Result<(), Reply> {
        let level = self.project(project).and_then(|(_, one)| one.members.get(user)).copied().unwrap_or(0);
        if level >= 30 { Ok(()) } else { Err(Reply::forbidden()) }
    }

    /// Pushes what a control has held back until now.
    fn push_first(&mut self) {
        for (project, iid, sha) in std::mem::take(&mut self.pushes) {
            if let Some(found) = self.merge_request(&project, iid) {
                found.sha = sha;
            }
        }
    }

    /// Returns the pipelines of a merge request, newest first.
    pub(super) fn pipelines_of(
        &self,
        incoming: &IncomingRequest,
        project: &str,
        iid: u64,
    ) -> Result<Reply, Reply> {
        let prefix = format!("refs/merge-requests/{iid}/");
        let is_of = |one: &&StoredPipeline| one.project == project && one.branch.starts_with(&prefix);
        let views: Vec<Value> =
            self.existing_pipelines().rev().filter(is_of).map(|one| self.pipeline_view(one)).collect();
        page(&self.url, incoming, &views)
    }

    /// Returns whether a pipeline passes the filters of a list.
    pub(super) fn is_listed(&self, incoming: &IncomingRequest, one: &StoredPipeline, view: &Value) -> bool {
        let is = |name: &str, value: &str| incoming.parameter(name).is_none_or(|wanted| wanted == value);
        is("status", view["status"].as_str().unwrap_or_default())
            && is("ref", &one.branch)
            && is("sha", &one.sha)
            && is("source", one.source)
            && is("username", &one.user)
    }

    /// Returns the variables of a pipeline, which its user and the maintainers may see.
    pub(super) fn variables_of(
        &self,
        incoming: &IncomingRequest,
        pipeline: &StoredPipeline,
        viewer: Option<&str>,
    ) -> Result<Reply, Reply> {
        let viewer = viewer.ok_or_else(Reply::unauthorized)?;
        let project = self.project(&pipeline.project).map(|(_, project)| project);
        let level = project.and_then(|project| project.members.get(viewer)).copied().unwrap_or(0);
        if level < 40 && pipeline.user != viewer {
            return Err(Reply::forbidden());
        }
        let view = |(key, value): &(String, String)| json!({"variable_type": "env_var", "key": key, "value": value, "raw": false});
        let views: Vec<Value> = pipeline.variables.iter().map(view).collect();
        page(&self.url, incoming, &views)
    }

    /// Returns a commit: the head of a merge request, or a merge of it.
    pub(super) fn commit(&self, project: &str, sha: &str) -> Result<Reply, Reply> {
        let (_, config) = self.project(project).ok_or_else(|| Reply::not_found("Project"))?;
        let head = config.merge_requests.iter().find(|one| one.sha == sha);
        let parents = match (self.merges.get(sha), head) {
            (Some(head), _) => vec!["0".repeat(40), head.clone()],
            (None, Some(one)) => vec![one.base_sha.clone()],
            (None, None) => {
                let branch = self.branches.iter().find(|one| one.project == project && one.name == sha);
                let known = config.history.iter().find(|one| one.starts_with(sha));
                let found = branch.map(|one| &one.head).or(known);
                let found = found.ok_or_else(|| Reply::not_found("Commit"))?;
                return Ok(Reply::json(200, &self.commit_view(project, found, &[])));
            }
        };
        Ok(Reply::json(200, &self.commit_view(project, sha, &parents)))
    }
}

/// Returns a field of the body that is a list or an object.
fn fields<T: serde::de::DeserializeOwned + Default>(
    incoming: &IncomingRequest,
    name: &str,
) -> Result<T, Reply> {
    let Some(text) = incoming.parameter(name) else { return Ok(T::default()) };
    serde_json::from_str(text).map_err(|_| Reply::error(400, &format!("{name} is invalid")))
}
