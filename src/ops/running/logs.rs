//! `cki logs`: what one or several of those that run have written, masked, as events. Of several,
//! the lines come in the order of time, as far as an engine gives it: Docker gives nanoseconds,
//! Podman whole seconds, and a process without an engine nothing. Of the same moment, those of one
//! instance stay together.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::select::{is_meant, select_outputs};
use super::{Instance, LONGEST_LINE, Place, RunningError, list, redactor};
use crate::base::redact::{RedactStream, Redactor};
use crate::base::text::LineSplitter;
use crate::host::memory;
use crate::host::signals::Stop;
use crate::model::event::{Event, Events, Stream};
use crate::ops::engine::Engine;
use crate::systems::engine::LogRequest;
use crate::systems::native::Native;

/// How long the first lines of one are waited for when those of another are there, while following.
const PATIENCE: Duration = Duration::from_millis(150);
/// How often it is looked for others, while following.
const LOOK: Duration = Duration::from_secs(1);
/// So many lines of each are read ahead.
const AHEAD: usize = 16;

/// Which part of the logs, and how it is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogWish {
    /// Go on until all have ended.
    pub follow: bool,
    /// Only so many of the last lines of each.
    pub tail: Option<usize>,
    /// Only what was written since.
    pub since: Option<Timestamp>,
    /// Say when each line was written.
    pub timestamps: bool,
}

