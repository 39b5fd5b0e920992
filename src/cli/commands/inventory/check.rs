//! `cki inventory check`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::base::exit::Exit;
use crate::base::file_snapshot::FileSnapshot;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::exit::of_check;
use crate::cli::format::OutputFormat;
use crate::model::inventory::Inventory;
use crate::model::inventory::check::{CheckFinding, check as check_all};
use crate::ops::inventory::check::check;
use crate::ops::inventory::fix::{self, InventoryFixes};
use crate::ops::shared::inventory::LoadError;
use crate::report::findings::CheckFormat;
use crate::report::inventory_check::{FixReport, print};

/// Check the inventory: unknown keys and references, cycles, missing facts
///
/// Each finding has its place, the name of a rule, and what to do. `ignore` in an entry or in the
/// head silences a rule, with a reason; `cki help inventory` lists the rules. Exits with 1 if there
/// are findings, and with 4 if the inventory cannot be read. Uses no network.
///
/// With `--fix`, edits what has one right answer: a key, a rule or a reference that is a slip of one
/// known name. Comments and layout stay, and no edit is written that brings another error.
///
/// Examples:
///   cki inventory check
///   cki inventory check pipeline-herder
///   cki inventory check kind=service -o json
///   cki inventory check --fix --dry-run
///   cki inventory check -o gitlab > gl-code-quality-report.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CheckArgs {
    /// Components, or selectors as in `cki list`; without any, the whole inventory with its head
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(complete::component_words))]
    components: Vec<String>,
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
    if args.fix && !args.dry_run {
        context.require_trust()?;
    }
    // What is edited must be what is on the disk.
    let inventory = match args.fix {
        true => context.unreported_inventory()?,
        false => context.unreported_shown_inventory()?,
    };
    let outcome = check(inventory, &args.components)?;
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
    let outcome = check(inventory, &args.components)?;
    print(&context.ui, inventory, &outcome, Some(FixReport { fixes: &fixes, is_dry: false }), format);
    Ok(of_check(&outcome))
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
