//! `cki list`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use crate::base::exit::Exit;
use crate::base::text::safe_line;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::format::OutputFormat;
use crate::ops::list::{Filter, has_unknown_key, list, unknown};
use crate::report;
use crate::report::list::ListFormat;

/// List the components of the inventory
///
/// Examples:
///   cki list
///   cki list lookaside
///   cki list --kind cronjob --owner infra
///   cki list --runnable -o name
#[derive(Debug, Args)]
#[command(visible_alias = "ls", verbatim_doc_comment)]
pub(in crate::cli) struct ListArgs {
    /// Words in the name or description; also `kind=`, `owner=`, `infrastructure=` and `category=`
    #[arg(add = ArgValueCompleter::new(complete::list_words))]
    text: Vec<String>,
    /// List only components of this kind
    #[arg(long, value_name = "KIND", add = ArgValueCandidates::new(complete::kinds))]
    kind: Option<String>,
    /// List only components of this person or team
    #[arg(long, value_name = "WHO", add = ArgValueCandidates::new(complete::owners))]
    owner: Option<String>,
    /// List only components of this category
    #[arg(long, value_name = "CATEGORY", add = ArgValueCandidates::new(complete::categories))]
    category: Option<String>,
    /// List only components on this infrastructure
    #[arg(long, value_name = "WHERE", add = ArgValueCandidates::new(complete::infrastructures))]
    infrastructure: Option<String>,
    /// List only components that `cki run-local` can run
    #[arg(long)]
    runnable: bool,
}

pub(in crate::cli) fn run(args: ListArgs, context: &Context) -> anyhow::Result<Exit> {
    let ListArgs { text, kind, owner, category, infrastructure, runnable } = args;
    let inventory = context.inventory()?;
    if let Some(word) = text.iter().find(|word| has_unknown_key(word)) {
        let message = format!("`{}` filters by nothing that `cki` knows", safe_line(word));
        let known = "it knows `kind=`, `owner=`, `people=`, `infrastructure=` and `category=`";
        return Err(UsageError(format!("{message}; {known}")).into());
    }
    let filter = Filter { words: text, kind, owner, category, infrastructure, runnable };
    let found = list(inventory, &filter);
    let format = match context.format {
        OutputFormat::Name => ListFormat::Names,
        OutputFormat::Wide => ListFormat::Wide,
        _ => ListFormat::Groups,
    };
    report::list::print(&context.ui, inventory, &found, format);
    for sentence in unknown(inventory, &filter) {
        context.ui.warning(&safe_line(&format!("{sentence}.")));
    }
    Ok(Exit::Done)
}
