//! `cki rfc`: the group of commands on requests for comments, one file per subcommand.

mod ask;
mod check;
mod list;
mod new;
mod show;

use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::cli::context::Context;

/// List, show, start and check requests for comments
///
/// The documents are files of a repository that the inventory names in `rfcs`; their merge requests
/// are asked of its GitLab server.
///
/// Examples:
///   cki rfc list
///   cki rfc show 1
///   cki rfc new "Keep logs for a year"
///   cki rfc check
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct RfcArgs {
    #[command(subcommand)]
    command: RfcCommand,
}

/// Commands on requests for comments.
#[derive(Debug, Subcommand)]
enum RfcCommand {
    List(list::RfcListArgs),
    Show(show::RfcShowArgs),
    New(new::RfcNewArgs),
    Check(check::RfcCheckArgs),
}

pub(in crate::cli) fn run(args: &RfcArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        RfcCommand::List(args) => list::run(args, context),
        RfcCommand::Show(args) => show::run(args, context),
        RfcCommand::New(args) => new::run(args, context),
        RfcCommand::Check(args) => check::run(args, context),
    }
}
