//! A unit while it runs: its handle and its output, from which the last lines are kept. Starting it
//! is in `live`, waiting for its end in `watch`.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::base::redact::Redactor;
use crate::model::event::{Event, Stream};
use crate::model::probe::Ready;
use crate::ops::tools::Tools;

use super::RunError;
use super::handle::{Handle, Output};
use super::output::{Pump, Tail};
use super::ready;
use super::unit::Unit;

/// A unit while it runs.
pub(super) struct Running {
    pub(super) name: String,
    /// It was asked for, and all its lines are shown.
    pub(super) wanted: bool,
    pub(super) handle: Handle,
    pub(super) pump: Option<JoinHandle<()>>,
    tail: Tail,
    /// Tells when the line that says that it is ready has been seen.
    seen: Option<watch::Receiver<bool>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(pump) = &self.pump {
            pump.abort();
        }
    }
}

impl Running {
    /// Reads the output of a unit from now on: shown as it comes if the unit is wanted, else only its
    /// end is kept.
    pub(super) fn attend(
        unit: &Unit,
        handle: Handle,
        output: Option<Output>,
        redactor: &Redactor,
        tools: &Tools<'_>,
    ) -> Self {
        let mut pump = Pump::new(&unit.name, redactor, &tools.events, unit.wanted);
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
        Self { name: unit.name.clone(), wanted: unit.wanted, handle, pump, tail, seen }
    }

    /// Asks until it is ready.
    ///
    /// # Errors
    /// When the time is up.
    pub(super) async fn ask_ready(&self, ready: &Ready, limit: Duration) -> Result<(), RunError> {
        let answer = ready::until_ready(&self.handle, ready, self.seen.clone(), limit).await;
        answer.map_err(|why| RunError::NotReady { name: self.name.clone(), why, after: limit })
    }

    /// Waits until it is ready, or has ended before it was.
    pub(super) async fn wait_ready(&mut self, ready: &Ready, tools: &Tools<'_>) -> anyhow::Result<()> {
        let mut waiter = self.handle.waiter();
        let error = tokio::select! {
            answer = self.ask_ready(ready, tools.ready_timeout) => match answer {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            code = waiter.ended() => RunError::EndedEarly { name: self.name.clone(), code: code? },
        };
        self.show_last(tools);
        Err(error.into())
    }

    /// Shows the last lines of something that failed, unless all its lines were shown already.
    pub(super) fn show_last(&self, tools: &Tools<'_>) {
        for text in self.tail.lines().into_iter().filter(|_| !self.wanted) {
            tools.events.send(Event::Line { subject: self.name.clone(), stream: Stream::Stderr, text });
        }
    }
}
