//! `cki inventory check`: its arguments, and the calls of the operation and the report.

use std::sync::Arc;

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::base::file_snapshot::FileSnapshot;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::exit::of_check;
use crate::cli::format::OutputFormat;
use crate::model::inventory::Inventory;
use crate::model::inventory::check::{CheckFinding, FurtherFacts, check as check_all};
use crate::ops::clone::source::SourceError;
use crate::ops::inventory::check::{
    CheckOutcome, UnreadableInventory, check_with, repository_of_sources, unreadable,
};
use crate::ops::inventory::drift::{DriftRequest, read_clones};
use crate::ops::inventory::fix::{self, InventoryFixes};
use crate::ops::inventory::links::{LinkMeans, check_links};
use crate::ops::shared::inventory::LoadError;
use crate::ops::shared::run_policy::guard;
use crate::report::findings::CheckFormat;
use crate::report::inventory_check::{FixReport, print, print_unreadable};

/// Check the inventory: unknown keys and references, cycles, missing facts
///
/// Each finding has its place, the name of a rule, and what to do. `ignore` in an entry or in the
/// head silences a rule, with a reason; `cki help inventory` lists the rules. Exits with 1 if there
/// are findings, and with 4 if the inventory cannot be read; the faults of its files are the findings
/// then. Uses no network without `--links`.
///
/// With `--links`, also looks at the targets of links: files in local clones, else web pages, which it
/// requests without a login and does not read; those that are there, once a day. A page that needs a
/// login is no finding. With `--offline`, looks at clones only.
///
/// With `--drift`, also compares entries with the clones of their repositories: build files, Python
/// modules, ports, and variables of sources and deployments, in both directions.
///
/// With `--fix`, edits what has one right answer: a key, a rule or a reference that is a slip of one
/// known name. Comments and layout stay, and no edit is written that brings another error.
///
/// Examples:
///   cki inventory check
///   cki inventory check pipeline-herder
///   cki inventory check kind=service -o json
///   cki inventory check --links
///   cki inventory check --drift repo=cki-tools
///   cki inventory check --fix --dry-run
///   cki inventory check -o gitlab > gl-code-quality-report.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CheckArgs {
    /// Components, or selectors as in `cki list`; without any, the whole inventory with its head
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(complete::component_words))]
    components: Vec<String>,
    /// Check links, too: files in clones, and web pages (needs the network unless `--offline`)
    #[arg(long, conflicts_with = "fix")]
    links: bool,
    /// Compare with local clones: build files, Python modules, ports and variables (default: no)
    #[arg(long)]
    drift: bool,
    /// Mend the findings that have one right answer, in the files of this machine
    #[arg(long)]
    fix: bool,
    /// Show what `--fix` would change as a diff, and write nothing
    #[arg(short = 'n', long, requires = "fix")]
    dry_run: bool,
}

pub(super) fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<Exit> {
    let format = match context.format {
        OutputFormat::Sarif => CheckFormat::Sarif,
        OutputFormat::Gitlab => CheckFormat::Gitlab,
        _ => CheckFormat::Findings,
    };
    if args.dry_run && format != CheckFormat::Findings {
        let message = format!("`-o {}` has no place for the diff of `--dry-run`", context.format.name());
        return Err(UsageError(message).into());
    }
    let asks_servers = args.links && !context.settings.offline;
    if asks_servers || (args.fix && !args.dry_run) {
        context.require_trust()?;
    }
    // What is edited must be what is on the disk, and what is sent must be what the user trusts.
    let inventory = match args.fix || asks_servers {
        true => context.unreported_inventory(),
        false => context.unreported_shown_inventory(),
    };
    let inventory = inventory.map_err(|error| report_unreadable(error, context, format))?;
    let outcome = check_args(inventory, args, context)?;
    if !args.fix {
        print(&context.ui, inventory, &outcome, None, format);
        return Ok(of_check(&outcome));
    }
    let mut fixes = fixes(inventory, &outcome.checked.findings, context)?;
    if args.dry_run {
        print(&context.ui, inventory, &outcome, Some(FixReport { fixes: &fixes, is_dry: true }), format);
        return Ok(of_check(&outcome));
    }
    fix::write(&mut fixes);
    context.trust_written(fixes.files.iter().map(|file| (file.path.as_path(), file.after.as_str())))?;
    let inventory = context.inventory_now()?;
    let outcome = check_args(inventory, args, context)?;
    print(&context.ui, inventory, &outcome, Some(FixReport { fixes: &fixes, is_dry: false }), format);
    Ok(of_check(&outcome))
}

/// Prints the faults of files because of which the inventory cannot be read, and returns the error that says so.
fn report_unreadable(error: anyhow::Error, context: &Context, format: CheckFormat) -> anyhow::Error {
    let findings = error.downcast_ref::<LoadError>().map(unreadable).unwrap_or_default();
    if findings.is_empty() {
        return error;
    }
    let sources = &context.settings.inventory;
    let origin = sources.list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    let repository = repository_of_sources(sources);
    print_unreadable(&context.ui, &origin, &findings, repository.as_deref(), format);
    UnreadableInventory { findings: findings.len() }.into()
}

/// Looks at the targets of links and at clones, as far as the user asks for it, then checks the inventory.
fn check_args(inventory: &Inventory, args: &CheckArgs, context: &Context) -> anyhow::Result<CheckOutcome> {
    let words = args.components.as_slice();
    let cache = context.host.env.cache_directory();
    let means = LinkMeans {
        workspace: &context.workspace,
        http: context.http.clone(),
        clock: Arc::new(SystemClock::new()),
        cache: cache.as_deref(),
        events: context.events(),
    };
    let look_at_links = || {
        context.block_on(async |stop| {
            tokio::select! {
                links = check_links(inventory, words, &means) => Ok(links?),
                signal = stop.requested() => Err(SourceError::Stopped(signal).into()),
            }
        })
    };
    let links = args.links.then(look_at_links).transpose()?;
    let (workspace, assets, env) = (&context.workspace, &context.assets, &context.host.env);
    let request = DriftRequest { inventory, words, workspace, assets, env };
    let drift = args.drift.then(|| read_clones(&request, &context.events())).transpose()?;
    let guard = guard(&context.assets, inventory)?;
    let further = FurtherFacts {
        credentials: Some(&guard.credentials),
        links: links.as_ref().map(|found| found.faults.as_slice()),
        drift: drift.as_ref().map(|(facts, _)| facts),
    };
    let mut outcome = check_with(inventory, words, further)?;
    outcome.links = links.map(|found| found.report);
    outcome.drift = drift.map(|(_, coverage)| coverage);
    Ok(outcome)
}

/// Plans the fixes. A layer that is left out may have the names that others refer to, so all have to be there.
fn fixes(
    inventory: &Inventory,
    findings: &[CheckFinding],
    context: &Context,
) -> anyhow::Result<InventoryFixes> {
    if let Some((layer, reason)) = inventory.left_out().next() {
        let (label, reason) = (layer.label.clone(), reason.to_owned());
        return Err(LoadError::LeftOut { label, reason }.into());
    }
    let read = |files: FileSnapshot| context.inventory_reading(&files).ok();
    Ok(fix::plan(inventory, &check_all(inventory), findings, &read))
}
