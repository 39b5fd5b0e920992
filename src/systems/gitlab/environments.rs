//! Calls that create, update and stop environments, and that report deployments to them. What is deployed where is read in
//! other files.

use serde_json::{Map, Value, json};

use super::request::{ApiRequest, Method, encode};
use super::{GitLab, GitLabDeployment, GitLabEnvironment, GitLabError, RequestPreview};

/// Tier of environments for merge requests.
const TIER: &str = "development";

/// A request about an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentCall(ApiRequest);

impl EnvironmentCall {
    /// Creates an environment.
    #[must_use]
    pub fn create(project: &str, name: &str, url: Option<&str>) -> Self {
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(name));
        if let Some(url) = url {
            body.insert("external_url".to_owned(), json!(url));
        }
        body.insert("tier".to_owned(), json!(TIER));
        let path = format!("/projects/{}/environments", encode(project));
        let what = format!("the new environment `{name}` of `{project}`");
        Self::new(Method::Post, path, what, body.into())
    }

    /// Changes the address of an environment.
    #[must_use]
    pub fn update(project: &str, id: u64, url: &str) -> Self {
        let path = format!("/projects/{}/environments/{id}", encode(project));
        let what = format!("an update of environment {id} of `{project}`");
        Self::new(Method::Put, path, what, json!({"external_url": url}))
    }

    /// Reports a deployment that has begun.
    #[must_use]
    pub fn deploy(project: &str, name: &str, sha: &str, branch: &str) -> Self {
        let path = format!("/projects/{}/deployments", encode(project));
        let what = format!("a new deployment to `{name}` of `{project}`");
        let body = json!({"environment": name, "sha": sha, "ref": branch, "tag": false, "status": "running"});
        Self::new(Method::Post, path, what, body)
    }

    /// Returns the report of a deployment with another status: `running`, `success`, `failed` or `canceled`.
    #[must_use]
    pub fn with_status(&self, status: &str) -> Self {
        let mut call = self.clone();
        if let Some(body) = &mut call.0.body {
            body["status"] = json!(status);
        }
        call
    }

    fn new(method: Method, path: String, what: String, body: Value) -> Self {
        Self(ApiRequest { method, body: Some(body), ..ApiRequest::get(path, what) })
    }

    /// Returns the request as people read it.
    #[must_use]
    pub fn preview(&self) -> RequestPreview {
        let method = if self.0.method == Method::Put { "PUT" } else { "POST" };
        let body = self.0.body.clone().unwrap_or_default();
        RequestPreview { method, path: format!("/api/v4{}", self.0.path), body }
    }
}

impl GitLab {
    /// Returns the environment with a name.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn find_environment(
        &self,
        project: &str,
        name: &str,
    ) -> Result<Option<GitLabEnvironment>, GitLabError> {
        let path = format!("/projects/{}/environments", encode(project));
        let request = ApiRequest::get(path, format!("the environments of `{project}`"))
            .with(&[("name", name), ("per_page", "100")]);
        let found: Vec<GitLabEnvironment> = self.get(&request).await?;
        Ok(found.into_iter().find(|one| one.name == name))
    }

    /// Creates or updates an environment.
    ///
    /// # Errors
    /// Fails if the server does not confirm it; [`GitLabError::is_ambiguous`] marks the failures after which it may be
    /// done.
    pub async fn write_environment(&self, call: &EnvironmentCall) -> Result<GitLabEnvironment, GitLabError> {
        self.get(&call.0).await
    }

    /// Reports a deployment.
    ///
    /// # Errors
    /// Fails if the server does not confirm it.
    pub async fn write_deployment(&self, call: &EnvironmentCall) -> Result<GitLabDeployment, GitLabError> {
        self.get(&call.0).await
    }

    /// Sets the status of a deployment: `success`, `failed` or `canceled`. A repetition changes nothing.
    ///
    /// # Errors
    /// Fails if the server does not confirm it.
    pub async fn end_deployment(
        &self,
        project: &str,
        id: u64,
        status: &str,
    ) -> Result<GitLabDeployment, GitLabError> {
        let path = format!("/projects/{}/deployments/{id}", encode(project));
        let what = format!("the end of deployment {id} of `{project}`");
        let body = Some(json!({"status": status}));
        self.get(&ApiRequest { method: Method::Put, body, ..ApiRequest::get(path, what) }).await
    }

    /// Stops an environment; its own job for that runs, if it has one. A stopped one stays stopped.
    ///
    /// # Errors
    /// Fails if the server does not confirm it.
    pub async fn stop_environment(&self, project: &str, id: u64) -> Result<GitLabEnvironment, GitLabError> {
        let path = format!("/projects/{}/environments/{id}/stop", encode(project));
        let what = format!("stopping environment {id} of `{project}`");
        self.about(&ApiRequest { method: Method::Post, ..ApiRequest::get(path, what) }, id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_calls_have_the_forms_of_the_documentation() {
        let created = EnvironmentCall::create("a/b", "review/3", Some("https://mr-3.example")).preview();
        assert_eq!((created.method, created.path.as_str()), ("POST", "/api/v4/projects/a%2Fb/environments"));
        let body = json!({"name": "review/3", "external_url": "https://mr-3.example", "tier": "development"});
        assert_eq!(created.body, body);
        let updated = EnvironmentCall::update("a/b", 7, "https://x.example").preview();
        assert_eq!((updated.method, updated.path.as_str()), ("PUT", "/api/v4/projects/a%2Fb/environments/7"));
        let deployed = EnvironmentCall::deploy("a/b", "review/3", "abc", "fix").preview();
        assert_eq!(deployed.path, "/api/v4/projects/a%2Fb/deployments");
        let body =
            json!({"environment": "review/3", "sha": "abc", "ref": "fix", "tag": false, "status": "running"});
        assert_eq!(deployed.body, body);
    }
}
