//! The staging that an operation is about.

use std::sync::LazyLock;

use crate::model::inventory::{PipelineDecl, ProjectPatterns, StageVia};
use crate::model::staging::AnswerForm;
use crate::ops::stage::follow::RowPlace;
use crate::systems::gitlab::GitLab;
use crate::systems::kubectl::Kubectl;

/// The staging to read, and how much of it.
#[derive(Debug, Clone)]
pub struct ProgressOptions {
    /// `group/project`.
    pub project: String,
    /// The number of the merge request.
    pub merge_request: u64,
    /// The method by which it is staged.
    pub via: StageVia,
    /// User names of bots that may be asked, without `@`: that of the entry, and those of other entries for the project.
    pub bots: Vec<String>,
    /// The form of their answers.
    pub form: AnswerForm,
    /// The pipeline of the method `pipeline`.
    pub pipeline: Option<Box<PipelineDecl>>,
    /// The projects whose pipelines are followed; the first one named is that of an answer without links.
    pub pipelines: ProjectPatterns,
    /// The staging namespace, for releases.
    pub cluster: Option<Kubectl>,
    /// Number of lines to fetch from the log of a failed job; 0 for none.
    pub log_lines: usize,
}

impl ProgressOptions {
    /// Returns where the pipelines of a merge request of `project` are. Only a bot's answer can name a wrong project.
    pub(in crate::ops::stage) fn place<'a>(
        &'a self,
        gitlab: &'a GitLab,
        project: &'a str,
        by_bot: bool,
    ) -> RowPlace<'a> {
        static ANY: LazyLock<ProjectPatterns> = LazyLock::new(ProjectPatterns::default);
        let followed = if by_bot { &self.pipelines } else { &*ANY };
        RowPlace { gitlab, default: self.pipelines.first().unwrap_or(project), followed }
    }

    /// Returns the namespace of the method `kubernetes`.
    pub(super) fn released(&self) -> Option<&Kubectl> {
        self.cluster.as_ref().filter(|_| self.via == StageVia::Kubernetes)
    }

    /// Returns whether a comment asks for the staging.
    #[must_use]
    pub fn is_by_comment(&self) -> bool {
        self.via == StageVia::Bot
    }
}
