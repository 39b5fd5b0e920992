//! `cki stage cancel`: its arguments, and the calls of the operation and the report.

use clap::Args;

use super::followed::of_target;
use super::merge_request::MergeRequestArgs;
use crate::base::exit::Exit;
use crate::base::text::plural;
use crate::cli::context::Context;
use crate::cli::token;
use crate::ops::stage::{ProgressOptions, cancel, plan_cancel};
use crate::report;

/// Cancel the pipelines of your own staging request
///
/// A release on Kubernetes has no pipelines: `cki unstage` removes it.
///
/// Examples:
///   cki stage cancel 213 --dry-run
///   cki stage cancel 213 --yes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StageCancelArgs {
    #[command(flatten)]
    merge_request: MergeRequestArgs,
    /// Show the pipelines without canceling them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Cancel without a confirmation
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(args: &StageCancelArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let named = args.merge_request.resolve(context, inventory)?;
    // A release is not canceled, so its cluster does not matter.
    let options =
        ProgressOptions { via: named.via(), ..of_target(&named.target, named.number, context, inventory, 0) };
    context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let mut plan = tokio::select! {
            plan = plan_cancel(&gitlab, &options) => plan?,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        report::staging::print_cancel_plan(&context.ui, &plan);
        let cancels = !args.dry_run && !plan.pipelines.is_empty();
        if cancels {
            let question = format!("Cancel {}?", plural(plan.pipelines.len(), "pipeline"));
            context.confirm("a cancellation", &question, args.yes)?;
        }
        if cancels {
            let signal = tokio::select! {
                canceled = cancel(&gitlab, &mut plan) => canceled.map(|()| None)?,
                signal = stop.requested() => Some(signal),
            };
            if let Some(signal) = signal {
                let (done, all) = (plan.ending(), plural(plan.pipelines.len(), "pipeline"));
                context.ui.status(&format!(
                    "Stopped: {done} of {all} canceled. The same command cancels the rest."
                ));
                return Ok(signal.exit());
            }
        }
        report::staging::print_canceled(&context.ui, &plan, cancels);
        let is_done = !cancels || plan.ending() == plan.pipelines.len();
        Ok(if is_done { Exit::Done } else { Exit::Failed })
    })
}
