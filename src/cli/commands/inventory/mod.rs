//! `cki inventory`: the group of commands on the inventory itself, one file per subcommand.

mod check;
mod schema;

use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::cli::context::Context;

/// Check the inventory itself
///
/// Examples:
///   cki inventory check
///   cki inventory check owner=infra
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
}

pub(in crate::cli) fn run(args: &InventoryArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        InventoryCommand::Check(args) => check::run(args, context),
        InventoryCommand::Schema(args) => schema::run(args, context),
    }
}
