//! Comments that the bot has not yet answered.

use std::time::Duration;

use crate::model::staging::{BotCommand, PipelineStatus};

/// A comment to answer.
#[derive(Debug, Clone)]
pub(super) struct AskedPipelines {
    pub(super) note: u64,
    pub(super) due: Duration,
    pub(super) command: BotCommand,
    /// The comment with the table, and the rows of the table.
    pub(super) answer: Option<(u64, Vec<AskedRow>)>,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct AskedRow {
    pub(super) group: String,
    pub(super) branch: String,
    pub(super) pipeline: Option<u64>,
    /// The status that the bot saw last.
    pub(super) status: PipelineStatus,
}

impl AskedRow {
    pub(super) fn new(group: String, branch: String, pipeline: Option<u64>) -> Self {
        let status = match pipeline {
            Some(_) => PipelineStatus::Created,
            None => PipelineStatus::Unknown("not found".to_owned()),
        };
        Self { group, branch, pipeline, status }
    }
}
