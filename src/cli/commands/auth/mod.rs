//! `cki auth`: the group of commands on access tokens, one file per subcommand.

mod status;

use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::cli::context::Context;

/// Show access tokens for GitLab servers
///
/// `cki login` keeps a token, and `cki logout` removes it.
///
/// Examples:
///   cki auth status
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct AuthArgs {
    #[command(subcommand)]
    command: AuthCommand,
}

/// Commands on access tokens.
#[derive(Debug, Subcommand)]
enum AuthCommand {
    Status(status::AuthStatusArgs),
}

pub(in crate::cli) fn run(args: &AuthArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        AuthCommand::Status(args) => status::run(args, context),
    }
}
