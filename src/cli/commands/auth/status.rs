//! `cki auth status`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::{complete, exit, token};
use crate::ops::auth_status::{AuthRequest, ask, find};
use crate::ops::shared::token::TokenStanding;
use crate::report;

/// Show the servers, and the token for each
///
/// Says where the token comes from, whose it is, what it may do and when it expires, and asks each
/// server whether it still accepts it; with `--offline`, shows what is known without that. Never
/// shows a token. The exit code is 1 if a server rejects its token, or if there is no token at all.
///
/// Examples:
///   cki auth status
///   cki auth status gitlab.example.com
///   cki auth status --offline -o wide
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct AuthStatusArgs {
    /// Host or address of a server (default: all)
    #[arg(value_name = "HOST", add = ArgValueCandidates::new(complete::servers))]
    host: Option<String>,
}

pub(in crate::cli) fn run(args: &AuthStatusArgs, context: &Context) -> anyhow::Result<Exit> {
    let only = args.host.as_deref().map(|host| token::server(context, Some(host))).transpose()?;
    let is_trusted = context.trust_so_far()?.is_some();
    let request = AuthRequest { search: token::search(context), only, is_trusted };
    let found = find(&request)?;
    for (_, standing) in &found {
        if let TokenStanding::Usable(found) = standing {
            context.host.hide(&found.token.secret);
        }
    }
    let events = context.events();
    let rows = context.block_on(async |stop| {
        tokio::select! {
            rows = ask(found, &request, &context.http, &events) => Ok(Ok(rows)),
            signal = stop.requested() => Ok(Err(signal.exit())),
        }
    })?;
    let rows = match rows {
        Ok(rows) => rows,
        Err(exit) => return Ok(exit),
    };
    report::auth_status::print(&context.ui, &rows, (context.host.now)());
    Ok(exit::of_auth(&rows))
}
