//! The stand-in's pipelines: their start with everything that they trigger, and their cancellation. Their course is in
//! `script`, their JSON in `views_ci`.

use std::time::Duration;

use super::script::start_of;
use super::state::{PipelineStart, ServerState, StoredPipeline};
use crate::base::digest;

/// Maximum levels of triggered pipelines: a script may trigger itself.
const DEEPEST: usize = 8;

impl ServerState {
    /// Starts a pipeline; returns `None` if there is no such script or project.
    pub(super) fn start_pipeline(&mut self, start: PipelineStart<'_>, at: Duration) -> Option<u64> {
        self.start_below(start, at, None, 0)
    }

    /// Starts the pipelines that merge requests have from the beginning.
    pub(super) fn start_merge_request_pipelines(&mut self) {
        let projects = self.config.projects.clone();
        let all = projects.iter().flat_map(|one| one.merge_requests.iter().map(move |mr| (one, mr)));
        for (project, one) in all {
            let branch = format!("refs/merge-requests/{}/head", one.iid);
            for script in &one.pipelines {
                let start = PipelineStart {
                    project: &project.path,
                    branch: &branch,
                    script,
                    sha: Some(one.sha.clone()),
                    source: "merge_request_event",
                    user: &one.author,
                    variables: Vec::new(),
                };
                self.start_pipeline(start, Duration::ZERO);
            }
        }
    }

    fn start_below(
        &mut self,
        start: PipelineStart<'_>,
        at: Duration,
        trigger: Option<u64>,
        level: usize,
    ) -> Option<u64> {
        let PipelineStart { project, branch, script, sha, source, user, variables } = start;
        let script = self.config.scripts.get(script)?.clone();
        self.project(project)?;
        let (id, first_job) = self.number_pipeline(script.jobs.len());
        let iid = 1 + self.pipelines.iter().filter(|one| one.project == project).count() as u64;
        self.pipelines.push(StoredPipeline {
            id,
            iid,
            project: project.to_owned(),
            branch: branch.to_owned(),
            sha: sha.unwrap_or_else(|| digest::sha256_hex([project, branch])[..40].to_owned()),
            source,
            user: user.to_owned(),
            variables,
            created: at,
            script: script.clone(),
            first_job,
            trigger,
            canceled: None,
        });
        // A triggered pipeline is stored with its time of creation, and not visible before that.
        for (number, job) in script.jobs.iter().enumerate() {
            let Some(below) = job.triggers.as_ref().filter(|_| level < DEEPEST) else { continue };
            let Some(from) = start_of(&script, number) else { continue };
            let start = PipelineStart {
                project: below.project.as_deref().unwrap_or(project),
                branch: &below.branch,
                script: &below.script,
                sha: None,
                source: if below.project.is_some() { "pipeline" } else { "parent_pipeline" },
                user,
                variables: Vec::new(),
            };
            self.start_below(start, at + from, Some(first_job + number as u64), level + 1);
        }
        Some(id)
    }

    /// Returns the pipelines that exist by now.
    pub(super) fn existing_pipelines(&self) -> impl DoubleEndedIterator<Item = &StoredPipeline> {
        let now = self.time.now();
        self.pipelines.iter().filter(move |one| one.created <= now)
    }

    /// Returns the pipeline that a job has triggered by now.
    pub(super) fn triggered_by(&self, job: u64) -> Option<&StoredPipeline> {
        self.existing_pipelines().find(|one| one.trigger == Some(job))
    }

    /// Cancels a pipeline.
    pub(super) fn cancel_pipeline(&mut self, id: u64) {
        let now = self.time.now();
        if let Some(one) = self.pipelines.iter_mut().find(|one| one.id == id) {
            one.canceled.get_or_insert(now);
        }
    }
}
