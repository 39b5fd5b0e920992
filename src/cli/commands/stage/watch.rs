//! `cki stage watch`: its arguments, and the calls of the operation and the report.

use clap::Args;

use super::followed::{LOG_LINES, of_merge_request};
use super::merge_request::MergeRequestArgs;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::{exit, token};
use crate::host::notifier::Notifier;
use crate::ops::stage::kubernetes::{ReleaseRun, watch_releases};
use crate::ops::stage::{StageOptions, watch};
use crate::report;

/// Follow the staging of a merge request to its end
///
/// Finds the newest request for its head commit on the server, also one of somebody else, and follows its
/// pipelines, and those that they trigger. Ctrl-C ends the watch, not the staging. The exit code is 0
/// only if all pipelines succeed. A release is found in the staging namespace, and its rollout followed.
///
/// Examples:
///   cki stage watch 213
///   cki stage watch --mr 213 --notify
///   cki stage watch 213 --via kubernetes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StageWatchArgs {
    #[command(flatten)]
    merge_request: MergeRequestArgs,
    /// Notify at the end: on the desktop, or with the bell of the terminal
    #[arg(long)]
    notify: bool,
}

pub(super) fn run(args: &StageWatchArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let named = args.merge_request.resolve(context, inventory)?;
    let progress = of_merge_request(&named, context, inventory, LOG_LINES)?;
    let options = StageOptions {
        timeout: Some(context.settings.stage_timeout),
        interval: context.settings.stage_interval,
        ..StageOptions::default()
    };
    let again = named.stage_subcommand(&["cki", "stage", "watch"]);
    let (exit, reference) = context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let events = context.events();
        if let Some(kubectl) = &progress.cluster {
            let run =
                ReleaseRun { gitlab: &gitlab, kubectl, options: &options, events: &events, stop: &stop };
            let (facts, watched) = watch_releases(run, (&progress.project, progress.merge_request)).await?;
            let undo = named.subcommand(&["cki", "unstage"]);
            report::staging::print_watched(&context.ui, &facts, &watched, [&again, &undo]);
            let exit = exit::of_releases(watched.iter().map(|one| &one.outcome));
            return Ok((exit, facts.reference()));
        }
        let outcome = watch(&gitlab, &progress, &options, &events, &stop).await?;
        let request = named.stage_subcommand(&["cki", "stage"]);
        report::stage::print(&context.ui, &outcome, &again, &request);
        Ok((exit::of_stage(&outcome), outcome.merge_request.reference()))
    })?;
    if args.notify {
        notify(context, exit == Exit::Done, &reference);
    }
    Ok(exit)
}

/// Tells the end of a staging to a user who looks elsewhere.
pub(super) fn notify(context: &Context, succeeded: bool, reference: &str) {
    let word = if succeeded { "succeeded" } else { "did not succeed" };
    let title = format!("Staging {word}");
    let shown = Notifier::of(&context.host.env);
    if !shown.is_some_and(|notifier| notifier.show(&title, reference)) {
        context.ui.bell();
    }
}