/// Sends the output of those that are meant as events. While following, those that come later are
/// followed as well.
///
/// # Errors
/// When something is not running, or its output cannot be read.
pub async fn logs(
    engine: &Engine,
    native: &Native,
    queries: &[String],
    wish: LogWish,
    events: &Events,
    stop: &Stop,
) -> Result<(), RunningError> {
    let all = list(engine, native).await?;
    let chosen = select_outputs(&all, queries)?;
    let is_process = |one: &&&Instance| matches!(one.place, Place::Process(..));
    if (wish.since.is_some() || wish.timestamps)
        && let Some(one) = chosen.iter().find(is_process)
    {
        return Err(RunningError::NoTimes { name: one.identity.name.clone() });
    }
    let mut merge = Merge { lanes: Vec::new(), wish, stamped: wish.timestamps || chosen.len() > 1 };
    for one in &chosen {
        merge.open(one, label(one, &chosen)).await?;
    }
    events.send(Event::Speakers(merge.lanes.iter().map(|lane| lane.label.clone()).collect()));
    if wish.follow {
        memory::give_back_code();
    }
    let shown = async {
        loop {
            let look = async {
                match wish.follow && !queries.is_empty() {
                    // Instances that begin later are found by looking again.
                    true => tokio::time::sleep(LOOK).await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                next = merge.next() => match next {
                    Some((label, line)) => line?.send(label, wish.timestamps, events),
                    None => return Ok(()),
                },
                () = look => merge.open_more(engine, native, queries, events).await?,
            }
        }
    };
    tokio::select! {
        shown = shown => shown,
        _ = stop.requested() => Ok(()),
    }
}

/// What a person calls an instance beside others: its name, and its run where two have one name.
fn label(one: &Instance, beside: &[&Instance]) -> String {
    let name = &one.identity.name;
    let same = beside.iter().filter(|other| other.identity.name == *name).count();
    if same > 1 { format!("{name} {}", &one.identity.run.as_str()[..4]) } else { name.clone() }
}

/// A line on its way.
struct Line {
    stream: Stream,
    text: String,
    time: Option<Timestamp>,
}

impl Line {
    fn send(self, subject: String, timed: bool, events: &Events) {
        let Self { stream, text, time } = self;
        events.send(Event::Logged { subject, stream, text, time: time.filter(|_| timed) });
    }
}

type Next = Result<Line, RunningError>;

/// The output of one instance.
struct Lane {
    instance: Instance,
    label: String,
    lines: mpsc::Receiver<Next>,
    reader: AbortHandle,
    /// The next line.
    head: Option<Next>,
    /// There will be no more.
    ended: bool,
    /// What it had written before is through: it need not be waited for.
    is_live: bool,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The output of several, in one order.
struct Merge {
    lanes: Vec<Lane>,
    wish: LogWish,
    /// The engine is asked for times.
    stamped: bool,
}

impl Merge {
    /// Begins to read one more.
    async fn open(&mut self, instance: &Instance, label: String) -> Result<(), RunningError> {
        let output = output(instance, self.wish, self.stamped).await?;
        let redactor = redactor(instance).await?;
        let (sender, lines) = mpsc::channel(AHEAD);
        let reader = tokio::spawn(async move {
            if let Err(error) = read(output, &redactor, &sender).await {
                // Whoever has gone does not want to know.
                let _ = sender.send(Err(error)).await;
            }
        });
        let reader = reader.abort_handle();
        let instance = instance.clone();
        self.lanes.push(Lane { instance, label, lines, reader, head: None, ended: false, is_live: false });
        Ok(())
    }

    /// Begins to read those that have come since.
    async fn open_more(
        &mut self,
        engine: &Engine,
        native: &Native,
        queries: &[String],
        events: &Events,
    ) -> Result<(), RunningError> {
        let all = list(engine, native).await?;
        let meant: Vec<&Instance> = all.iter().filter(|one| is_meant(one, queries)).collect();
        for one in &meant {
            if !self.lanes.iter().any(|lane| lane.instance.is(one)) && one.is_alive() {
                self.stamped |= self.wish.timestamps;
                self.open(one, label(one, &meant)).await?;
                events.send(Event::Speakers(self.lanes.iter().map(|lane| lane.label.clone()).collect()));
            }
        }
        Ok(())
    }

    /// The next line of all; nothing when all have ended. Dropping the future loses nothing.
    async fn next(&mut self) -> Option<(String, Next)> {
        loop {
            for lane in &mut self.lanes {
                lane.fill();
            }
            let is_ready = self.lanes.iter().any(|lane| lane.head.is_some());
            let is_awaited = |lane: &Lane| lane.head.is_none() && !lane.ended && !lane.is_live;
            let awaited = self.lanes.iter().any(is_awaited);
            if is_ready && !awaited {
                return self.take();
            }
            if !is_ready && self.lanes.iter().all(|lane| lane.ended) {
                return None;
            }
            if self.wish.follow && awaited {
                if tokio::time::timeout(PATIENCE, self.more(is_awaited)).await.is_err() {
                    self.lanes.iter_mut().for_each(|lane| lane.is_live |= is_awaited(lane));
                }
            } else {
                self.more(|lane| lane.head.is_none() && !lane.ended).await;
            }
        }
    }

    /// Waits until one of these lanes has a line, or has ended.
    async fn more(&mut self, wanted: impl Fn(&Lane) -> bool) {
        poll_fn(|context| {
            for lane in self.lanes.iter_mut().filter(|lane| wanted(lane)) {
                if let Poll::Ready(line) = lane.lines.poll_recv(context) {
                    lane.ended = line.is_none();
                    lane.head = line;
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await;
    }

    /// The earliest of the lines that are there.
    fn take(&mut self) -> Option<(String, Next)> {
        let time = |lane: &Lane| lane.head.as_ref().map(|head| head.as_ref().ok().and_then(|line| line.time));
        let earliest =
            self.lanes.iter_mut().filter(|lane| lane.head.is_some()).min_by_key(|lane| time(lane))?;
        earliest.head.take().map(|line| (earliest.label.clone(), line))
    }
}

impl Lane {
    fn fill(&mut self) {
        if self.head.is_none() && !self.ended {
            match self.lines.try_recv() {
                Ok(line) => self.head = Some(line),
                Err(mpsc::error::TryRecvError::Disconnected) => self.ended = true,
                Err(mpsc::error::TryRecvError::Empty) => {}
            }
        }
    }
}

/// A piece of output, and when it was written.
type Piece = (Stream, bytes::Bytes, Option<Timestamp>);
type Output = BoxStream<'static, Result<Piece, RunningError>>;

async fn output(instance: &Instance, wish: LogWish, stamped: bool) -> Result<Output, RunningError> {
    let LogWish { follow, tail, since, .. } = wish;
    Ok(match &instance.place {
        Place::Container(engine, id) => {
            let since = since.map(Timestamp::as_second);
            let request = LogRequest { follow, tail, since, timestamps: stamped };
            let stream = engine.logs(id, request).await?;
            let pieces = futures_util::stream::unfold(stream, move |mut stream| async move {
                let piece = stream.next().await?.map_err(RunningError::from).map(|chunk| {
                    let (time, chunk) = if stamped { chunk.split_time() } else { (None, chunk) };
                    (chunk.stream, chunk.bytes, time)
                });
                Some((piece, stream))
            });
            pieces.boxed()
        }
        Place::Process(native, facts) => {
            native.logs(facts, follow, tail)?.map(|bytes| Ok((Stream::Stdout, bytes, None))).boxed()
        }
    })
}

/// What was written to one of the two streams, cut into masked lines.
struct Cutter {
    redact: RedactStream,
    lines: LineSplitter,
    /// When the line began that has not ended yet.
    began: Option<Timestamp>,
}

/// Reads output to its end, line by line.
async fn read(mut output: Output, redactor: &Redactor, to: &mpsc::Sender<Next>) -> Result<(), RunningError> {
    let mut cutters: BTreeMap<bool, Cutter> = BTreeMap::new();
    let mut masked = Vec::new();
    let mut ready = Vec::new();
    while let Some(next) = output.next().await {
        let (stream, bytes, time) = next?;
        let cutter = cutters.entry(stream == Stream::Stderr).or_insert_with(|| Cutter {
            redact: redactor.stream(),
            lines: LineSplitter::new(LONGEST_LINE),
            began: None,
        });
        masked.clear();
        cutter.redact.push(&bytes, &mut masked);
        let mut began = cutter.began.take();
        cutter.lines.push(&masked, |text| {
            ready.push(Line { stream, text: text.to_owned(), time: began.take().or(time) });
        });
        if !bytes.ends_with(b"\n") {
            cutter.began = began.or(time);
        }
        for line in ready.drain(..) {
            if to.send(Ok(line)).await.is_err() {
                return Ok(());
            }
        }
    }
    for (is_stderr, mut cutter) in cutters {
        let stream = if is_stderr { Stream::Stderr } else { Stream::Stdout };
        masked.clear();
        cutter.redact.finish(&mut masked);
        let mut take = |text: &str| ready.push(Line { stream, text: text.to_owned(), time: cutter.began });
        cutter.lines.push(&masked, &mut take);
        cutter.lines.finish(&mut take);
    }
    for line in ready {
        // As above.
        let _ = to.send(Ok(line)).await;
    }
    Ok(())
}
