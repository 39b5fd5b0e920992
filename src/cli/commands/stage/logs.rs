//! `cki stage logs`: its arguments, and the calls of the operation and the report.

use clap::Args;

use super::followed::of_merge_request;
use super::merge_request::MergeRequestArgs;
use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::token;
use crate::ops::stage::{LogChoice, logs};
use crate::report;

/// Show the ends of the logs of a staging's jobs, or of a release's pods
///
/// Shows failed jobs and failing containers, or those with a name. Finished sections of a log take one line.
/// The log of a container that was restarted is that of its run before.
///
/// Examples:
///   cki stage logs 213
///   cki stage logs 213 --job "build x86_64" --tail 200
///   cki stage logs 213 --all
///   cki stage logs 213 --via kubernetes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StageLogsArgs {
    #[command(flatten)]
    merge_request: MergeRequestArgs,
    /// Job by its name or number, or all jobs of the pipeline with this number; container or pod by its name
    #[arg(long, value_name = "JOB", conflicts_with = "all")]
    job: Option<String>,
    /// Show all jobs that have begun and all containers (default: failed ones)
    #[arg(long)]
    all: bool,
    /// Number of lines of each log
    #[arg(long, value_name = "LINES", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    tail: u16,
}

pub(super) fn run(args: &StageLogsArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let named = args.merge_request.resolve(context, inventory)?;
    let options = of_merge_request(&named, context, inventory, 0)?;
    let choice = match &args.job {
        Some(name) => LogChoice::Named(name.clone()),
        None if args.all => LogChoice::All,
        None => LogChoice::Failed,
    };
    context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let found = tokio::select! {
            found = logs(&gitlab, &options, &choice, args.tail.into()) => found?,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        report::staging::print_logs(&context.ui, &found);
        Ok(Exit::Done)
    })
}
