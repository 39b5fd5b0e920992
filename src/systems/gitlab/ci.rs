//! Calls about pipelines as parts of a whole, environments, and the update of a comment. Single pipelines and jobs are in
//! the parent module; requests are in `request_ci`.

use super::error::GitLabError;
use super::types::{Note, Pipeline};
use super::types_ci::{Bridge, GitLabDeployment, GitLabEnvironment, ListedPipeline};
use super::{GitLab, request, request_ci};

impl GitLab {
    /// Returns a pipeline.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn pipeline(&self, project: &str, id: u64) -> Result<Pipeline, GitLabError> {
        self.about(&request::pipeline(project, id), id).await
    }

    /// Returns the jobs of a pipeline that trigger other pipelines, from at most `pages` pages of a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn bridges(
        &self,
        project: &str,
        pipeline: u64,
        pages: usize,
    ) -> Result<Vec<Bridge>, GitLabError> {
        self.list(request_ci::bridges(project, pipeline), pages, |_| false).await
    }

    /// Returns the pipelines of a merge request, newest first, at most a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn pipelines_of_merge_request(
        &self,
        project: &str,
        iid: u64,
    ) -> Result<Vec<ListedPipeline>, GitLabError> {
        self.get(&request::merge_request_pipelines(project, iid)).await
    }

    /// Returns the pipelines of a commit, newest first, at most a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn pipelines_of_commit(
        &self,
        project: &str,
        sha: &str,
    ) -> Result<Vec<ListedPipeline>, GitLabError> {
        self.get(&request_ci::pipelines_of_commit(project, sha)).await
    }

    /// Cancels the unfinished jobs of a pipeline. A canceled pipeline stays canceled, so that this may be repeated.
    ///
    /// # Errors
    /// Fails if the server refuses or does not confirm it.
    pub async fn cancel_pipeline(&self, project: &str, id: u64) -> Result<Pipeline, GitLabError> {
        self.about(&request_ci::cancel(project, id), id).await
    }

    /// Replaces the text of a comment. A repetition with the same text changes nothing.
    ///
    /// # Errors
    /// Fails if the server refuses or does not confirm it.
    pub async fn update_note(
        &self,
        project: &str,
        iid: u64,
        id: u64,
        body: &str,
    ) -> Result<Note, GitLabError> {
        self.about(&request_ci::update_note(project, iid, id, body), id).await
    }

    /// Returns the newest deployments of a project, at most a hundred.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn deployments(&self, project: &str) -> Result<Vec<GitLabDeployment>, GitLabError> {
        self.get(&request_ci::deployments(project)).await
    }

    /// Returns an environment with its state.
    ///
    /// # Errors
    /// Fails if the server refuses or does not answer.
    pub async fn environment(&self, project: &str, id: u64) -> Result<GitLabEnvironment, GitLabError> {
        self.about(&request_ci::environment(project, id), id).await
    }
}
