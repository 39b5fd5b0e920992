//! `cki stage`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use crate::base::exit::Exit;
use crate::base::text::command_line;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::exit;
use crate::cli::marks::Repeated;
use crate::cli::{complete, token};
use crate::model::inventory::{Inventory, StageDecl};
use crate::model::merge_request::MergeRequestName;
use crate::model::staging::{Rerun, StageParameter, StagingParameter, StagingRequest};
use crate::ops::shared::open_merge_requests::OpenMergeRequests;
use crate::ops::stage::{
    StageOptions, StageTarget, StagingOptions, check_rights, plan, run as stage, target,
};
use crate::report;

/// Template of the comment.
const TEMPLATE: &str = "comments/stage.md";

/// Test a merge request in staging
///
/// Asks the project's bot in a comment, and follows the pipelines to their end. The exit code is
/// 0 only if all pipelines succeed. A second call for the same commit resumes the first request.
///
/// Examples:
///   cki stage --mr 213
///   cki stage https://gitlab.com/cki-project/cki-tools/-/merge_requests/213
///   cki stage --mr 213 --component pipeline-herder --set builder_image_tag=mr-213
///   cki stage --mr 213 --rerun cki/620247 --no-wait
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct StageArgs {
    /// Merge request to test: a number, `GROUP/PROJECT!N`, or the address of its page
    #[arg(value_name = "MR", value_parser = MergeRequestName::parse, required_unless_present = "mr")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests))]
    merge_request: Option<MergeRequestName>,
    /// Merge request to test
    #[arg(long, value_name = "MR", value_parser = MergeRequestName::parse, conflicts_with = "merge_request")]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<MergeRequestName>,
    /// Component (default: from the remotes of the working directory)
    #[arg(long, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::staged), add = Repeated)]
    component: Option<String>,
    /// Project on GitLab (default: that of the component, or of the working directory)
    #[arg(long, value_name = "GROUP/PROJECT", add = Repeated)]
    project: Option<String>,
    /// Set a variable of the pipelines
    #[arg(long, value_name = "KEY=VALUE", add = ArgValueCompleter::new(complete::parameters), add = Repeated)]
    set: Vec<String>,
    /// Run an earlier pipeline again
    #[arg(long, value_name = "GROUP/ID")]
    rerun: Vec<String>,
    /// Show the comment without posting it
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Post the comment without waiting for pipelines
    #[arg(long)]
    no_wait: bool,
    /// Post a new request even if this commit was requested before
    #[arg(long)]
    force: bool,
    /// Post the comment without a confirmation
    #[arg(short, long)]
    yes: bool,
}

pub(in crate::cli) fn run(args: &StageArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let component = args.component.as_deref().map(|name| inventory.find(name)).transpose()?;
    let name = args.mr.as_ref().or(args.merge_request.as_ref());
    let (number, project) = merge_request(args, name, context)?;
    let target = target(inventory, component, project.as_deref(), &context.host.cwd)?;
    let entry = target.component.and_then(|component| component.stage.as_deref());
    let staging = staging(args, number, context, inventory, &target, entry)?;
    let options = StageOptions {
        dry_run: args.dry_run,
        no_wait: args.no_wait,
        force: args.force,
        timeout: Some(context.settings.stage_timeout),
        interval: context.settings.stage_interval,
        pipelines_project: entry.and_then(|entry| entry.pipelines.clone()),
        ..StageOptions::default()
    };
    let outcome = context.block_on(async |stop| {
        let gitlab = token::client(context, target.server_for(&context.settings.gitlab_url), trust)?;
        let known = OpenMergeRequests::new(&context.host.env, gitlab.server(), &target.project);
        // Completion offers them later.
        let learn = async {
            if let Some(known) = known {
                known.refresh(&gitlab, (context.host.now)()).await;
            }
        };
        let events = context.events();
        let planned = tokio::select! {
            (planned, ()) = async { tokio::join!(plan(&gitlab, &staging, &events), learn) } => planned?,
            signal = stop.requested() => return Ok(Err(signal.exit())),
        };
        let ends = planned.token.as_ref().and_then(|token| token.expires_at.as_deref());
        token::warn_of_end(context, gitlab.server(), ends);
        report::stage::print_plan(&context.ui, &planned);
        let asks = !args.dry_run && (planned.earlier.is_none() || args.force);
        if asks {
            check_rights(&gitlab, &planned)?;
        }
        if asks && !args.yes && context.ui.can_ask() && !context.ui.is_structured() {
            context.ui.confirm(&context.host, "Post this comment?")?;
        }
        Ok(Ok(stage(&gitlab, planned, &options, &context.events(), &stop).await?))
    })?;
    Ok(match outcome {
        Ok(outcome) => {
            report::stage::print(&context.ui, &outcome, &again(name, number, &target.project));
            exit::of_stage(&outcome)
        }
        Err(exit) => {
            context.ui.status("Nothing was posted.");
            exit
        }
    })
}

/// Returns the number of the merge request, and the project from its name or from `--project`.
fn merge_request(
    args: &StageArgs,
    name: Option<&MergeRequestName>,
    context: &Context,
) -> Result<(u64, Option<String>), UsageError> {
    let Some(name) = name else { return Err(UsageError("name a merge request".to_owned())) };
    let url = &context.settings.gitlab_url.0;
    let Some(project) = name.on(url) else {
        let server = name.server.as_deref().unwrap_or_default();
        return Err(UsageError(format!(
            "the merge request is on {server}, and the setting `gitlab.url` names {url}"
        )));
    };
    match (project, &args.project) {
        (Some(named), Some(project)) if named != *project => {
            Err(UsageError(format!("the merge request is in `{named}`, and `--project` names `{project}`")))
        }
        (named, project) => Ok((name.number, named.or_else(|| project.clone()))),
    }
}

/// Returns the command that follows the same request, with the project if the user named the merge request with it.
fn again(name: Option<&MergeRequestName>, number: u64, project: &str) -> String {
    let name = match name {
        Some(MergeRequestName { project: Some(_), .. }) => format!("{project}!{number}"),
        _ => number.to_string(),
    };
    command_line(&["cki", "stage", "--mr", &name].map(str::to_owned))
}

/// Returns the request, checked before anything is sent.
fn staging(
    args: &StageArgs,
    merge_request: u64,
    context: &Context,
    inventory: &Inventory,
    target: &StageTarget<'_>,
    entry: Option<&StageDecl>,
) -> anyhow::Result<StagingOptions> {
    let declared = entry.map(|entry| entry.parameters.as_slice()).unwrap_or_default();
    let declared = declared.iter().map(StageParameter::from_inventory).collect::<Result<Vec<_>, _>>()?;
    let parameters =
        args.set.iter().map(|text| StagingParameter::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let reruns = args.rerun.iter().map(|text| Rerun::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let bot = entry.and_then(|entry| entry.bot.as_deref()).unwrap_or(&context.settings.stage_bot);
    let template = context.assets.text(TEMPLATE)?.ok_or_else(|| {
        UsageError(format!("there is no template `{TEMPLATE}`, which inventory {} needs", inventory.label()))
    })?;
    Ok(StagingOptions {
        project: target.project.clone(),
        merge_request,
        request: StagingRequest::new(bot, parameters, reruns, &declared)?,
        template: template.text.into_owned(),
    })
}
