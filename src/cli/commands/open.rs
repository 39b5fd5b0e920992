//! `cki open`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::inside::{instances, named, run_words};
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::host::browser::Browser;
use crate::model::identity::{Retention, Role};
use crate::model::inventory::NamedEntry;
use crate::ops::open::{OpenAddress, address};
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::InstanceSummary;
use crate::ops::runtime::select::check_alive;
use crate::report;

/// Open a running component in the browser
///
/// Opens the address of the first published port that speaks HTTP with `$BROWSER`, or with the browser of
/// the desktop. Without a browser, over SSH, and for a port that does not speak HTTP, prints the address.
///
/// Examples:
///   cki open pipeline-herder
///   cki open pipeline-herder --no-browser
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct OpenArgs {
    /// Component, backing service of a component, or run ID
    #[arg(add = ArgValueCandidates::new(complete::alive))]
    component: String,
    /// Open this port of the component
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Print the address
    #[arg(long)]
    no_browser: bool,
}

pub(in crate::cli) fn run(args: &OpenArgs, context: &Context) -> anyhow::Result<Exit> {
    let OpenArgs { component, port, no_browser } = args;
    let instance = &context.block_on(async |_| {
        let listing = instances(context).await?;
        named(context, &listing, component).await.cloned()
    })?;
    check_alive(instance, component)?;
    let OpenAddress { url, is_http } =
        address(instance, *port).map_err(|error| with_start(error, instance, context))?;
    // A browser shows nothing of a port that speaks another protocol.
    let browser = Browser::of(&context.host.env).filter(|_| !no_browser && is_http);
    if let Some(browser) = &browser {
        browser.show(&url)?;
    }
    report::open::print(&context.ui, instance, &url, browser.is_some());
    Ok(Exit::Done)
}

/// Returns the error for an instance without a published port, with the run that publishes one: its entry declares
/// ports, or one has to be named.
fn with_start(error: InstanceError, instance: &InstanceSummary, context: &Context) -> InstanceError {
    let InstanceError::NotPublished { name, run, is_lost, .. } = error else { return error };
    let one = &instance.identity;
    let inventory = context.quiet_inventory().ok();
    let entry = inventory
        .as_ref()
        .and_then(|inventory| inventory.find_entry(&one.component).ok().zip(Some(inventory)));
    let (mut start, has_ports) = match entry {
        Some((NamedEntry::Component(component), inventory)) => {
            let has_ports = component.run.as_ref().is_some_and(|run| !run.ports.is_empty());
            (run_words(context, inventory, component), has_ports && one.role == Role::Component)
        }
        Some((NamedEntry::Service(service), inventory)) => (vec![inventory.service_query(service)], true),
        None => (vec![one.component.clone()], false),
    };
    if !has_ports {
        let prefix = if one.role == Role::Component { String::new() } else { format!("{}:", one.name) };
        start.extend(["--publish".to_owned(), format!("{prefix}PORT")]);
    }
    if one.lifetime == Retention::Retained {
        start.push("--detach".to_owned());
    }
    InstanceError::NotPublished { name, run, is_lost, start }
}
