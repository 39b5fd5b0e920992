//! The rule about items that a list of an entry has twice: a slip when a file is edited, or two values of which one has
//! no effect. Two entries with one name are up to `names`.

use std::collections::HashMap;

use super::findings::Findings;
use super::rule::Rule;
use crate::model::inventory::{Component, Link};

pub(super) fn check(findings: &mut Findings<'_>) {
    for component in &findings.inventory.components {
        for (list, keys) in lists(component) {
            let mut first: HashMap<String, usize> = HashMap::new();
            for (index, key) in keys.into_iter().enumerate() {
                let Some(before) = first.get(&key).copied() else {
                    first.insert(key, index);
                    continue;
                };
                let message =
                    format!("`{list}` has `{key}` twice: as items {} and {}", before + 1, index + 1);
                let told = (message, "remove one of the two".to_owned());
                findings.of_entry(Rule::DuplicateItem, component, &format!("{list}.{index}"), told);
            }
        }
    }
}

/// Returns the lists of an entry whose items differ, each with what tells its items apart.
fn lists(component: &Component) -> Vec<(&'static str, Vec<String>)> {
    let links = |links: &[Link]| links.iter().map(link).collect();
    let mut lists = vec![
        ("people", component.people.iter().map(ToString::to_string).collect()),
        ("documentation", links(&component.documentation)),
        ("monitoring", links(&component.monitoring)),
        (
            "dependencies",
            component.dependencies.iter().map(|one| format!("{} {}", one.verb, one.target)).collect(),
        ),
        ("environment", component.environment.iter().map(|one| one.name.clone()).collect()),
        ("hosts", component.hosts.clone()),
        ("sources", component.sources.iter().map(|one| path(&one.repo, one.path.as_deref())).collect()),
    ];
    if let Some(run) = &component.run {
        // A service may be asked for several things: an item with parameters is like no other one.
        let needs = run.needs.iter().enumerate().map(|(index, need)| match need.parameters.is_empty() {
            true => need.name.clone(),
            false => format!("{}.{index}", need.name),
        });
        lists.push(("run.needs", needs.collect()));
    }
    lists
}

fn path(repo: &str, path: Option<&str>) -> String {
    path.map_or_else(|| repo.to_owned(), |path| format!("{repo}/{path}"))
}

fn link(link: &Link) -> String {
    match &link.url {
        Some(url) => url.clone(),
        None => path(link.repo.as_deref().unwrap_or(&link.label), link.path.as_deref()),
    }
}
