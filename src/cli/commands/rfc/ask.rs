//! Common parts of the commands on requests for comments: the documents of the clone, and the answer of the server.

use crate::base::exit::Exit;
use crate::cli::context::{Context, TrustProof};
use crate::cli::token;
use crate::model::inventory::Inventory;
use crate::ops::rfc::{RfcProject, RfcShelf, ServerAnswer, ask};
use crate::ops::shared::project::server_for;
use crate::systems::gitlab::GitLabError;

/// Reads the documents of the clone.
pub(super) fn shelf(context: &Context, inventory: &Inventory) -> anyhow::Result<RfcShelf> {
    Ok(RfcShelf::open(inventory, &context.workspace)?)
}

/// Result of asking the server: its answer, or the signal that came first.
pub(super) type AskedServer = Result<Result<ServerAnswer, GitLabError>, Exit>;

/// Asks the server for merge requests.
pub(super) fn ask_server(
    context: &Context,
    shelf: &RfcShelf,
    project: &RfcProject,
    trust: TrustProof,
) -> anyhow::Result<AskedServer> {
    context.block_on(async |stop| {
        let server = server_for(project.server.as_deref(), &context.settings.gitlab_url);
        let gitlab = token::client(context, server, trust)?;
        let events = context.events();
        Ok(tokio::select! {
            asked = ask(&gitlab, &project.path, &shelf.process, &events) => {
                Ok(asked.map(ServerAnswer::Asked))
            }
            signal = stop.requested() => Err(signal.exit()),
        })
    })
}
