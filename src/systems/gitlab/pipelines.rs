//! Calls about pipelines: starting one, and finding those that were started.

use super::types::Project;
use super::{Commit, GitLab, GitLabError, NewPipeline, Pipeline, PipelineFilter, PipelineVariable, request};

/// Maximum number of pages, of a hundred variables each.
const PAGES: usize = 5;

impl GitLab {
    /// Starts a pipeline. Retries only if none can have been started; [`GitLabError::is_ambiguous`] marks the failures
    /// after which one may exist.
    ///
    /// # Errors
    /// Fails if the server does not confirm that the pipeline was started.
    pub async fn start_pipeline(&self, new: &NewPipeline) -> Result<Pipeline, GitLabError> {
        self.get(&new.request()).await
    }

    /// Returns the newest pipelines of a project that pass a filter, at most a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn pipelines(
        &self,
        project: &str,
        filter: &PipelineFilter<'_>,
    ) -> Result<Vec<Pipeline>, GitLabError> {
        self.get(&request::pipelines(project, filter)).await
    }

    /// Returns the newest pipelines of a merge request, at most a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn merge_request_pipelines(
        &self,
        project: &str,
        iid: u64,
    ) -> Result<Vec<Pipeline>, GitLabError> {
        self.get(&request::merge_request_pipelines(project, iid)).await
    }

    /// Returns the variables that a pipeline was started with.
    ///
    /// # Errors
    /// Fails if the server refuses, as it does for a pipeline that another user started, or does not answer.
    pub async fn pipeline_variables(
        &self,
        project: &str,
        id: u64,
    ) -> Result<Vec<PipelineVariable>, GitLabError> {
        self.list(request::pipeline_variables(project, id), PAGES, |_| false).await
    }

    /// Returns a commit.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn commit(&self, project: &str, sha: &str) -> Result<Commit, GitLabError> {
        self.get(&request::commit(project, sha)).await
    }

    /// Returns the path of a project: `group/project`.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn project_path(&self, number: u64) -> Result<String, GitLabError> {
        let project: Project = self.get(&request::project(number)).await?;
        Ok(project.path_with_namespace)
    }
}
