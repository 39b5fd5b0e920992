//! `cki build`: its arguments, and the calls of the operation and the report.

use std::collections::BTreeSet;

use clap::Args;
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use super::default_component::default_component;
use crate::base::exit::Exit;
use crate::base::text::{join_some, plural};
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::marks::Repeated;
use crate::model::inventory::{Component, Inventory, is_selector};
use crate::ops::build::{BuildError, BuildOptions, build, instructions};
use crate::ops::shared::op_context::OpContext;
use crate::report;
use crate::ui::Verbosity;

/// Build the images of components from their clones
///
/// Reuses an existing image of the same sources. Several components are built one after the other, up to the
/// first that fails.
///
/// Examples:
///   cki build pipeline-herder
///   cki build pipeline-herder --mr 213 --tag localhost/herder:try
///   cki build kind=service owner=infra
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct BuildArgs {
    /// Components to build, or selectors as in `cki list` (default: the only component of the inventory, or of
    /// this directory)
    #[arg(add = ArgValueCompleter::new(complete::buildable_words))]
    components: Vec<String>,
    /// Build merge request N of their repository
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<u64>,
    /// Add this name to the image
    #[arg(long, value_name = "NAME")]
    tag: Option<String>,
    /// Build without the cache of earlier builds
    #[arg(long)]
    no_cache: bool,
}

pub(in crate::cli) fn run(args: BuildArgs, context: &Context) -> anyhow::Result<Exit> {
    let BuildArgs { components: words, mr, tag, no_cache } = args;
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let chosen = match words.as_slice() {
        [] => vec![default_component(context, inventory, |one| one.build.is_some())?],
        words => buildable(words, inventory, context)?,
    };
    if tag.is_some() && chosen.len() > 1 {
        let count = plural(chosen.len(), "image");
        return Err(UsageError(format!("`--tag` names one image, and this builds {count}")).into());
    }
    if mr.is_some() {
        one_repository(&chosen)?;
    }
    let git = context.git(trust)?;
    let quiet = context.ui.verbosity() == Verbosity::Quiet;
    let options = BuildOptions { merge_request: mr, tag, no_cache, quiet };
    let mut built = Vec::new();
    let result = context.block_on(async |stop| {
        let engine = context.engine().await?;
        let containers = engine.containers().ok_or(BuildError::Native)?;
        for component in &chosen {
            let workspace = match mr {
                Some(_) => context.workspace.for_merge_request(component),
                None => context.workspace.clone(),
            };
            let ctx =
                OpContext { workspace: &workspace, ..context.op_context(inventory, &git, stop.clone()) };
            built.push((component.name(), build(&ctx, containers, component, &options).await?));
        }
        Ok(())
    });
    let is_one = matches!(words.as_slice(), [] | [_]) && !words.iter().any(|word| is_selector(word));
    match built.as_slice() {
        [(component, built)] if is_one => report::build::print(&context.ui, component, built),
        [] if is_one => {}
        several => report::build::print_all(&context.ui, several, chosen.len()),
    }
    result.map(|()| Exit::Done)
}

/// Returns the components that words choose. A component that is named must have build instructions; selectors leave
/// out those without.
fn buildable<'a>(
    words: &[String],
    inventory: &'a Inventory,
    context: &Context,
) -> anyhow::Result<Vec<&'a Component>> {
    for name in words.iter().filter(|word| !is_selector(word)) {
        instructions(inventory.find(name)?)?;
    }
    let (chosen, others): (Vec<_>, Vec<_>) =
        inventory.choose(words)?.into_iter().partition(|one| one.build.is_some());
    if let (true, Some(first)) = (chosen.is_empty(), others.first()) {
        instructions(first)?;
    }
    if !others.is_empty() {
        let names = join_some(others.iter().map(|one| format!("`{}`", one.name())));
        context.ui.hint(&format!("Left out, as their entries have no `build` section: {names}."));
    }
    Ok(chosen)
}

/// Refuses components of several repositories: a merge request belongs to one.
fn one_repository(chosen: &[&Component]) -> Result<(), UsageError> {
    let repositories: BTreeSet<&str> =
        chosen.iter().filter_map(|one| one.build.as_deref()).map(|build| build.repo.as_str()).collect();
    if repositories.len() < 2 {
        return Ok(());
    }
    let names = join_some(repositories.iter().map(|name| format!("`{name}`")));
    Err(UsageError(format!("`--mr` belongs to one repository, and these components are built from {names}")))
}
