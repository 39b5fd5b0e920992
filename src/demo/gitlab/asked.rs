//! Comments that the bot has not yet answered.

use std::time::Duration;

use crate::model::staging::{Command, PipelineStatus};

/// A comment to answer.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) note: u64,
    pub(super) due: Duration,
    pub(super) command: Command,
    /// The comment with the table, and the rows of the table.
    pub(super) answer: Option<(u64, Vec<Row>)>,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) group: String,
    pub(super) branch: String,
    pub(super) pipeline: Option<u64>,
    /// The status that the bot saw last.
    pub(super) status: PipelineStatus,
}

impl Row {
    pub(super) fn new(group: String, branch: String, pipeline: Option<u64>) -> Self {
        let status = match pipeline {
            Some(_) => PipelineStatus::Created,
            None => PipelineStatus::Unknown("not found".to_owned()),
        };
        Self { group, branch, pipeline, status }
    }
}
