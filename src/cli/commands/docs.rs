//! `cki docs`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::ArgValueCompleter;

use crate::base::exit::Exit;
use crate::base::text::{join_some, plural, safe_line};
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::format::OutputFormat;
use crate::host::browser::Browser;
use crate::model::event::TaskOutcome;
use crate::model::inventory::{Inventory, is_selector};
use crate::ops::clone::source::SourceError;
use crate::ops::docs::{Documentation, documentation, search};
use crate::report::docs;

/// Show the documentation of components
///
/// Shows the pages that the entry names, and links to the rest and to monitoring. Without such a page,
/// shows the README of its sources. Pages come from local clones, those of other repositories from their
/// web server, unless `--offline` is given. Exits with 1 if there are pages and none can be read.
///
/// Examples:
///   cki docs pipeline-herder
///   cki docs pipeline-herder --list
///   cki docs owner=infra --list
///   cki docs --search retry
///   cki docs kind=cronjob --search token
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct DocsArgs {
    /// Components, or selectors as in `cki list`; with `--search`, by default all
    #[arg(required_unless_present = "search", add = ArgValueCompleter::new(complete::component_words))]
    component: Vec<String>,
    /// List the pages and links, and where each is
    #[arg(long, conflicts_with_all = ["open", "search"])]
    list: bool,
    /// Open the first link in the browser
    #[arg(long, conflicts_with = "search")]
    open: bool,
    /// Find the lines of all local documentation that contain this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
}

pub(in crate::cli) fn run(args: &DocsArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.inventory()?;
    if let Some(text) = &args.search {
        if text.trim().is_empty() {
            return Err(UsageError("`--search` needs a text".to_owned()).into());
        }
        let components = match args.component.as_slice() {
            [] => inventory.components.iter().collect(),
            words => inventory.choose(words)?,
        };
        let found = search(text, &components, inventory, &context.workspace);
        docs::print_search(&context.ui, text, &found);
        return Ok(if found.hits.is_empty() { Exit::Failed } else { Exit::Done });
    }
    let chosen = inventory.choose(&args.component)?;
    let find = |component| documentation(component, inventory, &context.workspace);
    let mut found: Vec<Documentation<'_>> = chosen.into_iter().map(find).collect();
    if args.open {
        let [one] = found.as_slice() else {
            let message = format!("`--open` opens the link of one component, and these are {}", found.len());
            return Err(UsageError(message).into());
        };
        return open(one, context);
    }
    if args.list || context.format != OutputFormat::Text {
        let is_one = matches!(args.component.as_slice(), [word] if !is_selector(word));
        docs::print_list(&context.ui, &found, is_one);
        return Ok(Exit::Done);
    }
    for one in &mut found {
        fetch(one, inventory, context)?;
    }
    let columns = context.ui.columns();
    let pages: Vec<String> = found.iter().map(|one| docs::page(&context.ui, one, columns)).collect();
    context.ui.pages(pages.join("\n\n").lines());
    let is_lost = found.iter().any(Documentation::is_lost);
    Ok(if is_lost { Exit::Failed } else { Exit::Done })
}

/// Reads the pages that are not on this machine. An inventory that the user does not trust makes no request.
fn fetch(found: &mut Documentation<'_>, inventory: &Inventory, context: &Context) -> anyhow::Result<()> {
    let hosts = found.hosts(inventory);
    if hosts.is_empty() || context.settings.offline {
        return Ok(());
    }
    if context.trust_so_far()?.is_none() {
        context.ui.hint("Pages that are not cloned are read from their servers once you trust the inventory: `cki trust`.");
        return Ok(());
    }
    let from = join_some(hosts.into_iter().map(|host| safe_line(&host).into_owned()));
    let http = context.http.clone();
    context.block_on(async |stop| {
        let task = context.events().start("docs", format!("reading pages from {from}"));
        tokio::select! {
            count = found.fetch(inventory, &http) => {
                let state = if count > 0 { TaskOutcome::Done } else { TaskOutcome::Skipped };
                task.finish(state, format!("{} from {from}", plural(count, "page")));
                Ok(())
            }
            signal = stop.requested() => Err(SourceError::Stopped(signal).into()),
        }
    })
}

/// Opens the first link; without a browser, prints it.
fn open(found: &Documentation<'_>, context: &Context) -> anyhow::Result<Exit> {
    let is_page = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    let url = found.links.iter().filter_map(|link| link.url.as_deref()).find(is_page).ok_or_else(|| {
        let name = found.component.name();
        UsageError(format!(
            "the entry of `{name}` has no web address of documentation; `cki docs {name}` shows its pages"
        ))
    })?;
    context.require_trust()?;
    match Browser::of(&context.host.env) {
        Some(browser) => {
            browser.show(url)?;
            context.ui.status(&format!("Opened {url} in your browser."));
        }
        None => context.ui.data(url),
    }
    Ok(Exit::Done)
}
