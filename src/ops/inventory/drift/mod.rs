//! `cki inventory check --drift`: the facts of local clones for the comparison with entries. The rules are in `model`;
//! nothing is cloned, changed or run.

mod clones;
mod entry;
mod modules;
mod paths;
mod programs;
mod request;
mod variables;

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::model::event::{Events, Task};
use crate::model::inventory::Component;
use crate::model::inventory::check::drift::{
    BuildFileState, ComponentFacts, DriftFacts, mention_forms, script_form,
};
use crate::ops::scan::Scanner;
use crate::ops::shared::deployment::Judges;
use clones::DriftClones;
pub use request::{DriftCoverage, DriftRequest};
use variables::ProvidedVariables;

/// Reads the facts of all clones that the chosen entries name.
///
/// # Errors
/// Fails if a word chooses nothing, or rules or templates cannot be read.
pub fn read_clones(
    request: &DriftRequest<'_>,
    events: &Events,
) -> anyhow::Result<(DriftFacts, DriftCoverage)> {
    // No words choose nothing, and check everything.
    let chosen = match request.words.is_empty() {
        true => request.inventory.components.iter().collect(),
        false => request.inventory.choose(request.words)?,
    };
    request.inventory.read_details();
    let task = events.start("drift", "comparing entries with clones");
    let read = read(request, &chosen, &task);
    task.dismiss();
    read
}

fn read(
    request: &DriftRequest<'_>,
    chosen: &[&Component],
    task: &Task,
) -> anyhow::Result<(DriftFacts, DriftCoverage)> {
    let DriftRequest { inventory, workspace, assets, env, .. } = *request;
    let mut clones = DriftClones::find(inventory, workspace);
    let mut coverage = DriftCoverage::default();
    let mut facts = DriftFacts::default();
    let (scanner, judges) = (Scanner::new(assets)?, Judges::default());
    let rules = crate::ops::draft::draft_rules(assets)?;
    let mut provided = ProvidedVariables::new(inventory, assets);
    let mut missing_repositories: BTreeSet<&str> = BTreeSet::new();
    let mut wanted: HashMap<usize, HashSet<String>> = HashMap::new();
    for component in chosen {
        let repos = component.repos();
        if repos.is_empty() {
            continue;
        }
        if !repos.iter().any(|repo| clones.index(repo).is_some()) {
            match repos.iter().find_map(|repo| clones.trouble(repo)) {
                Some(why) => coverage.unusable.push((component.reference.clone(), why.to_owned())),
                None => {
                    if missing_repositories.insert(repos[0]) {
                        coverage.to_clone.push(component.reference.clone());
                    }
                    coverage.not_cloned.push(component.reference.clone());
                }
            }
            continue;
        }
        task.detail(component.reference.to_string());
        let mut own = ComponentFacts {
            searched: clones.searched(component),
            build_file: clones.build_file(component),
            shares_build_file: clones.shares_build_file(component),
            programs: programs::lost(component, &clones),
            provided: provided.of(component),
            ..ComponentFacts::default()
        };
        own.deployment = entry::deployment(component, request, &judges, &scanner, &rules)?;
        own.reads = variables::reads(component, request, &scanner, &rules, &clones)?;
        let names = component.environment.iter().flat_map(|one| mention_forms(&one.name));
        let ports = component.run.iter().flat_map(|run| &run.ports).map(|port| port.number.to_string());
        let scripts = own.programs.iter().map(|program| script_form(&program.name));
        let words: Vec<String> = names.chain(ports).chain(scripts).collect();
        for index in &own.searched {
            wanted.entry(*index).or_default().extend(words.iter().cloned());
        }
        coverage.compared.push(component.reference.clone());
        facts.components.insert(component.reference.clone(), own);
    }
    let compared: HashSet<&str> = chosen
        .iter()
        .filter(|one| facts.components.contains_key(&one.reference))
        .flat_map(|one| one.repos())
        .collect();
    let files = clones::inventory_files(inventory);
    clones.read(inventory, &compared, assets, env)?;
    for component in chosen {
        let own = facts.components.get_mut(&component.reference);
        if let Some(BuildFileState::Missing { path, moved }) = own.and_then(|own| own.build_file.as_mut()) {
            *moved = clones.moved(component, path);
        }
    }
    for (index, words) in wanted {
        task.detail("searching for names and ports");
        clones.search(index, &scanner, &words, &files);
    }
    facts.repositories = clones.into_facts();
    facts.is_whole = chosen.len() == inventory.components.len()
        && coverage.not_cloned.is_empty()
        && coverage.unusable.is_empty();
    Ok((facts, coverage))
}
