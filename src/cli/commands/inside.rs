//! Parts shared by the commands on what runs: the instance that the user names, the user's terminal, and a command
//! without one. The arguments of each command are in its own file.

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::exit;
use crate::host::signals::Shutdown;
use crate::model::inventory::{Component, Inventory, LookupError, NamedEntry};
use crate::ops::env::run_arguments;
use crate::ops::exec::interact::LocalTerminal;
use crate::ops::exec::{ExecOptions, exec};
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::{FoundInstances, InstanceSummary, ListScope, list};
use crate::ops::runtime::other_engines::{OtherEngine, other_engines};
use crate::ops::runtime::select::select_one;

/// Returns the instances that a command without `--all` is about.
pub(super) async fn instances(context: &Context) -> anyhow::Result<FoundInstances> {
    let engine = context.engine().await?;
    Ok(list(&engine, &context.native(), &context.scope(false)).await?)
}

/// Returns the one instance that the user names, of those that a command without `--all` is about.
pub(super) async fn named<'a>(
    context: &Context,
    listing: &'a FoundInstances,
    query: &str,
) -> anyhow::Result<&'a InstanceSummary> {
    match select_one(listing, query) {
        Ok(one) => Ok(one),
        Err(error) => Err(explained(context, error, listing.engine, &context.scope(false)).await),
    }
}

/// Returns the other engines with runs of a scope, for a command that found nothing with the used one.
pub(super) async fn elsewhere(context: &Context, used: &str, scope: &ListScope) -> Vec<OtherEngine> {
    other_engines(&context.host.env, used, scope, context.settings.offline).await
}

/// Returns the error for a name that nothing running has with the used engine: that another engine runs it; that the inventory does not know it either, so that a
/// mistyped name is not taken for an ended component; or else with the command that starts it. An inventory that cannot
/// be read explains nothing.
pub(super) async fn explained(
    context: &Context,
    error: InstanceError,
    used: &str,
    scope: &ListScope,
) -> anyhow::Error {
    let InstanceError::NotRunning { query, running, elsewhere, .. } = error else { return error.into() };
    let mut engines = self::elsewhere(context, used, scope).await;
    engines.retain(|engine| engine.has(&query));
    let engines: Vec<&str> = engines.into_iter().map(|engine| engine.name).collect();
    let is_run = query.len() >= 4 && query.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'/');
    let mut start = Vec::new();
    if elsewhere.is_empty()
        && engines.is_empty()
        && !is_run
        && let Ok(inventory) = context.quiet_inventory()
    {
        match inventory.find_entry(&query) {
            Ok(NamedEntry::Component(component)) if component.is_runnable() => {
                start = run_words(context, &inventory, component);
            }
            Ok(NamedEntry::Service(service)) => start.push(inventory.service_query(service)),
            Ok(NamedEntry::Component(_)) | Err(LookupError::Ambiguous { .. }) => {}
            Err(error) => return error.into(),
        }
    }
    InstanceError::NotRunning { query, running, elsewhere, start, engines }.into()
}

/// Returns the arguments of `cki run-local` that run a component, with a place for each value that the run demands.
pub(super) fn run_words(context: &Context, inventory: &Inventory, component: &Component) -> Vec<String> {
    let (assets, env, workspace) = (&context.assets, &context.host.env, &context.workspace);
    run_arguments(component, inventory, assets, env, workspace)
}

/// Returns the user at this terminal.
pub(super) fn person(context: &Context) -> LocalTerminal<'_> {
    LocalTerminal { screen: &context.host.stdout, term: context.host.env.get("TERM") }
}

/// Runs a command without a terminal: its input and output pass unchanged.
pub(super) async fn pass_bytes(
    instance: &InstanceSummary,
    options: ExecOptions,
    context: &Context,
    stop: &Shutdown,
) -> anyhow::Result<Exit> {
    Ok(exit::of_command(exec(instance, options, &context.events(), stop).await?))
}
