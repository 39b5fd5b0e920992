//! `cki doctor`: looks at everything that the other commands build upon. A check is a function from
//! the [`Patient`] to what was [`Found`]; they run at the same time, know nothing of each other,
//! change nothing, and one that hangs is cut off. Mending is `ops::setup`.

mod engine;
mod files;
mod gitlab;
mod network;
mod programs;
mod shell;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::OnceCell;

use crate::base::assets::Assets;
use crate::base::http::{Http, HttpPolicy};
use crate::base::text::{duration, safe_line};
use crate::config::{self, Config, Origin, Settings};
use crate::host::Env;
use crate::model::event::Events;
use crate::model::inventory::Inventory;
use crate::ops::token::{self, Standing, TokenError};
use crate::systems::engine::{Discovery, Wanted, discover};

/// A check that has found nothing by then is cut off.
const PATIENCE: Duration = Duration::from_secs(6);

/// A command that prints the token has so long.
const FOR_THE_TOKEN: Duration = Duration::from_secs(2);

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Good,
    /// Something works less well than it could.
    Warning,
    /// Something does not work.
    Failed,
    /// It does not matter here.
    NotNeeded,
}

/// What is missing and can be installed or set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// A container engine.
    Engine,
    /// The C preprocessor.
    Cpp,
    /// The `git` program.
    Git,
    /// Certificates of authorities.
    Certificates,
    /// The shell's completion.
    Completion,
}

/// What a check has found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What came of it.
    pub state: State,
    /// What was found, in a line.
    pub why: String,
    /// More of it, a line each.
    pub details: Vec<String>,
    /// The command that mends it, if one does.
    pub fix: Option<String>,
    /// What `cki setup` can do about it.
    pub lacks: Option<Lack>,
}

impl Found {
    fn new(state: State, why: impl Into<String>) -> Self {
        Self { state, why: why.into(), details: Vec::new(), fix: None, lacks: None }
    }

    fn good(why: impl Into<String>) -> Self {
        Self::new(State::Good, why)
    }

    fn warning(why: impl Into<String>) -> Self {
        Self::new(State::Warning, why)
    }

    fn failed(why: impl Into<String>) -> Self {
        Self::new(State::Failed, why)
    }

    fn not_needed(why: impl Into<String>) -> Self {
        Self::new(State::NotNeeded, why)
    }

    fn details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    fn fix(self, command: impl Into<String>) -> Self {
        Self { fix: Some(command.into()), ..self }
    }

    /// Mended by `cki setup`.
    fn lacks(self, lack: Lack) -> Self {
        Self { lacks: Some(lack), ..self.fix("cki setup") }
    }
}

/// One check and what it has found. Texts from outside are safe to show.
#[derive(Debug, Clone)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub found: Found,
}

/// What is looked at. Whatever several checks need is looked up once.
#[derive(Debug)]
pub struct Patient {
    env: Env,
    cwd: PathBuf,
    /// The settings, or why the files with them cannot be used; `settings` are then those of flags.
    config: Result<Config, String>,
    settings: Settings,
    http: Arc<Http>,
    discovery: OnceCell<Discovery>,
    inventory: OnceCell<Result<Inventory, String>>,
    token: OnceCell<Result<Standing, TokenError>>,
}

impl Patient {
    /// This machine, with these settings. Nothing is looked at yet.
    #[must_use]
    pub fn new(env: &Env, cwd: PathBuf, config: Result<Config, String>, settings: Settings) -> Self {
        let policy = HttpPolicy { ca_file: settings.ca_file.clone(), offline: settings.offline };
        Self {
            env: env.clone(),
            cwd,
            config,
            settings,
            // One of its own: what it remembers must not hide what is wrong now.
            http: Arc::new(Http::new(policy)),
            discovery: OnceCell::new(),
            inventory: OnceCell::new(),
            token: OnceCell::new(),
        }
    }

    /// The environment.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The engine that the settings ask for.
    #[must_use]
    pub fn wanted(&self) -> config::Engine {
        self.settings.engine
    }

    /// The templates for what `cki setup` runs and writes: those of a project that was cloned from
    /// somewhere are not asked.
    #[must_use]
    pub fn trusted_assets(&self) -> Assets {
        let origin =
            self.config.as_ref().ok().and_then(|config| config.get("templates")).map(|value| value.origin);
        let own = !matches!(origin, Some(Origin::Project { .. }));
        Assets::new(self.settings.templates.iter().filter(|_| own).cloned().collect())
    }

    /// What engines there are; `None` if none is wanted.
    async fn discovery(&self) -> Option<&Discovery> {
        let wanted = match self.settings.engine {
            config::Engine::Native => return None,
            config::Engine::Auto => Wanted::Auto,
            config::Engine::Docker => Wanted::Docker,
            config::Engine::Podman => Wanted::Podman,
        };
        Some(self.discovery.get_or_init(|| discover(&self.env, wanted)).await)
    }

