//! The course of a followed pipeline: its jobs, its stages, and the pipelines that it triggers. Text in it comes from a
//! server, and is safe to show. Reading it is in `ops::stage::follow`, wording in `report`.

use std::time::Duration;

use jiff::Timestamp;

use super::PipelineStatus;

/// Start and end of a piece of work, as far as it has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkSpan {
    /// The start.
    pub from: Option<Timestamp>,
    /// The end.
    pub to: Option<Timestamp>,
}

impl WorkSpan {
    /// Parses timestamps of a server (ISO 8601); one that is none is missing.
    #[must_use]
    pub fn parse(from: Option<&str>, to: Option<&str>) -> Self {
        let parse = |text: Option<&str>| text?.parse().ok();
        Self { from: parse(from), to: parse(to) }
    }

    /// Returns the duration until the end, or until `now`.
    #[must_use]
    pub fn lasted(&self, now: Timestamp) -> Option<Duration> {
        Duration::try_from(self.to.unwrap_or(now).duration_since(self.from?)).ok()
    }

    /// Returns the span from the first start to the last end; without an end while one has none.
    #[must_use]
    pub fn around(spans: impl IntoIterator<Item = Self>) -> Self {
        let mut around = Self::default();
        let mut goes_on = false;
        for one in spans.into_iter().filter(|one| one.from.is_some()) {
            around.from = around.from.map_or(one.from, |from| one.from.map(|other| from.min(other)));
            around.to = around.to.max(one.to);
            goes_on |= one.to.is_none();
        }
        if goes_on {
            around.to = None;
        }
        around
    }
}

/// A job of a followed pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCourse {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: String,
    /// Its status.
    pub status: PipelineStatus,
    /// Its failure does not fail the pipeline.
    pub may_fail: bool,
    /// Start and end.
    pub span: WorkSpan,
    /// Address of its page.
    pub url: Option<String>,
    /// It triggers another pipeline.
    pub is_trigger: bool,
    /// Number of the pipeline that it has triggered, if the server names one.
    pub downstream: Option<u64>,
}

impl JobCourse {
    /// Returns whether the pipeline of a trigger job is missing: it was deleted, or the server hides it.
    fn lacks_pipeline(&self) -> bool {
        self.is_trigger && !self.may_fail && self.status.is_success() && self.downstream.is_none()
    }
}

/// A pipeline with everything that it triggers, as it was seen last.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineCourse {
    /// The project: its path, or its number where the server tells no more.
    pub project: String,
    /// Its number.
    pub id: u64,
    /// Its commit, if it was read.
    pub sha: Option<String>,
    /// Branch or tag.
    pub branch: Option<String>,
    /// Its status.
    pub status: PipelineStatus,
    /// Start and end.
    pub span: WorkSpan,
    /// Address of its page.
    pub url: Option<String>,
    /// Name of the job that has triggered it.
    pub trigger: Option<String>,
    /// Its jobs in the order of their creation.
    pub jobs: Vec<JobCourse>,
    /// The pipelines that it has triggered.
    pub children: Vec<PipelineCourse>,
    /// Its trigger may fail without failing the pipeline above.
    pub may_fail: bool,
    /// Reason why it could not be read; its status is then the one in the list of trigger jobs.
    pub unread: Option<String>,
    /// There are more pipelines below it than are followed.
    pub is_cut: bool,
}

impl PipelineCourse {
    /// Returns this pipeline and all below it, parents first, each with its level.
    #[must_use]
    pub fn all(&self) -> Vec<(usize, &Self)> {
        let mut all = vec![(0, self)];
        let mut at = 0;
        // Levels are bounded where the tree is made; the order is that of a reader.
        while let Some((level, one)) = all.get(at).copied() {
            at += 1;
            all.splice(at..at, one.children.iter().map(|child| (level + 1, child)));
        }
        all
    }

