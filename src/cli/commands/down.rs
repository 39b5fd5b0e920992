//! `cki down`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::elsewhere;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::host::signals::Signal;
use crate::model::inventory::LookupError;
use crate::ops::down::{DownRequest, down};
use crate::report;

/// Stop and remove running components
///
/// Removes containers and processes that `cki` has started: those of the named components, or all
/// of this inventory. A detached run without one of its components continues, with the services
/// that the others may use; its last component ends all of it. A run in the foreground always ends
/// as a whole. A component that is not running is no error.
/// Keeps the data of retained backing services unless `--volumes` is given. With `-o json`, prints
/// what was removed: `instances` (each with `name`, `component`, `run` and `engine`), `networks`,
/// `volumes`, the volumes with `data`, and `remaining`, the `names` that continue in each `run`.
///
/// Examples:
///   cki down
///   cki down pipeline-herder message-trigger
///   cki down postgres --volumes
///   cki down --all --yes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct DownArgs {
    /// Components, backing services, or run IDs (default: everything of this inventory)
    #[arg(value_name = "COMPONENT", add = ArgValueCandidates::new(complete::running))]
    components: Vec<String>,
    /// Remove the runs of all inventories, after a confirmation
    #[arg(short = 'A', long, conflicts_with = "components")]
    all: bool,
    /// Also remove the data of backing services retained for this workspace
    #[arg(long)]
    volumes: bool,
    /// Remove the runs of all inventories without a confirmation
    #[arg(short, long, requires = "all")]
    yes: bool,
}

pub(in crate::cli) fn run(args: &DownArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.all {
        context.confirm("`--all`", "Remove the runs of all inventories on this engine?", args.yes)?;
    }
    let (outcome, others) = context.block_on(async |stop| {
        let engine = context.engine().await?;
        let scope = context.scope(args.all);
        let request = DownRequest {
            queries: &args.components,
            scope: &scope,
            volumes: args.volumes,
            grace: context.settings.stop_grace,
        };
        let place = (&context.host.env, &context.workspace);
        let outcome = down(&engine, &context.native(), place, request, &context.events(), &stop).await?;
        let others = match !outcome.absent.is_empty() || outcome.is_empty() {
            true => elsewhere(context, engine.name(), &scope).await,
            false => Vec::new(),
        };
        anyhow::Ok((outcome, others))
    })?;
    report::down::print(&context.ui, &outcome);
    if outcome.is_empty() && args.components.is_empty() {
        report::other_engines::print_all(&context.ui, &others, "down");
    }
    for absent in outcome.absent.iter().filter(|absent| absent.elsewhere.is_empty()) {
        report::other_engines::print_named(&context.ui, &others, "down", &absent.query);
        if others.iter().any(|engine| engine.has(&absent.query)) {
            continue;
        }
        check_exists(context, &absent.query)?;
    }
    Ok(outcome.signal.map_or(Exit::Done, Signal::exit))
}

/// Checks that a name that is not running exists, so that a mistyped one is not taken for an ended one. An
/// inventory that cannot be read is no reason to fail: the name may be right.
fn check_exists(context: &Context, query: &str) -> Result<(), LookupError> {
    let is_run = query.len() >= 4 && query.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_run {
        return Ok(());
    }
    match context.quiet_inventory() {
        Ok(inventory) => match inventory.find_entry(query) {
            Ok(_) | Err(LookupError::Ambiguous { .. }) => Ok(()),
            Err(error) => Err(error),
        },
        Err(_) => Ok(()),
    }
}