    async fn inventory(&self) -> Result<&Inventory, &str> {
        let load = || {
            let path = self.settings.inventory.clone();
            blocking(move || super::inventory::load(path.as_deref()).map_err(|error| error.to_string()))
        };
        self.inventory.get_or_init(load).await.as_ref().map_err(String::as_str)
    }

    async fn token(&self) -> &Result<Standing, TokenError> {
        let look = || {
            let (settings, cwd) = (self.settings.clone(), self.cwd.clone());
            blocking(move || token::look(&settings, &cwd, Some(FOR_THE_TOKEN)))
        };
        self.token.get_or_init(look).await
    }
}

type Looking<'a> = BoxFuture<'a, Found>;

/// All checks, in the order in which they are shown.
fn checks(patient: &Patient) -> Vec<(&'static str, Looking<'_>)> {
    vec![
        ("configuration", files::configuration(patient).boxed()),
        ("inventory", files::inventory(patient).boxed()),
        ("workspace", files::workspace(patient).boxed()),
        ("engine", engine::engine(patient).boxed()),
        ("native engine", engine::native(patient).boxed()),
        ("network", network::between_containers(patient).boxed()),
        ("leftovers", engine::leftovers(patient).boxed()),
        ("git", programs::git(patient).boxed()),
        ("cpp", programs::cpp(patient).boxed()),
        ("certificates", programs::certificates(patient).boxed()),
        ("gitlab", gitlab::server(patient).boxed()),
        ("token", gitlab::token(patient).boxed()),
        ("completion", shell::completion(patient).boxed()),
    ]
}

/// Looks at everything.
pub async fn doctor(patient: &Patient, events: &Events) -> Vec<Check> {
    let task = events.start("doctor", "looking at this machine");
    let looking = checks(patient).into_iter().map(|(name, looking)| limited(name, PATIENCE, looking));
    let checks = join_all(looking).await;
    task.dismiss();
    checks
}

async fn limited(name: &'static str, patience: Duration, looking: Looking<'_>) -> Check {
    let cut_off = |_| Found::failed(format!("there is no answer within {}", duration(patience)));
    let mut found = tokio::time::timeout(patience, looking).await.unwrap_or_else(cut_off);
    found.why = safe_line(&found.why).into_owned();
    for detail in &mut found.details {
        *detail = safe_line(detail).into_owned();
    }
    Check { name, found }
}

/// Does something that may block, off the threads of the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the runtime cancels it.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A machine where nothing is: no engine is looked for, and nothing is connected to.
    pub(super) fn patient(pairs: &[(&str, &str)]) -> Patient {
        let nothing = [("CKI_ENGINE", "native"), ("CKI_OFFLINE", "true"), ("HOME", "/nonexistent")];
        let env = Env::new(nothing.into_iter().chain(pairs.iter().copied()));
        let config = Config::load(&env, Path::new("/"), []).expect("loads");
        let settings = Settings::resolve(&config, &env).expect("resolves");
        Patient::new(&env, "/".into(), Ok(config), settings)
    }

    #[tokio::test]
    async fn a_check_that_hangs_is_cut_off_and_says_so() {
        let check = limited("x", Duration::from_millis(10), std::future::pending().boxed()).await;
        assert_eq!(check.found.state, State::Failed);
        assert_eq!(check.found.why, "there is no answer within 0.0 s");
        let check = limited("x", PATIENCE, async { Found::good("\x1b[31mred") }.boxed()).await;
        assert_eq!((check.found.state, check.found.why.as_str()), (State::Good, "red"));
    }

    #[tokio::test]
    async fn every_check_finds_something() {
        let checks = doctor(&patient(&[]), &Events::silent()).await;
        assert_eq!(checks.len(), 13);
        for Check { name, found } in checks {
            assert!(!found.why.is_empty() && !found.why.ends_with('.'), "{name}: {}", found.why);
            assert!(found.lacks.is_none() || found.fix.is_some(), "{name}");
        }
    }

    #[test]
    fn templates_of_a_project_are_not_trusted() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        crate::base::files::write_whole(&folder.path().join("t/packages.yaml"), b"mine", 0o644)
            .expect("writes");
        crate::base::files::write_whole(&folder.path().join("cki.toml"), b"templates = 't'", 0o644)
            .expect("writes");
        let text = |env: &Env, cwd: &Path| {
            let config = Config::load(env, cwd, []).expect("loads");
            let settings = Settings::resolve(&config, env).expect("resolves");
            let patient = Patient::new(env, cwd.to_path_buf(), Ok(config), settings);
            patient.trusted_assets().text("packages.yaml").expect("reads").expect("is there").text
        };
        assert_ne!(text(&Env::new([("HOME", "/nonexistent")]), folder.path()), "mine");
        let own = folder.path().join("t").display().to_string();
        let env = Env::new([("HOME", "/nonexistent"), ("CKI_TEMPLATES", own.as_str())]);
        assert_eq!(text(&env, Path::new("/")), "mine");
    }
}
