//! The inventory of a command: its sources, the repositories that are fetched at their first use, and what is said of
//! it. Reading it is in `ops::shared::inventory`.

use super::context::{Context, TrustProof};
use crate::base::file_snapshot::FileSnapshot;
use crate::base::text::{plural, safe_line};
use crate::config::{Config, Settings};
use crate::model::inventory::{GitSource, Inventory};
use crate::ops::inventory::sync::{FetchWhen, SyncedSource, choose, sync};
use crate::ops::shared::inventory::{FetchFailures, LoadError, copy_of, load_checked, load_unstored};
use crate::systems::git::{Git, Logins};

/// Maximum number of findings printed by a command that loads the inventory; `cki doctor` prints more.
const FINDINGS: usize = 10;

impl Context {
    /// Loads the inventory and prints its findings.
    pub(super) fn inventory(&self) -> anyhow::Result<&'static Inventory> {
        Ok(self.with_findings(self.unreported_inventory()?))
    }

    /// Loads the inventory as [`Self::inventory`], for a command that shows it and does nothing that needs trust. So it
    /// may come from the cache also if a project's file names it.
    pub(super) fn shown_inventory(&self) -> anyhow::Result<&'static Inventory> {
        Ok(self.with_findings(self.unreported_shown_inventory()?))
    }

    fn with_findings(&self, inventory: &'static Inventory) -> &'static Inventory {
        for finding in inventory.findings(FINDINGS) {
            self.ui.warning(&safe_line(&finding.to_string()));
        }
        if let more @ 1.. = inventory.finding_count().saturating_sub(FINDINGS) {
            self.ui.warning(&format!("The inventory has {}", plural(more, "more finding")));
        }
        inventory
    }

    /// Loads the inventory for a command that starts or sends something: no layer may be left out, since it may say
    /// what belongs to production.
    pub(super) fn whole_inventory(&self) -> anyhow::Result<&'static Inventory> {
        let inventory = self.inventory()?;
        if let Some((layer, reason)) = inventory.left_out().next() {
            let (label, reason) = (layer.label.clone(), reason.to_owned());
            return Err(LoadError::LeftOut { label, reason }.into());
        }
        Ok(inventory)
    }

    /// Loads the inventory, and names the layers that are left out. It is leaked: each command loads one, and freeing a
    /// large one would take about as long as reading it.
    pub(super) fn unreported_inventory(&self) -> anyhow::Result<&'static Inventory> {
        let failures = self.fetch_missing()?;
        let sources = &self.settings.inventory;
        let inventory = load_checked(sources, &self.assets, self.assets.files(), &failures)?;
        Ok(self.with_logins_and_layers(Box::leak(Box::new(inventory))))
    }

    /// Loads the inventory as [`Self::unreported_inventory`], for a command that shows it. It goes to the cache while
    /// the command shows it.
    pub(super) fn unreported_shown_inventory(&self) -> anyhow::Result<&'static Inventory> {
        let failures = self.fetch_missing()?;
        let (sources, files) = (&self.settings.inventory, FileSnapshot::default());
        let (inventory, entry) = load_unstored(sources, &self.assets, &files, &failures)?;
        let inventory: &'static Inventory = Box::leak(Box::new(inventory));
        if let Some(entry) = entry {
            self.background.run(move || entry.store(inventory));
        }
        Ok(self.with_logins_and_layers(inventory))
    }

    fn with_logins_and_layers(&self, inventory: &'static Inventory) -> &'static Inventory {
        self.host.hide_logins_of(inventory.addresses());
        for (layer, reason) in inventory.left_out() {
            let text = format!("The layer `{}` of the inventory is left out: {reason}.", layer.label);
            self.ui.warning(&safe_line(&text));
        }
        inventory
    }

    /// Reads the inventory with another reader of its files, without a word and without fetching anything.
    pub(super) fn inventory_reading(&self, files: &FileSnapshot) -> Result<Inventory, LoadError> {
        load_checked(&self.settings.inventory, &self.assets, files, &FetchFailures::new())
    }

    /// Reads the inventory again after a change of its files. It is leaked, as any other one.
    pub(super) fn inventory_now(&self) -> Result<&'static Inventory, LoadError> {
        Ok(Box::leak(Box::new(self.inventory_reading(&FileSnapshot::default())?)))
    }

    /// Loads the inventory as it is on this machine, without a word.
    pub(super) fn quiet_inventory(&self) -> Result<Inventory, LoadError> {
        self.inventory_reading(self.assets.files())
    }

    /// Returns the repositories of which there is no copy yet.
    fn missing(&self) -> Vec<GitSource> {
        let sources = &self.settings.inventory;
        let is_missing = |source: &&GitSource| copy_of(source, sources, self.assets.files()).is_none();
        sources.repositories().filter(is_missing).cloned().collect()
    }

    /// Returns the repositories of the inventory, each with the age and the commit of its copy.
    pub(super) fn inventory_copies(&self) -> Vec<(String, String)> {
        let sources = &self.settings.inventory;
        let state = |source: &GitSource| match copy_of(source, sources, self.assets.files()) {
            Some(copy) => format!("{} at {}", copy.age(), copy.commit.short()),
            None => "not fetched yet".to_owned(),
        };
        sources.repositories().map(|source| (source.to_string(), state(source))).collect()
    }

    /// Returns whether a project's file names a repository of which there is no copy yet.
    pub(super) fn lacks_copies(&self) -> bool {
        self.settings.inventory.of_project && !self.missing().is_empty()
    }

    /// Fetches the repositories of which there is no copy yet, and returns the reasons of failures. A project's file
    /// alone makes `cki` connect to nothing: `cki trust` fetches what it names.
    fn fetch_missing(&self) -> anyhow::Result<FetchFailures> {
        let sources = &self.settings.inventory;
        let missing = self.missing();
        if missing.is_empty() {
            return Ok(FetchFailures::new());
        }
        if sources.of_project {
            let reason = "it is named by a project's file and was not fetched yet; `cki trust` fetches it";
            return Ok(missing.iter().map(|source| (source.copy_name(), reason.to_owned())).collect());
        }
        // Without trust in other decisions of a project, no login is used.
        let git = match self.trust_so_far()? {
            Some(trust) => self.git(trust)?,
            None => Git::new(self.http.clone(), Logins::default(), self.host.env.clone()),
        };
        let synced = self.fetch(missing, FetchWhen::Missing, &git)?;
        let failed = synced.into_iter().filter_map(|one| {
            let error = one.now.err()?;
            let reason = anyhow::Error::from(error);
            Some((one.source.copy_name(), safe_line(&format!("{reason:#}")).into_owned()))
        });
        Ok(failed.collect())
    }

    /// Fetches repositories.
    pub(super) fn fetch(
        &self,
        wanted: Vec<GitSource>,
        when: FetchWhen,
        git: &Git,
    ) -> anyhow::Result<Vec<SyncedSource>> {
        let sources = &self.settings.inventory;
        self.block_on(async |stop| Ok(sync(wanted, sources, when, git, &self.events(), &stop).await))
    }

    /// Fetches the repositories of a project's inventory of which there is no copy yet.
    pub(super) fn fetch_for_trust(&self, config: &Config, trust: TrustProof) -> anyhow::Result<()> {
        let sources = Settings::resolve(config, &self.host.env)?.inventory;
        let wanted = choose(&sources, &[])?;
        if !sources.of_project || wanted.is_empty() {
            return Ok(());
        }
        sources.repositories().for_each(|source| self.host.hide_login(&source.url));
        let git = self.git(trust)?;
        let synced = self.block_on(async |stop| {
            Ok(sync(wanted, &sources, FetchWhen::Missing, &git, &self.events(), &stop).await)
        })?;
        for one in synced {
            if let Err(error) = one.now {
                return Err(error.into());
            }
        }
        Ok(())
    }
}
