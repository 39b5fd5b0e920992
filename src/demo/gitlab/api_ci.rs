//! The stand-in's routes of pipelines and jobs. Other routes are in `api`.

use serde_json::Value;

use super::config::Visibility;
use super::reply::{IncomingRequest, Reply, page};
use super::state::{ServerState, StoredPipeline};
use super::viewer::Viewer;

impl ServerState {
    /// Checks that the viewer may see the pipelines of a project.
    pub(super) fn sees_pipelines(&self, project: &str, viewer: &Viewer) -> Result<(), Reply> {
        let (_, project) = self.project(project).ok_or_else(|| Reply::not_found("Project"))?;
        let level = viewer.name().and_then(|user| project.members.get(user)).copied().unwrap_or(0);
        if project.pipelines == Visibility::Public || level >= 20 { Ok(()) } else { Err(Reply::forbidden()) }
    }

    pub(super) fn pipelines(
        &self,
        incoming: &IncomingRequest,
        project: &str,
        rest: &[&str],
        viewer: &Viewer,
    ) -> Result<Reply, Reply> {
        self.sees_pipelines(project, viewer)?;
        let of_project = |one: &&StoredPipeline| one.project == project;
        let [id, rest @ ..] = rest else {
            let listed = self.existing_pipelines().rev().filter(of_project);
            let listed = listed.map(|one| (one, self.pipeline_view(one)));
            let listed = listed.filter(|(one, view)| self.is_listed(incoming, one, view));
            let views: Vec<Value> = listed.map(|(_, view)| view).collect();
            return page(&self.url, incoming, &views);
        };
        let id: u64 = id.parse().map_err(|_| Reply::error(400, "pipeline_id is invalid"))?;
        let found = self.existing_pipelines().filter(of_project).find(|one| one.id == id);
        let pipeline = found.ok_or_else(Reply::no_record)?;
        match rest {
            [] => Ok(Reply::json(200, &self.whole_pipeline_view(pipeline))),
            ["jobs"] => {
                let scope = incoming.list("scope");
                let jobs = self.job_views(pipeline).into_iter();
                let listed =
                    jobs.filter(|(_, status, _)| scope.is_empty() || scope.contains(&status.as_str()));
                let views: Vec<Value> = listed.map(|(.., view)| view).collect();
                page(&self.url, incoming, &views)
            }
            ["variables"] => self.variables_of(incoming, pipeline, viewer.name()),
            ["bridges"] => page(&self.url, incoming, &self.bridge_views(pipeline)),
            _ => Err(Reply::error(404, "404 Not Found")),
        }
    }

    /// Cancels a pipeline, which needs the right to run one.
    pub(super) fn cancel(&mut self, project: &str, id: &str, viewer: &Viewer) -> Result<Reply, Reply> {
        let user = viewer.require()?;
        self.sees_pipelines(project, viewer)?;
        let id: u64 = id.parse().map_err(|_| Reply::error(400, "pipeline_id is invalid"))?;
        let exists = self.existing_pipelines().any(|one| one.project == project && one.id == id);
        if !exists {
            return Err(Reply::no_record());
        }
        let level = self.project(project).and_then(|(_, one)| one.members.get(user).copied()).unwrap_or(0);
        if level < 30 {
            return Err(Reply::forbidden());
        }
        self.cancel_pipeline(id);
        let pipeline = self.pipelines.iter().find(|one| one.id == id).ok_or_else(Reply::no_record)?;
        Ok(Reply::json(201, &self.whole_pipeline_view(pipeline)))
    }

    pub(super) fn job(
        &self,
        incoming: &IncomingRequest,
        project: &str,
        job: &str,
        rest: &[&str],
        viewer: &Viewer,
    ) -> Result<Reply, Reply> {
        self.sees_pipelines(project, viewer)?;
        let id: u64 = job.parse().map_err(|_| Reply::error(400, "job_id is invalid"))?;
        let found = self.existing_pipelines().filter(|one| one.project == project).find_map(|pipeline| {
            let view = self.job_views(pipeline).into_iter().find(|(number, ..)| *number == id);
            view.map(|(.., view)| (pipeline, view))
        });
        let (pipeline, view) = found.ok_or_else(Reply::no_record)?;
        match rest {
            [] => Ok(Reply::json(200, &view)),
            ["trace"] => Ok(trace(incoming, id, self.log(pipeline, id).into_bytes())),
            _ => Err(Reply::error(404, "404 Not Found")),
        }
    }
}

/// Returns a log, or only its end if the request has a range.
fn trace(incoming: &IncomingRequest, id: u64, log: Vec<u8>) -> Reply {
    let tail = incoming.range.as_deref().and_then(|range| range.strip_prefix("bytes=-")?.parse().ok());
    let total = log.len();
    let reply = match tail {
        Some(_) if log.is_empty() => {
            Reply::text(416, "text/plain", "").with("content-range", "bytes */0".to_owned())
        }
        Some(tail) => {
            let from = total.saturating_sub(tail);
            Reply::text(206, "text/plain", &log[from..])
                .with("content-range", format!("bytes {from}-{}/{total}", total - 1))
        }
        None => Reply::text(200, "text/plain", log),
    };
    reply.with("content-disposition", format!("infile; filename=\"{id}.log\""))
}
