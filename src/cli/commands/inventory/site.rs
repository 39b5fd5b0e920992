//! `cki inventory site`: its arguments, and the calls of the operations and the report.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use crate::base::exit::Exit;
use crate::base::template::html::TextCleaner;
use crate::cli::context::Context;
use crate::host::browser::Browser;
use crate::host::signals::{Shutdown, Signal};
use crate::ops::inventory::site::{BoundSite, SiteContent, bind, content, write};
use crate::ops::shared::run_policy::masking_guard;
use crate::report::site::{Site, SiteSummary, SiteTemplates, print};

/// Write the inventory as a static site
///
/// Its pages show components by category and by owner, the facts of `cki show`, READMEs and requests
/// for comments of local clones, pictures of dependencies, and the findings of `cki inventory check`.
/// The site needs no server, and its pages request nothing from other hosts. The directory must be new,
/// empty, or a site that this command has written.
///
/// Examples:
///   cki inventory site public
///   cki inventory site public --open
///   cki inventory site public --serve --port 8000
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SiteArgs {
    /// Directory of the site; a site that is there is replaced
    #[arg(value_hint = clap::ValueHint::DirPath)]
    directory: PathBuf,
    /// Serve the site on 127.0.0.1 until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// Serve on this port (default: a free one)
    #[arg(long, value_name = "PORT", requires = "serve", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Open the site in the browser
    #[arg(long)]
    open: bool,
}

pub(super) fn run(args: &SiteArgs, context: &Context) -> anyhow::Result<Exit> {
    let SiteArgs { directory, serve, port, open } = args;
    context.require_trust()?;
    let inventory = context.unreported_inventory()?;
    let bound = if *serve { Some(bind(*port)?) } else { None };
    let guard = masking_guard(&context.assets, inventory)?;
    let content = content(inventory, &context.workspace, &context.assets, &guard)?;
    for unread in &content.unread {
        context.ui.warning(&format!("{unread}; its text is left out."));
    }
    let directory = context.host.cwd.join(directory);
    context.block_on(async |stop| {
        let Some(files) = make(context, &content, &directory, &stop)? else {
            return Ok(stop.now().map_or(Exit::Interrupted, Signal::exit));
        };
        let start =
            bound.as_ref().map_or_else(|| directory.join("index.html").display().to_string(), BoundSite::url);
        let browser = Browser::of(&context.host.env).filter(|_| *open);
        if let Some(browser) = &browser {
            browser.show(&start)?;
        }
        let place = directory.display().to_string();
        let summary = SiteSummary::new(&content, place, start, files, browser.is_some());
        print(&context.ui, &summary, *serve);
        match bound {
            None => Ok(Exit::Done),
            Some(bound) => {
                let signal = bound.serve(&directory, &stop).await.context("cannot serve the site")?;
                Ok(signal.exit())
            }
        }
    })
}

/// Renders and writes all files, and returns their number; `None` if a signal came first.
fn make(
    context: &Context,
    content: &SiteContent<'_>,
    directory: &Path,
    stop: &Shutdown,
) -> anyhow::Result<Option<usize>> {
    let ui = context.ui.clone();
    let cleaner = TextCleaner::new(Arc::new(move |text| ui.masked(text)));
    let templates = SiteTemplates::read(&context.assets)?;
    let site = Site::new(content, &templates, &cleaner)?;
    let paths = site.paths();
    let files = paths.len();
    let is_whole = write(directory, &paths, |at| Ok(site.file(at)?), stop)?;
    Ok(is_whole.then_some(files))
}
