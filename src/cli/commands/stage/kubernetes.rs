//! The method `kubernetes`: from its plan over the confirmation to the report.

use std::sync::Arc;

use super::merge_request::NamedMergeRequest;
use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::{exit, token};
use crate::model::inventory::Inventory;
use crate::ops::shared::production_cluster::ProductionSettings;
use crate::ops::stage::StageOptions;
use crate::ops::stage::kubernetes::{
    ClusterSettings, ReleaseRun, ReleaseSources, ReleaseStageError, apply, cluster, plan_release,
};
use crate::report;
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

pub(super) fn run(
    named: &NamedMergeRequest<'_>,
    allowed: &[String],
    options: &StageOptions,
    yes: bool,
    context: &Context,
) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let project = &named.target.project;
    let component = named.target.component;
    let component = component.ok_or_else(|| ReleaseStageError::NoComponent { project: project.clone() })?;
    let kubectl = kubectl(context, inventory)?;
    let git = context.git(trust)?;
    let registry = Registry::new(Arc::clone(&context.http), Arc::new(SystemClock::new()));
    let is_dry_run = options.dry_run;
    let done = context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let ctx = context.op_context(inventory, &git, stop.clone());
        let number = named.number;
        let now = (context.host.now)();
        let sources = ReleaseSources { project, merge_request: number, component, allowed, now, is_dry_run };
        let planned = tokio::select! {
            planned = plan_release(&ctx, &gitlab, &registry, &kubectl, &sources) => planned?,
            signal = stop.requested() => return Ok(Err(signal.exit())),
        };
        report::release::print_plan(&context.ui, &planned, kubectl.target());
        if !is_dry_run && !yes && context.ui.can_ask() && !context.ui.is_structured() {
            context.ui.confirm(&context.host, "Apply these objects?")?;
        }
        let events = context.events();
        let run = ReleaseRun { gitlab: &gitlab, kubectl: &kubectl, options, events: &events, stop: &stop };
        let outcome = apply(run, &planned).await?;
        Ok(Ok((planned, outcome)))
    })?;
    Ok(match done {
        Ok((planned, outcome)) => {
            let again = named.command(&["cki", "stage", "--via", "kubernetes"]);
            let undo = named.command(&["cki", "unstage"]);
            report::release::print(&context.ui, &planned, &outcome, kubectl.target(), (&again, &undo));
            exit::of_release(&outcome)
        }
        Err(exit) => {
            context.ui.status("Nothing was applied.");
            exit
        }
    })
}
