//! Rules about Python modules: those that a command names and its clone lacks, and the reverse.

use super::super::finding::RelatedPlace;
use super::super::findings::Findings;
use super::super::rule::Rule;
use super::mention::script_form;
use super::scope::{is_within, of_repository, sources_in};
use super::{ComponentFacts, RepositoryFacts, RunnableModule};
use crate::model::inventory::Component;

pub(super) fn check_entry(
    findings: &mut Findings<'_>,
    component: &Component,
    own: &ComponentFacts,
    is_mentioned: &dyn Fn(&[String]) -> Option<bool>,
) {
    for program in &own.programs {
        if !program.is_module && is_mentioned(&[script_form(&program.name)]) != Some(false) {
            continue;
        }
        let kind = if program.is_module { "module" } else { "script" };
        let message = format!("there is no Python {kind} `{}` in the clone", program.name);
        let fix = match &program.nearest {
            Some(near) => format!("write `{near}`"),
            None => "correct the command".to_owned(),
        };
        findings.of_entry(Rule::MissingModule, component, &program.part, (message, fix));
    }
}

/// Adds findings about modules that can be run and that no entry names, if entries name most of those next to them.
pub(super) fn check_repository(findings: &mut Findings<'_>, repository: &RepositoryFacts) {
    let inventory = findings.inventory;
    let entries: Vec<&Component> =
        repository.entries.iter().filter_map(|entry| inventory.get(entry)).collect();
    for group in &repository.module_groups {
        let mut users: Vec<&Component> = Vec::new();
        let (named, others): (Vec<_>, Vec<_>) = group.iter().partition(|module| {
            let user = entries.iter().find(|one| names_module(one, repository, module));
            users.extend(user);
            user.is_some()
        });
        let Some(first) = users.first().filter(|_| named.len() > others.len()) else { continue };
        for module in others {
            let message = format!("no entry names the Python module `{}`", module.module);
            let fix = "add an entry that runs it, or one with its directory in `sources`".to_owned();
            of_repository(findings, Rule::UndeclaredModule, repository, (first, "run"), (message, fix));
            findings.add_related(Some(&RelatedPlace { file: module.file.clone(), line: 1 }));
        }
    }
}

fn names_module(component: &Component, repository: &RepositoryFacts, module: &RunnableModule) -> bool {
    let mut paths = sources_in(component, repository);
    if paths.any(|path| !path.is_empty() && is_within(path.trim_start_matches("./"), &module.directory)) {
        return true;
    }
    let names_it = |word: &String| word.split_whitespace().any(|word| word == module.module);
    component.run.as_ref().is_some_and(|run| {
        let init = run.init.iter().flatten();
        run.command.iter().chain(&run.once).chain(init).any(names_it)
    })
}
