//! `cki login`: its arguments, and the calls of the operation and the report.

use std::sync::Arc;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::{complete, token};
use crate::model::server::ServerAddress;
use crate::ops::login::{LoginError, check, keep, parse_token};
use crate::report;
use crate::systems::gitlab::{ClientOptions, GitLab};

/// Maximum bytes of standard input.
const LIMIT: u64 = 64 << 10;

/// Log in to a GitLab server
///
/// Asks for an access token without showing it, checks it against the server, and keeps it: in the
/// desktop keyring, or else in a file that only you can read. `cki help settings` lists the
/// other sources of tokens, in the order in which they are used.
///
/// Examples:
///   cki login
///   cki login gitlab.example.com
///   cki login https://example.com/gitlab
///   pass show gitlab | cki login --stdin
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct LoginArgs {
    /// Host or address of the server (default: the setting `gitlab.url`)
    #[arg(value_name = "HOST", add = ArgValueCandidates::new(complete::servers))]
    host: Option<String>,
    /// Read the token from standard input
    #[arg(long)]
    stdin: bool,
}

pub(in crate::cli) fn run(args: &LoginArgs, context: &Context) -> anyhow::Result<Exit> {
    let server = token::server(context, args.host.as_deref())?;
    let url = || server.url().to_owned();
    if !server.is_private() {
        return Err(LoginError::Unencrypted(url()).into());
    }
    if context.settings.offline {
        return Err(LoginError::Offline(url()).into());
    }
    let given = parse_token(&read(args, context, &server)?)?;
    context.host.hide(&given.secret);
    let checked = context.block_on(async |stop| {
        let events = context.events();
        let means = ClientOptions::new(context.http.clone(), Arc::new(SystemClock::new()), events.clone());
        let gitlab = GitLab::new(server.url(), Some(given.clone()), means)?;
        let task = events.start("gitlab", format!("asking {server} about the token"));
        let checked = tokio::select! {
            checked = check(&gitlab) => Ok(checked.map_err(LoginError::from)),
            signal = stop.requested() => Err(signal.exit()),
        };
        task.dismiss();
        checked.map_or_else(|exit| Ok(Err(exit)), |checked| Ok(Ok(checked?)))
    })?;
    let checked = match checked {
        Ok(checked) => checked,
        Err(exit) => {
            context.ui.status("Cancelled: nothing was kept.");
            return Ok(exit);
        }
    };
    let search = token::search(context);
    let outcome = keep(&context.host.env, server, &given, checked, &search).map_err(LoginError::from)?;
    report::login::print(&context.ui, &outcome, (context.host.now)());
    Ok(Exit::Done)
}

/// Reads the token from standard input, or from the user.
fn read(args: &LoginArgs, context: &Context, server: &ServerAddress) -> anyhow::Result<String> {
    if args.stdin && !context.host.terminal.stdin {
        return Ok(context.host.read_input(LIMIT)?);
    }
    if !context.ui.can_ask() {
        let why = "there is no terminal to ask for the token; pipe it in with `--stdin`";
        return Err(UsageError(why.to_owned()).into());
    }
    report::login::ask(&context.ui, server);
    let typed = context.ui.ask_hidden(&context.host, "Token (hidden):")?;
    Ok(typed.expose().to_owned())
}
