//! `cki rfc list`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::ask::{ask_server, shelf};
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::rfc::{RfcProject, RfcShelf, ServerAnswer, list, project};
use crate::report::rfc::list::print;

/// List requests for comments, with their states and the end of the time for feedback
///
/// Reads the clone of their repository, and asks the GitLab server for open merge requests. A state is
/// `open` or `due` for an open merge request, whose time for feedback runs or is over, `merged` on the
/// default branch, `local` in the clone only, or the status that a document names.
///
/// Examples:
///   cki rfc list
///   cki rfc list --state open,due
///   cki rfc list logs --offline
#[derive(Debug, Args)]
#[command(visible_alias = "ls", verbatim_doc_comment)]
pub(super) struct RfcListArgs {
    /// Words in the ID, the title or the author
    text: Vec<String>,
    /// List only requests for comments in this state; several with commas
    #[arg(long, value_name = "STATE", add = ArgValueCandidates::new(complete::rfc_states))]
    state: Vec<String>,
}

pub(super) fn run(args: &RfcListArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.inventory()?;
    let shelf = shelf(context, inventory)?;
    let server = match answer(context, &shelf, project(inventory, &shelf.process).as_ref())? {
        Ok(server) => server,
        Err(exit) => return Ok(exit),
    };
    let now = (context.host.now)();
    let listing = list(&shelf, &server, &args.state, &args.text, now)?;
    print(&context.ui, &listing, &shelf, &server);
    Ok(Exit::Done)
}

/// Returns the answer of the server, or the reason why there is none, which is no error here.
fn answer(
    context: &Context,
    shelf: &RfcShelf,
    project: Option<&RfcProject>,
) -> anyhow::Result<Result<ServerAnswer, Exit>> {
    let silent = |why: &str| Ok(Ok(ServerAnswer::Silent(why.to_owned())));
    if context.settings.offline {
        return silent("`--offline` or the setting `offline` allows no connection");
    }
    let Some(project) = project else {
        return silent("the address of the repository names no project on a server");
    };
    let Some(trust) = context.trust_so_far()? else {
        return silent("the project's files are not trusted yet; `cki trust` shows them");
    };
    let asked = ask_server(context, shelf, project, trust)?;
    Ok(asked.map(|asked| {
        asked.unwrap_or_else(|error| {
            let error = anyhow::Error::from(error);
            ServerAnswer::Silent(format!("{error:#}"))
        })
    }))
}
