//! The request of `cki stage`: its arguments, and the way of every method from its plan over the confirmation to
//! the report.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::kubernetes::ReleaseChoice;
use super::merge_request::{CombinedArgs, NamedMergeRequest, via};
use super::watch::notify;
use super::{bot, kubernetes, pipeline, secret_values};
use crate::base::exit::Exit;
use crate::cli::context::{Context, TrustProof};
use crate::cli::error::UsageError;
use crate::cli::exit;
use crate::cli::marks::Repeated;
use crate::cli::{complete, token};
use crate::model::inventory::{Component, Inventory, StageVia};
use crate::ops::shared::open_merge_requests::OpenMergeRequests;
use crate::ops::stage::{
    CombinedEntry, CombinedOptions, MethodOptions, SentRequest, StageOptions, StageTarget, StagingOptions,
    bot_welcome, check_rights, plan, run as stage,
};
use crate::report;

/// Arguments of a request.
#[derive(Debug, Args)]
pub(super) struct StartArgs {
    #[command(flatten)]
    merge_request: CombinedArgs,
    /// Method (default: that of the entry, else `bot`)
    #[arg(long, value_name = "METHOD", value_parser = via(), add = Repeated)]
    via: Option<StageVia>,
    /// Set a variable or an input of the pipelines
    #[arg(long, value_name = "KEY=VALUE", add = ArgValueCompleter::new(complete::parameters), add = Repeated)]
    set: Vec<String>,
    /// Run an earlier pipeline again
    #[arg(long, value_name = "GROUP/ID")]
    rerun: Vec<String>,
    /// Let this variable name production or hold a real credential (only `--via kubernetes`)
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// Deploy the image although it was built from this commit and not from the head (only `--via kubernetes`)
    #[arg(long, value_name = "COMMIT", value_parser = commit)]
    image_commit: Vec<String>,
    /// Show the request without sending it
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Send the request without waiting for pipelines or a rollout
    #[arg(long)]
    no_wait: bool,
    /// Send a new request even if this commit was requested before
    #[arg(long)]
    force: bool,
    /// Show the bot's own explanation on the merge request
    #[arg(long, conflicts_with_all = ["via", "set", "rerun", "allow", "image_commit", "dry_run", "no_wait", "notify", "force", "yes"])]
    help_bot: bool,
    /// Notify at the end: on the desktop, or with the bell of the terminal
    #[arg(long, conflicts_with_all = ["dry_run", "no_wait"])]
    notify: bool,
    /// Send the request without a confirmation
    #[arg(short, long)]
    yes: bool,
}

impl StartArgs {
    /// Returns the component that was named instead of a merge request.
    pub(super) fn component(&self) -> Option<&str> {
        self.merge_request.component()
    }
}

/// Parses a commit, which may be shortened.
fn commit(text: &str) -> Result<String, String> {
    let is_commit = (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_commit { Ok(text.to_owned()) } else { Err("a commit has 7 to 64 hexadecimal digits".to_owned()) }
}

pub(super) fn run(args: &StartArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    secret_values::hide(&args.set, inventory, context);
    let is_preferred = |first: &StageTarget<'_>, one: &Component| match method_of(args, first) {
        StageVia::Kubernetes => one.image.is_some(),
        _ => one.stage.as_ref().is_some_and(|stage| !stage.overrides.is_empty()),
    };
    let all = args.merge_request.resolve(context, inventory, is_preferred)?;
    let named = &all.first;
    if args.help_bot {
        return help_bot(named, context, trust);
    }
    let Some(method) = method(args, context, inventory, named)? else {
        let options = release_options(args, context)?;
        let choice = ReleaseChoice {
            allowed: &args.allow,
            image_commits: &args.image_commit,
            is_confirmed: args.yes,
            notifies: args.notify,
        };
        return kubernetes::run(&all, choice, &options, context);
    };
    let others = [("--allow", &args.allow), ("--image-commit", &args.image_commit)];
    if let Some((flag, _)) = others.into_iter().find(|(_, values)| !values.is_empty()) {
        return Err(UsageError(format!("`{flag}` belongs to `--via kubernetes`")).into());
    }
    let staging = StagingOptions {
        project: named.target.project.clone(),
        merge_request: named.number,
        combined: all.others.iter().map(combined).collect(),
        method,
    };
    let options = StageOptions {
        dry_run: args.dry_run,
        no_wait: args.no_wait,
        force: args.force,
        timeout: Some(context.settings.stage_timeout),
        interval: context.settings.stage_interval,
        ..StageOptions::default()
    };
    let outcome = context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let known = OpenMergeRequests::new(&context.host.env, gitlab.server(), &staging.project);
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
        let asks = !args.dry_run && (!planned.is_requested() || args.force);
        if asks {
            check_rights(&gitlab, &planned)?;
        }
        if asks {
            let (what, question) = match planned.request() {
                SentRequest::Comment(_) => ("a comment", "Post this comment?"),
                SentRequest::Call(_) => ("a pipeline", "Start this pipeline?"),
            };
            context.confirm(what, question, args.yes)?;
        }
        Ok(Ok(stage(&gitlab, planned, &options, &context.events(), &stop).await?))
    })?;
    Ok(match outcome {
        Ok(outcome) => {
            let again = all.subcommand(&["cki", "stage"]);
            report::stage::print(&context.ui, &outcome, &again, &again);
            if args.notify {
                notify(context, outcome.succeeded(), &outcome.merge_request.reference());
            }
            exit::of_stage(&outcome)
        }
        Err(exit) => {
            context.ui.status("Nothing was sent.");
            exit
        }
    })
}

