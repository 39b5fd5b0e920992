//! The `--watch` dev loop: applies source changes to running units, while it watches over the run. A
//! change that cannot be applied is reported, and the running unit continues.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::base::redact::Redactor;
use crate::base::text::safe_line;
use crate::model::event::TaskOutcome;
use crate::model::guard::PolicyViolation;
use crate::ops::build::{self, BuildOptions};
use crate::ops::clone::source;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::shared::op_context::OpContext;
use crate::systems::file_watcher::{ChangeError, FileWatcher};

use super::commands::GuardedCommands;
use super::image_check::check_rebuilt_image;
use super::outcome::RunExit;
use super::plan::RunPlan;
use super::request::RunRequest;
use super::running::RunningUnit;
use super::supervise::{UnitStates, supervise};
use crate::ops::runtime::start::Runtime;
use crate::ops::runtime::start::scope::RunScope;
use crate::ops::runtime::start::unit::{Image, Unit};

/// Timeout for the rest of the output.
const DRAIN: Duration = Duration::from_secs(1);

/// The context in which changes are applied.
pub(super) struct DevLoop<'a> {
    pub(super) ctx: &'a OpContext<'a>,
    pub(super) engine: &'a RunEngine,
    pub(super) request: &'a RunRequest<'a>,
    pub(super) plan: &'a RunPlan,
    pub(super) runtime: &'a Runtime,
    pub(super) scope: &'a RunScope<'a>,
    pub(super) images: BTreeMap<String, String>,
    /// Watchers that began before anything was started, so that no change is missed.
    pub(super) watchers: Vec<Watcher<'a>>,
}

/// A watcher over the sources of a unit.
pub(super) struct Watcher<'a> {
    unit: &'a Unit,
    changes: FileWatcher,
}

impl<'a> Watcher<'a> {
    /// Starts to watch the sources of all units with a reload.
    pub(super) fn all(plan: &'a RunPlan) -> Result<Vec<Self>, ChangeError> {
        let worked_on = plan.units().filter_map(|unit| Some((unit, unit.dev.reload.as_ref()?)));
        worked_on
            .map(|(unit, reload)| Ok(Self { unit, changes: FileWatcher::watch(&reload.root)? }))
            .collect()
    }

    /// Returns the next changes. Dropping the future loses nothing.
    async fn next(&mut self, index: usize) -> (usize, Result<Vec<PathBuf>, ChangeError>) {
        (index, self.changes.next().await)
    }
}

/// The result of building an image again.
enum Rebuilt {
    /// A different image.
    Other,
    /// The same image.
    Same,
    /// No image; the error is reported.
    Failed,
}