    /// Returns a sentence about each part below whose result nobody could see. A pipeline that cannot be read counts by
    /// its status in the list of trigger jobs, once that is final; one whose trigger may fail does not count.
    #[must_use]
    pub fn unseen(&self) -> Vec<String> {
        let mut unseen = Vec::new();
        for (level, one) in self.all().into_iter().filter(|(_, one)| !one.may_fail) {
            let Self { project, id, .. } = one;
            if let Some(why) = one.unread.as_ref().filter(|_| level > 0 && !one.status.is_finished()) {
                let trigger = one.trigger.as_deref().unwrap_or("–");
                let status = &one.status;
                unseen.push(format!(
                    "Pipeline {id} of `{project}`, which `{trigger}` has triggered, cannot be read; it was last {status}: {why}."
                ));
            }
            if one.is_cut {
                unseen.push(format!(
                    "Pipeline {id} of `{project}` has triggered more pipelines than are followed."
                ));
            }
            for job in one.jobs.iter().filter(|job| job.lacks_pipeline()) {
                let job = &job.name;
                unseen.push(format!(
                    "The server does not name the pipeline that `{job}` of pipeline {id} of `{project}` has triggered."
                ));
            }
        }
        unseen
    }

    /// Returns its stages in the order of their first job.
    #[must_use]
    pub fn stages(&self) -> Vec<StageCourse> {
        let mut stages: Vec<StageCourse> = Vec::new();
        for job in &self.jobs {
            let known = stages.iter_mut().find(|stage| stage.name == job.stage);
            match known {
                Some(stage) => stage.jobs.push(job.clone()),
                None => stages.push(StageCourse { name: job.stage.clone(), jobs: vec![job.clone()] }),
            }
        }
        stages
    }
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageCourse {
    /// Its name.
    pub name: String,
    /// Its jobs.
    pub jobs: Vec<JobCourse>,
}

impl StageCourse {
    /// Returns its status, as GitLab computes it: the worst of its jobs, those that may fail aside.
    #[must_use]
    pub fn status(&self) -> PipelineStatus {
        let any = |wanted: PipelineStatus| {
            self.jobs
                .iter()
                .any(|job| job.status == wanted && !(job.may_fail && wanted == PipelineStatus::Failed))
        };
        let order = [
            PipelineStatus::Running,
            PipelineStatus::Pending,
            PipelineStatus::Preparing,
            PipelineStatus::WaitingForResource,
            PipelineStatus::Canceling,
            PipelineStatus::Failed,
            PipelineStatus::Canceled,
            PipelineStatus::Manual,
            PipelineStatus::Scheduled,
        ];
        if let Some(found) = order.into_iter().find(|status| any(status.clone())) {
            return found;
        }
        let is = |job: &JobCourse, status: PipelineStatus| job.status == status;
        let done = |job: &JobCourse| job.status.is_finished();
        match &self.jobs {
            jobs if jobs.iter().all(|job| is(job, PipelineStatus::Created)) => PipelineStatus::Created,
            jobs if jobs.iter().all(|job| is(job, PipelineStatus::Skipped)) => PipelineStatus::Skipped,
            jobs if jobs.iter().all(done) => PipelineStatus::Success,
            // Some have ended, and others wait for the rest.
            jobs => {
                jobs.iter().find(|job| !done(job)).map_or(PipelineStatus::Running, |job| job.status.clone())
            }
        }
    }

    /// Returns the number of ended jobs.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.jobs.iter().filter(|job| job.status.is_finished()).count()
    }

