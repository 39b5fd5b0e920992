//! `cki stage status`: its arguments, and the calls of the operation and the report.

use clap::Args;

use super::followed::{LOG_LINES, of_merge_request};
use super::merge_request::MergeRequestArgs;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::{exit, token};
use crate::ops::stage::progress;
use crate::report;

/// Show how far the staging of a merge request has come
///
/// Finds the newest request for its head commit on the server, also one of somebody else, and shows its pipelines,
/// stages and environments. Without a token, it shows what everybody may see. The exit code is 0 if all
/// pipelines succeeded, 1 if one did not, 3 if nothing was requested, and 124 if they have not ended.
///
/// A release on Kubernetes is found in the staging namespace: its commit and image, the state and the steps
/// of its rollout, failing pods with their logs, and when it expires.
///
/// Examples:
///   cki stage status 213
///   cki stage status --mr cki-project/cki-tools!213 -o json
///   cki stage status 213 --via kubernetes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StageStatusArgs {
    #[command(flatten)]
    merge_request: MergeRequestArgs,
}

pub(super) fn run(args: &StageStatusArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let named = args.merge_request.resolve(context, inventory)?;
    let options = of_merge_request(&named, context, inventory, LOG_LINES)?;
    context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let events = context.events();
        let found = tokio::select! {
            found = progress(&gitlab, &options, &events) => found?,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        report::staging::print_status(&context.ui, &found, &|words| named.stage_subcommand(words));
        Ok(exit::of_progress(&found))
    })
}
