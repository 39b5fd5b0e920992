//! The choice of the one component of a draft. The drafts of all are in `drafting`.

use std::collections::BTreeSet;
use std::path::Path;

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

    /// Returns whether the sources or the build file of a component are in the directory of the scope, though it is
    /// built from another one.
    fn has_sources_there(&self, one: &DraftedComponent) -> bool {
        let build_file = one.build_file.as_deref().map(Path::new).and_then(Path::parent);
        self.scope.directory().is_some_and(|wanted| {
            one.source.as_deref() == Some(wanted) || build_file == Some(Path::new(wanted))
        })
    }

    /// Keeps the component of the scope, as the first one, and those that it needs if they are included. The only built
    /// component of a repository has any name.
    pub(super) fn choose(&mut self, found: &FoundFiles) -> Result<(), DraftError> {
        let DraftScope::One { name, .. } = self.scope else { return Ok(()) };
        let at = self.components.iter().position(|one| self.is_wanted(&one.name, &one.directory));
        let at = at.or_else(|| self.components.iter().position(|one| self.has_sources_there(one)));
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
            let root = self.root.to_owned();
            let first = |wanted: &str, known: &[String]| {
                nearest(wanted, known.iter().map(String::as_str)).first().map(|name| (*name).to_owned())
            };
            if let Some(wanted) = self.scope.directory().map(str::to_owned) {
                let known: Vec<String> = self.components.iter().map(directory_of).collect();
                return Err(DraftError::NoneThere { root, nearest: first(&wanted, &known), wanted, known });
            }
            let known: Vec<String> = self.components.iter().map(|one| one.name.clone()).collect();
            let nearest = first(name, &known);
            return Err(DraftError::NoSuch { root, wanted: name.to_owned(), known, nearest });
        };
        self.keep_findings(&one.name, name);
        let former = std::mem::replace(&mut one.name, name.to_owned());
        let others = std::mem::take(&mut self.components);
        self.components = vec![one];
        self.others = others.into_iter().filter(|one| one.name != former && one.name != name).collect();
        self.keep_needed();
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

    /// Adds the components that those of the draft need, directly or through others, if the scope includes them.
    pub(super) fn keep_needed(&mut self) {
        if !matches!(self.scope, DraftScope::One { with_needs: true, .. }) {
            return;
        }
        let mut open: Vec<String> = self.components.iter().flat_map(|one| one.needs.clone()).collect();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if let Some(at) = self.others.iter().position(|one| one.name == name) {
                let one = self.others.remove(at);
                open.extend(one.needs.iter().cloned());
                self.components.push(one);
            }
        }
    }
}

/// Returns the directory by which the sources of a component are named.
fn directory_of(one: &DraftedComponent) -> String {
    match one.source.as_deref().unwrap_or(&one.directory) {
        "" => ".".to_owned(),
        path => path.to_owned(),
    }
}
