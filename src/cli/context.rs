//! Context of a command: the machine, the settings, the printer, and everything loaded on first use. Work
//! of a single command is in `commands/`.

use std::ffi::OsString;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Command;

use super::error::UsageError;
use super::format::OutputFormat;
use super::globals::Globals;
use super::known_tokens::KnownTokens;
use super::repeated_flags::RepeatedFlags;
use crate::base::assets::Assets;
use crate::base::background::BackgroundWork;
use crate::base::http::{HttpClient, HttpPolicy};
use crate::config::{Config, Format, SettingOrigin, Settings};
use crate::demo::walk;
use crate::host::Host;
use crate::host::signals::{Shutdown, Signal};
use crate::model::environment::is_secret;
use crate::model::event::Events;
use crate::model::inventory::Inventory;
use crate::ops;
use crate::ops::doctor::DoctorContext;
use crate::ops::gc::GcScope;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::list::ListScope;
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::run_policy::secret_names;
use crate::ops::shared::token::secrets_in_environment;
use crate::ops::shared::workspace::Workspace;
use crate::ops::trust::{ProjectFiles, TrustStanding};
use crate::report;
use crate::systems::git::Git;
use crate::systems::native::Native;
use crate::systems::pager;
use crate::ui::{Results, Ui, UiOptions, Verbosity};

/// Proof that decisions of the project's files may take effect: there is no such file, it decides nothing,
/// or the user trusts its directory. Each operation that starts, sends, builds or writes something requires
/// it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrustProof(());

/// Context of a command.
pub(super) struct Context {
    pub(super) host: Host,
    pub(super) config: Config,
    /// Reason why the settings in files and the environment could not be read.
    pub(super) config_trouble: Option<String>,
    pub(super) settings: Settings,
    pub(super) ui: Ui,
    pub(super) assets: Assets,
    pub(super) workspace: Workspace,
    pub(super) http: Arc<HttpClient>,
    /// Format of results: the value of `-o`, or else that of the setting.
    pub(super) format: OutputFormat,
    /// Tokens of this run.
    pub(super) tokens: KnownTokens,
    /// Work beside the command; the end of the command waits for it.
    pub(super) background: BackgroundWork,
}

impl Context {
    /// Reads the settings; opens nothing else.
    pub(super) fn new(host: Host, globals: &Globals) -> anyhow::Result<Self> {
        let config = Config::load(&host.env, &host.cwd, globals.settings())?;
        Self::with(host, globals, config, None)
    }

    /// Reads the settings for commands that diagnose them: if they are invalid, uses the flags alone.
    pub(super) fn lenient(host: Host, globals: &Globals) -> anyhow::Result<Self> {
        match Config::load(&host.env, &host.cwd, globals.settings()) {
            Ok(config) => Self::with(host, globals, config, None),
            Err(error) => {
                let config = Config::of_flags(&host.cwd, globals.settings())?;
                Self::with(host, globals, config, Some(error.to_string()))
            }
        }
    }

