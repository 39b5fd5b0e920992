//! `cki inventory`: the group of commands on the inventory itself, one file per subcommand.

mod check;
mod export;
mod new;
mod schema;
mod site;
mod sync;

use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::cli::context::Context;

/// Check the inventory, add entries, describe its form, fetch its sources, or write it in another form
///
/// Examples:
///   cki inventory check
///   cki inventory new web --from-repo ~/src/web
///   cki inventory sync
///   cki inventory export --format backstage
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
    New(new::NewArgs),
    Schema(schema::SchemaArgs),
    Site(site::SiteArgs),
    Export(export::ExportArgs),
    Sync(sync::SyncArgs),
}

pub(in crate::cli) fn run(args: &InventoryArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        InventoryCommand::Check(args) => check::run(args, context),
        InventoryCommand::New(args) => new::run(args, context),
        InventoryCommand::Schema(args) => schema::run(args, context),
        InventoryCommand::Site(args) => site::run(args, context),
        InventoryCommand::Export(args) => export::run(args, context),
        InventoryCommand::Sync(args) => sync::run(args, context),
    }
}
