//! `cki rfc check`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::ask::shelf;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::format::OutputFormat;
use crate::ops::rfc::{check, project};
use crate::report::findings::CheckFormat;
use crate::report::rfc::check::print;

/// Check requests for comments: numbers, sections, links, authors and merge requests
///
/// Each finding has its place, the name of a rule, and what to do. Exits with 1 if there are findings.
/// Reads the clone of their repository, and uses no network. A gap between numbers is no finding: a
/// request that was withdrawn leaves one.
///
/// Examples:
///   cki rfc check
///   cki rfc check 1 -o json
///   cki rfc check -o gitlab > gl-code-quality-report.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct RfcCheckArgs {
    /// Numbers or IDs; without any, all requests for comments
    #[arg(add = ArgValueCandidates::new(complete::rfcs))]
    number: Vec<String>,
}

pub(super) fn run(args: &RfcCheckArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.inventory()?;
    let shelf = shelf(context, inventory)?;
    let project = project(inventory, &shelf.process);
    let outcome = check(&shelf, project.as_ref().map(|project| project.path.as_str()), &args.number)?;
    let format = match context.format {
        OutputFormat::Sarif => CheckFormat::Sarif,
        OutputFormat::Gitlab => CheckFormat::Gitlab,
        _ => CheckFormat::Findings,
    };
    print(&context.ui, &outcome, format);
    Ok(if outcome.findings.is_empty() { Exit::Done } else { Exit::Failed })
}