    /// Returns start and end.
    #[must_use]
    pub fn span(&self) -> WorkSpan {
        WorkSpan::around(self.jobs.iter().map(|job| job.span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(stage: &str, status: PipelineStatus, may_fail: bool, span: (&str, &str)) -> JobCourse {
        JobCourse {
            id: 1,
            name: "j".to_owned(),
            stage: stage.to_owned(),
            status,
            may_fail,
            span: WorkSpan::parse(Some(span.0), Some(span.1)),
            url: None,
            is_trigger: false,
            downstream: None,
        }
    }

    fn pipeline(id: u64, jobs: Vec<JobCourse>, children: Vec<PipelineCourse>) -> PipelineCourse {
        PipelineCourse {
            project: "a/b".to_owned(),
            id,
            sha: None,
            branch: None,
            status: PipelineStatus::Running,
            span: WorkSpan::default(),
            url: None,
            trigger: None,
            jobs,
            children,
            may_fail: false,
            unread: None,
            is_cut: false,
        }
    }

    #[test]
    fn stages_have_the_status_and_the_span_of_their_jobs() {
        use PipelineStatus::{Created, Failed, Running, Skipped, Success};
        let at = |minute: u8| format!("2026-11-22T10:{minute:02}:00Z");
        let made = |status: &PipelineStatus, from: u8, to: &str| {
            job("build", status.clone(), false, (&at(from), to))
        };
        for (statuses, expected) in [
            (vec![Success, Running, Failed], Running),
            (vec![Success, Failed], Failed),
            (vec![Success, Skipped], Success),
            (vec![Created, Created], Created),
            (vec![Success, Created], Created),
            (vec![Skipped], Skipped),
        ] {
            let jobs = statuses.iter().map(|status| made(status, 1, "")).collect();
            let stages = pipeline(1, jobs, vec![]).stages();
            assert_eq!(stages[0].status(), expected, "{statuses:?}");
        }
        let allowed = job("lint", Failed, true, (&at(0), &at(1)));
        let jobs = vec![allowed, made(&Success, 2, &at(5)), made(&Running, 1, "")];
        let stages = pipeline(1, jobs, vec![]).stages();
        assert_eq!((stages[0].name.as_str(), stages[0].status()), ("lint", Success));
        assert_eq!((stages[1].ended(), stages[1].jobs.len()), (1, 2));
        let span = stages[1].span();
        assert_eq!((span.from.map(|from| from.to_string()), span.to), (Some(at(1)), None));
        assert_eq!(stages[0].span().lasted(Timestamp::UNIX_EPOCH), Some(Duration::from_secs(60)));
    }

    #[test]
    fn unseen_names_each_part_without_a_known_result() {
        use PipelineStatus::{Created, Failed, Running, Success};
        let trigger = |downstream: Option<u64>, may_fail: bool| JobCourse {
            is_trigger: true,
            downstream,
            ..job("test", Success, may_fail, ("", ""))
        };
        let hidden = |status: PipelineStatus, may_fail: bool| PipelineCourse {
            status,
            may_fail,
            unread: Some("it was not found".to_owned()),
            trigger: Some("deploy".to_owned()),
            ..pipeline(2, vec![], vec![])
        };
        // The list of trigger jobs has told the end.
        for status in [Success, Failed] {
            assert!(pipeline(1, vec![], vec![hidden(status, false)]).unseen().is_empty());
        }
        assert!(pipeline(1, vec![trigger(Some(2), false)], vec![hidden(Running, true)]).unseen().is_empty());
        let of_child = "Pipeline 2 of `a/b`, which `deploy` has triggered, cannot be read; it was last created: it was not found.";
        assert_eq!(pipeline(1, vec![], vec![hidden(Created, false)]).unseen(), [of_child]);
        let lacks = |may_fail: bool| pipeline(1, vec![trigger(None, may_fail)], vec![]).unseen();
        assert_eq!(
            lacks(false),
            ["The server does not name the pipeline that `j` of pipeline 1 of `a/b` has triggered."]
        );
        assert!(lacks(true).is_empty());
        let cut = PipelineCourse { is_cut: true, ..pipeline(1, vec![], vec![]) };
        assert_eq!(cut.unseen(), ["Pipeline 1 of `a/b` has triggered more pipelines than are followed."]);
    }

    #[test]
    fn all_lists_parents_before_their_children() {
        let tree = pipeline(
            1,
            vec![],
            vec![pipeline(2, vec![], vec![pipeline(3, vec![], vec![])]), pipeline(4, vec![], vec![])],
        );
        let all: Vec<(usize, u64)> = tree.all().into_iter().map(|(level, one)| (level, one.id)).collect();
        assert_eq!(all, [(0, 1), (1, 2), (2, 3), (1, 4)]);
    }
}
