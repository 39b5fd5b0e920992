//! `cki down`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::host::signals::Signal;
use crate::ops::down::{DownRequest, down};
use crate::report;

/// Stop and remove running components
///
/// Removes containers and processes that `cki` has started, and the rest of their run. Keeps the
/// data of retained backing services unless `--volumes` is given. With `-o json`, prints what was
/// removed: `instances` (each with `name`, `component`, `run` and `engine`), `networks`, `volumes`,
/// and the volumes with `data`.
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
    let outcome = context.block_on(async |stop| {
        let engine = context.engine().await?;
        // Without a component, clap requires `--all`.
        let query = args.component.as_deref();
        let request = DownRequest { query, volumes: args.volumes, grace: context.settings.stop_grace };
        let place = (&context.host.env, &context.workspace);
        down(&engine, &context.native(), place, request, &context.events(), &stop).await
    })?;
    report::down::print(&context.ui, &outcome);
    Ok(outcome.signal.map_or(Exit::Done, Signal::exit))
}
