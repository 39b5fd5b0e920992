//! GitLab's JSON for environments and deployments. Each environment of the configuration with a commit has a first
//! deployment; later ones are listed apart.

use std::time::Duration;

use serde_json::{Value, json};

use super::config::EnvironmentConfig;
use super::config_deployments::DeploymentConfig;
use super::state::ServerState;
use super::views::extend;
use crate::model::staging::PipelineStatus;

impl ServerState {
    /// Returns an environment as a part of a deployment.
    fn environment_view(&self, id: usize, one: &EnvironmentConfig) -> Value {
        let slug = one.name.replace('/', "-");
        json!({
            "id": id, "name": one.name, "slug": slug, "external_url": one.url,
            "created_at": self.time.stamp(Duration::ZERO), "updated_at": self.time.stamp(Duration::ZERO),
        })
    }

    /// Returns an environment as a part of a list.
    fn listed_environment_view(&self, id: usize, one: &EnvironmentConfig) -> Value {
        let tier = one.tier.as_deref().unwrap_or("development");
        let mut view = self.environment_view(id, one);
        extend(
            &mut view,
            json!({
                "tier": tier, "state": one.state, "auto_stop_at": one.auto_stop_at,
                "enable_advanced_logs_querying": false, "description": null,
            }),
        );
        view
    }

    /// Returns the environments of a project.
    pub(super) fn environment_views(&self, project: &str) -> Vec<Value> {
        let all = self.project(project).map(|(_, one)| one.environments.as_slice()).unwrap_or_default();
        (1..).zip(all).map(|(id, one)| self.listed_environment_view(id, one)).collect()
    }

    /// Returns a single environment.
    pub(super) fn whole_environment_view(&self, project: &str, id: usize) -> Option<Value> {
        let one = self.project(project)?.1.environments.get(id.checked_sub(1)?)?;
        let mut view = self.listed_environment_view(id, one);
        let last = self
            .deployment_views(project)
            .into_iter()
            .find(|other| other["environment"]["id"] == id && other["status"] == "success");
        extend(&mut view, json!({ "last_deployment": last }));
        Some(view)
    }

    /// Returns the deployments of a project, newest first.
    pub(super) fn deployment_views(&self, project: &str) -> Vec<Value> {
        let Some((_, config)) = self.project(project) else { return Vec::new() };
        let first = config.environments.iter().filter_map(|one| {
            Some(DeploymentConfig {
                environment: one.name.clone(),
                sha: one.sha.clone()?,
                status: PipelineStatus::Success,
                job: None,
                user: None,
                created_at: None,
            })
        });
        let all: Vec<DeploymentConfig> = first.chain(config.deployments.iter().cloned()).collect();
        let mut views: Vec<Value> =
            (1..).zip(&all).filter_map(|(id, one)| self.deployment_view(project, id, one)).collect();
        views.reverse();
        views
    }

    fn deployment_view(&self, project: &str, id: u64, one: &DeploymentConfig) -> Option<Value> {
        let (_, config) = self.project(project)?;
        let found = (1..).zip(&config.environments).find(|(_, other)| other.name == one.environment)?;
        let at = one.created_at.clone().unwrap_or_else(|| self.time.stamp(Duration::ZERO));
        let user = one.user.as_deref().map(|name| self.user_view(name));
        let pipeline = json!({
            "id": 700 + id, "iid": id, "sha": one.sha, "ref": "main", "status": one.status, "source": "push",
            "web_url": format!("{}/{project}/-/pipelines/{}", self.url, 700 + id),
        });
        let job = one.job.as_ref().map(|name| {
            json!({
                "id": 7000 + id, "name": name, "stage": "deploy", "status": one.status, "ref": "main", "tag": false,
                "created_at": at, "started_at": at, "finished_at": null, "user": user, "pipeline": pipeline,
                "web_url": format!("{}/{project}/-/jobs/{}", self.url, 7000 + id),
            })
        });
        Some(json!({
            "id": id, "iid": id, "ref": "main", "sha": one.sha, "status": one.status,
            "created_at": at, "updated_at": at, "user": user, "deployable": job,
            "environment": self.environment_view(found.0, found.1),
        }))
    }
}
