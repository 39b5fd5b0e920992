//! The choice of the one request with which a poll asks about a pipeline. A pure rule: the lists of jobs carry the status
//! of their pipeline, so that one conditional request tells both.

use crate::model::staging::PipelineStatus;

/// A resource of a pipeline on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// The pipeline itself.
    Pipeline,
    /// Its jobs.
    Jobs,
    /// Its jobs that trigger other pipelines.
    Bridges,
}

impl Question {
    /// All questions, in the order of a complete reading.
    pub(super) const ALL: [Self; 3] = [Self::Pipeline, Self::Jobs, Self::Bridges];
}

/// Facts that earlier answers have told.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The pipeline was read.
    pub(super) pipeline: bool,
    /// The last known status.
    pub(super) status: PipelineStatus,
    /// The number of its jobs, once read.
    pub(super) jobs: Option<usize>,
    /// The number of its trigger jobs, once read.
    pub(super) bridges: Option<usize>,
}

impl Seen {
    /// Returns the next question; `turn` counts those before it.
    pub(super) fn next(&self, turn: u32) -> Question {
        let waits = matches!(
            self.status,
            PipelineStatus::Created
                | PipelineStatus::WaitingForResource
                | PipelineStatus::Preparing
                | PipelineStatus::Pending
                | PipelineStatus::Scheduled
        );
        if !self.pipeline || waits {
            return Question::Pipeline;
        }
        match (self.jobs, self.bridges) {
            // Pipelines that it has triggered may go on.
            (_, None) if self.status.is_finished() => Question::Bridges,
            (None, _) => Question::Jobs,
            (_, None) => Question::Bridges,
            (Some(0), Some(0)) => Question::Pipeline,
            (Some(0), _) => Question::Bridges,
            (_, Some(0)) => Question::Jobs,
            _ if turn.is_multiple_of(2) => Question::Jobs,
            _ => Question::Bridges,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(status: PipelineStatus, jobs: Option<usize>, bridges: Option<usize>, turn: u32) -> Question {
        Seen { pipeline: true, status, jobs, bridges }.next(turn)
    }

    #[test]
    fn each_poll_asks_the_question_that_tells_most() {
        let running = || PipelineStatus::Running;
        let unread = Seen { pipeline: false, status: running(), jobs: None, bridges: None };
        assert_eq!(unread.next(0), Question::Pipeline);
        assert_eq!(next(PipelineStatus::Pending, Some(3), None, 1), Question::Pipeline);
        assert_eq!(next(running(), None, None, 1), Question::Jobs);
        assert_eq!(next(running(), Some(60), None, 2), Question::Bridges);
        for turn in 0..4 {
            assert_eq!(next(running(), Some(60), Some(0), turn), Question::Jobs);
            assert_eq!(next(running(), Some(0), Some(2), turn), Question::Bridges);
            assert_eq!(next(running(), Some(0), Some(0), turn), Question::Pipeline);
        }
        assert_eq!(next(PipelineStatus::Success, None, None, 1), Question::Bridges);
        assert_ne!(next(running(), Some(1), Some(1), 4), next(running(), Some(1), Some(1), 5));
    }
}
