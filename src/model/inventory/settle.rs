//! What makes the entries of an inventory one whole: their order, what categories imply, and whether
//! all that is named is there.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{InventoryError, did_you_mean};
use super::{Category, Component, Finding, Inventory};
use crate::base::text;
use crate::model::guard::is_host_pattern;
use crate::model::reference::Reference;

impl Inventory {
    /// Sorts, fills in what a category implies, and checks the whole.
    pub(super) fn settle(&mut self) -> Result<(), InventoryError> {
        for component in &self.components {
            if self.category(&component.reference.category).is_none() {
                let id = component.reference.category.clone();
                self.categories.push(Category {
                    id,
                    title: None,
                    description: None,
                    kind: None,
                    production: None,
                });
            }
        }
        let order: BTreeMap<String, usize> = self
            .categories
            .iter()
            .enumerate()
            .map(|(index, category)| (category.id.clone(), index))
            .collect();
        self.components
            .sort_by_key(|c| (order.get(&c.reference.category).copied(), c.reference.name.clone()));
        for pair in self.components.windows(2) {
            if pair[0].reference == pair[1].reference {
                return Err(InventoryError::Twice {
                    file: pair[1].written.spot(""),
                    other: pair[0].written.spot(""),
                    reference: pair[1].reference.clone(),
                });
            }
        }
        let implied: BTreeMap<String, String> =
            self.categories.iter().filter_map(|c| Some((c.id.clone(), c.kind.clone()?))).collect();
        for component in &mut self.components {
            if component.kind.is_none() {
                component.kind = implied.get(&component.reference.category).cloned();
            }
        }
        self.check_repos();
        self.check_hosts();
        self.check_cycles()
    }

    fn check_repos(&mut self) {
        let mut findings = Vec::new();
        for component in &self.components {
            let sources = component.sources.iter().enumerate();
            let mut named: Vec<(String, &str)> = sources
                .map(|(index, source)| (format!("sources.{index}.repo"), source.repo.as_str()))
                .collect();
            let links = component.documentation.iter().enumerate();
            named
                .extend(links.filter_map(|(i, link)| {
                    Some((format!("documentation.{i}.repo"), link.repo.as_deref()?))
                }));
            named.extend(component.build.iter().map(|build| ("build.repo".to_owned(), build.repo.as_str())));
            let deployment = component.deployment.iter().enumerate();
            named.extend(deployment.map(|(i, files)| (format!("deployment.{i}.repo"), files.repo.as_str())));
            for (path, repo) in named.into_iter().filter(|(_, repo)| self.repo_url(repo).is_none()) {
                let nearest = text::nearest(repo, self.repos.keys().map(String::as_str));
                findings.push(Finding {
                    file: component.written.file.clone(),
                    position: component.written.position(&path),
                    message: format!("there is no repository `{repo}`{}", did_you_mean(&nearest)),
                });
            }
        }
        self.findings.extend(findings);
    }

    /// What is no host would never be found in any value, and so protect from nothing.
    fn check_hosts(&mut self) {
        let head = self.production.hosts.iter().enumerate();
        let head = head.map(|(index, host)| (&self.written, format!("production.hosts.{index}"), host));
        let entries = self.components.iter().flat_map(|component| {
            let hosts = component.hosts.iter().enumerate();
            hosts.map(move |(index, host)| (&component.written, format!("hosts.{index}"), host))
        });
        let wrong = head.chain(entries).filter(|(_, _, host)| !is_host_pattern(host));
        let findings: Vec<Finding> = wrong
            .map(|(written, path, host)| Finding {
                file: written.file.clone(),
                position: written.position(&path),
                message: format!(
                    "`{host}` is no host: write a name, with `*` for any part, an address, or a range as in `10.0.0.0/8`"
                ),
            })
            .collect();
        self.findings.extend(findings);
    }

    /// Components that need each other can never be started.
    fn check_cycles(&self) -> Result<(), InventoryError> {
        fn visit<'a>(
            inventory: &'a Inventory,
            component: &'a Component,
            path: &mut Vec<&'a Component>,
            done: &mut BTreeSet<&'a Reference>,
        ) -> Result<(), InventoryError> {
            if let Some(start) = path.iter().position(|c| c.reference == component.reference) {
                return Err(InventoryError::Cycle {
                    file: component.written.spot("run.needs"),
                    members: path[start..].iter().map(|c| format!("`{}`", c.reference)).collect(),
                });
            }
            if !done.insert(&component.reference) {
                return Ok(());
            }
            path.push(component);
            for need in component.run.iter().flat_map(|run| &run.needs) {
                if let Ok(needed) = inventory.find_exactly(&need.name) {
                    visit(inventory, needed, path, done)?;
                }
            }
            path.pop();
            done.remove(&component.reference);
            Ok(())
        }
        self.components
            .iter()
            .filter(|c| c.run.as_ref().is_some_and(|run| !run.needs.is_empty()))
            .try_for_each(|component| visit(self, component, &mut Vec::new(), &mut BTreeSet::new()))
    }

    /// The component that another one needs: by `category/name` or the whole name.
    ///
    /// # Errors
    /// When there is none; a backing service of that name may be meant.
    pub fn find_exactly(&self, need: &str) -> Result<&Component, super::LookupError> {
        let mut found = self
            .components
            .iter()
            .filter(|c| c.is_runnable() && (c.name() == need || c.reference.to_string() == need));
        found.next().ok_or_else(|| super::LookupError::Unknown {
            query: need.to_owned(),
            inventory: self.label(),
            nearest: self.nearest(need),
        })
    }
}
