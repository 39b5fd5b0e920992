//! GitLab's JSON for pipelines and jobs: all fields, with GitLab's types.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::JobMoment;
use super::state::{ServerState, StoredPipeline};
use super::views::extend;
use crate::model::staging::PipelineStatus;

impl ServerState {
    /// Returns a pipeline as part of a list.
    pub(super) fn pipeline_view(&self, pipeline: &StoredPipeline) -> Value {
        let snapshot = pipeline.at(self.time.now());
        let number = self.project(&pipeline.project).map_or(0, |(number, _)| number);
        json!({
            "id": pipeline.id,
            "iid": pipeline.iid,
            "project_id": number,
            "sha": pipeline.sha,
            "ref": pipeline.branch,
            "status": snapshot.status,
            "source": pipeline.source,
            "created_at": self.time.stamp(pipeline.created),
            "updated_at": self.time.stamp(pipeline.created + snapshot.changed),
            "web_url": format!("{}/{}/-/pipelines/{}", self.url, pipeline.project, pipeline.id),
            "name": null,
        })
    }

    /// Returns a single pipeline.
    pub(super) fn whole_pipeline_view(&self, pipeline: &StoredPipeline) -> Value {
        let snapshot = pipeline.at(self.time.now());
        let at = |span: Option<Duration>| span.map(|span| self.time.stamp(pipeline.created + span));
        let ran = snapshot.finished.zip(snapshot.started).map(|(to, from)| (to - from).as_secs());
        let word =
            if snapshot.status == PipelineStatus::Success { "passed" } else { snapshot.status.as_str() };
        let mut view = self.pipeline_view(pipeline);
        extend(
            &mut view,
            json!({
                "before_sha": "0".repeat(40),
                "tag": false,
                "yaml_errors": null,
                "user": self.user_view(&pipeline.user),
                "started_at": at(snapshot.started),
                "finished_at": at(snapshot.finished),
                "committed_at": null,
                "duration": ran,
                "queued_duration": snapshot.started.map(|span| span.as_secs()),
                "coverage": null,
                "detailed_status": {
                    "icon": format!("status_{}", snapshot.status), "text": word, "label": word,
                    "group": snapshot.status, "tooltip": word, "has_details": true,
                    "details_path": format!("/{}/-/pipelines/{}", pipeline.project, pipeline.id),
                    "illustration": null,
                    "favicon": format!("/assets/ci_favicons/favicon_status_{}.png", snapshot.status),
                },
                "archived": false,
            }),
        );
        view
    }

    /// Returns the jobs of a pipeline with their numbers, newest first; without those that trigger other pipelines.
    pub(super) fn job_views(&self, pipeline: &StoredPipeline) -> Vec<(u64, PipelineStatus, Value)> {
        self.views_of(pipeline, false)
    }

    /// Returns the jobs of a pipeline that trigger other pipelines, newest first.
    pub(super) fn bridge_views(&self, pipeline: &StoredPipeline) -> Vec<Value> {
        let views = self.views_of(pipeline, true).into_iter();
        let with_downstream = |(id, _, mut view): (u64, PipelineStatus, Value)| {
            let downstream = self.triggered_by(id).map(|one| self.pipeline_view(one));
            extend(&mut view, json!({ "downstream_pipeline": downstream }));
            view
        };
        views.map(with_downstream).collect()
    }

    fn views_of(&self, pipeline: &StoredPipeline, bridges: bool) -> Vec<(u64, PipelineStatus, Value)> {
        let snapshot = pipeline.at(self.time.now());
        let numbered = (pipeline.first_job..).zip(snapshot.jobs.iter().enumerate());
        let wanted = numbered.filter(|(_, (index, _))| {
            pipeline.script.jobs.get(*index).is_some_and(|job| job.triggers.is_some() == bridges)
        });
        let mut views: Vec<_> = wanted
            .map(|(id, (index, job))| (id, job.status.clone(), self.job_view(pipeline, id, index, job)))
            .collect();
        views.reverse();
        views
    }

    fn job_view(&self, pipeline: &StoredPipeline, id: u64, index: usize, job: &JobMoment) -> Value {
        let script = &pipeline.script.jobs[index];
        let created = self.time.stamp(pipeline.created);
        let at = |span: Option<Duration>| span.map(|span| self.time.stamp(pipeline.created + span));
        let until = job.finished.or(job.started.map(|_| self.time.now().saturating_sub(pipeline.created)));
        let mut listed = self.pipeline_view(pipeline);
        if let Some(fields) = listed.as_object_mut() {
            fields.remove("name");
        }
        let mut view = json!({
            "id": id,
            "status": job.status,
            "stage": script.stage,
            "name": script.name,
            "ref": pipeline.branch,
            "tag": false,
            "coverage": null,
            "allow_failure": script.allow_failure,
            "created_at": created,
            "started_at": at(job.started),
            "finished_at": at(job.finished),
            "erased_at": null,
            "duration": until.zip(job.started).map(|(to, from)| to.saturating_sub(from).as_secs_f64()),
            "queued_duration": job.started.map(|span| span.as_secs_f64()),
            "user": self.user_view(&pipeline.user),
            "commit": self.commit_view(&pipeline.project, &pipeline.sha, &[]),
            "pipeline": listed,
            "web_url": format!("{}/{}/-/jobs/{id}", self.url, pipeline.project),
            "project": {"ci_job_token_scope_enabled": false},
            "artifacts": [], "runner": null, "runner_manager": null, "artifacts_expire_at": null,
            "archived": false, "tag_list": [],
        });
        if job.status == PipelineStatus::Failed {
            extend(&mut view, json!({"failure_reason": "script_failure"}));
        }
        view
    }

    /// Returns a commit.
    pub(super) fn commit_view(&self, project: &str, sha: &str, parents: &[String]) -> Value {
        let created = self.time.stamp(Duration::ZERO);
        json!({
            "id": sha, "short_id": sha.get(..8), "created_at": created,
            "parent_ids": parents, "title": "Pipeline configuration", "message": "Pipeline configuration\n",
            "author_name": "CKI", "author_email": "cki@example.com", "authored_date": created,
            "committer_name": "CKI", "committer_email": "cki@example.com", "committed_date": created,
            "trailers": {}, "extended_trailers": {},
            "web_url": format!("{}/{project}/-/commit/{sha}", self.url),
        })
    }

    /// Returns the log of a job so far.
    pub(super) fn log(&self, pipeline: &StoredPipeline, job: u64) -> String {
        let index = usize::try_from(job - pipeline.first_job).unwrap_or(usize::MAX);
        let snapshot = pipeline.at(self.time.now());
        let Some((job, script)) = snapshot.jobs.get(index).zip(pipeline.script.jobs.get(index)) else {
            return String::new();
        };
        let lines = script.log.lines().count();
        match (job.started, job.finished) {
            (_, Some(_)) => script.log.clone(),
            // A running job has written half of its log.
            (Some(_), None) => script.log.split_inclusive('\n').take(lines / 2).collect(),
            _ => String::new(),
        }
    }
}
