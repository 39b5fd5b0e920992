//! The stand-in's routes about what is deployed and how it got there. Environments and deployments as JSON are in
//! `views_environment`.

use serde_json::Value;

use super::config::MergeRequestConfig;
use super::reply::{IncomingRequest, Reply, page};
use super::state::ServerState;

impl ServerState {
    /// Returns the environments of a project, by name.
    pub(super) fn environments(&self, incoming: &IncomingRequest, project: &str) -> Result<Reply, Reply> {
        page(&self.url, incoming, &self.environment_views(project))
    }

    /// Returns the merge requests that brought a commit.
    pub(super) fn merge_requests_of_commit(
        &self,
        incoming: &IncomingRequest,
        project: &str,
        sha: &str,
    ) -> Result<Reply, Reply> {
        let (_, config) = self.project(project).ok_or_else(|| Reply::not_found("Project"))?;
        let has = |one: &&MergeRequestConfig| one.sha == sha || one.merge_commit_sha.as_deref() == Some(sha);
        let views: Vec<Value> = config
            .merge_requests
            .iter()
            .filter(has)
            .map(|one| self.merge_request_view(project, one))
            .collect();
        page(&self.url, incoming, &views)
    }

    /// Returns the nearest common ancestor of commits of the default branch.
    pub(super) fn merge_base(&self, incoming: &IncomingRequest, project: &str) -> Result<Reply, Reply> {
        let (_, config) = self.project(project).ok_or_else(|| Reply::not_found("Project"))?;
        let refs = incoming.list("refs");
        if refs.len() < 2 {
            return Err(Reply::message(400, "400 Bad request - Provide at least 2 refs"));
        }
        // A created branch starts from the end of the default branch.
        let last = config.history.len().checked_sub(1);
        let is_new = |wanted: &str| {
            self.branches
                .iter()
                .any(|one| one.project == project && (one.name == wanted || one.head == wanted))
        };
        let place = |wanted: &&str| {
            let found = config.history.iter().position(|one| one == wanted);
            found.or_else(|| last.filter(|_| *wanted == "main" || is_new(wanted)))
        };
        let places: Vec<Option<usize>> = refs.iter().map(place).collect();
        let nearest =
            places.into_iter().collect::<Option<Vec<usize>>>().and_then(|all| all.into_iter().min());
        match nearest {
            Some(at) => {
                let parents: Vec<String> =
                    at.checked_sub(1).map(|at| config.history[at].clone()).into_iter().collect();
                Ok(Reply::json(200, &self.commit_view(project, &config.history[at], &parents)))
            }
            None => Err(Reply::message(400, "400 Bad request - Could not find ref")),
        }
    }
}
