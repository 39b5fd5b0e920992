//! Native engine: runs the command of a component as a child of this program, isolated as far as the kernel
//! allows. Knows nothing of the inventory; callers pass command and environment.
//!
//! From the bottom: `kernel` (calls that Rust cannot check), `namespaces`, `supervisor` (ends
//! everything with the component), `log_pump` (writes the output of a detached component), `child` (from fork to exec), `hardening` (protection of this program's
//! secrets), `namespace_holder` (namespaces and sockets made in a fork); above the forks
//! `sandbox`, `start`, `process`, `state_dir`, `logs`, `log_records` and `orphans`.

mod child;
mod error;
mod forwarders;
mod hardening;
mod kernel;
mod log_pump;
mod log_records;
mod logs;
mod namespace_holder;
mod namespaces;
mod orphans;
mod owner;
mod private_directory;
mod process;
mod sandbox;
mod start;
mod state_dir;
mod supervisor;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::stream::BoxStream;
use nix::sys::signal::Signal;
use tokio::time::timeout;

pub use error::NativeError;
pub use forwarders::{ForwarderChannel, ForwarderFacts, RegisteredForwarder, process_ended};
pub use owner::end_owner;
pub use process::{Process, ProcessLog, ProcessOutput};
pub use sandbox::{IsolationAspect, Sandbox};
pub use start::{ExecSpec, ProcessSpec};
pub use state_dir::ProcessFacts;

use crate::base::secret::Secret;
use crate::host::{self, Env};
use crate::model::environment::hidden_parts;
use crate::model::guard::GatePass;
use crate::model::identity::{ResourceLabels, Retention, RunId};
use crate::model::log::{LogPiece, LogRequest};
use kernel::PidFd;
use namespaces::Namespaces;
use orphans::PATIENCE;
use start::Start;

/// Native processes of this user.
#[derive(Debug, Clone)]
pub struct Native {
    /// Directory for runs.
    directory: PathBuf,
    inherited: BTreeMap<OsString, OsString>,
}

