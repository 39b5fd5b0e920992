//! `cki inventory check`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::of_check;
use crate::cli::format::OutputFormat;
use crate::ops::inventory::check::check;
use crate::report::findings::CheckFormat;
use crate::report::inventory_check::print;

/// Check the inventory: unknown keys and references, cycles, missing facts
///
/// Each finding has its place, the name of a rule, and what to do. `ignore` in an entry or in the
/// head silences a rule, with a reason; `cki help inventory` lists the rules. Exits with 1 if there
/// are findings, and with 4 if the inventory cannot be read. Uses no network.
///
/// Examples:
///   cki inventory check
///   cki inventory check pipeline-herder
///   cki inventory check kind=service -o json
///   cki inventory check -o gitlab > gl-code-quality-report.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CheckArgs {
    /// Components, or selectors as in `cki list`; without any, the whole inventory with its head
    #[arg(value_name = "COMPONENT", add = ArgValueCompleter::new(complete::component_words))]
    components: Vec<String>,
}

pub(super) fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.unreported_shown_inventory()?;
    let outcome = check(inventory, &args.components)?;
    let format = match context.format {
        OutputFormat::Sarif => CheckFormat::Sarif,
        OutputFormat::Gitlab => CheckFormat::Gitlab,
        _ => CheckFormat::Findings,
    };
    print(&context.ui, inventory, &outcome, format);
    Ok(of_check(&outcome))
}
