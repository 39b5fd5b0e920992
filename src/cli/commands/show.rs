//! `cki show`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::model::inventory::{Inventory, NamedEntry, is_selector};
use crate::ops::shared::run_policy::masking_guard;
use crate::ops::shared::services::{Users, details};
use crate::{ops, report};

/// Show a component or a backing service
///
/// Of a component and a backing service with the same name, it shows the component;
/// `service:NAME` is always the service.
///
/// Examples:
///   cki show pipeline-herder
///   cki show postgres
///   cki show cronjob/lookaside-static -o json
///   cki show kind=service uses=rabbitmq
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ShowArgs {
    /// Component: its name, `category/name`, or a unique part of the name; or the name of a backing service; or
    /// selectors as in `cki list`, and several components
    #[arg(required = true, add = ArgValueCompleter::new(complete::entry_words))]
    component: Vec<String>,
}

pub(in crate::cli) fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.shown_inventory()?;
    let [name] = args.component.as_slice() else { return show_all(&args.component, inventory, context) };
    if is_selector(name) {
        return show_all(&args.component, inventory, context);
    }
    let guard = masking_guard(&context.assets, inventory)?;
    match inventory.find_entry(name)? {
        NamedEntry::Component(component) => {
            let shown = ops::show::show(component, inventory, &context.workspace);
            report::show::print(&context.ui, &shown, &guard);
            if let Some(service) = inventory.service_of(component) {
                context.ui.hint(&format!("`cki show {service}` shows the backing service of this name."));
            }
        }
        NamedEntry::Service(service) => {
            let users = Users::find(inventory);
            let shown = details(service, inventory, &context.assets, &guard, &users)?;
            report::service::print(&context.ui, &shown);
        }
    }
    Ok(Exit::Done)
}

/// Shows several components.
fn show_all(words: &[String], inventory: &Inventory, context: &Context) -> anyhow::Result<Exit> {
    let chosen = inventory.choose(words)?;
    let guard = masking_guard(&context.assets, inventory)?;
    let shown = ops::show::show_all(&chosen, inventory, &context.workspace);
    report::show::print_all(&context.ui, &shown, &guard);
    Ok(Exit::Done)
}