impl DevLoop<'_> {
    /// Watches over the run until it ends, and applies changes.
    pub(super) async fn run(mut self, units: &mut [RunningUnit]) -> anyhow::Result<RunExit> {
        let mut watchers = std::mem::take(&mut self.watchers);
        for Watcher { unit, .. } in &watchers {
            self.name_watched(unit).await?;
        }
        let mut state = UnitStates::new(units.len());
        loop {
            let next = async {
                let mut all: FuturesUnordered<_> =
                    watchers.iter_mut().enumerate().map(|(index, one)| one.next(index)).collect();
                let next = all.next().await;
                match next {
                    // A run that is ending applies no more changes.
                    Some(next) if self.ctx.stop.now().is_none() => next,
                    _ => std::future::pending().await,
                }
            };
            let (index, changed) = tokio::select! {
                how = supervise(self.ctx, self.request, self.plan, self.scope.ports, units, &mut state) => return how,
                next = next => next,
            };
            let (unit, changed) = (watchers[index].unit, changed?);
            let Some(at) = units.iter().position(|one| one.name == unit.name) else { continue };
            let stopped = self.ctx.stop.clone();
            tokio::select! {
                done = self.answer(unit, &changed, units, at, &mut state) => done?,
                _ = stopped.requested() => {}
            }
        }
    }

    /// Shows which files are watched, and their state.
    async fn name_watched(&self, unit: &Unit) -> anyhow::Result<()> {
        let component = self.request.components.iter().find(|one| one.name() == unit.name);
        if let (Some(component), Some(repo)) = (component, &unit.dev.repo) {
            let source = source::ensure(self.ctx, component, repo, None).await?;
            self.ctx.events.source("watching", &source.path, source.state());
        }
        Ok(())
    }

    /// Applies changes.
    async fn answer(
        &mut self,
        unit: &Unit,
        changed: &[PathBuf],
        units: &mut [RunningUnit],
        at: usize,
        state: &mut UnitStates,
    ) -> anyhow::Result<()> {
        let Some(reload) = &unit.dev.reload else { return Ok(()) };
        let events = &self.ctx.events;
        let is_copied = |path: &PathBuf| unit.dev.copies.iter().any(|one| path.starts_with(&one.from));
        let is_gone = |path: &PathBuf| fs_err::symlink_metadata(path).is_err();
        // A deleted file cannot be copied; only another image is without it.
        let (copied, others): (Vec<PathBuf>, Vec<PathBuf>) =
            changed.iter().cloned().partition(|path| is_copied(path) && !is_gone(path));
        let rebuild = reload.rebuild && !others.is_empty();
        let is_alive = state.is_alive(at);
        let is_deleted = others.iter().any(is_copied);
        if let Some(gone) = others.iter().find(|path| is_copied(path)).filter(|_| !reload.rebuild) {
            let gone = gone.strip_prefix(&reload.root).unwrap_or(gone).display().to_string();
            let (name, gone) = (&unit.name, safe_line(&gone));
            events.warn(if is_alive && !reload.restart {
                format!("`{gone}` stays in `{name}`, which is not started again.")
            } else {
                format!("What the image of `{name}` has of `{gone}` stays there: it is not built here.")
            });
        }
        if copied.is_empty() && !rebuild && !unit.dev.copies.is_empty() {
            let takes_effect = is_deleted && (reload.restart || !is_alive);
            if !takes_effect {
                return Ok(());
            }
        }
        let restart = rebuild || reload.restart || !is_alive;
        let what = match (rebuild, restart) {
            (true, _) => "building",
            (false, true) => "restarting",
            (false, false) => "copied to",
        };
        let shown = changed[0].strip_prefix(&reload.root).unwrap_or(&changed[0]).display();
        let more = if changed.len() > 1 { format!(" and {} more", changed.len() - 1) } else { String::new() };
        events.start("changed", "").finish(
            TaskOutcome::Done,
            safe_line(&format!("{shown}{more}: {what} {}", unit.name)).into_owned(),
        );
        if rebuild {
            let takes_effect = match self.rebuild(unit).await? {
                Rebuilt::Other => true,
                // A file that was copied and then deleted is in the container alone.
                Rebuilt::Same => is_deleted || !copied.is_empty(),
                Rebuilt::Failed => !copied.is_empty(),
            };
            if !takes_effect && state.is_alive(at) {
                return Ok(());
            }
        }
        if restart {
            return self.restart(unit, units, at, state).await;
        }
        if let Err(error) = units[at].started.instance.copy_in(&unit.dev.copies, &copied).await {
            self.failed(unit, "is as it was", &error.into());
        }
        Ok(())
    }

    /// Builds the image again.
    async fn rebuild(&mut self, unit: &Unit) -> anyhow::Result<Rebuilt> {
        let (Some(engine), Image::Built(reference)) = (self.engine.containers(), &unit.image) else {
            return Ok(Rebuilt::Same);
        };
        let component = self.request.components.iter().find(|one| one.reference.to_string() == *reference);
        let Some(component) = component else { return Ok(Rebuilt::Same) };
        let options = BuildOptions { quiet: true, ..BuildOptions::default() };
        match build::build(self.ctx, engine, component, &options).await {
            Ok(built) => {
                let before = self.images.insert(unit.name.clone(), built.image.clone());
                Ok(if before.as_ref() == Some(&built.image) { Rebuilt::Same } else { Rebuilt::Other })
            }
            Err(error) => {
                self.failed(unit, "is as it was", &error);
                Ok(Rebuilt::Failed)
            }
        }
    }

    /// Stops a unit, and starts it again from its new image.
    async fn restart(
        &self,
        unit: &Unit,
        units: &mut [RunningUnit],
        at: usize,
        state: &mut UnitStates,
    ) -> anyhow::Result<()> {
        let ctx = self.ctx;
        let old = &mut units[at];
        let mut unit = unit.clone();
        let image = self.images.get(&unit.name).map(String::as_str);
        if let (Some(engine), Some(image)) = (self.engine.containers(), image)
            && let Err(error) = check_rebuilt_image(ctx, engine, self.scope.gate, &mut unit, image).await
        {
            let now = if state.is_alive(at) { "is as it was" } else { "does not run" };
            self.failed(&unit, now, &error);
            return Ok(());
        }
        let unit = &unit;
        if state.is_alive(at) {
            old.started.stop(ctx.stop_grace).await?;
        }
        state.ended(at);
        if let Some(pump) = old.pump.take() {
            let _ = tokio::time::timeout(DRAIN, pump).await;
        }
        old.started.remove().await?;
        let asked = GuardedCommands::of(unit, self.scope.gate)?;
        match self.runtime.start(unit, image, ctx, self.scope).await {
            Ok(started) => {
                let secrets: Vec<_> =
                    self.plan.units().flat_map(Unit::secrets).chain(unit.secrets()).collect();
                let redactor = Redactor::new(secrets.iter().copied());
                ctx.events.hide(secrets);
                units[at] = RunningUnit::attach(unit, started, asked, &redactor, ctx);
                state.started(at);
            }
            Err(error) => {
                // The remains of the failed start have the name that the next one needs.
                self.runtime.forget(unit, self.scope).await?;
                self.failed(unit, "does not run", &error);
            }
        }
        Ok(())
    }

    /// Reports that a change was not applied. The next change may succeed.
    fn failed(&self, unit: &Unit, now: &str, error: &anyhow::Error) {
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        let reason = if error.downcast_ref::<PolicyViolation>().is_some() {
            // Findings of the guard follow each other without being causes of each other.
            causes.iter().for_each(|finding| self.ctx.events.warn(format!("{finding}.")));
            "the guard refuses the change".to_owned()
        } else {
            causes.join(": ")
        };
        self.ctx.events.warn(format!("`{}` {now}: {reason}. Waiting for the next change.", unit.name));
    }
}
