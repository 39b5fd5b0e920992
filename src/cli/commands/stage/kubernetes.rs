//! The method `kubernetes`: from its plan over the confirmation to the report.

use std::sync::Arc;

use super::cluster::kubectl;
use super::merge_request::{NamedMergeRequest, NamedMergeRequests};
use super::watch::notify;
use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::{exit, token};
use crate::model::inventory::StageVia;
use crate::ops::stage::StageOptions;
use crate::ops::stage::kubernetes::{ReleaseRun, ReleaseSources, ReleaseStageError, apply, plan_releases};
use crate::report;
use crate::report::release::ReleaseReport;
use crate::systems::registry::Registry;

/// Choices of the user about a release.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReleaseChoice<'a> {
    /// Variables that may name production.
    pub(super) allowed: &'a [String],
    /// Commits, other than the head, whose image may be deployed.
    pub(super) image_commits: &'a [String],
    /// No question is asked.
    pub(super) is_confirmed: bool,
    /// The end is notified.
    pub(super) notifies: bool,
}

pub(super) fn run(
    all: &NamedMergeRequests<'_>,
    choice: ReleaseChoice<'_>,
    options: &StageOptions,
    context: &Context,
) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let named = &all.first;
    let allowed = choice.allowed;
    let (now, is_dry_run) = ((context.host.now)(), options.dry_run);
    let mut sources = Vec::new();
    for one in std::iter::once(named).chain(&all.others) {
        let (project, component) = (&one.target.project, one.target.component);
        let component =
            component.ok_or_else(|| ReleaseStageError::NoComponent { project: project.clone() })?;
        let merge_request = one.number;
        sources.push(ReleaseSources {
            project,
            merge_request,
            component,
            allowed,
            image_commits: choice.image_commits,
            now,
            is_dry_run,
        });
    }
    let kubectl = kubectl(context, inventory)?;
    let git = context.git(trust)?;
    let registry = Registry::new(Arc::clone(&context.http), Arc::new(SystemClock::new()));
    let done = context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let ctx = context.op_context(inventory, &git, stop.clone());
        let planned = tokio::select! {
            planned = plan_releases(&ctx, &gitlab, &registry, &kubectl, &sources) => planned?,
            signal = stop.requested() => return Ok(Err(signal.exit())),
        };
        planned.iter().for_each(|plan| report::release::print_plan(&context.ui, plan, kubectl.target()));
        if !is_dry_run {
            context.confirm("a release", "Apply these objects?", choice.is_confirmed)?;
        }
        let events = context.events();
        let run = ReleaseRun { gitlab: &gitlab, kubectl: &kubectl, options, events: &events, stop: &stop };
        let outcomes = apply(run, &planned).await?;
        Ok(Ok((planned, outcomes)))
    })?;
    Ok(match done {
        Ok((planned, outcomes)) => {
            let each = std::iter::once(named).chain(&all.others);
            let commands: Vec<(String, String)> =
                each.map(|one| (watch_command(one), one.subcommand(&["cki", "unstage"]))).collect();
            let releases: Vec<ReleaseReport<'_>> = planned
                .iter()
                .zip(&outcomes)
                .zip(&commands)
                .map(|((plan, outcome), (watch, undo))| ReleaseReport { plan, outcome, watch, undo })
                .collect();
            report::release::print(&context.ui, &releases, kubectl.target());
            let exit = exit::of_releases(&outcomes);
            if choice.notifies {
                notify(context, exit == Exit::Done, &named.reference());
            }
            exit
        }
        Err(exit) => {
            context.ui.status("Nothing was applied.");
            exit
        }
    })
}

/// Returns the command that follows a release. It names the method if the entry does not.
fn watch_command(named: &NamedMergeRequest<'_>) -> String {
    let words = ["cki", "stage", "watch", "--via", "kubernetes"];
    let is_usual = named.target.entry().is_some_and(|entry| entry.via() == StageVia::Kubernetes);
    named.subcommand(if is_usual { &words[..3] } else { &words })
}
