//! `cki stage`: the request itself, and room for one file per subcommand.

mod bot;
mod cancel;
mod cluster;
mod followed;
mod kubernetes;
mod list;
mod logs;
mod merge_request;
mod pipeline;
mod report;
mod secret_values;
mod start;
mod status;
mod watch;

use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
pub(in crate::cli) use cluster::{kubectl, production, production_kubectl};
pub(in crate::cli) use merge_request::NamedMergeRequest;

/// Test a merge request in staging
///
/// Asks the project's bot in a comment, or starts a pipeline, and follows the pipelines to their
/// end. The exit code is 0 only if all pipelines succeed. A second call for the same commit resumes
/// the first request.
///
/// With `--via kubernetes`, deploys the merge request's image to the staging namespace of the
/// configuration, from the component's deployment files, and follows the rollout. `cki unstage`
/// removes it. `cki` shows the objects and lets the cluster check them before it applies them.
///
/// Further merge requests, of other components, are staged together with the first one: as the values
/// that `stage.override` of their entries names, or on Kubernetes as releases of their own.
///
/// Examples:
///   cki stage --mr 213
///   cki stage https://gitlab.com/cki-project/cki-tools/-/merge_requests/213
///   cki stage --mr 213 --component pipeline-herder --set builder_image_tag=mr-213
///   cki stage pipeline-herder --mr 213 --mr cki-lib!45
///   cki stage --mr 213 --rerun cki/620247 --no-wait
///   cki stage --mr 213 --via kubernetes --dry-run
///   cki stage --mr 213 --via pipeline --dry-run
///   cki stage --mr 213 --help-bot
///   cki stage status --mr 213
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct StageArgs {
    #[command(flatten)]
    start: start::StartArgs,
    #[command(subcommand)]
    command: Option<StageCommand>,
}

/// Commands on a staging that was requested before.
#[derive(Debug, Subcommand)]
enum StageCommand {
    Status(status::StageStatusArgs),
    Watch(watch::StageWatchArgs),
    Logs(logs::StageLogsArgs),
    Report(report::StageReportArgs),
    List(list::StageListArgs),
    Cancel(cancel::StageCancelArgs),
}

pub(in crate::cli) fn run(args: &StageArgs, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        None => match args.start.component().filter(|word| StageCommand::has_subcommand(word)) {
            Some(word) => {
                Err(UsageError(format!("`{word}` comes right after `stage`: `cki stage {word}`")).into())
            }
            None => start::run(&args.start, context),
        },
        Some(StageCommand::Status(args)) => status::run(args, context),
        Some(StageCommand::Watch(args)) => watch::run(args, context),
        Some(StageCommand::Logs(args)) => logs::run(args, context),
        Some(StageCommand::Report(args)) => report::run(args, context),
        Some(StageCommand::List(args)) => list::run(args, context),
        Some(StageCommand::Cancel(args)) => cancel::run(args, context),
    }
}
