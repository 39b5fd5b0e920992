//! `cki list`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use crate::base::exit::Exit;
use crate::base::text::safe_line;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::model::inventory::{ComponentSelector, Inventory, SelectorKey};
use crate::ops::list::{SERVICES, list, services};
use crate::ops::shared::run_policy::guard;
use crate::report;

/// List the components of the inventory, or its backing services
///
/// `cki list services` lists the backing services: what components need and `cki` runs for them.
/// Only this first word means them; `cki list service` finds components with that word.
///
/// Examples:
///   cki list
///   cki list lookaside
///   cki list services
///   cki list kind=service,cronjob owner!=infra uses=rabbitmq
///   cki list -l kind=cronjob,owner=infra
///   cki list --runnable -o name
#[derive(Debug, Args)]
#[command(visible_alias = "ls", verbatim_doc_comment)]
pub(in crate::cli) struct ListArgs {
    /// Words in the name or description, and selectors: `kind=`, `owner=`, `category=`, `infrastructure=`, `uses=`
    /// and `repo=` with one value or several with commas, or `!=`; after `services`, words about backing services
    #[arg(add = ArgValueCompleter::new(complete::list_words))]
    text: Vec<String>,
    /// List only components that this selector chooses, as the words do
    #[arg(short = 'l', long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::list_words))]
    selector: Vec<String>,
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
    let ListArgs { text, selector, kind, owner, category, infrastructure, runnable } = args;
    let inventory = context.shown_inventory()?;
    if let [SERVICES, words @ ..] = text.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        let of_components = [
            ("--selector", !selector.is_empty()),
            ("--kind", kind.is_some()),
            ("--owner", owner.is_some()),
            ("--category", category.is_some()),
            ("--infrastructure", infrastructure.is_some()),
            ("--runnable", runnable),
        ];
        if let Some((flag, _)) = of_components.iter().find(|(_, given)| *given) {
            let message = format!("`{flag}` filters components, and `{SERVICES}` lists backing services");
            return Err(UsageError(message).into());
        }
        return list_services(words, inventory, context);
    }
    let words = || text.iter().chain(&selector).map(String::as_str);
    hint_at_others(&words().collect::<Vec<_>>(), inventory, context);
    let mut selector = ComponentSelector::parse(words())?;
    let flags = [
        (SelectorKey::Kind, kind),
        (SelectorKey::Owner, owner),
        (SelectorKey::Category, category),
        (SelectorKey::Infrastructure, infrastructure),
    ];
    for (key, values) in flags {
        values.iter().for_each(|values| selector.add(key, values, false));
    }
    report::list::print(&context.ui, inventory, &list(inventory, &selector, runnable));
    for sentence in selector.unknown_values(inventory) {
        context.ui.warning(&safe_line(&format!("{sentence}.")));
    }
    Ok(Exit::Done)
}

/// Hints at the other list, if a word is the name of a backing service, or that of a flag.
fn hint_at_others(words: &[&str], inventory: &Inventory, context: &Context) {
    for word in words {
        if inventory.backing_services.iter().any(|service| service == word) {
            context.ui.hint(&format!("`cki list {SERVICES} {word}` lists the backing service of this name."));
        } else if *word == "runnable" {
            context.ui.hint("`cki list --runnable` lists the components that can be run here.");
        }
    }
}

/// Lists backing services. One whose template is invalid does not hide the others.
fn list_services(words: &[&str], inventory: &Inventory, context: &Context) -> anyhow::Result<Exit> {
    let guard = guard(&context.assets, inventory)?;
    let (found, invalid) = services(inventory, &context.assets, &guard, words);
    report::service::print_list(&context.ui, inventory, &found);
    for error in invalid {
        let error = anyhow::Error::from(error);
        context.ui.warning(&safe_line(&format!("{error:#}.")));
    }
    Ok(Exit::Done)
}
