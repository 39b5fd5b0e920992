//! GitLab's JSON for environments and deployments. Each environment has one deployment.

use std::time::Duration;

use serde_json::{Value, json};

use super::config::EnvironmentConfig;
use super::state::ServerState;
use super::views::extend;

impl ServerState {
    /// Returns an environment as a part of a deployment.
    fn environment_view(&self, id: usize, one: &EnvironmentConfig) -> Value {
        let slug = one.name.replace('/', "-");
        json!({
            "id": id, "name": one.name, "slug": slug, "external_url": one.url,
            "created_at": self.time.stamp(Duration::ZERO), "updated_at": self.time.stamp(Duration::ZERO),
        })
    }

    /// Returns a single environment.
    pub(super) fn whole_environment_view(&self, project: &str, id: usize) -> Option<Value> {
        let one = self.project(project)?.1.environments.get(id.checked_sub(1)?)?;
        let mut view = self.environment_view(id, one);
        extend(
            &mut view,
            json!({
                "tier": "development", "state": one.state, "auto_stop_at": one.auto_stop_at,
                "enable_advanced_logs_querying": false, "description": null,
            }),
        );
        Some(view)
    }

    /// Returns the deployments of a project, newest first.
    pub(super) fn deployment_views(&self, project: &str) -> Vec<Value> {
        let environments =
            self.project(project).map(|(_, one)| one.environments.as_slice()).unwrap_or_default();
        let view = |(id, one): (usize, &EnvironmentConfig)| {
            json!({
                "id": id, "iid": id, "ref": "main", "sha": one.sha, "status": "success",
                "created_at": self.time.stamp(Duration::ZERO), "updated_at": self.time.stamp(Duration::ZERO),
                "user": null, "deployable": null,
                "environment": self.environment_view(id, one),
            })
        };
        let mut views: Vec<Value> = (1..).zip(environments).map(view).collect();
        views.reverse();
        views
    }
}
