//! `cki stage`: the request itself, and room for one file per subcommand.

mod bot;
mod merge_request;
mod pipeline;
mod start;

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;

/// Test a merge request in staging
///
/// Asks the project's bot in a comment, or starts a pipeline, and follows the pipelines to their
/// end. The exit code is 0 only if all pipelines succeed. A second call for the same commit resumes
/// the first request.
///
/// Examples:
///   cki stage --mr 213
///   cki stage https://gitlab.com/cki-project/cki-tools/-/merge_requests/213
///   cki stage --mr 213 --component pipeline-herder --set builder_image_tag=mr-213
///   cki stage --mr 213 --rerun cki/620247 --no-wait
///   cki stage --mr 213 --via pipeline --dry-run
///   cki stage --mr 213 --help-bot
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct StageArgs {
    #[command(flatten)]
    start: start::StartArgs,
}

pub(in crate::cli) fn run(args: &StageArgs, context: &Context) -> anyhow::Result<Exit> {
    start::run(&args.start, context)
}
