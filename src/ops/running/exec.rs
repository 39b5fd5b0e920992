//! `cki exec`: a command beside something that runs, whose output is masked line by line. One on a
//! terminal is `shell`'s.

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::{Instance, LONGEST_LINE, Place, RunningError, redactor};
use crate::base::redact::Redactor;
use crate::base::text::LineSplitter;
use crate::model::event::{Event, Events, Stream};
use crate::systems::engine::{ExecRequest, Input};
use crate::systems::native::Beside;

/// What to run.
#[derive(Default)]
pub struct ExecWish {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What it reads.
    pub stdin: Option<Input>,
    /// Where, if not where the component runs.
    pub workdir: Option<String>,
}

impl std::fmt::Debug for ExecWish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecWish").field("command", &self.command).finish_non_exhaustive()
    }
}

type Output = BoxStream<'static, Result<(Stream, bytes::Bytes), RunningError>>;

/// Runs a command beside a running component, and gives its exit code.
///
/// # Errors
/// When it does not run.
pub async fn exec(instance: &Instance, wish: ExecWish, events: &Events) -> Result<i64, RunningError> {
    let ExecWish { command, stdin, workdir } = wish;
    let redactor = redactor(instance).await?;
    let name = &instance.identity.name;
    match &instance.place {
        Place::Container(engine, id) => {
            let request = ExecRequest { command, stdin, workdir };
            let mut exec = engine.exec(id, request).await?;
            let (sender, receiver) = tokio::sync::mpsc::channel(16);
            let output = futures_util::stream::unfold(receiver, |mut receiver| async {
                receiver.recv().await.map(|next| (next, receiver))
            });
            let read = async {
                while let Some(next) = exec.output.next().await {
                    let next = next.map(|chunk| (chunk.stream, chunk.bytes)).map_err(RunningError::from);
                    if sender.send(next).await.is_err() {
                        break;
                    }
                }
                drop(sender);
            };
            let ((), shown) = tokio::join!(read, show(name, output.boxed(), &redactor, events));
            shown?;
            Ok(exec.wait().await?)
        }
        Place::Process(native, facts) => {
            let beside = Beside {
                command: &command,
                workdir: workdir.map(PathBuf::from),
                input: stdin.is_some(),
                terminal: None,
                term: None,
            };
            let mut process = native.beside(facts, beside)?;
            if let (Some(mut stdin), Some(mut input)) = (stdin, process.input()) {
                // It ends with the input or the command, whichever ends first.
                tokio::spawn(async move { tokio::io::copy(&mut stdin, &mut input).await });
            }
            if let Some(output) = process.output() {
                show(name, output.map(Ok).boxed(), &redactor, events).await?;
            }
            Ok(i64::from(process.wait().await?))
        }
    }
}

async fn show(
    name: &str,
    mut output: Output,
    redactor: &Redactor,
    events: &Events,
) -> Result<(), RunningError> {
    let mut lanes: BTreeMap<bool, _> = BTreeMap::new();
    let send = |stream: Stream, text: &str| {
        events.send(Event::Line { subject: name.to_owned(), stream, text: text.to_owned() });
    };
    let mut masked = Vec::new();
    while let Some(next) = output.next().await {
        let (stream, bytes) = next?;
        let (redact, lines) = lanes
            .entry(stream == Stream::Stderr)
            .or_insert_with(|| (redactor.stream(), LineSplitter::new(LONGEST_LINE)));
        masked.clear();
        redact.push(&bytes, &mut masked);
        lines.push(&masked, |text| send(stream, text));
    }
    for (is_stderr, (mut redact, mut lines)) in lanes {
        let stream = if is_stderr { Stream::Stderr } else { Stream::Stdout };
        masked.clear();
        redact.finish(&mut masked);
        lines.push(&masked, |text| send(stream, text));
        lines.finish(|text| send(stream, text));
    }
    Ok(())
}

/// The standard input of this process, to be passed on.
#[must_use]
pub fn standard_input() -> Input {
    Box::pin(tokio::io::stdin())
}
