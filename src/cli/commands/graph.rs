//! `cki graph`: its arguments, and the calls of the operation and the report.

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use crate::base::exit::Exit;
use crate::base::files::write_atomic;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::format::OutputFormat;
use crate::host::browser::Browser;
use crate::model::graph::DependencyGraph;
use crate::model::inventory::is_selector;
use crate::ops::graph::{GraphRequest, graph};
use crate::report::graph::{GraphFormat, MOST_NODES, drawn, print, svg};

/// Show what components depend on
///
/// Follows the dependencies of the entries, the infrastructure that they run on, and the components
/// and backing services that must run first. With `--reverse`, follows dependents: all that a change
/// could break. Of two named components, shows the shortest connection. Without a component, shows
/// the whole inventory.
///
/// Examples:
///   cki graph pipeline-herder
///   cki graph service:rabbitmq --reverse
///   cki graph webhook-receiver rabbitmq
///   cki graph owner=infra --depth 1
///   cki graph --verb writes -o mermaid
///   cki graph --open
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct GraphArgs {
    /// Components: names, `category/name` or a unique part, a backing service, the full name of a missing target; or selectors as in `cki list`
    #[arg(add = ArgValueCompleter::new(complete::component_words))]
    component: Vec<String>,
    /// Follow dependents instead of dependencies
    #[arg(long)]
    reverse: bool,
    /// Follow at most this many dependencies one after the other
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
    /// Follow only dependencies with this verb, as in `writes`
    #[arg(long, value_name = "VERB", add = ArgValueCandidates::new(complete::verbs))]
    verb: Vec<String>,
    /// Open the picture in the browser
    #[arg(long)]
    open: bool,
}

pub(in crate::cli) fn run(args: GraphArgs, context: &Context) -> anyhow::Result<Exit> {
    let GraphArgs { component, reverse, depth, verb, open } = args;
    let are_two = component.len() == 2 && !component.iter().any(|word| is_selector(word));
    if are_two && (reverse || depth.is_some()) {
        let flag = if reverse { "--reverse" } else { "--depth" };
        let message = format!("`{flag}` has no effect on the connection of two components");
        return Err(UsageError(message).into());
    }
    let inventory = context.shown_inventory()?;
    let all = DependencyGraph::with_services(inventory);
    let depth = depth.and_then(|depth| usize::try_from(depth).ok());
    let request = GraphRequest { components: component, is_reverse: reverse, depth, verbs: verb };
    let found = graph(&all, inventory, &request)?;
    let format = match context.format {
        OutputFormat::Svg => None,
        OutputFormat::Dot => Some(GraphFormat::Dot),
        OutputFormat::Mermaid => Some(GraphFormat::Mermaid),
        _ => Some(GraphFormat::Tree),
    };
    let picture = || -> anyhow::Result<String> {
        let part = drawn(&found);
        match part.nodes.len() {
            0..=MOST_NODES => Ok(svg(inventory, &all, &part)),
            nodes => Err(UsageError(format!(
                "a picture has at most {MOST_NODES} nodes, and this one has {nodes}; name a component, or use `--depth`"
            ))
            .into()),
        }
    };
    if open {
        return show(&picture()?, context);
    }
    match format {
        None => context.ui.exact(&picture()?),
        Some(format) => print(&context.ui, inventory, &all, &found, format),
    }
    Ok(Exit::Done)
}

/// Writes the picture to the user's directory for caches, where the browser can still read it after this command,
/// and opens it there; without a browser, prints the path.
fn show(picture: &str, context: &Context) -> anyhow::Result<Exit> {
    let env = &context.host.env;
    let file = env.cache_directory().unwrap_or_else(|| env.temporary_directory()).join("graph.svg");
    write_atomic(&file, picture.as_bytes(), 0o600)?;
    let Some(browser) = Browser::of(env) else {
        context.ui.data(&file.display().to_string());
        return Ok(Exit::Done);
    };
    browser.show(&file.display().to_string())?;
    context.ui.status(&format!("Opened {} in your browser.", file.display()));
    Ok(Exit::Done)
}
