//! The rule about repositories that no entry uses.

use std::collections::HashSet;

use super::findings::Findings;
use super::rule::Rule;

pub(super) fn check(findings: &mut Findings<'_>) {
    let inventory = findings.inventory;
    let mut used: HashSet<&str> = inventory.rfcs.iter().map(|rfcs| rfcs.repo.as_str()).collect();
    for component in &inventory.components {
        used.extend(component.build.iter().map(|build| build.repo.as_str()));
        used.extend(component.sources.iter().map(|source| source.repo.as_str()));
        used.extend(component.deployment.iter().map(|files| files.repo.as_str()));
        let links = component.documentation.iter().chain(&component.monitoring);
        used.extend(links.filter_map(|link| link.repo.as_deref()));
    }
    for name in inventory.repos.keys().filter(|name| !used.contains(name.as_str())) {
        let message = format!("no entry uses the repository `{name}`");
        let fix = "name it in `sources`, `build`, `deployment` or `documentation` of an entry, or remove it";
        findings.of_head(Rule::UnusedRepository, &format!("repos.{name}"), (message, fix.to_owned()));
    }
}
