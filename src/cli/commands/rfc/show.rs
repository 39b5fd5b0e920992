//! `cki rfc show`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::ask::shelf;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::rfc::RfcError;
use crate::report::rfc::show::{page, print_view};

/// Show a request for comments
///
/// Reads the clone of their repository, and uses no network.
///
/// Examples:
///   cki rfc show 1
///   cki rfc show CKI-001 -o json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct RfcShowArgs {
    /// Number or ID
    #[arg(add = ArgValueCandidates::new(complete::rfcs))]
    number: String,
}

pub(super) fn run(args: &RfcShowArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.inventory()?;
    let shelf = shelf(context, inventory)?;
    let found = shelf.find(&args.number)?;
    let [rfc, others @ ..] = found.as_slice() else { return Ok(Exit::NotFound) };
    let document = rfc.content.as_ref().map_err(|why| RfcError::Unread {
        id: rfc.number.map(|number| shelf.process.id(number)).unwrap_or_default(),
        file: rfc.file.display().to_string(),
        why: why.clone(),
    })?;
    if context.ui.is_structured() {
        print_view(&context.ui, &shelf, rfc, document);
    } else {
        let text = page(&context.ui, &shelf, rfc, document, context.ui.columns());
        context.ui.pages(text.lines());
    }
    for other in others {
        context
            .ui
            .warning(&format!("`{}` has the same number; `cki rfc check` says what to do.", other.path));
    }
    Ok(Exit::Done)
}
