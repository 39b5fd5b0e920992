//! Candidates for requests for comments, from the clone of their repository.

use clap_complete::CompletionCandidate;

use super::candidate::{candidate, described};
use super::typed::TypedLine;
use crate::model::rfc::RfcState;
use crate::ops::rfc::RfcShelf;
use crate::ops::shared::workspace::Workspace;

/// Returns the requests for comments that are not typed yet, with their titles: by their IDs if a letter is typed, and
/// else by their numbers.
pub(in crate::cli) fn rfcs() -> Vec<CompletionCandidate> {
    let (Some(typed), Some(shelf)) = (TypedLine::current(), shelf()) else { return Vec::new() };
    let given: Vec<u32> =
        typed.texts("number").filter_map(|text| shelf.process.parse_number(text).ok()).collect();
    let free = shelf.documents.iter().filter_map(|one| Some((one.number?, one.title())));
    let free = free.filter(|(number, _)| !given.contains(number));
    let name = |number: u32| match typed.current.chars().next() {
        Some(first) if first.is_lowercase() => shelf.process.id(number).to_lowercase(),
        Some(first) if first.is_alphabetic() => shelf.process.id(number),
        _ => number.to_string(),
    };
    free.map(|(number, title)| described(name(number), title)).collect()
}

/// Returns the states, with those that documents name.
pub(in crate::cli) fn rfc_states() -> Vec<CompletionCandidate> {
    let states = RfcState::ALL.iter().map(|(_, name)| (*name).to_owned());
    let named = shelf().into_iter().flat_map(|shelf| shelf.documents);
    let named = named.filter_map(|one| Some(one.content.ok()?.status?.to_lowercase()));
    let mut all: Vec<String> = states.collect();
    for name in named.filter(|name| !name.contains([' ', ','])) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all.into_iter().map(|name| candidate(name, None)).collect()
}

fn shelf() -> Option<RfcShelf> {
    let typed = TypedLine::current()?;
    let settings = typed.settings()?;
    let workspace = Workspace::new(&settings.workspace, typed.host.env.clone());
    let workspace = workspace.with_trees_around(vec![typed.host.cwd.clone()]);
    RfcShelf::open(typed.inventory()?, &workspace).ok()
}
