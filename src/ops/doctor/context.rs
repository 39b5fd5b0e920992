//! The machine and the settings that the checks look at. Each check reads its inputs from here, and
//! shared facts are looked up once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::base::assets::Assets;
use crate::base::http::{HttpClient, HttpPolicy};
use crate::config::{self, Config, SettingOrigin, Settings};
use crate::host::Env;
use crate::model::event::Events;
use crate::model::inventory::Inventory;
use crate::ops::shared::token::{TokenError, TokenSearch, TokenStanding};
use crate::systems::engine::{Discovery, EngineChoice, discover};
use crate::systems::packages::Packages;

/// The subject of the checks. Shared facts are looked up once.
#[derive(Debug)]
pub struct DoctorContext {
    pub(super) env: Env,
    pub(super) cwd: PathBuf,
    /// The settings, or the reason why their files are unusable; `settings` are then those of flags.
    pub(super) config: Result<Config, String>,
    pub(super) settings: Settings,
    pub(super) http: Arc<HttpClient>,
    pub(super) discovery: OnceCell<Discovery>,
    pub(super) inventory: OnceCell<Result<Inventory, String>>,
    pub(super) token: OnceCell<Result<TokenStanding, TokenError>>,
    /// Receiver of requests and answers, where they are shown.
    pub(super) events: Events,
}

impl DoctorContext {
    /// Returns this machine with these settings. Looks at nothing yet.
    #[must_use]
    pub fn new(env: &Env, cwd: PathBuf, config: Result<Config, String>, settings: Settings) -> Self {
        let policy = HttpPolicy {
            ca_file: settings.ca_file.clone(),
            offline: settings.offline,
            ..HttpPolicy::default()
        };
        Self {
            env: env.clone(),
            cwd,
            config,
            settings,
            // A separate client: remembered answers must not hide a current fault.
            http: Arc::new(HttpClient::new(policy)),
            discovery: OnceCell::new(),
            inventory: OnceCell::new(),
            token: OnceCell::new(),
            events: Events::silent(),
        }
    }

    /// Returns it with requests and answers shown to a receiver.
    #[must_use]
    pub fn showing_requests(self, events: Events) -> Self {
        let policy = HttpPolicy { debug: true, ..self.http.policy().clone() };
        Self { http: Arc::new(HttpClient::new(policy)), events, ..self }
    }

    /// Returns the command that installs an item of the table of packages, or the reason why there is
    /// none.
    pub(super) fn install_command(&self, program: &str) -> Result<String, String> {
        let packages = Packages::read(&self.trusted_assets()).map_err(|error| error.to_string())?;
        let Some(manager) = packages.manager(&self.env) else {
            let known: Vec<&str> = packages.managers.iter().map(|one| one.program.as_str()).collect();
            return Err(format!("none of these package managers is in PATH: {}", known.join(", ")));
        };
        let none = || format!("`{}` has no package with it", manager.program);
        manager.install_command(&self.env, program).ok_or_else(none)
    }

    /// Returns the templates for the commands that are printed and the files that `cki completions
    /// --install` writes: the user's own and the built-in ones, never those of a project.
    #[must_use]
    pub fn trusted_assets(&self) -> Assets {
        let origin =
            self.config.as_ref().ok().and_then(|config| config.get("templates")).map(|value| value.origin);
        let own = !matches!(origin, Some(SettingOrigin::Project { .. }));
        Assets::new(self.settings.templates.iter().filter(|_| own).cloned().collect())
    }

    /// Returns the engines; `None` if none is wanted.
    pub(super) async fn discovery(&self) -> Option<&Discovery> {
        let wanted = match self.settings.engine {
            config::Engine::Native => return None,
            config::Engine::Auto => EngineChoice::Auto,
            config::Engine::Docker => EngineChoice::Docker,
            config::Engine::Podman => EngineChoice::Podman,
        };
        Some(self.discovery.get_or_init(|| discover(&self.env, wanted)).await)
    }

    pub(super) async fn inventory(&self) -> Result<&Inventory, &str> {
        let load = || {
            let sources = self.settings.inventory.clone();
            blocking(move || crate::ops::shared::inventory::load(&sources).map_err(|error| error.to_string()))
        };
        self.inventory.get_or_init(load).await.as_ref().map_err(String::as_str)
    }

    pub(super) async fn token(&self) -> &Result<TokenStanding, TokenError> {
        let look = || {
            let (settings, env, cwd) = (self.settings.clone(), self.env.clone(), self.cwd.clone());
            blocking(move || {
                let patience = Some(FOR_THE_TOKEN);
                TokenSearch { settings: &settings, env: &env, cwd: &cwd, patience }.for_setting()
            })
        };
        self.token.get_or_init(look).await
    }
}

/// Timeout of a command that prints the token.
pub(super) const FOR_THE_TOKEN: Duration = Duration::from_secs(2);

/// Runs a function that may block, off the threads of the runtime.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the runtime cancels the task.
            Err(_) => std::future::pending().await,
        },
    }
}
