//! `cki open`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::host::browser::Browser;
use crate::ops::open::address;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::list;
use crate::ops::runtime::select::select_one;
use crate::report;

/// Open a running component in the browser
///
/// Opens the address of the first published port that speaks HTTP with `$BROWSER`, or with the browser of
/// the desktop. Without a browser, and over SSH, prints the address.
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
    let listing = context.block_on(async |_| {
        let engine = context.engine().await?;
        Ok(list(&engine, &context.native(), &context.scope(false)).await?)
    })?;
    let instance = select_one(&listing, component)?;
    let url = address(instance, *port)?;
    let browser = Browser::of(&context.host.env).filter(|_| !no_browser);
    if let Some(browser) = &browser {
        let failed = |how: String| InstanceError::Browser {
            program: browser.program().to_owned(),
            url: url.clone(),
            how,
        };
        let ended = browser.show(&url).map_err(|error| failed(format!("cannot be started: {error}")))?;
        if !ended.success() {
            return Err(failed(format!("failed ({ended})")).into());
        }
    }
    report::open::print(&context.ui, instance, &url, browser.is_some());
    Ok(Exit::Done)
}
