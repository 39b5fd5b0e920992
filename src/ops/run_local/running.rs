//! A running unit: its instance, and its output with the last lines. Starting a unit is in `execute`,
//! waiting for its end in `supervise`.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::base::redact::Redactor;
use crate::base::text::{self, safe_line};
use crate::model::event::{Event, Stream, Task};
use crate::model::probe::ReadinessProbe;
use crate::ops::runtime::probe::ended_with;
use crate::ops::runtime::relay::{RelayPace, Step};
use crate::ops::runtime::started::{InstanceOutput, StartedInstance};
use crate::ops::shared::op_context::OpContext;

use super::commands::GuardedCommands;
use super::error::RunError;
use super::output::{Pump, UnitTail};
use super::ready::{self, NotReady};
use crate::ops::runtime::start::unit::Unit;

/// Timeout for the last lines of a failed unit.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A running unit.
pub(super) struct RunningUnit {
    pub(super) name: String,
    /// The unit was requested, and all its lines are shown.
    pub(super) requested: bool,
    pub(super) started: StartedInstance,
    pub(super) pump: Option<JoinHandle<()>>,
    commands: GuardedCommands,
    tail: UnitTail,
    /// Turns true once the line that says ready was seen.
    seen: Option<watch::Receiver<bool>>,
    /// Masks the output of commands in the unit.
    redactor: Redactor,
}

impl Drop for RunningUnit {
    fn drop(&mut self) {
        if let Some(pump) = &self.pump {
            pump.abort();
        }
    }
}

impl RunningUnit {
    /// Starts to read the output of a unit: shown if the unit was requested, else only its last lines are
    /// kept.
    pub(super) fn attach(
        unit: &Unit,
        (started, output): (StartedInstance, Option<InstanceOutput>),
        commands: GuardedCommands,
        redactor: &Redactor,
        ctx: &OpContext<'_>,
    ) -> Self {
        let mut pump = Pump::new(&unit.name, redactor, &ctx.events, unit.requested);
        let seen = match &unit.ready {
            Some(ReadinessProbe::Log(text)) => Some(pump.watch_for(text)),
            _ => None,
        };
        if let Some(log) = started.log() {
            pump.tee(log);
        }
        let tail = pump.tail();
        let pump = output.map(|mut output| {
            tokio::spawn(async move {
                let mut pace = RelayPace::default();
                loop {
                    match pace.next(&mut output, pump.holds()).await {
                        Step::Take(Some(piece)) => pump.push(&piece),
                        Step::Take(None) => break,
                        Step::Send => pump.send(),
                        Step::Pause => pump.pause(),
                    }
                }
                pump.finish();
            })
        });
        let (name, requested, redactor) = (unit.name.clone(), unit.requested, redactor.clone());
        Self { name, requested, started, pump, commands, tail, seen, redactor }
    }

    /// Probes the unit until it is ready, and passes each answer to `show` until then.
    ///
    /// # Errors
    /// Fails at the timeout.
    pub(super) async fn ask_ready(
        &self,
        ready: &ReadinessProbe,
        show: impl Fn(String),
        limit: Duration,
    ) -> Result<(), RunError> {
        let show = |why: &str| show(format!("waiting {} at most; {why}", text::duration(limit)));
        let (asked, seen) = (&self.commands.ready, self.seen.clone());
        let answer =
            ready::until_ready(&self.started.instance, ready, asked, seen, limit, &self.redactor, show).await;
        let name = self.name.clone();
        answer.map_err(|error| match error {
            NotReady::Late(why) => RunError::NotReady { name, why, after: limit },
            NotReady::OutputEnded(text) => RunError::OutputEnded { name, text },
        })
    }

    /// Waits until dependents can use the unit: it is ready and set up, or it has ended with success.
    /// Returns a word for that state.
    pub(super) async fn wait_until_ready(
        &mut self,
        unit: &Unit,
        task: &Task,
        ctx: &OpContext<'_>,
    ) -> anyhow::Result<&'static str> {
        let limit = ctx.ready_timeout;
        let result = if unit.one_shot {
            task.detail("waiting until it has ended");
            self.wait_done(limit).await.map(|()| "done")
        } else {
            let mut waiter = self.started.waiter();
            tokio::select! {
                done = self.ready_and_set_up(unit, task, limit) => done.map(|()| "ready"),
                code = waiter.ended(), if unit.ready.is_some() || !unit.setup.is_empty() => {
                    Err(RunError::EndedEarly { name: self.name.clone(), code: code? }.into())
                }
            }
        };
        if result.is_err() {
            self.show_last(ctx).await;
        }
        result
    }

    async fn wait_done(&self, limit: Duration) -> anyhow::Result<()> {
        let name = self.name.clone();
        match tokio::time::timeout(limit, self.started.waiter().ended()).await {
            Ok(code) => match code? {
                0 => Ok(()),
                code => Err(RunError::StepFailed { name, code }.into()),
            },
            Err(_) => Err(RunError::StepTooLong { name, after: limit }.into()),
        }
    }

    async fn ready_and_set_up(&self, unit: &Unit, task: &Task, limit: Duration) -> anyhow::Result<()> {
        if let Some(ready) = &unit.ready {
            task.detail(format!("waiting {} at most until {ready}", text::duration(limit)));
            self.ask_ready(ready, |step| task.detail(step), limit).await?;
        }
        for command in &self.commands.setup {
            task.detail("setting up");
            let result = match tokio::time::timeout(limit, self.started.instance.run_command(command)).await {
                Ok(answer) => match answer? {
                    (0, _) => continue,
                    (code, said) => ended_with(code, &self.redactor.text(&said)),
                },
                Err(_) => "does not end".to_owned(),
            };
            let words = command.iter().map(|word| self.redactor.text(word));
            let command = safe_line(&shell_words::join(words)).into_owned();
            return Err(RunError::Setup { name: self.name.clone(), command, result }.into());
        }
        Ok(())
    }

    /// Shows the last lines of a failed unit, unless all its lines were shown already.
    pub(super) async fn show_last(&self, ctx: &OpContext<'_>) {
        // The reason for its end may be in its last lines, which are still on their way.
        if let Some(pump) = self.pump.as_ref().filter(|_| !self.requested) {
            let began = Instant::now();
            while !pump.is_finished() && began.elapsed() < LAST_WORDS {
                // Too short to notice.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        for text in self.tail.lines().into_iter().filter(|_| !self.requested) {
            ctx.events.send(Event::Line { subject: self.name.clone(), stream: Stream::Stderr, text });
        }
    }
}
