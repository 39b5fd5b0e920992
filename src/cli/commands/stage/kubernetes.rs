//! The method `kubernetes`: from its plan over the confirmation to the report.

use std::sync::Arc;

use super::merge_request::NamedMergeRequests;
use super::watch::notify;
use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::{exit, token};
use crate::model::inventory::Inventory;
use crate::ops::shared::production_cluster::ProductionSettings;
use crate::ops::stage::StageOptions;
use crate::ops::stage::kubernetes::{
    ClusterSettings, ReleaseRun, ReleaseSources, ReleaseStageError, apply, cluster, plan_releases,
};
use crate::report;
use crate::report::release::ReleaseReport;
use crate::systems::kubectl::Kubectl;
use crate::systems::registry::Registry;

/// Returns the program for the namespace that the configuration names as staging.
pub(in crate::cli) fn kubectl(context: &Context, inventory: &Inventory) -> anyhow::Result<Kubectl> {
    let settings = &context.settings;
    let settings = ClusterSettings {
        context: settings.stage_context.clone(),
        namespace: settings.stage_namespace.clone(),
        program: settings.stage_kubectl.clone(),
        production: production(context),
    };
    Ok(cluster(&settings, inventory, &context.host.env)?)
}

/// Returns the user's own settings of the cluster of production.
pub(in crate::cli) fn production(context: &Context) -> ProductionSettings {
    let settings = &context.settings;
    ProductionSettings {
        context: settings.production_context.clone(),
        namespace: settings.production_namespace.clone(),
        program: settings.stage_kubectl.clone(),
    }
}

/// Choices of the user about a release.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReleaseChoice<'a> {
    /// Variables that may name production.
    pub(super) allowed: &'a [String],
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
        sources.push(ReleaseSources { project, merge_request, component, allowed, now, is_dry_run });
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
            let again = all.subcommand(&["cki", "stage", "--via", "kubernetes"]);
            let each = std::iter::once(named).chain(&all.others);
            let undo: Vec<String> = each.map(|one| one.subcommand(&["cki", "unstage"])).collect();
            let releases: Vec<ReleaseReport<'_>> = planned
                .iter()
                .zip(&outcomes)
                .zip(&undo)
                .map(|((plan, outcome), undo)| ReleaseReport { plan, outcome, undo })
                .collect();
            report::release::print(&context.ui, &releases, kubectl.target(), &again);
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
