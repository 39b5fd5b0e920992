//! `cki logs`: the masked output of one or several instances, as events. Lines of several instances are
//! merged by time, as far as an engine has it: Docker has nanoseconds, Podman whole seconds, and the
//! native engine nothing. Lines of one instance with the same time stay together.

mod read;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::host::signals::{Shutdown, Signal};
use crate::host::streams;
use crate::model::event::{Event, Events, OutputLine};
use crate::model::log::LogRequest;
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::{InstanceSummary, ListScope, list};
use crate::ops::runtime::relay::{Batch, QUIET};
use crate::ops::runtime::select::{matches_query, select_outputs};
use crate::systems::native::Native;
use read::{LogLine, Part, read};

/// Timeout for the first lines of an instance, while following, when another one has lines.
const PATIENCE: Duration = Duration::from_millis(150);
/// Interval of looking for new instances, while following.
const LOOK: Duration = Duration::from_secs(1);
/// Number of parts to read ahead for each instance.
const AHEAD: usize = 4;
/// Maximum number of lines to send before checking for anything else.
const AT_ONCE: usize = 4096;

/// The options of `cki logs`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogOptions {
    /// Go on until all instances have ended.
    pub follow: bool,
    /// Number of last lines of each instance.
    pub tail: Option<usize>,
    /// Only lines written since then.
    pub since: Option<Timestamp>,
    /// Show the time of each line.
    pub timestamps: bool,
}

