//! What a shell asks for when a person presses TAB. Answers come from files on this machine, never
//! from a network, and an error is no answer: nothing may appear on the terminal.

use std::ffi::OsString;
use std::path::PathBuf;

use clap_complete::CompletionCandidate;
use clap_complete::env::CompleteEnv;

use super::args::command_tree;
use crate::config::{Config, Settings};
use crate::host::Host;
use crate::model::inventory::Inventory;

/// The variable by which a shell says that it wants completion.
pub(super) const VARIABLE: &str = "COMPLETE";

/// Answers a shell, if it is one that asks.
pub(super) fn answer(host: &Host) -> bool {
    if host.env.get(VARIABLE).is_none() {
        return false;
    }
    CompleteEnv::with_factory(command_tree)
        .var(VARIABLE)
        .bin("cki")
        .completer("cki")
        .try_complete(host.args.iter().cloned(), Some(&host.cwd))
        .unwrap_or(true)
}

/// The components, with their descriptions.
pub(super) fn components() -> Vec<CompletionCandidate> {
    candidates(|inventory| {
        inventory
            .components
            .iter()
            .map(|component| {
                let help = component.description.clone().or_else(|| component.kind.clone());
                CompletionCandidate::new(component.name())
                    .help(help.map(Into::into))
                    .tag(Some(component.reference.category.clone().into()))
            })
            .collect()
    })
}

/// The kinds of components.
pub(super) fn kinds() -> Vec<CompletionCandidate> {
    distinct(|inventory| inventory.components.iter().filter_map(|c| c.kind.clone()).collect())
}

/// The people responsible.
pub(super) fn owners() -> Vec<CompletionCandidate> {
    distinct(|inventory| inventory.components.iter().flat_map(|c| c.people.clone()).collect())
}

/// Where components run.
pub(super) fn infrastructures() -> Vec<CompletionCandidate> {
    distinct(|inventory| inventory.components.iter().filter_map(|c| c.infrastructure.clone()).collect())
}

fn distinct(values: impl FnOnce(&Inventory) -> Vec<String>) -> Vec<CompletionCandidate> {
    candidates(|inventory| {
        let mut values = values(inventory);
        values.sort();
        values.dedup();
        values.into_iter().map(CompletionCandidate::new).collect()
    })
}

fn candidates(from: impl FnOnce(&Inventory) -> Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    inventory().as_ref().map(from).unwrap_or_default()
}

fn inventory() -> Option<Inventory> {
    let host = Host::real();
    let typed = typed_inventory(&host.args);
    let flags = typed.map(|path| ("inventory", path.display().to_string(), "--inventory".to_owned()));
    let config = Config::load(&host.env, &host.cwd, flags).ok()?;
    let settings = Settings::resolve(&config, &host.env).ok()?;
    crate::ops::inventory::load(settings.inventory.as_deref()).ok()
}

/// The value of `--inventory` among the words typed so far.
fn typed_inventory(words: &[OsString]) -> Option<PathBuf> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if word == "--inventory" {
            return words.next().map(PathBuf::from);
        }
        if let Some(value) = word.strip_prefix("--inventory=") {
            return Some(PathBuf::from(value));
        }
    }
    None
}
