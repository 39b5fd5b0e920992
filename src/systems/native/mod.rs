//! Processes without any container engine: the command of a component as a child of this program,
//! kept apart as far as the kernel allows. Knows nothing of the inventory; what to run, with what
//! environment, is given.
//!
//! From the bottom: `kernel` (calls that Rust cannot check), `rooms` (namespaces), `supervisor`
//! (who sees to it that nothing outlives a component), `child` (from fork to exec), `hardening`
//! (what a component cannot read of this program), `maker` (namespaces and sockets made in a fork); above the forks `space`, `start`, `process`, `runs`,
//! `logs` and `remains`.

mod child;
mod error;
mod hardening;
mod kernel;
mod logs;
mod maker;
mod process;
mod remains;
mod rooms;
mod runs;
mod space;
mod start;
mod supervisor;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use nix::sys::signal::Signal;
use tokio::time::timeout;

pub use error::NativeError;
pub use process::{Output, Process, ProcessLog};
pub use runs::ProcessFacts;
pub use space::{Published, Space};
pub use start::{Beside, ProcessSpec};

use crate::base::secret::Secret;
use crate::host::{self, Env};
use crate::model::environment::hidden_parts;
use crate::model::guard::Passed;
use crate::model::identity::{Identity, Lifetime, RunId};
use kernel::Living;
use remains::PATIENCE;
use rooms::Rooms;
use start::Start;

/// The processes of this user.
#[derive(Debug, Clone)]
pub struct Native {
    /// Where runs are kept.
    folder: PathBuf,
    inherited: BTreeMap<OsString, OsString>,
}

