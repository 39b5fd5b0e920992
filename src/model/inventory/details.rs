//! The parts of an entry that a list of components does not show. An entry from the cache of inventories reads them
//! from its text on first use; any other entry has them from the start. The other parts are in `component`.

use std::sync::OnceLock;

use super::entry::{
    Build, ComponentEntry, Dependency, DeploymentFiles, EnvVarDecl, IgnoreDecl, Link, Run, SourceDecl,
};
use super::source_map::SourceMap;
use super::stage_decl::StageDecl;
use crate::base::yaml;

/// Parts of a component, which are read as if they were its own fields.
#[derive(Debug, Clone, Default)]
pub struct EntryDetails {
    /// Links to its documentation.
    pub documentation: Vec<Link>,
    /// Locations of its code and configuration.
    pub sources: Vec<SourceDecl>,
    /// Links to its monitoring.
    pub monitoring: Vec<Link>,
    /// Run-time dependencies.
    pub dependencies: Vec<Dependency>,
    /// Environment table.
    pub environment: Vec<EnvVarDecl>,
    /// Hosts of the component: names with `*` for any part, addresses, and ranges of addresses.
    pub hosts: Vec<String>,
    /// Deployment files.
    pub deployment: Vec<DeploymentFiles>,
    /// Published image, without tag.
    pub image: Option<String>,
    /// Build of its image.
    pub build: Option<Box<Build>>,
    /// Settings of a local run.
    pub run: Option<Box<Run>>,
    /// Settings of staging.
    pub stage: Option<Box<StageDecl>>,
    /// Silenced rules of the check of the inventory.
    pub ignore: Vec<IgnoreDecl>,
}

impl EntryDetails {
    /// Takes the details out of an entry.
    pub(super) fn take(entry: &mut ComponentEntry) -> Self {
        Self {
            documentation: std::mem::take(&mut entry.documentation),
            sources: std::mem::take(&mut entry.sources),
            monitoring: std::mem::take(&mut entry.monitoring),
            dependencies: std::mem::take(&mut entry.dependencies),
            environment: std::mem::take(&mut entry.environment),
            hosts: std::mem::take(&mut entry.hosts),
            deployment: std::mem::take(&mut entry.deployment),
            image: entry.image.take(),
            build: entry.build.take(),
            run: entry.run.take(),
            stage: entry.stage.take(),
            ignore: std::mem::take(&mut entry.ignore),
        }
    }

    /// Returns whether the entry has enough information to run the component.
    pub(super) fn is_runnable(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.command.is_empty() || !run.once.is_empty())
            || self.image.is_some()
            || self.build.is_some()
            || !self.deployment.is_empty()
    }

    /// Reads the details again from the text of an entry that was read before.
    fn of_text(written: &SourceMap) -> Self {
        // This text was read into the same type before it came into the cache, so it is valid.
        let entry = yaml::parse::<ComponentEntry>(written.file(), written.text()).ok();
        entry.map(|(mut entry, _)| Self::take(&mut entry)).unwrap_or_default()
    }
}

/// Details that may not be read yet.
#[derive(Debug, Clone)]
pub(super) struct LazyDetails {
    read: OnceLock<Box<EntryDetails>>,
    /// Facts that are known before the details are read; `None` if only they tell.
    facts: Option<EntryFacts>,
}

impl LazyDetails {
    pub(super) fn new(details: EntryDetails) -> Self {
        Self { read: OnceLock::from(Box::new(details)), facts: None }
    }

    /// Returns details that are read from the text on first use.
    pub(super) fn unread(facts: EntryFacts) -> Self {
        Self { read: OnceLock::new(), facts: Some(facts) }
    }

    /// Returns the details, which are those of this text.
    pub(super) fn get(&self, written: &SourceMap) -> &EntryDetails {
        self.read.get_or_init(|| Box::new(EntryDetails::of_text(written)))
    }

    pub(super) fn is_unread(&self) -> bool {
        self.read.get().is_none()
    }

    pub(super) fn facts(&self) -> Option<EntryFacts> {
        self.facts
    }
}

/// Facts about the details of an entry: what need not be read in order to know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct EntryFacts(u8);

impl EntryFacts {
    /// `cki run-local` can run it.
    pub(super) const RUNNABLE: Self = Self(1);
    /// It names a repository that the inventory lacks.
    pub(super) const LACKS_REPOSITORY: Self = Self(1 << 1);
    /// It has a host pattern that matches nothing.
    pub(super) const HAS_NO_HOST: Self = Self(1 << 2);
    /// It needs something that is neither a runnable entry nor one of the backing services of that time.
    pub(super) const HAS_UNKNOWN_NEED: Self = Self(1 << 3);
    /// An address in it may contain a login.
    pub(super) const HAS_LOGIN: Self = Self(1 << 4);

    /// Returns the facts of a stored number; `None` for any other number.
    pub(super) fn of_bits(bits: u8) -> Option<Self> {
        (bits < 1 << 5).then_some(Self(bits))
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn has(self, fact: Self) -> bool {
        self.0 & fact.0 != 0
    }

    pub(super) fn add(&mut self, fact: Self, is_so: bool) {
        self.0 |= if is_so { fact.0 } else { 0 };
    }
}
