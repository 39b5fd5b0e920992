//! `cki down`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::base::text::{join_and, plural_of};
use crate::cli::complete;
use crate::cli::context::Context;
use crate::host::signals::Signal;
use crate::model::identity::Retention;
use crate::ops::down::{self, DownTargets, volumes};
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::{list, select};
use crate::ops::shared::workspace_secrets;

/// Stop and remove running components
///
/// Removes containers and processes that `cki` has started, and the rest of their run. Keeps the
/// data of retained backing services unless `--volumes` is given.
///
/// Examples:
///   cki down pipeline-herder
///   cki down --all
///   cki down postgres --volumes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, group = clap::ArgGroup::new("what").required(true))]
pub(in crate::cli) struct DownArgs {
    /// Component, retained backing service, or run ID
    #[arg(group = "what", add = ArgValueCandidates::new(complete::components))]
    component: Option<String>,
    /// Remove all runs
    #[arg(long, group = "what")]
    all: bool,
    /// Also remove the data of backing services retained for this workspace
    #[arg(long)]
    volumes: bool,
}

pub(in crate::cli) fn run(args: &DownArgs, context: &Context) -> anyhow::Result<Exit> {
    let (gone, volumes) = context.block_on(async |stop| {
        let engine = context.engine().await?;
        let native = context.native();
        let mut all = list::list(&engine, &native).await?;
        let state = context.host.env.state_directory();
        let seed = workspace_secrets::seed(state.as_deref(), context.workspace.root())?.unwrap_or_default();
        // A name means only the service that is retained for this workspace.
        all.retain(|one| {
            let is_kept = one.identity.lifetime == Retention::Workspace;
            args.all || !is_kept || volumes::is_of_workspace(&one.identity, &seed)
        });
        let doomed: Vec<_> = match &args.component {
            Some(component) => {
                let selected = match select::select(&all, component) {
                    // The service may be gone while its data still exists.
                    Err(InstanceError::NotRunning { .. }) if args.volumes => Vec::new(),
                    selected => selected?,
                };
                let runs: Vec<_> = selected.iter().map(|one| &one.identity.run).collect();
                all.iter().filter(|one| runs.contains(&&one.identity.run)).collect()
            }
            None => all.iter().collect(),
        };
        let task = context.events().start("stopping", "");
        let what = DownTargets { instances: &doomed, all: args.all };
        let gone = down::down(&engine, &native, what, context.settings.stop_grace, &stop).await?;
        task.finish(
            crate::model::event::TaskOutcome::Done,
            plural_of(gone.names.len(), "container or process", "containers or processes"),
        );
        let volumes = match args.volumes && gone.hurried.is_none() {
            true => volumes::remove(&engine, &seed, args.component.as_deref()).await?,
            false => Vec::new(),
        };
        Ok((gone, volumes))
    })?;
    let mut names: Vec<String> = gone.names.iter().map(|name| format!("`{name}`")).collect();
    names.extend(gone.others);
    names.extend(volumes.iter().map(|name| format!("volume `{name}`")));
    match names.as_slice() {
        [] => context.ui.status("Nothing was running."),
        names => context.ui.status(&format!("Removed {}.", join_and(names))),
    }
    Ok(gone.hurried.map_or(Exit::Done, Signal::exit))
}
