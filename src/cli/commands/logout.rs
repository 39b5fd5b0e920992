//! `cki logout`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::{complete, token};
use crate::ops::login::{LoginError, forget};
use crate::report;

/// Log out of a GitLab server
///
/// Removes the token that `cki login` keeps for the server, and nothing else, and says whether
/// another source still has one. The token itself stays valid until it expires or you revoke it.
///
/// Examples:
///   cki logout
///   cki logout gitlab.example.com
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct LogoutArgs {
    /// Host or address of the server (default: the setting `gitlab.url`)
    #[arg(value_name = "HOST", add = ArgValueCandidates::new(complete::logins))]
    host: Option<String>,
}

pub(in crate::cli) fn run(args: &LogoutArgs, context: &Context) -> anyhow::Result<Exit> {
    let server = token::server(context, args.host.as_deref())?;
    let outcome = forget(&context.host.env, server, &token::search(context)).map_err(LoginError::from)?;
    report::login::print_logout(&context.ui, &outcome);
    Ok(Exit::Done)
}