impl Native {
    /// Creates it for the runtime directory of this environment, which also gives new processes their `PATH`,
    /// `TERM` and locale.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self { directory: env.runtime_directory().join("native"), inherited: start::inherited(env) }
    }

    /// Returns the processes that have their directories in this one, for a process without an environment.
    #[must_use]
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), inherited: BTreeMap::new() }
    }

    /// Returns the directory for runs.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts a process in a space. Requires a runtime.
    ///
    /// # Errors
    /// Fails if the program or the working directory is missing, or the kernel refuses.
    pub fn spawn(&self, spec: GatePass<ProcessSpec>, space: &Sandbox) -> Result<Process, NativeError> {
        let ProcessSpec {
            identity,
            command,
            workdir,
            environment,
            secret,
            files,
            ready,
            config_hash,
            ports,
            detached,
        } = spec.into_inner();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut facts = ProcessFacts {
            directory: self.directory.join(state_dir::directory_name(&identity)),
            identity,
            command,
            workdir,
            secret,
            ready,
            config_hash,
            ports,
            created: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
            process: None,
            own_processes: space.processes.is_ok(),
        };
        let environment = start::with_files(environment, &files, |file| facts.file(file));
        let hidden = environment.iter().filter(|(key, _)| detached && facts.secret.contains(key));
        let mut hidden: Vec<Secret> = hidden.map(|(_, value)| value.clone()).collect();
        hidden.extend(files.iter().filter(|_| detached).flat_map(hidden_parts));
        let environment = start::environment(&self.inherited, &facts.home(), &environment)?;
        let log = facts.log();
        let start = Start {
            name: &facts.identity.name,
            command: &facts.command,
            workdir: &facts.workdir,
            environment: &environment,
            rooms: space.rooms.clone(),
            own_processes: facts.own_processes,
            input: false,
            log: detached.then_some(&log),
            terminal: None,
        };
        start.check()?;
        private_directory::make_runs_directory(&self.directory)?;
        let log = facts.create(&hidden, &files)?;
        let mut process = start.go().inspect_err(|_| {
            // The next command removes what remains.
            let _ = private_directory::remove(&facts.directory);
        })?;
        facts.process = process.supervisor().and_then(host::owner);
        let written = facts.write(&facts.directory);
        // From here on, dropping the process also removes its directory.
        process.keep(facts, log);
        written?;
        if detached {
            process.detach()?;
        }
        Ok(process)
    }

    /// Runs a command in the space, working directory and environment of a living process. Requires a
    /// runtime.
    ///
    /// # Errors
    /// Fails if the process does not live, or the program is missing.
    pub fn exec(&self, facts: &ProcessFacts, spec: ExecSpec<'_>) -> Result<Process, NativeError> {
        let ExecSpec { command, workdir, environment: added, input, terminal, term } = spec;
        let pid = facts.pid()?;
        let name = &facts.identity.name;
        let failed = |source| NativeError::Process { verb: "enter the space of", name: name.clone(), source };
        let rooms = Namespaces::of(pid).map_err(failed)?;
        let mut environment = orphans::environment(pid).unwrap_or_default();
        environment.extend(term.map(|term| ("TERM".into(), term.into())));
        environment.extend(added.into_iter().map(|(name, value)| (name.into(), value.expose().into())));
        // If the process still lives, the data read above is its own.
        facts.pid()?;
        let start = Start {
            name,
            command,
            workdir: workdir.as_deref().unwrap_or(&facts.workdir),
            environment: &environment,
            rooms: Arc::new(rooms),
            own_processes: false,
            input,
            log: None,
            terminal,
        };
        start.go()
    }

    /// Returns the space of a living process.
    ///
    /// # Errors
    /// Fails if the process does not live.
    pub fn space(&self, facts: &ProcessFacts) -> Result<Sandbox, NativeError> {
        let pid = facts.pid()?;
        let name = &facts.identity.name;
        let failed = |source| NativeError::Process { verb: "enter the space of", name: name.clone(), source };
        let rooms = Namespaces::of(pid).map_err(failed)?;
        // If the process still lives, the opened namespaces are its own.
        facts.pid()?;
        Ok(Sandbox::of(rooms))
    }

    /// Returns all processes that have a directory, living or dead, oldest first.
    ///
    /// # Errors
    /// Fails if the directory for runs cannot be read.
    pub fn list(&self) -> Result<Vec<ProcessFacts>, NativeError> {
        state_dir::list(&self.directory)
    }

    /// Returns directories whose creator was killed before they were complete.
    ///
    /// # Errors
    /// Fails if the directory for runs cannot be read.
    pub fn unfinished(&self) -> Result<Vec<PathBuf>, NativeError> {
        state_dir::unfinished(&self.directory)
    }

    /// Returns the secrets in the environment of a process: of a living one from the process itself, of a
    /// detached one that has ended from the file next to its log.
    ///
    /// # Errors
    /// Fails if the secrets cannot be read.
    pub fn secrets(&self, facts: &ProcessFacts) -> Result<Vec<Secret>, NativeError> {
        let mut secrets = facts.stored_secrets()?;
        if let Ok(pid) = facts.pid() {
            let environment = orphans::environment(pid).unwrap_or_default();
            let values = facts.secret.iter().filter_map(|name| environment.get(OsStr::new(name)));
            secrets.extend(values.map(|value| Secret::new(value.to_string_lossy())));
        }
        secrets.sort();
        secrets.dedup();
        Ok(secrets)
    }

    /// Returns the log of a process: its unmasked output if it is detached, else the appended output. While following,
    /// the log ends when the process has ended. It has no timestamps.
    ///
    /// # Errors
    /// Fails if the process has no log.
    pub fn logs(
        &self,
        facts: &ProcessFacts,
        request: LogRequest,
    ) -> Result<BoxStream<'static, LogPiece>, NativeError> {
        let process = facts.clone();
        Ok(logs::read(&facts.log(), move || request.follow && process.is_alive(), request)?)
    }

    /// Ends a process: with SIGTERM first; after `grace`, it and all its descendants are killed.
    ///
    /// # Errors
    /// Fails if something cannot be killed.
    pub async fn stop(&self, facts: &ProcessFacts, grace: Duration) -> Result<(), NativeError> {
        if let Some(supervisor) = facts.process.as_ref().and_then(PidFd::find) {
            let name = &facts.identity.name;
            let failed = |source| NativeError::Process { verb: "signal", name: name.clone(), source };
            for (signal, patience) in
                [(Signal::SIGTERM, grace), (supervisor::END, PATIENCE), (Signal::SIGKILL, PATIENCE)]
            {
                if !patience.is_zero() {
                    supervisor.signal(signal).map_err(failed)?;
                    if let Ok(ended) = timeout(patience, supervisor.ended()).await {
                        ended.map_err(failed)?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the directory of a process that has ended, and descendants that its supervisor could not end.
    ///
    /// # Errors
    /// Fails if something cannot be killed or removed.
    pub async fn remove(&self, facts: &ProcessFacts) -> Result<(), NativeError> {
        orphans::kill_all(&facts.home(), &facts.identity.name).await?;
        Ok(private_directory::remove(&facts.directory)?)
    }

    /// Keeps the directories of a run's processes, with their logs, after their end.
    ///
    /// # Errors
    /// Fails if the note cannot be written.
    pub fn keep(&self, run: &RunId) -> Result<(), NativeError> {
        for mut facts in self.list()?.into_iter().filter(|one| one.identity.run == *run) {
            facts.identity.lifetime = Retention::Retained;
            facts.write(&facts.directory)?;
        }
        Ok(())
    }

    /// Removes the leftovers of dead processes that `abandoned` selects: their directories, and descendants
    /// that a killed supervisor could not end. Leaves living processes alone, but waits for those whose owner
    /// is dead, since they are about to end.
    ///
    /// # Errors
    /// Fails if something cannot be killed or removed.
    pub async fn prune(
        &self,
        abandoned: impl Fn(&ResourceLabels) -> bool,
    ) -> Result<Vec<ResourceLabels>, NativeError> {
        state_dir::remove_unfinished(&self.directory)?;
        for forwarder in self.forwarders()?.iter().filter(|one| !one.is_alive()) {
            self.end_forwarder(forwarder).await?;
        }
        let mut pruned = Vec::new();
        for facts in self.list()? {
            if !abandoned(&facts.identity) {
                continue;
            }
            // A process whose owner was just killed is about to end.
            if let Some(supervisor) = facts.process.as_ref().and_then(PidFd::find)
                && !host::is_alive(&facts.identity.owner)
            {
                let _ = timeout(PATIENCE, supervisor.ended()).await;
            }
            if !facts.is_alive() {
                self.remove(&facts).await?;
                pruned.push(facts.identity);
            }
        }
        Ok(pruned)
    }
}
