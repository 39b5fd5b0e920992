//! The stand-in's routes that change environments and deployments. Reading them is in `api_deployed` and
//! `views_environment`.

use serde_json::json;

use super::config::{EnvironmentConfig, ProjectConfig};
use super::config_deployments::DeploymentConfig;
use super::reply::{IncomingRequest, Reply};
use super::state::ServerState;
use crate::model::staging::PipelineStatus;

impl ServerState {
    /// Creates, changes or stops an environment.
    pub(super) fn change_environment(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        rest: &[&str],
        user: &str,
    ) -> Result<Reply, Reply> {
        self.may_start(project, user)?;
        let url = incoming.parameter("external_url").map(str::to_owned);
        let tier = incoming.parameter("tier").map(str::to_owned);
        let all = &mut self.configured(project)?.environments;
        let status = match (incoming.method.as_str(), rest) {
            ("POST", []) => {
                let name = incoming.required("name")?.to_owned();
                if all.iter().any(|one| one.name == name) {
                    let taken = json!({"message": {"name": ["has already been taken"]}});
                    return Err(Reply::json(400, &taken));
                }
                let state = "available".to_owned();
                all.push(EnvironmentConfig { name, url, state, auto_stop_at: None, tier, sha: None });
                201
            }
            ("PUT", [id]) => {
                let one = all.get_mut(place(id)?).ok_or_else(|| Reply::not_found("Environment"))?;
                one.url = url.or(one.url.take());
                200
            }
            ("POST", [id, "stop"]) => {
                let one = all.get_mut(place(id)?).ok_or_else(|| Reply::not_found("Environment"))?;
                "stopped".clone_into(&mut one.state);
                200
            }
            _ => return Err(Reply::error(404, "404 Not Found")),
        };
        let number = match rest.first() {
            Some(id) => place(id)? + 1,
            None => all.len(),
        };
        let view = self.whole_environment_view(project, number).ok_or_else(Reply::no_record)?;
        Ok(Reply::json(status, &view))
    }

    /// Reports a deployment, or changes its status. A successful one starts its environment.
    pub(super) fn change_deployment(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        rest: &[&str],
        user: &str,
    ) -> Result<Reply, Reply> {
        self.may_start(project, user)?;
        let at = self.time.stamp(self.time.now());
        let status = PipelineStatus::parse(incoming.required("status")?);
        let all = &mut self.configured(project)?.deployments;
        let (code, number) = match (incoming.method.as_str(), rest) {
            ("POST", []) => {
                incoming.required("ref")?;
                incoming.required("tag")?;
                all.push(DeploymentConfig {
                    environment: incoming.required("environment")?.to_owned(),
                    sha: incoming.required("sha")?.to_owned(),
                    status: status.clone(),
                    job: None,
                    user: Some(user.to_owned()),
                    created_at: Some(at),
                });
                (201, all.len())
            }
            ("PUT", [id]) => {
                let first = self.first_deployments(project);
                let all = &mut self.configured(project)?.deployments;
                let number = place(id)? + 1;
                let found = number.checked_sub(first + 1).and_then(|at| all.get_mut(at));
                found.ok_or_else(|| Reply::not_found("Deployment"))?.status = status.clone();
                (200, number - first)
            }
            _ => return Err(Reply::error(404, "404 Not Found")),
        };
        if status.is_success() {
            let config = self.configured(project)?;
            let name = config.deployments[number - 1].environment.clone();
            for one in config.environments.iter_mut().filter(|one| one.name == name) {
                "available".clone_into(&mut one.state);
            }
        }
        let id = self.first_deployments(project) + number;
        let views = self.deployment_views(project);
        let view = views.iter().find(|one| one["id"] == id).ok_or_else(Reply::no_record)?;
        Ok(Reply::json(code, view))
    }

    fn configured(&mut self, project: &str) -> Result<&mut ProjectConfig, Reply> {
        let found = self.config.projects.iter_mut().find(|one| one.path == project);
        found.ok_or_else(|| Reply::not_found("Project"))
    }

    /// Returns the number of deployments that environments have from the beginning.
    fn first_deployments(&self, project: &str) -> usize {
        self.project(project).map_or(0, |(_, one)| {
            one.environments.iter().filter(|environment| environment.sha.is_some()).count()
        })
    }
}

/// Returns the place of a number in its list.
fn place(id: &str) -> Result<usize, Reply> {
    let number: Option<usize> = id.parse().ok();
    number.and_then(|number| number.checked_sub(1)).ok_or_else(|| Reply::error(400, "id is invalid"))
}
