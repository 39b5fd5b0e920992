//! `cki show`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::{ops, report};

/// Show a component
///
/// Examples:
///   cki show pipeline-herder
///   cki show cronjob/lookaside-static -o json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ShowArgs {
    /// Component: its name, `category/name`, or a unique part of the name
    #[arg(add = ArgValueCandidates::new(complete::components))]
    component: String,
}

pub(in crate::cli) fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.inventory()?;
    let component = inventory.find(&args.component)?;
    let shown = ops::show::show(component, inventory, &context.workspace);
    report::show::print(&context.ui, &shown);
    Ok(Exit::Done)
}
