//! `cki inventory sync`: its arguments, and the calls of the operation and the report.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::ops::inventory::sync::{FetchWhen, choose};
use crate::report::inventory_sync::print;

/// Fetch the git repositories that are sources of the inventory
///
/// All commands use the copies that the last sync has made, so they need no network; the first
/// command that uses a source fetches it. If a repository is out of reach, its copy stays in use.
/// Trust in a project whose `cki.toml` names a repository ends when a sync brings another commit.
///
/// Examples:
///   cki inventory sync
///   cki inventory sync --source https://gitlab.com/cki-project/inventory.git@main
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SyncArgs {
    /// Fetch this source only, as in the setting, or its address; may be repeated
    #[arg(long, value_name = "SOURCE")]
    source: Vec<String>,
}

pub(super) fn run(args: &SyncArgs, context: &Context) -> anyhow::Result<Exit> {
    let sources = &context.settings.inventory;
    let wanted = choose(sources, &args.source)?;
    let trust = context.require_trust()?;
    let git = context.git(trust)?;
    let synced = context.fetch(wanted, FetchWhen::Always, &git)?;
    print(&context.ui, sources, &synced);
    let failed = synced.into_iter().find_map(|one| one.now.err());
    failed.map_or(Ok(Exit::Done), |error| Err(error.into()))
}