    fn with(
        host: Host,
        globals: &Globals,
        config: Config,
        config_trouble: Option<String>,
    ) -> anyhow::Result<Self> {
        let settings = Settings::resolve(&config, &host.env)?;
        host.hide_login(&settings.gitlab_url.0);
        settings.inventory.repositories().for_each(|source| host.hide_login(&source.url));
        if let Some((token, _)) = &settings.gitlab_token {
            host.hide(token);
        }
        secrets_in_environment(&host.env).iter().for_each(|token| host.hide(token));
        let color = settings.color.forced();
        let verbosity = match (globals.quiet, globals.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        // An unknown value of `-o` is an error of the command.
        let typed = globals.output.as_deref().and_then(OutputFormat::parse);
        let format = typed.unwrap_or(match settings.output {
            Format::Text => OutputFormat::Text,
            Format::Json => OutputFormat::Json,
            Format::Yaml => OutputFormat::Yaml,
        });
        let results = match format {
            OutputFormat::Json => Results::Json,
            OutputFormat::Yaml => Results::Yaml,
            OutputFormat::Wide => Results::Wide,
            OutputFormat::Name => Results::Names,
            _ => Results::Text,
        };
        let ui = Ui::new(&host, UiOptions { color, verbosity, results });
        if !globals.no_pager {
            let env = host.env.clone();
            ui.page_with(move |text| pager::show(&env, text));
        }
        for warning in &config.warnings {
            ui.warning(warning);
        }
        let policy = HttpPolicy {
            ca_file: settings.ca_file.clone(),
            offline: settings.offline,
            debug: globals.debug_http,
            files: config.snapshot().clone(),
        };
        Ok(Self {
            assets: assets(&config, &settings, &ui),
            workspace: workspace(&host, &config, &settings),
            http: Arc::new(HttpClient::new(policy)),
            host,
            config,
            config_trouble,
            settings,
            ui,
            format,
            tokens: KnownTokens::default(),
            background: BackgroundWork::default(),
        })
    }

    /// Returns the printer, whose messages show commands with the flags of a command line.
    pub(super) fn ui_for(&self, tree: fn() -> Command, args: &[OsString]) -> Ui {
        let assets = self.assets.clone();
        // A hint rarely names a variable, so the rules are read only then. Without rules, each value counts as secret.
        let is_secret = move |name: &str, value: &str| {
            secret_names(&assets).is_none_or(|names| is_secret(name, value, &names))
        };
        let flags = RepeatedFlags::new(tree, args, is_secret);
        self.ui.complete_commands(move |command| flags.complete(command));
        self.ui.clone()
    }

    /// Checks that the user trusts the decisions of the project's files; asks on a terminal.
    pub(super) fn require_trust(&self) -> anyhow::Result<TrustProof> {
        let Some(project) = ProjectFiles::of(&self.config, &self.host.env)? else {
            return Ok(TrustProof(()));
        };
        let standing = project.standing()?;
        if standing == TrustStanding::Trusted {
            return Ok(TrustProof(()));
        }
        // A repository without a copy has no commit to trust yet; `cki trust` fetches it.
        if !self.ui.can_ask() || self.ui.is_structured() || self.lacks_copies() {
            return Err(project.untrusted(standing).into());
        }
        report::trust::ask(&self.ui, &self.host, &project, standing)?;
        // The files may have changed while the question was open: record the content that was shown.
        project.trust()?;
        Ok(TrustProof(()))
    }

    /// Asks before something is changed that stays, or ends. A script confirms with `--yes`. `what` begins a sentence.
    pub(super) fn confirm(&self, what: &str, question: &str, yes: bool) -> anyhow::Result<()> {
        if yes {
            return Ok(());
        }
        if !self.ui.can_ask() || self.ui.is_structured() {
            let message =
                format!("{what} needs a confirmation, and there is no terminal to ask on; add `--yes`");
            return Err(UsageError(message).into());
        }
        Ok(self.ui.confirm(&self.host, question)?)
    }

    /// Extends the user's trust in a project to files that this command has written there.
    pub(super) fn trust_written<'a>(
        &self,
        written: impl IntoIterator<Item = (&'a Path, &'a str)>,
    ) -> anyhow::Result<()> {
        // What was read before the command wrote is kept, so this is the content that the user trusts.
        if let Some(project) = ProjectFiles::of(&self.config, &self.host.env)? {
            project.trust_with(written)?;
        }
        Ok(())
    }

    /// Returns the proof of trust if the user has given it before; asks nothing.
    pub(super) fn trust_so_far(&self) -> anyhow::Result<Option<TrustProof>> {
        Ok(match ProjectFiles::of(&self.config, &self.host.env)? {
            Some(project) => (project.standing()? == TrustStanding::Trusted).then_some(TrustProof(())),
            None => Some(TrustProof(())),
        })
    }

    /// Returns the proof of a trust that the user gives by this very command.
    pub(super) fn trust_given_now(&self) -> TrustProof {
        TrustProof(())
    }

    /// Returns the sink for progress events, which prints them.
    pub(super) fn events(&self) -> Events {
        Events::new(self.ui.clone())
    }

    /// Runs asynchronous work that can be stopped by signals.
    pub(super) fn block_on<T>(
        &self,
        work: impl AsyncFnOnce(Shutdown) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut result = None;
        self.drive(Box::pin(async {
            let stoppable = async {
                let stop = Shutdown::listen()?;
                let unread = stop.clone();
                self.host.stdout.on_failure(move || unread.trigger(Signal::Pipe));
                let unread = stop.clone();
                self.host.stderr.on_lost_piece(move || unread.trigger(Signal::Pipe));
                work(stop).await
            };
            result = Some(stoppable.await);
        }))?;
        result.context("the runtime ended before the work")?
    }

