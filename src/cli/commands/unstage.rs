//! `cki unstage`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::stage::{NamedMergeRequest, kubectl};
use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::marks::Repeated;
use crate::host::signals::Signal;
use crate::model::merge_request::MergeRequestName;
use crate::ops::unstage::{UnstageOutcome, UnstageScope, find_releases, unstage};
use crate::report;

/// Remove what a merge request has in the staging namespace
///
/// Removes exactly the objects that `cki stage --via kubernetes` has applied for the merge request, found
/// by their labels and their owner. If there are none, that is no error. Comments and pipelines of
/// other methods stay.
///
/// Examples:
///   cki unstage --mr 213
///   cki unstage --mr 213 --component pipeline-herder --dry-run
///   cki unstage --all-expired --yes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct UnstageArgs {
    /// Merge request: a number, `GROUP/PROJECT!N`, or the address of its page
    #[arg(value_name = "MR", value_parser = MergeRequestName::parse)]
    #[arg(required_unless_present_any = ["mr", "all_expired"])]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests))]
    merge_request: Option<MergeRequestName>,
    /// Merge request
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse, conflicts_with = "merge_request")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<MergeRequestName>,
    /// Every merge request whose time in staging is over
    #[arg(long, conflicts_with_all = ["merge_request", "mr", "component", "project"])]
    all_expired: bool,
    /// Component (default: from the remotes of the working directory)
    #[arg(long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::staged), add = Repeated)]
    component: Option<String>,
    /// Project on GitLab (default: that of the component, or of the working directory)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    project: Option<String>,
    /// Show the objects without removing them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Remove the objects without a confirmation
    #[arg(short, long)]
    yes: bool,
}

pub(in crate::cli) fn run(args: &UnstageArgs, context: &Context) -> anyhow::Result<Exit> {
    context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let scope = match args.mr.as_ref().or(args.merge_request.as_ref()) {
        Some(name) => {
            let (component, project) = (args.component.as_deref(), args.project.as_deref());
            let named = NamedMergeRequest::find(name, component, project, context, inventory)?;
            UnstageScope::MergeRequest { project: named.target.project, number: named.number }
        }
        None => UnstageScope::Expired((context.host.now)()),
    };
    let kubectl = kubectl(context, inventory)?;
    let is_asked = !args.dry_run && !args.yes;
    let done = context.block_on(async |stop| {
        let events = context.events();
        let releases = tokio::select! {
            found = find_releases(&kubectl, &scope, &events) => found?,
            signal = stop.requested() => return Ok(Err(signal.exit())),
        };
        if args.dry_run || releases.is_empty() {
            let (remaining, signal) = (Vec::new(), None);
            return Ok(Ok(UnstageOutcome { releases, is_dry_run: args.dry_run, remaining, signal }));
        }
        report::unstage::print_plan(&context.ui, &releases, kubectl.target());
        if is_asked {
            if !context.ui.can_ask() || context.ui.is_structured() {
                let message =
                    "a removal needs a confirmation, and there is no terminal to ask on; add `--yes`";
                return Err(UsageError(message.to_owned()).into());
            }
            context.ui.confirm(&context.host, "Remove these objects?")?;
        }
        Ok(Ok(unstage(&kubectl, releases, &SystemClock::new(), &events, &stop).await?))
    })?;
    Ok(match done {
        Ok(outcome) => {
            report::unstage::print(&context.ui, &outcome, kubectl.target());
            match outcome.signal {
                Some(signal) => Signal::exit(signal),
                None if outcome.remaining.is_empty() => Exit::Done,
                None => Exit::TimedOut,
            }
        }
        Err(exit) => {
            context.ui.status("Nothing was removed.");
            exit
        }
    })
}
