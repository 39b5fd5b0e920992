//! `cki show`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::model::inventory::NamedEntry;
use crate::ops::shared::run_policy::guard;
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
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct ShowArgs {
    /// Component: its name, `category/name`, or a unique part of the name; or the name of a backing service
    #[arg(add = ArgValueCandidates::new(complete::entries))]
    component: String,
}

pub(in crate::cli) fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.inventory()?;
    match inventory.find_entry(&args.component)? {
        NamedEntry::Component(component) => {
            let shown = ops::show::show(component, inventory, &context.workspace);
            report::show::print(&context.ui, &shown);
            if let Some(service) = inventory.service_of(component) {
                context.ui.hint(&format!("`cki show {service}` shows the backing service of this name."));
            }
        }
        NamedEntry::Service(service) => {
            let guard = guard(&context.assets, inventory)?;
            let users = Users::find(inventory);
            let shown = details(service, inventory, &context.assets, &guard, &users)?;
            report::service::print(&context.ui, &shown);
        }
    }
    Ok(Exit::Done)
}
