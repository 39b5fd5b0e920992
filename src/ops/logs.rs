//! `cki logs`: the masked output of one or several instances, as events. Lines of several instances are
//! merged by time, as far as an engine has it: Docker has nanoseconds, Podman whole seconds, and the
//! native engine nothing. Lines of one instance with the same time stay together.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::base::redact::{RedactStream, Redactor};
use crate::base::text::LineCutter;
use crate::host::signals::{Shutdown, Signal};
use crate::host::streams;
use crate::model::event::{Event, Events, OutputLine, Stream};
use crate::ops::runtime::engine::RunEngine;
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::instance::LogPieces;
use crate::ops::runtime::list::{InstanceSummary, ListScope, list};
use crate::ops::runtime::relay::{Batch, LONGEST_LINE, RelayPace, Step};
use crate::ops::runtime::select::{matches_query, select_outputs};
use crate::systems::engine::LogRequest;
use crate::systems::native::Native;

/// Timeout for the first lines of an instance, while following, when another one has lines.
const PATIENCE: Duration = Duration::from_millis(150);
/// Interval of looking for new instances, while following.
const LOOK: Duration = Duration::from_secs(1);
/// Number of parts to read ahead for each instance.
const AHEAD: usize = 4;
/// Maximum number of lines to send before checking for anything else.
const AT_ONCE: usize = 4096;
/// Approximate bytes of a part.
const PART: usize = 32 << 10;

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
        loop {
            // Available lines are sent at once, and written when there are no more.
            for _ in 0..AT_ONCE {
                match merge.next().now_or_never() {
                    Some(Some((label, line))) => send(&mut batch, &label, line?, options.timestamps),
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
                    Some((label, line)) => send(&mut batch, &label, line?, options.timestamps),
                    None => return Ok(()),
                },
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

/// A line with its end, or a piece of output if lines do not matter.
struct LogLine {
    stream: Stream,
    bytes: Vec<u8>,
    time: Option<Timestamp>,
    /// The stream has ended.
    ends: bool,
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
type Part = Result<VecDeque<LogLine>, InstanceError>;

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
        let request = LogRequest { follow, tail, since, timestamps: self.stamped };
        let opened = async { Ok((instance.instance.logs(request).await?, instance.redactor().await?)) };
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

/// The masked output of one stream, cut into lines if they have times.
struct Cutter {
    redact: RedactStream,
    lines: Option<LineCutter>,
    /// The time of the unfinished line.
    began: Option<Timestamp>,
}

impl Cutter {
    /// Takes masked output.
    fn take(
        &mut self,
        (stream, time): (Stream, Option<Timestamp>),
        masked: &[u8],
        ready: &mut VecDeque<LogLine>,
    ) {
        let mut line = |bytes: &[u8], time| {
            ready.push_back(LogLine { stream, bytes: bytes.to_vec(), time, ends: false });
        };
        let Some(lines) = &mut self.lines else {
            if !masked.is_empty() {
                line(masked, None);
            }
            return;
        };
        let mut began = self.began.take();
        lines.push(masked, |bytes| line(bytes, began.take().or(time)));
        self.began = began;
    }

    fn finish(mut self, stream: Stream, ready: &mut VecDeque<LogLine>) {
        let mut masked = Vec::new();
        self.redact.finish(&mut masked);
        self.take((stream, self.began), &masked, ready);
        let mut rest = LogLine { stream, bytes: Vec::new(), time: self.began, ends: true };
        if let Some(lines) = &mut self.lines {
            lines.finish(|bytes| rest.bytes.extend_from_slice(bytes));
        }
        ready.push_back(rest);
    }
}

/// Reads output to its end, and passes available pieces on together.
async fn read(
    mut output: LogPieces,
    redactor: &Redactor,
    cut: bool,
    to: &mpsc::Sender<Part>,
) -> Result<(), InstanceError> {
    let mut cutters: BTreeMap<bool, Cutter> = BTreeMap::new();
    let mut masked = Vec::new();
    let (mut ready, mut size) = (VecDeque::new(), 0);
    let mut pace = RelayPace::default();
    loop {
        let step = match size < PART || ready.is_empty() {
            true => pace.next(&mut output, !ready.is_empty()).await,
            false => Step::Send,
        };
        let Step::Take(next) = step else {
            size = 0;
            if to.send(Ok(std::mem::take(&mut ready))).await.is_err() {
                return Ok(());
            }
            continue;
        };
        let Some(next) = next else { break };
        let (stream, bytes, time) = match next {
            Ok(piece) => piece,
            Err(error) => {
                if !ready.is_empty() {
                    // The receiver may be gone.
                    let _ = to.send(Ok(ready)).await;
                }
                return Err(error);
            }
        };
        let cutter = cutters.entry(stream == Stream::Stderr).or_insert_with(|| Cutter {
            redact: redactor.outside_stream(),
            lines: cut.then(|| LineCutter::new(LONGEST_LINE)),
            began: None,
        });
        masked.clear();
        cutter.redact.push(&bytes, &mut masked);
        size += bytes.len();
        cutter.take((stream, time), &masked, &mut ready);
        if !bytes.ends_with(b"\n") {
            cutter.began = cutter.began.or(time);
        }
    }
    for (is_stderr, cutter) in cutters {
        cutter.finish(if is_stderr { Stream::Stderr } else { Stream::Stdout }, &mut ready);
    }
    if !ready.is_empty() {
        // The receiver may be gone.
        let _ = to.send(Ok(ready)).await;
    }
    Ok(())
}
