//! What commands share: the machine, the settings, the printer, and what is loaded on first use.

use std::sync::Arc;

use anyhow::Context as _;

use super::args::Globals;
use crate::base::assets::Assets;
use crate::base::http::{Http, HttpPolicy};
use crate::config::{Color, Config, Format, Settings};
use crate::host::Host;
use crate::host::signals::Stop;
use crate::model::event::Events;
use crate::model::inventory::Inventory;
use crate::ops::workspace::Workspace;
use crate::ui::{Options, Ui, Verbosity};

/// What commands share.
pub(super) struct Context {
    pub(super) host: Host,
    pub(super) config: Config,
    pub(super) settings: Settings,
    pub(super) ui: Ui,
    pub(super) assets: Assets,
    pub(super) workspace: Workspace,
    pub(super) http: Arc<Http>,
    /// What `-o` said, if it is no form that all commands have.
    pub(super) own_format: Option<String>,
}

impl Context {
    /// Reads the settings; opens nothing.
    pub(super) fn new(host: Host, globals: &Globals) -> anyhow::Result<Self> {
        let config = Config::load(&host.env, &host.cwd, globals.settings())?;
        let settings = Settings::resolve(&config, &host.env)?;
        let color = match settings.color {
            Color::Auto => None,
            Color::Always => Some(true),
            Color::Never => Some(false),
        };
        let verbosity = match (globals.quiet, globals.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let ui = Ui::new(&host, Options { color, verbosity, json: settings.output == Format::Json });
        for warning in &config.warnings {
            ui.warning(warning);
        }
        let policy = HttpPolicy { ca_file: settings.ca_file.clone(), offline: settings.offline };
        let own_format = globals.output.clone().filter(|form| !Format::is_one(form));
        Ok(Self {
            assets: Assets::new(settings.templates.iter().cloned().collect()),
            workspace: Workspace::new(&settings.workspace),
            http: Arc::new(Http::new(policy)),
            host,
            config,
            settings,
            ui,
            own_format,
        })
    }

    /// Loads the inventory, and says what is wrong with it.
    pub(super) fn inventory(&self) -> anyhow::Result<Inventory> {
        let inventory = crate::ops::inventory::load(self.settings.inventory.as_deref())?;
        for finding in &inventory.findings {
            self.ui.warning(&crate::base::text::safe_line(&finding.to_string()));
        }
        Ok(inventory)
    }

    /// Where work reports to.
    pub(super) fn events(&self) -> Events {
        Events::new(self.ui.clone())
    }

    /// Runs something that waits, with an ear for signals.
    pub(super) fn block_on<T, F>(&self, work: impl FnOnce(Stop) -> F) -> anyhow::Result<T>
    where
        F: Future<Output = anyhow::Result<T>>,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let result = runtime.block_on(async { work(Stop::listen()?).await });
        // A thread that waits for a server in vain must not keep the program from ending.
        runtime.shutdown_timeout(std::time::Duration::from_millis(200));
        result
    }

    /// Refuses a form of `-o` that this command does not have.
    pub(super) fn no_own_format(&self) -> anyhow::Result<()> {
        match &self.own_format {
            None => Ok(()),
            Some(form) => Err(super::error::UsageError(format!(
                "`-o {form}` is not a form of this command; it has `text` and `json`"
            ))
            .into()),
        }
    }
}