    /// Drives work to its end. The runtime has much code for each type of a future, so all work has one.
    fn drive(&self, work: Pin<Box<dyn Future<Output = ()> + '_>>) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(work);
        // A thread that is blocked on a server must not keep the program from ending.
        runtime.shutdown_timeout(std::time::Duration::from_millis(200));
        Ok(())
    }

    /// Returns the selected engine, after removing the leftovers of killed runs on it.
    pub(super) async fn engine(&self) -> anyhow::Result<RunEngine> {
        let events = self.events();
        let engine = ops::runtime::engine::open(self.settings.engine, &self.host.env, &events).await?;
        let left = GcScope {
            engine: &engine,
            native: &self.native(),
            workspace: self.workspace.root(),
            env: &self.host.env,
        };
        let demos = walk::remove_abandoned(&self.host, &engine).await;
        let demos = demos.into_iter().map(|directory| directory.display().to_string());
        for name in left.remove().await?.into_iter().chain(demos) {
            events.note(format!("removed `{name}`, which a run that was killed had left behind"));
        }
        Ok(engine)
    }

    /// Returns the runs that the command is about: those of this inventory, or all on the engine.
    pub(super) fn scope(&self, all: bool) -> ListScope {
        if all { ListScope::All } else { ListScope::Inventory(self.settings.inventory_id()) }
    }

    /// Returns the native engine, which manages processes on this machine.
    pub(super) fn native(&self) -> Native {
        Native::new(&self.host.env)
    }

    /// Returns the machine as `cki doctor` examines it.
    pub(super) fn patient(&self) -> DoctorContext {
        let config = self.config_trouble.clone().map_or_else(|| Ok(self.config.clone()), Err);
        let cwd = self.host.cwd.clone();
        let patient = DoctorContext::new(&self.host.env, cwd, config, self.settings.clone());
        if self.http.policy().debug { patient.showing_requests(self.events()) } else { patient }
    }

    /// Returns the context of operations that use several systems.
    pub(super) fn op_context<'a>(
        &'a self,
        inventory: &'a Inventory,
        git: &'a Git,
        stop: Shutdown,
    ) -> OpContext<'a> {
        OpContext {
            inventory,
            inventory_id: self.settings.inventory_id(),
            assets: &self.assets,
            workspace: &self.workspace,
            git,
            env: &self.host.env,
            owner: self.host.owner(),
            program: self.host.executable.display().to_string(),
            merge_request_ref: &self.settings.merge_request_ref,
            image_tag: &self.settings.image_tag,
            offline: self.settings.offline,
            ready_timeout: self.settings.ready_timeout,
            stop_grace: self.settings.stop_grace,
            memory: self.settings.memory,
            events: self.events(),
            stop,
        }
    }
}

/// Returns the workspace, with the working trees of the user: the one around the working directory, and those
/// that hold the project's `cki.toml` or the inventory.
fn workspace(host: &Host, config: &Config, settings: &Settings) -> Workspace {
    let parent = |file: &Path| file.parent().map(Path::to_path_buf);
    let project = config.project.as_deref().and_then(parent);
    let inventory = settings.inventory.paths().filter_map(parent);
    let around = [Some(host.cwd.clone()), project].into_iter().flatten().chain(inventory).collect();
    Workspace::new(&settings.workspace, host.env.clone()).with_trees_around(around)
}

/// Returns the templates. A project cannot override comments, which are posted in the user's name.
fn assets(config: &Config, settings: &Settings, ui: &Ui) -> Assets {
    const COMMENTS: &str = "comments";
    let assets = Assets::new(settings.templates.iter().cloned().collect()).reading(config.snapshot().clone());
    let origin = config.get("templates").map(|value| value.origin);
    let Some(origin @ SettingOrigin::Project { .. }) = origin else { return assets };
    if settings.templates.iter().any(|directory| directory.join(COMMENTS).exists()) {
        ui.warning(&format!(
            "{origin}: `{COMMENTS}/` of a project's templates is ignored; name it in your own `cki.toml`."
        ));
    }
    assets.closed(COMMENTS)
}
