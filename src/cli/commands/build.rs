//! `cki build`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::default_component::default_component;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::build::{BuildError, BuildOptions, build, instructions};
use crate::ops::shared::op_context::OpContext;
use crate::report;
use crate::ui::Verbosity;

/// Build the image of a component from its clone
///
/// Reuses an existing image of the same sources.
///
/// Examples:
///   cki build pipeline-herder
///   cki build pipeline-herder --mr 213 --tag localhost/herder:try
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct BuildArgs {
    /// Component to build (default: the only one of the inventory, or of this directory)
    #[arg(add = ArgValueCandidates::new(complete::buildable))]
    component: Option<String>,
    /// Build merge request N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests))]
    mr: Option<u64>,
    /// Add this name to the image
    #[arg(long, value_name = "NAME")]
    tag: Option<String>,
    /// Build without the cache of earlier builds
    #[arg(long)]
    no_cache: bool,
}

pub(in crate::cli) fn run(args: BuildArgs, context: &Context) -> anyhow::Result<Exit> {
    let BuildArgs { component, mr, tag, no_cache } = args;
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let component = match component {
        Some(name) => inventory.find(&name)?,
        None => default_component(context, inventory, |one| one.build.is_some())?,
    };
    instructions(component)?;
    let git = context.git(trust)?;
    let quiet = context.ui.verbosity() == Verbosity::Quiet;
    let options = BuildOptions { merge_request: mr, tag, no_cache, quiet };
    let workspace = match mr {
        Some(_) => context.workspace.for_merge_request(component),
        None => context.workspace.clone(),
    };
    let built = context.block_on(async |stop| {
        let ctx = OpContext { workspace: &workspace, ..context.op_context(inventory, &git, stop) };
        let engine = context.engine().await?;
        let containers = engine.containers().ok_or(BuildError::Native)?;
        build(&ctx, containers, component, &options).await
    })?;
    report::build::print(&context.ui, component.name(), &built);
    Ok(Exit::Done)
}
