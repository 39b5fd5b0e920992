//! A component: one entry of an inventory. The search for entries belongs in `Inventory`, the YAML form
//! in `entry`, the parts that are read on first use in `details`.

use std::borrow::Cow;
use std::ops::Deref;

use super::details::{EntryDetails, EntryFacts, LazyDetails};
use super::source_map::SourceMap;
use crate::model::reference::Reference;

/// Category of the entries that an entry names as its infrastructure.
pub(super) const INFRASTRUCTURE: &str = "infrastructure";

/// A component.
#[derive(Debug, Clone)]
pub struct Component {
    /// Full name.
    pub reference: Reference,
    /// Purpose, in a sentence or two.
    pub description: Option<Cow<'static, str>>,
    /// `service`, `cronjob`, …; the category may imply it.
    pub kind: Option<Cow<'static, str>>,
    /// Infrastructure that it runs on: the name of an entry.
    pub infrastructure: Option<Cow<'static, str>>,
    /// Responsible people.
    pub people: Vec<Cow<'static, str>>,
    /// Position of the entry in its file.
    pub source_map: SourceMap,
    /// Its other parts.
    pub(super) details: LazyDetails,
}

/// The parts that are read on first use look like fields of the component, so that no reader has to know of it.
impl Deref for Component {
    type Target = EntryDetails;

    fn deref(&self) -> &EntryDetails {
        self.details.get(&self.source_map)
    }
}

impl Component {
    /// Returns the name without the category.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.reference.name
    }

    /// Returns the full name of the infrastructure that it runs on.
    #[must_use]
    pub fn infrastructure_reference(&self) -> Option<Reference> {
        self.infrastructure.as_ref().map(|name| Reference::new(INFRASTRUCTURE, name.as_ref()))
    }

    /// Returns whether the component ends on its own; then only exit code 0 is success.
    #[must_use]
    pub fn is_one_shot(&self) -> bool {
        matches!(self.kind.as_deref(), Some("cronjob" | "job" | "function"))
    }

    /// Returns whether the entry has enough information to run the component.
    #[must_use]
    pub fn is_runnable(&self) -> bool {
        match self.details.facts() {
            Some(facts) => facts.has(EntryFacts::RUNNABLE),
            None => EntryDetails::is_runnable(self),
        }
    }

    /// Changes its details.
    pub fn change(&mut self, change: impl FnOnce(&mut EntryDetails)) {
        let mut details = EntryDetails::clone(self);
        change(&mut details);
        self.details = LazyDetails::new(details);
    }

    /// Returns whether a fact about its details may hold; `false` only if it is known not to.
    pub(super) fn may_have(&self, fact: EntryFacts) -> bool {
        self.details.facts().is_none_or(|facts| facts.has(fact))
    }

    /// Returns its addresses outside of this machine: those of links.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.documentation.iter().chain(&self.monitoring).filter_map(|link| link.url.as_deref())
    }

    /// Returns the repositories of its build, its sources and its deployment, each once, in order.
    #[must_use]
    pub fn repos(&self) -> Vec<&str> {
        let mut repos: Vec<&str> = Vec::new();
        let build = self.build.as_ref().map(|build| build.repo.as_str());
        let sources = self.sources.iter().map(|source| source.repo.as_str());
        let deployment = self.deployment.iter().map(|files| files.repo.as_str());
        for repo in build.into_iter().chain(sources).chain(deployment) {
            if !repos.contains(&repo) {
                repos.push(repo);
            }
        }
        repos
    }
}
