//! The staging that a subcommand is about: found on the server by the merge request, the entry and the settings.

use super::bot;
use super::cluster::kubectl;
use super::merge_request::NamedMergeRequest;
use crate::cli::context::Context;
use crate::model::inventory::{Inventory, StageDecl, StageVia};
use crate::ops::stage::{ProgressOptions, StageTarget, of_project};

/// Number of lines of the log of a failed job.
pub(super) const LOG_LINES: usize = 10;

/// Returns the staging of a merge request. That of a release names its cluster.
pub(super) fn of_merge_request(
    named: &NamedMergeRequest<'_>,
    context: &Context,
    inventory: &Inventory,
    log_lines: usize,
) -> anyhow::Result<ProgressOptions> {
    let via = named.via();
    let cluster = match via {
        StageVia::Kubernetes => Some(kubectl(context, inventory)?),
        StageVia::Bot | StageVia::Pipeline => None,
    };
    let options = of_target(&named.target, named.number, context, inventory, log_lines);
    Ok(ProgressOptions { via, cluster, ..options })
}

/// Returns the staging of a merge request of a project, by the method of its entry and without a cluster.
pub(super) fn of_target(
    target: &StageTarget<'_>,
    merge_request: u64,
    context: &Context,
    inventory: &Inventory,
    log_lines: usize,
) -> ProgressOptions {
    let entry = target.entry();
    // Another entry for the same project may have a bot of its own.
    let others = of_project(inventory, &target.project).filter_map(|one| one.stage.as_deref());
    let mut bots: Vec<String> = Vec::new();
    for entry in entry.into_iter().chain(others) {
        let bot = entry.bot.as_deref().unwrap_or(&context.settings.stage_bot).trim_start_matches('@');
        if !bots.iter().any(|known| known.eq_ignore_ascii_case(bot)) {
            bots.push(bot.to_owned());
        }
    }
    if bots.is_empty() {
        bots.push(context.settings.stage_bot.trim_start_matches('@').to_owned());
    }
    ProgressOptions {
        project: target.project.clone(),
        merge_request,
        via: entry.map(StageDecl::via).unwrap_or_default(),
        bots,
        form: bot::form(entry),
        pipeline: entry.and_then(|entry| entry.pipeline.clone()),
        pipelines: entry.map(|entry| entry.pipelines.clone()).unwrap_or_default(),
        cluster: None,
        log_lines,
    }
}