/// Sends the output of the selected instances as events. While following, instances that start later are
/// included. Returns the number of instances that were selected at first.
///
/// # Errors
/// Fails when a selected instance is not running, or its output cannot be read.
pub async fn logs(
    engine: &RunEngine,
    native: &Native,
    (queries, scope): (&[String], &ListScope),
    options: LogOptions,
    events: &Events,
    stop: &Shutdown,
) -> Result<usize, InstanceError> {
    let listing = list(engine, native, scope).await?;
    let chosen = select_outputs(&listing, queries)?;
    if (options.since.is_some() || options.timestamps)
        && let Some(one) = chosen.iter().find(|one| !one.instance.records_times())
    {
        return Err(InstanceError::NoTimes { name: one.identity.name.clone() });
    }
    let mut merge = LogMerge { lanes: Vec::new(), options, stamped: options.timestamps || chosen.len() > 1 };
    for one in &chosen {
        merge.open(one, label(one, &chosen)).await?;
    }
    events.send(Event::Speakers(merge.lanes.iter().map(|lane| lane.label.to_string()).collect()));
    let mut batch = Batch::new(events);
    let shown = async {
        let mut is_paused = true;
        loop {
            // Available lines are sent at once, and written when there are no more.
            for _ in 0..AT_ONCE {
                match merge.next().now_or_never() {
                    Some(Some((label, line))) => {
                        send(&mut batch, &label, line?, options.timestamps);
                        is_paused = false;
                    }
                    Some(None) => return Ok(()),
                    None => break,
                }
            }
            batch.send();
            // A signal is noticed although there is always more output.
            tokio::task::yield_now().await;
            let look = async {
                match options.follow && !queries.is_empty() {
                    // Instances that start later are found by looking again.
                    true => tokio::time::sleep(LOOK).await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                next = merge.next() => match next {
                    Some((label, line)) => {
                        send(&mut batch, &label, line?, options.timestamps);
                        is_paused = false;
                    }
                    None => return Ok(()),
                },
                () = tokio::time::sleep(QUIET), if !is_paused => {
                    is_paused = true;
                    events.send(Event::OutputPaused(merge.lanes.iter().map(|lane| lane.label.clone()).collect()));
                }
                () = look => merge.open_more(engine, native, (queries, scope), events).await?,
            }
        }
    };
    let result = tokio::select! {
        shown = shown => shown,
        () = unread(options.follow) => {
            stop.trigger(Signal::Pipe);
            Ok(())
        }
        _ = stop.requested() => Ok(()),
    };
    batch.send();
    result.map(|()| chosen.len())
}

/// Waits, while following, until the reader of the output has gone.
async fn unread(follow: bool) {
    match follow {
        true => streams::reader_gone().await,
        false => std::future::pending().await,
    }
}

/// Returns the name of an instance for the user, with its run if two instances share a name.
fn label(one: &InstanceSummary, all: &[&InstanceSummary]) -> String {
    let name = &one.identity.name;
    let same = all.iter().filter(|other| other.identity.name == *name).count();
    if same > 1 { format!("{name} {}", &one.identity.run.as_str()[..4]) } else { name.clone() }
}

fn send(batch: &mut Batch, subject: &Arc<str>, line: LogLine, timed: bool) {
    let LogLine { stream, bytes, time, ends } = line;
    match time.filter(|_| timed) {
        None => {
            batch.push(subject, stream, &bytes);
            if ends {
                batch.end(subject, stream);
            }
        }
        time => batch.add(OutputLine { subject: subject.clone(), stream, bytes, time, ends }),
    }
}

type Next = Result<LogLine, InstanceError>;

/// The output of one instance.
struct LogStream {
    instance: InstanceSummary,
    label: Arc<str>,
    parts: mpsc::Receiver<Part>,
    reader: AbortHandle,
    /// The next lines, at least one.
    head: Option<Part>,
    /// There are no more lines.
    ended: bool,
    /// Its earlier output has been read, so a merge need not wait for it.
    is_live: bool,
}

impl Drop for LogStream {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The merged output of several instances.
struct LogMerge {
    lanes: Vec<LogStream>,
    options: LogOptions,
    /// The engine reports times.
    stamped: bool,
}

/// Returns whether an instance was removed after it was listed: it has no output any more.
fn is_removed(error: &InstanceError) -> bool {
    matches!(error, InstanceError::Engine(error) if error.is_not_found())
}

impl LogMerge {
    /// Starts to read one more instance.
    async fn open(&mut self, instance: &InstanceSummary, label: String) -> Result<(), InstanceError> {
        let LogOptions { follow, tail, since, .. } = self.options;
        let since = since.map(Timestamp::as_second);
        let opened = async {
            let redactor = instance.redactor().await?;
            // Without a cut, nothing precedes the output.
            let context = if tail.is_some() || since.is_some() { redactor.reach() } else { 0 };
            let request = LogRequest { follow, tail, since, timestamps: self.stamped, context };
            Ok((instance.instance.logs(request).await?, redactor))
        };
        let (output, redactor) = match opened.await {
            Err(error) if is_removed(&error) => return Ok(()),
            opened => opened?,
        };
        let (sender, parts) = mpsc::channel(AHEAD);
        let cut = self.stamped;
        let reader = tokio::spawn(async move {
            match read(output, &redactor, cut, &sender).await {
                Err(error) if !is_removed(&error) => {
                    // The receiver may be gone.
                    let _ = sender.send(Err(error)).await;
                }
                _ => {}
            }
        });
        let reader = reader.abort_handle();
        let instance = instance.clone();
        let label = label.into();
        self.lanes.push(LogStream {
            instance,
            label,
            parts,
            reader,
            head: None,
            ended: false,
            is_live: false,
        });
        Ok(())
    }

    /// Starts to read new instances.
    async fn open_more(
        &mut self,
        engine: &RunEngine,
        native: &Native,
        (queries, scope): (&[String], &ListScope),
        events: &Events,
    ) -> Result<(), InstanceError> {
        let listing = list(engine, native, scope).await?.with_runs(queries);
        let meant: Vec<&InstanceSummary> =
            listing.instances.iter().filter(|one| matches_query(one, queries)).collect();
        for one in &meant {
            if !self.lanes.iter().any(|lane| lane.instance.is(one)) && one.is_alive() {
                self.stamped |= self.options.timestamps;
                self.open(one, label(one, &meant)).await?;
                events.send(Event::Speakers(self.lanes.iter().map(|lane| lane.label.to_string()).collect()));
            }
        }
        Ok(())
    }

    /// Returns the next line in time order; `None` when all instances have ended. Dropping the future
    /// loses nothing.
    async fn next(&mut self) -> Option<(Arc<str>, Next)> {
        loop {
            for lane in &mut self.lanes {
                lane.fill();
            }
            let is_ready = self.lanes.iter().any(|lane| lane.head.is_some());
            let is_awaited = |lane: &LogStream| lane.head.is_none() && !lane.ended && !lane.is_live;
            let awaited = self.lanes.iter().any(is_awaited);
            if is_ready && !awaited {
                return self.take();
            }
            if !is_ready && self.lanes.iter().all(|lane| lane.ended) {
                return None;
            }
            if self.options.follow && awaited {
                if tokio::time::timeout(PATIENCE, self.more(is_awaited)).await.is_err() {
                    self.lanes.iter_mut().for_each(|lane| lane.is_live |= is_awaited(lane));
                }
            } else {
                self.more(|lane| lane.head.is_none() && !lane.ended).await;
            }
        }
    }

    /// Waits until one of these lanes has a line, or has ended.
    async fn more(&mut self, wanted: impl Fn(&LogStream) -> bool) {
        poll_fn(|context| {
            for lane in self.lanes.iter_mut().filter(|lane| wanted(lane)) {
                if let Poll::Ready(part) = lane.parts.poll_recv(context) {
                    lane.ended = part.is_none();
                    lane.head = part;
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await;
    }

    /// Takes the earliest of the available lines.
    fn take(&mut self) -> Option<(Arc<str>, Next)> {
        let time = |lane: &LogStream| match &lane.head {
            Some(Ok(lines)) => lines.front().and_then(|line| line.time),
            _ => None,
        };
        let earliest =
            self.lanes.iter_mut().filter(|lane| lane.head.is_some()).min_by_key(|lane| time(lane))?;
        let line = match earliest.head.take()? {
            Ok(mut lines) => {
                let line = lines.pop_front()?;
                earliest.head = (!lines.is_empty()).then_some(Ok(lines));
                Ok(line)
            }
            Err(error) => Err(error),
        };
        Some((earliest.label.clone(), line))
    }
}

impl LogStream {
    fn fill(&mut self) {
        if self.head.is_none() && !self.ended {
            match self.parts.try_recv() {
                Ok(part) => self.head = Some(part),
                Err(mpsc::error::TryRecvError::Disconnected) => self.ended = true,
                Err(mpsc::error::TryRecvError::Empty) => {}
            }
        }
    }
}
