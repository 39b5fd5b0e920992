//! Rules about drift: an entry and the local clones of its repositories contradict each other. Each finding is at the
//! entry, which is what can be edited and silenced, with the place in the clone as its related place.

mod build_files;
mod facts;
mod mention;
mod modules;
mod ports;
mod scope;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::HashSet;

use super::findings::Findings;
use super::rule::Rule;
pub use facts::{
    BuildFileState, ComponentFacts, DeploymentFacts, DriftFacts, LostProgram, ReadFacts, RepositoryFacts,
    RunnableModule, ShownBuildFile,
};
pub use mention::{mention_forms, script_form};

pub(super) fn check(findings: &mut Findings<'_>, facts: &DriftFacts) {
    let inventory = findings.inventory;
    for component in &inventory.components {
        let Some(own) = facts.components.get(&component.reference) else { continue };
        build_files::check_entry(findings, component, own);
        if let Some(Err(why)) = &own.deployment {
            let fix = "correct `deployment`, or the files that it names";
            let told = (format!("the deployment cannot be read: {why}"), fix.to_owned());
            findings.of_entry(Rule::UnreadableDeployment, component, "deployment", told);
        }
        let is_mentioned = |forms: &[String]| is_mentioned(own, facts, forms);
        modules::check_entry(findings, component, own, &is_mentioned);
        ports::check_entry(findings, component, own, &is_mentioned);
        variables::check_entry(findings, component, own, &is_mentioned);
    }
    let moved: HashSet<&str> = facts.components.values().filter_map(moved).collect();
    for repository in &facts.repositories {
        build_files::check_repository(findings, repository, &moved);
        modules::check_repository(findings, repository);
    }
}

/// Returns the build file that a missing one was moved to.
fn moved(own: &ComponentFacts) -> Option<&str> {
    match &own.build_file {
        Some(BuildFileState::Missing { moved, .. }) => moved.as_deref(),
        _ => None,
    }
}

/// Returns whether one of the forms of a word is in the repositories of a component; `None` if that is not known.
fn is_mentioned(own: &ComponentFacts, facts: &DriftFacts, forms: &[String]) -> Option<bool> {
    if own.searched.is_empty() {
        return None;
    }
    let mut is_there = false;
    for index in &own.searched {
        let words = facts.repositories.get(*index)?.mentions.as_ref()?;
        is_there |= forms.iter().any(|form| words.contains(form));
    }
    Some(is_there)
}