/// Returns a merge request to stage together with the first one.
fn combined(one: &NamedMergeRequest<'_>) -> CombinedOptions {
    let entry = one.target.component.map(|component| CombinedEntry {
        component: component.name().to_owned(),
        place: component.source_map.place(""),
        overrides: component.stage.as_ref().map(|stage| stage.overrides.clone()).unwrap_or_default(),
    });
    CombinedOptions { project: one.target.project.clone(), merge_request: one.number, entry }
}

fn help_bot(named: &NamedMergeRequest<'_>, context: &Context, trust: TrustProof) -> anyhow::Result<Exit> {
    let bot = bot::name(named.target.entry(), context);
    let found = context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let events = context.events();
        let found = tokio::select! {
            found = bot_welcome(&gitlab, &named.target.project, named.number, bot, &events) => found?,
            signal = stop.requested() => return Ok(Err(signal.exit())),
        };
        Ok(Ok(found))
    })?;
    Ok(match found {
        Ok(found) => {
            report::stage_welcome::print(&context.ui, &found);
            if found.comment.is_some() { Exit::Done } else { Exit::NotFound }
        }
        Err(exit) => exit,
    })
}

/// Returns the options of a release, which knows neither variables nor pipelines.
fn release_options(args: &StartArgs, context: &Context) -> Result<StageOptions, UsageError> {
    let others =
        [("--set", args.set.is_empty()), ("--rerun", args.rerun.is_empty()), ("--force", !args.force)];
    if let Some((flag, _)) = others.into_iter().find(|(_, is_absent)| !is_absent) {
        return Err(UsageError(format!("`{flag}` does not belong to `--via kubernetes`")));
    }
    Ok(StageOptions {
        dry_run: args.dry_run,
        no_wait: args.no_wait,
        timeout: Some(context.settings.stage_timeout),
        interval: context.settings.stage_interval,
        ..StageOptions::default()
    })
}

/// Returns the method of a request.
fn method_of(args: &StartArgs, target: &StageTarget<'_>) -> StageVia {
    args.via.or(target.entry().and_then(|entry| entry.via)).unwrap_or_default()
}

/// Returns the method with its options, checked before anything is sent; `None` for a release.
fn method(
    args: &StartArgs,
    context: &Context,
    inventory: &Inventory,
    named: &NamedMergeRequest<'_>,
) -> anyhow::Result<Option<MethodOptions>> {
    let entry = named.target.entry();
    match method_of(args, &named.target) {
        StageVia::Bot => {
            let options = bot::options(&args.set, &args.rerun, context, inventory, entry)?;
            Ok(Some(MethodOptions::Bot(options)))
        }
        StageVia::Pipeline if !args.rerun.is_empty() => Err(UsageError(
            "`--rerun` asks a bot, and `--via pipeline` starts a pipeline of its own".to_owned(),
        )
        .into()),
        StageVia::Pipeline => {
            let options = pipeline::options(&args.set, context, inventory, &named.target)?;
            Ok(Some(MethodOptions::Pipeline(options)))
        }
        StageVia::Kubernetes => Ok(None),
    }
}
