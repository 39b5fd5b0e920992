//! `cki inventory`: the group of commands on the inventory itself, one file per subcommand.

mod check;
mod schema;
mod site;

use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::cli::context::Context;

/// Check the inventory, describe its form, or write it as a site
///
/// Examples:
///   cki inventory check
///   cki inventory check owner=infra
///   cki inventory site public --open
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct InventoryArgs {
    #[command(subcommand)]
    command: InventoryCommand,
}

/// Commands on the inventory.
#[derive(Debug, Subcommand)]
enum InventoryCommand {
    Check(check::CheckArgs),
    Schema(schema::SchemaArgs),
    Site(site::SiteArgs),
}

pub(in crate::cli) fn run(args: &InventoryArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        InventoryCommand::Check(args) => check::run(args, context),
        InventoryCommand::Schema(args) => schema::run(args, context),
        InventoryCommand::Site(args) => site::run(args, context),
    }
}
