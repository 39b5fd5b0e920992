//! A unit while it runs: its handle and its output, from which the last lines are kept. Starting it
//! is in `live`, waiting for its end in `watch`.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::base::redact::Redactor;
use crate::base::text::safe_line;
use crate::model::event::{Event, Stream, Task};
use crate::model::probe::Ready;
use crate::ops::tools::Tools;

use super::RunError;
use super::handle::{Handle, Output};
use super::output::{Pump, Tail};
use super::ready;
use super::unit::Unit;

/// The last lines of what failed are waited for this long.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A unit while it runs.
pub(super) struct Running {
    pub(super) name: String,
    pub(super) handle: Handle,
    pub(super) pump: Option<JoinHandle<()>>,
    tail: Tail,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pump) = &self.pump {
            pump.abort();
        }
    }
}

/// Tells when the line that says that a unit is ready has been seen.
pub(super) type Seen = watch::Receiver<bool>;

impl Running {
    /// Reads the output of a unit from now on; `shown` as it comes, else only its end is kept.
    pub(super) fn attend(
        unit: &Unit,
        handle: Handle,
        output: Option<Output>,
        redactor: &Redactor,
        tools: &Tools<'_>,
        shown: bool,
    ) -> (Self, Option<Seen>) {
        let mut pump = Pump::new(&unit.name, redactor, &tools.events, shown);
        let seen = match &unit.ready {
            Some(Ready::Log(text)) => Some(pump.watch_for(text)),
            _ => None,
        };
        if let Some(log) = handle.log() {
            pump.also(log);
        }
        let tail = pump.tail();
        let pump = output.map(|mut output| {
            tokio::spawn(async move {
                while let Some((stream, bytes)) = output.next().await {
                    pump.push(stream, &bytes);
                }
                pump.finish();
            })
        });
        (Self { name: unit.name.clone(), handle, pump, tail }, seen)
    }

    /// Waits until others can make use of it: it is ready and set up, or has done its work. Gives a
    /// word for that.
    pub(super) async fn until_useful(
        &mut self,
        unit: &Unit,
        seen: Option<Seen>,
        task: &Task,
        tools: &Tools<'_>,
    ) -> anyhow::Result<&'static str> {
        let result = if unit.once {
            task.detail("waiting until it has ended");
            self.wait_done(tools.ready_timeout).await.map(|()| "done")
        } else {
            self.wait_ready_and_set_up(unit, seen, task, tools).await.map(|()| "ready")
        };
        if result.is_err() {
            self.show_last(tools).await;
        }
        result
    }

    async fn wait_done(&mut self, limit: Duration) -> anyhow::Result<()> {
        let name = self.name.clone();
        match tokio::time::timeout(limit, self.handle.waiter().ended()).await {
            Ok(code) => match code? {
                0 => Ok(()),
                code => Err(RunError::StepFailed { name, code }.into()),
            },
            Err(_) => Err(RunError::StepTooLong { name, after: limit }.into()),
        }
    }

    async fn wait_ready_and_set_up(
        &mut self,
        unit: &Unit,
        seen: Option<Seen>,
        task: &Task,
        tools: &Tools<'_>,
    ) -> anyhow::Result<()> {
        let (limit, name) = (tools.ready_timeout, || self.name.clone());
        let mut waiter = self.handle.waiter();
        let ready = async {
            if let Some(ready) = &unit.ready {
                task.detail(format!("waiting until {ready}"));
                ready::until_ready(&self.handle, ready, seen, limit)
                    .await
                    .map_err(|why| RunError::NotReady { name: name(), why, after: limit })?;
            }
            if !unit.setup.is_empty() {
                task.detail("setting up");
                self.set_up(unit, limit).await?;
            }
            anyhow::Ok(())
        };
        if unit.ready.is_none() && unit.setup.is_empty() {
            return Ok(());
        }
        tokio::select! {
            done = ready => done,
            code = waiter.ended() => Err(RunError::EndedEarly { name: name(), code: code? }.into()),
        }
    }

    /// Runs the commands that make a service what it is needed as.
    async fn set_up(&self, unit: &Unit, limit: Duration) -> anyhow::Result<()> {
        for command in &unit.setup {
            let how = match tokio::time::timeout(limit, self.handle.try_command(command)).await {
                Ok(answer) => match answer? {
                    (0, _) => continue,
                    (code, said) => ready::ended_with(code, &said),
                },
                Err(_) => "does not end".to_owned(),
            };
            let command = safe_line(&shell_words::join(command)).into_owned();
            return Err(RunError::Setup { name: self.name.clone(), command, how }.into());
        }
        Ok(())
    }

    /// Shows the last lines of something that failed, unless all its lines were shown already.
    pub(super) async fn show_last(&mut self, tools: &Tools<'_>) {
        // What has ended may have said why in its last breath, and that is still on its way.
        if let Some(pump) = &mut self.pump
            && tokio::time::timeout(LAST_WORDS, pump).await.is_ok()
        {
            self.pump = None;
        }
        for text in self.tail.lines() {
            tools.events.send(Event::Line { subject: self.name.clone(), stream: Stream::Stderr, text });
        }
    }
}
