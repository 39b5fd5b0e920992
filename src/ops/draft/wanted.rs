//! The choice of the one component of a draft. The drafts of all are in `drafting`.

use std::collections::BTreeSet;

use super::drafting::Drafting;
use super::error::DraftError;
use super::files::FoundFiles;
use super::request::DraftScope;
use crate::base::text::nearest;
use crate::model::draft::DraftedComponent;

impl Drafting<'_> {
    /// Returns whether a component of this name and directory is the one of the scope.
    pub(super) fn is_wanted(&self, name: &str, directory: &str) -> bool {
        match (self.scope.directory(), self.scope.name()) {
            (Some(wanted), _) => wanted == directory,
            (None, Some(wanted)) => wanted == name,
            (None, None) => false,
        }
    }

    /// Keeps the component of the scope, as the first one, and those that it needs if they are included. The only built
    /// component of a repository has any name.
    pub(super) fn choose(&mut self, found: &FoundFiles) -> Result<(), DraftError> {
        let DraftScope::One { name, with_needs, .. } = self.scope else { return Ok(()) };
        let at = self.components.iter().position(|one| self.is_wanted(&one.name, &one.directory));
        let mut only = (0..self.components.len()).filter(|at| self.components[*at].is_built);
        let only = only.next().filter(|_| only.next().is_none() && self.scope.directory().is_none());
        let one = match (at, only) {
            (Some(at), _) => Some(self.components[at].clone()),
            (None, only) => {
                let base = only.map(|at| &self.components[at]);
                self.python_module(name, found, base).or_else(|| base.cloned())
            }
        };
        let Some(mut one) = one else {
            let known: Vec<String> = self.components.iter().map(|one| one.name.clone()).collect();
            let wanted = self.scope.directory().unwrap_or(name).to_owned();
            let nearest =
                nearest(&wanted, known.iter().map(String::as_str)).first().map(|name| (*name).to_owned());
            return Err(DraftError::NoSuch { root: self.root.to_owned(), wanted, known, nearest });
        };
        self.keep_findings(&one.name, name);
        let former = std::mem::replace(&mut one.name, name.to_owned());
        let others = std::mem::take(&mut self.components);
        let (first, rest): (Vec<_>, Vec<_>) =
            (vec![one], others.into_iter().filter(|one| one.name != former && one.name != name).collect());
        self.components = first;
        if with_needs {
            self.keep_needed(rest);
        }
        Ok(())
    }

    /// Drops findings about other components.
    fn keep_findings(&mut self, former: &str, name: &str) {
        let names = [format!("`{former}`"), format!("`{name}`")];
        self.findings.retain(|finding| {
            finding.message.starts_with("not read: it is")
                || names.iter().any(|name| finding.message.contains(name))
        });
    }

    /// Adds the components that those of the draft need, directly or through others.
    fn keep_needed(&mut self, mut rest: Vec<DraftedComponent>) {
        let mut open: Vec<String> = self.components[0].needs.clone();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if let Some(at) = rest.iter().position(|one| one.name == name) {
                let one = rest.remove(at);
                open.extend(one.needs.iter().cloned());
                self.components.push(one);
            }
        }
    }
}
