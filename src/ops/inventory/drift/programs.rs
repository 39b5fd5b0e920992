//! The Python programs of a component's commands that its clones lack.

use std::collections::BTreeSet;

use super::clones::DriftClones;
use super::modules::{missing_module, python_program};
use crate::base::source_dir::SourceDir;
use crate::model::inventory::Component;
use crate::model::inventory::check::drift::LostProgram;

/// Returns the programs of a component's commands that its clones lack, as far as directories tell.
pub(super) fn lost(component: &Component, clones: &DriftClones) -> Vec<LostProgram> {
    let Some(run) = &component.run else { return Vec::new() };
    let repos: BTreeSet<&str> = component
        .build
        .iter()
        .map(|build| build.repo.as_str())
        .chain(component.sources.iter().map(|source| source.repo.as_str()))
        .collect();
    let sources: Option<Vec<(&str, &SourceDir)>> =
        repos.into_iter().map(|repo| Some((repo, clones.sources(repo)?))).collect();
    let Some(sources) = sources.filter(|sources| !sources.is_empty()) else { return Vec::new() };
    let init = run.init.iter().enumerate().map(|(index, words)| (format!("run.init.{index}"), words));
    let commands = [("run.command".to_owned(), &run.command), ("run.once".to_owned(), &run.once)];
    let mut missing: Vec<LostProgram> = Vec::new();
    for (part, words) in commands.into_iter().chain(init) {
        let Some(program) = python_program(words) else { continue };
        let nearest = match program.is_module {
            true => missing_module(&program.name, component, &sources),
            false => program.name.ends_with(".py").then_some(None),
        };
        let is_known = missing.iter().any(|one| one.name == program.name);
        if let (Some(nearest), false) = (nearest, is_known) {
            let part = format!("{part}.{}", program.at);
            missing.push(LostProgram { part, name: program.name, is_module: program.is_module, nearest });
        }
    }
    missing
}
