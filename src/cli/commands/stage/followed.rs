//! The staging that a subcommand is about: found on the server by the merge request, the entry and the settings.

use super::merge_request::NamedMergeRequest;
use crate::cli::context::Context;
use crate::model::inventory::StageDecl;
use crate::ops::stage::{ProgressOptions, StageTarget};

/// Number of lines of the log of a failed job.
pub(super) const LOG_LINES: usize = 10;

/// Returns the staging of a merge request.
pub(super) fn of_merge_request(
    named: &NamedMergeRequest<'_>,
    context: &Context,
    log_lines: usize,
) -> ProgressOptions {
    of_target(&named.target, named.number, context, log_lines)
}

/// Returns the staging of a merge request of a project.
pub(super) fn of_target(
    target: &StageTarget<'_>,
    merge_request: u64,
    context: &Context,
    log_lines: usize,
) -> ProgressOptions {
    let entry = target.entry();
    let bot = entry.and_then(|entry| entry.bot.as_deref()).unwrap_or(&context.settings.stage_bot);
    ProgressOptions {
        project: target.project.clone(),
        merge_request,
        via: entry.map(StageDecl::via).unwrap_or_default(),
        bot: bot.trim_start_matches('@').to_owned(),
        pipelines: entry.map(|entry| entry.pipelines.clone()).unwrap_or_default(),
        log_lines,
    }
}
