//! Loads everything that a plan depends on but the rules: deployments, templates, and the places of clones. The plan
//! itself reads nothing.

use std::collections::{HashMap, HashSet};

use super::plan::input::{PlanInput, repositories};
use super::request::RunRequest;
use crate::model::identity::RunId;
use crate::model::inventory::{Component, InventoryFinding};
use crate::model::reference::Reference;
use crate::ops::clone::source::{self, SourceError};
use crate::ops::shared::dependencies::ServiceTemplates;
use crate::ops::shared::deployment::{Judges, load_judged_if_there};
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::run_policy::RunPolicy;

/// Loads the input of a plan.
///
/// # Errors
/// Fails when a file exists and cannot be read, or a directory in the workspace is not the clone that it should
/// be.
pub(super) fn load<'a>(
    ctx: &'a OpContext<'a>,
    request: &'a RunRequest<'a>,
    policy: &'a RunPolicy,
    native: bool,
    run: RunId,
) -> anyhow::Result<PlanInput<'a>> {
    // The error is remembered, and reported where a placeholder secret is needed.
    let _ = policy.context.stored.open();
    let components = with_dependencies(ctx, &request.components);
    let templates = ServiceTemplates::load(
        ctx.assets,
        ctx.inventory,
        components.iter().copied(),
        request.services.iter().copied(),
    )?;
    let judges = Judges::default();
    let (mut deployments, mut clones) = (HashMap::new(), HashMap::new());
    for component in components {
        let (inventory, workspace) = (ctx.inventory, ctx.workspace);
        let (deployed, missing) = load_judged_if_there(component, inventory, workspace, ctx.assets, &judges)?;
        missing.into_iter().for_each(|note| ctx.events.note(note));
        let is_mended = |finding: &InventoryFinding| {
            request.components.iter().any(|wanted| wanted.reference == component.reference)
                && request.overrides.mends(finding)
        };
        for finding in deployed.iter().flat_map(|deployed| &deployed.findings).filter(|one| !is_mended(one)) {
            // Components may share a file.
            ctx.events.warn_once(finding.to_string());
        }
        deployments.extend(deployed.map(|deployed| (&component.reference, deployed)));
        for repo in repositories(component, request) {
            clones.insert(repo, workspace.location(inventory, repo).target()?);
        }
    }
    Ok(PlanInput {
        run,
        request,
        inventory: ctx.inventory,
        policy,
        native,
        program: &ctx.program,
        image_tag: ctx.image_tag,
        memory: ctx.memory,
        templates,
        deployments,
        clones,
    })
}

/// Returns components with all components that they need, each once.
fn with_dependencies<'a>(ctx: &OpContext<'a>, components: &[&'a Component]) -> Vec<&'a Component> {
    let mut todo = components.to_vec();
    let mut seen: HashSet<&Reference> = HashSet::new();
    let mut all = Vec::new();
    while let Some(one) = todo.pop() {
        if seen.insert(&one.reference) {
            let needs = one.run.iter().flat_map(|run| &run.needs);
            todo.extend(needs.filter_map(|need| ctx.inventory.get_by_name(&need.name)));
            all.push(one);
        }
    }
    all
}

/// Clones the repositories with the deployments of components and of their dependencies. An unreachable
/// repository is not an error: the run continues without its deployment.
///
/// # Errors
/// Fails when a reachable repository cannot be cloned.
pub(super) async fn fetch_deployments(
    ctx: &OpContext<'_>,
    request: &RunRequest<'_>,
) -> Result<(), SourceError> {
    for one in with_dependencies(ctx, &request.components) {
        for item in &one.deployment {
            let built_from = one.build.as_ref().is_some_and(|build| build.repo == item.repo);
            let is_wanted = || request.components.iter().any(|wanted| wanted.reference == one.reference);
            let merge_request = request.merge_request.filter(|_| built_from && is_wanted());
            match source::ensure(ctx, one, &item.repo, merge_request).await {
                Ok(_) => {}
                Err(SourceError::OutOfReach { error, .. }) => ctx.events.warn(format!(
                    "The deployment of `{}` is unreachable; the run continues without its values: {error}.",
                    one.name()
                )),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