impl Native {
    /// Those whose folders are in the runtime folder of this environment, which also gives new
    /// ones their `PATH`, `TERM` and locale.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self { folder: env.runtime_folder().join("native"), inherited: start::inherited(env) }
    }

    /// Starts a process in a space. Call it within the runtime.
    ///
    /// # Errors
    /// When the program or the working directory is missing, or the system refuses.
    pub fn spawn(&self, spec: Passed<ProcessSpec>, space: &Space) -> Result<Process, NativeError> {
        let ProcessSpec { identity, command, workdir, environment, secret, files, ready, ports, detached } =
            spec.into_inner();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut facts = ProcessFacts {
            folder: self.folder.join(runs::folder_name(&identity)),
            identity,
            command,
            workdir,
            secret,
            ready,
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
        runs::make_runs_folder(&self.folder)?;
        let log = facts.create(&hidden, &files)?;
        let mut process = start.go().inspect_err(|_| {
            // What cannot be removed now is found by the next sweep.
            let _ = runs::remove(&facts.folder);
        })?;
        facts.process = process.supervisor().and_then(host::owner);
        let written = facts.write(&facts.folder);
        // From here on, the guard takes the folder away with the process.
        process.keep(facts, log);
        written?;
        if detached {
            process.release()?;
        }
        Ok(process)
    }

    /// Runs a command beside a living process: in its space, its working directory, and with its
    /// environment. With `input`, it reads what is written to [`Process::input`]. Call it within
    /// the runtime.
    ///
    /// # Errors
    /// When the process does not live, or the program is missing.
    pub fn exec(
        &self,
        facts: &ProcessFacts,
        command: &Passed<Vec<String>>,
        input: bool,
    ) -> Result<Process, NativeError> {
        self.beside(facts, Beside { command, workdir: None, input, terminal: None, term: None })
    }

    /// As [`Native::exec`], with more to say about it.
    ///
    /// # Errors
    /// As there.
    pub fn beside(&self, facts: &ProcessFacts, beside: Beside<'_>) -> Result<Process, NativeError> {
        let Beside { command, workdir, input, terminal, term } = beside;
        let pid = facts.pid()?;
        let name = &facts.identity.name;
        let failed = |source| NativeError::Process { verb: "enter the space of", name: name.clone(), source };
        let rooms = Rooms::of(pid).map_err(failed)?;
        let mut environment = remains::environment(pid).unwrap_or_default();
        environment.extend(term.map(|term| ("TERM".into(), term.into())));
        // If it is still there, then what was opened and read is its own.
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

    /// The space that a living process is in.
    ///
    /// # Errors
    /// When the process does not live.
    pub fn space(&self, facts: &ProcessFacts) -> Result<Space, NativeError> {
        let pid = facts.pid()?;
        let name = &facts.identity.name;
        let failed = |source| NativeError::Process { verb: "enter the space of", name: name.clone(), source };
        let rooms = Rooms::of(pid).map_err(failed)?;
        // As above.
        facts.pid()?;
        Ok(Space::of(rooms))
    }

    /// All processes that have a folder, living or dead, oldest first.
    ///
    /// # Errors
    /// When the folder for runs cannot be read.
    pub fn list(&self) -> Result<Vec<ProcessFacts>, NativeError> {
        runs::list(&self.folder)
    }

    /// Folders that somebody who was killed had begun to make.
    ///
    /// # Errors
    /// When the folder for runs cannot be read.
    pub fn unfinished(&self) -> Result<Vec<PathBuf>, NativeError> {
        runs::unfinished(&self.folder)
    }

    /// What must not be shown of the environment that a process was given. That of a living one is
    /// read from the process, that of one that was detached and has ended from beside its log.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn secrets(&self, facts: &ProcessFacts) -> Result<Vec<Secret>, NativeError> {
        let mut secrets = facts.kept_secrets()?;
        if let Ok(pid) = facts.pid() {
            let environment = remains::environment(pid).unwrap_or_default();
            let values = facts.secret.iter().filter_map(|name| environment.get(OsStr::new(name)));
            secrets.extend(values.map(|value| Secret::new(value.to_string_lossy())));
        }
        secrets.sort();
        secrets.dedup();
        Ok(secrets)
    }

    /// The log of a process: what it has written if it is detached, secrets included, and what was
    /// appended if not. With `follow` it ends when the process has; with `tail`, it begins with so
    /// many of the lines that are there already.
    ///
    /// # Errors
    /// When there is none.
    pub fn logs(
        &self,
        facts: &ProcessFacts,
        follow: bool,
        tail: Option<usize>,
    ) -> Result<BoxStream<'static, Bytes>, NativeError> {
        let process = facts.clone();
        Ok(logs::read(&facts.log(), move || follow && process.is_alive(), tail)?)
    }

    /// Ends a process, kindly at first: after so long, it and all that it started are killed. Then
    /// its folder is removed.
    ///
    /// # Errors
    /// When something cannot be killed or removed.
    pub async fn stop(&self, facts: &ProcessFacts, grace: Duration) -> Result<(), NativeError> {
        if let Some(supervisor) = facts.process.as_ref().and_then(Living::find) {
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
        self.clear(facts).await
    }

    /// Keeps the folders of a run's processes, with their logs, when they have ended.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn keep(&self, run: &RunId) -> Result<(), NativeError> {
        for mut facts in self.list()?.into_iter().filter(|one| one.identity.run == *run) {
            facts.identity.lifetime = Lifetime::Kept;
            facts.write(&facts.folder)?;
        }
        Ok(())
    }

    /// Removes what is left of dead processes that are abandoned in the caller's eyes: their
    /// folders, and whatever of them a killed supervisor could not end. The living are left alone, but for
    /// those whose owner is dead: they are waited for, since they end by themselves.
    ///
    /// # Errors
    /// When something cannot be killed or removed.
    pub async fn sweep(&self, abandoned: impl Fn(&Identity) -> bool) -> Result<Vec<Identity>, NativeError> {
        runs::remove_unfinished(&self.folder)?;
        let mut swept = Vec::new();
        for facts in self.list()? {
            if !abandoned(&facts.identity) {
                continue;
            }
            // Whose owner was killed a moment ago is about to end.
            if let Some(supervisor) = facts.process.as_ref().and_then(Living::find)
                && !host::is_alive(&facts.identity.owner)
            {
                let _ = timeout(PATIENCE, supervisor.ended()).await;
            }
            if !facts.is_alive() {
                self.clear(&facts).await?;
                swept.push(facts.identity);
            }
        }
        Ok(swept)
    }

    async fn clear(&self, facts: &ProcessFacts) -> Result<(), NativeError> {
        remains::kill_all(&facts.home(), &facts.identity.name).await?;
        Ok(runs::remove(&facts.folder)?)
    }
}
