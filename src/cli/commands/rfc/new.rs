//! `cki rfc new`: its arguments, and the calls of the operations and the report.

use clap::Args;

use super::ask::{ask_server, shelf};
use crate::base::exit::Exit;
use crate::base::text::{join_some, safe_line};
use crate::cli::context::Context;
use crate::model::inventory::Inventory;
use crate::model::rfc::RfcProcess;
use crate::ops::rfc::{RfcError, RfcProject, RfcShelf, ServerAnswer, create, plan, project};
use crate::ops::shared::project::server_for;
use crate::report::rfc::new::print;

/// Start a request for comments on a branch of its own
///
/// Takes the next number that is free in the clone, on the server and in open merge requests, and
/// creates a branch with one commit, which adds the document of the template `rfc/rfc.md`. The working
/// tree, the index and the checked-out branch stay as they are. With `--offline`, the number is
/// checked against the clone only.
///
/// Examples:
///   cki rfc new "Keep logs for a year"
///   cki rfc new "Keep logs for a year" --dry-run
///   cki rfc new "Keep logs for a year" --offline
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct RfcNewArgs {
    /// Title, without an ID
    title: String,
    /// Print the document and the branch, and create nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(args: &RfcNewArgs, context: &Context) -> anyhow::Result<Exit> {
    let RfcNewArgs { title, dry_run } = args;
    let inventory = context.inventory()?;
    let shelf = shelf(context, inventory)?;
    let project = project(inventory, &shelf.process);
    // A wrong title is no reason to ask anybody.
    RfcProcess::title(shelf.process.split_title(title).1).map_err(RfcError::from)?;
    let server = match answer(context, inventory, &shelf, project.as_ref())? {
        Ok(server) => server,
        Err(exit) => return Ok(exit),
    };
    let open = server.as_ref().and_then(ServerAnswer::claims);
    let address = project.as_ref().map(|one| server_for(one.server.as_deref(), &context.settings.gitlab_url));
    let address = address.map(|address| address.trim_end_matches('/'));
    let new = plan(title, &shelf, open, (project.as_ref(), address), &context.assets, &context.host.env)?;
    if open.is_none() {
        context.ui.warning("The number is checked against the clone only: a merge request may have it, too.");
    }
    let missing = open.into_iter().flat_map(|open| &open.merged).filter(|one| !shelf.on_base.contains(one));
    let missing: Vec<String> = missing.map(|number| shelf.process.id(*number)).collect();
    if !missing.is_empty() {
        context.ui.hint(&safe_line(&format!(
            "the clone lacks {}; `cki clone --repo {}` updates it.",
            join_some(missing.into_iter()),
            shelf.process.repo
        )));
    }
    let commit = match dry_run {
        true => None,
        false => Some(create(&new, &shelf, (context.host.now)())?),
    };
    print(&context.ui, &new, commit);
    Ok(Exit::Done)
}

/// Returns the answer of the server; none if the user works offline.
fn answer(
    context: &Context,
    inventory: &Inventory,
    shelf: &RfcShelf,
    project: Option<&RfcProject>,
) -> anyhow::Result<Result<Option<ServerAnswer>, Exit>> {
    let trust = context.require_trust()?;
    if context.settings.offline {
        return Ok(Ok(None));
    }
    let Some(project) = project else {
        let repo = shelf.process.repo.clone();
        let repo = inventory.repo_url(&repo).map(crate::systems::git::without_login).unwrap_or(repo);
        return Err(RfcError::NoProject { repo }.into());
    };
    match ask_server(context, shelf, project, trust)? {
        Ok(Ok(answer)) => Ok(Ok(Some(answer))),
        Ok(Err(error)) => Err(RfcError::Unchecked(error).into()),
        Err(exit) => Ok(Err(exit)),
    }
}
