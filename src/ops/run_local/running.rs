//! A unit while it runs: its handle and its output, from which the last lines are kept. Starting it
//! is in `live`, waiting for its end in `watch`.

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

    /// Waits until it is ready, or has ended before it was.
    pub(super) async fn wait_ready(
        &mut self,
        ready: &Ready,
        seen: Option<Seen>,
        tools: &Tools<'_>,
    ) -> anyhow::Result<()> {
        let limit = tools.ready_timeout;
        let name = self.name.clone();
        let mut waiter = self.handle.waiter();
        let error = tokio::select! {
            answer = ready::until_ready(&self.handle, ready, seen, limit) => match answer {
                Ok(()) => return Ok(()),
                Err(why) => RunError::NotReady { name, why, after: limit },
            },
            code = waiter.ended() => RunError::EndedEarly { name, code: code? },
        };
        self.show_last(tools);
        Err(error.into())
    }

    /// Shows the last lines of something that failed, unless all its lines were shown already.
    pub(super) fn show_last(&self, tools: &Tools<'_>) {
        for text in self.tail.lines() {
            tools.events.send(Event::Line { subject: self.name.clone(), stream: Stream::Stderr, text });
        }
    }
}
