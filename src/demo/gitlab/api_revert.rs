//! The stand-in's routes of reverts: new branches, commits that revert, new merge requests. Reading what is deployed is in
//! `api_deployed`.

use serde_json::json;

use super::config::MergeRequestConfig;
use super::reply::{IncomingRequest, Reply};
use super::state::{CreatedBranch, ServerState};
use super::viewer::Viewer;
use crate::base::digest;

/// Access level that may push and open merge requests.
const DEVELOPER: u8 = 30;

impl ServerState {
    fn may_push(&self, project: &str, user: &str) -> Result<(), Reply> {
        let level = self.project(project).and_then(|(_, one)| one.members.get(user).copied()).unwrap_or(0);
        if level >= DEVELOPER { Ok(()) } else { Err(Reply::forbidden()) }
    }

    fn created_branch(&self, project: &str, name: &str) -> Option<&CreatedBranch> {
        self.branches.iter().find(|one| one.project == project && one.name == name)
    }

    /// Answers a request about branches and commits.
    pub(super) fn repository(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        rest: &[&str],
        viewer: &Viewer,
    ) -> Result<Reply, Reply> {
        match (incoming.method.as_str(), rest) {
            ("GET", ["commits", sha, "merge_requests"]) => {
                self.merge_requests_of_commit(incoming, project, sha)
            }
            ("GET", ["merge_base"]) => self.merge_base(incoming, project),
            ("POST", ["branches"]) => self.create_branch(incoming, project, viewer.require()?),
            ("POST", ["commits", sha, "revert"]) => {
                self.revert_commit(incoming, project, sha, viewer.require()?)
            }
            _ => Err(Reply::error(404, "404 Not Found")),
        }
    }

    /// Creates a branch of the default branch.
    fn create_branch(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        user: &str,
    ) -> Result<Reply, Reply> {
        self.may_push(project, user)?;
        let name = incoming.required("branch")?;
        let from = incoming.required("ref")?;
        if self.created_branch(project, name).is_some() {
            return Err(Reply::message(400, "Branch already exists"));
        }
        let head = self.project(project).and_then(|(_, one)| one.history.last().cloned());
        let head = head
            .filter(|_| from == "main")
            .ok_or_else(|| Reply::message(400, "Invalid reference name: x"))?;
        let made = CreatedBranch { project: project.to_owned(), name: name.to_owned(), head };
        let view =
            json!({"name": name, "commit": self.commit_view(project, &made.head, &[]), "protected": false});
        self.branches.push(made);
        Ok(Reply::json(201, &view))
    }

    /// Reverts a commit on a branch.
    fn revert_commit(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        sha: &str,
        user: &str,
    ) -> Result<Reply, Reply> {
        self.may_push(project, user)?;
        let name = incoming.required("branch")?;
        let (_, config) = self.project(project).ok_or_else(|| Reply::not_found("Project"))?;
        if !config.history.iter().any(|one| one == sha) {
            return Err(Reply::not_found("Commit"));
        }
        let reverting = digest::sha256_hex(["revert", sha])[..40].to_owned();
        let conflicts = config.conflicts.iter().any(|one| one == sha);
        let branch = self.created_branch(project, name).ok_or_else(|| Reply::not_found("Branch"))?;
        if conflicts || branch.head == reverting {
            let message = "Sorry, we cannot revert this commit automatically. This commit may already have been reverted, or a more recent commit may have updated some of its content.";
            let code = if conflicts { "conflict" } else { "empty" };
            return Err(Reply::json(400, &json!({"message": message, "error_code": code})));
        }
        let view = self.commit_view(project, &reverting, std::slice::from_ref(&branch.head));
        let mut all = self.branches.iter_mut();
        if let Some(branch) = all.find(|one| one.project == project && one.name == name) {
            branch.head = reverting;
        }
        Ok(Reply::json(201, &view))
    }

    /// Opens a merge request of a created branch.
    pub(super) fn create_merge_request(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        user: &str,
    ) -> Result<Reply, Reply> {
        self.may_push(project, user)?;
        let (source, title) =
            (incoming.required("source_branch")?.to_owned(), incoming.required("title")?.to_owned());
        incoming.required("target_branch")?;
        let sha = self.created_branch(project, &source).map(|one| one.head.clone());
        let sha = sha.ok_or_else(|| Reply::message(400, "Source branch does not exist"))?;
        let description = incoming.parameter("description").unwrap_or_default().to_owned();
        let found = self.config.projects.iter_mut().find(|one| one.path == project);
        let found = found.ok_or_else(|| Reply::not_found("Project"))?;
        if let Some(open) =
            found.merge_requests.iter().find(|one| one.source_branch == source && one.state == "opened")
        {
            let message =
                format!("Another open merge request already exists for this source branch: !{}", open.iid);
            return Err(Reply::json(409, &json!({"message": [message]})));
        }
        let iid = found.merge_requests.iter().map(|one| one.iid).max().unwrap_or_default() + 1;
        let made = MergeRequestConfig::new(iid, title, description, user, source, sha);
        found.merge_requests.push(made.clone());
        Ok(Reply::json(201, &self.whole_merge_request_view(project, &made, Some(user))))
    }
}
