//! Progress events. Operations and systems send events to a [`Sink`]; their display on a terminal
//! belongs in `ui`.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::staging::PipelineStatus;
use crate::base::secret::Secret;
use crate::model::port::PublishedPort;

/// A progress event. `subject` names a repository, an image or a component in the user's words.
#[derive(Debug, Clone)]
pub enum Event {
    /// Work on a subject began.
    Started {
        /// Subject of the work.
        subject: String,
        /// Kind of work, such as `cloning`.
        doing: String,
    },
    /// Progress of the work.
    Progress {
        /// Subject of the work.
        subject: String,
        /// Units done.
        done: u64,
        /// Total units, if known.
        total: Option<u64>,
        /// Unit of the count.
        unit: ProgressUnit,
    },
    /// One line about the current step: untrusted text.
    Detail {
        /// Subject of the work.
        subject: String,
        /// The line.
        text: String,
    },
    /// Work on a subject ended.
    Finished {
        /// Subject of the work.
        subject: String,
        /// Result.
        state: TaskOutcome,
        /// Result in a few words: `cloned`, `image cki/x:1`.
        detail: String,
        /// Duration.
        took: Duration,
    },
    /// Work on a subject ended: it runs, and its published ports lead to it.
    Ready {
        /// Subject of the work.
        subject: String,
        /// Its state in a few words: `ready`.
        state: String,
        /// Its published ports.
        ports: Vec<PublishedPort>,
        /// Duration.
        took: Duration,
    },
    /// The sources that are used: a directory, and the state of its files.
    Source {
        /// Use of the sources: `source`, `watching`.
        subject: String,
        /// The directory.
        path: PathBuf,
        /// The state in a few words: `main 4634c9d, changed`.
        state: String,
    },
    /// A followed pipeline appeared or changed.
    Pipeline(PipelineEvent),
    /// Work on a subject ended, and its result is reported elsewhere.
    Dismissed {
        /// Subject of the work.
        subject: String,
    },
    /// One masked line of text about work on a subject, without its line end: from a build, a package
    /// manager, or the end of a failed program's output.
    Line {
        /// Subject of the work.
        subject: String,
        /// Output stream.
        stream: Stream,
        /// The line: untrusted text.
        text: String,
    },
    /// Output of components and backing services in the order of its arrival. One event holds all
    /// available output, so that `ui` writes it at once.
    Output(Vec<OutputLine>),
    /// These subjects have written nothing for a while: an unfinished line is to be shown.
    OutputPaused(Vec<Arc<str>>),
    /// All names that will write lines, so that their columns align from the first line on. With several
    /// names, each line shows its own.
    Speakers(Vec<String>),
    /// Newly known secrets, which every later output must mask.
    Secrets(Vec<Secret>),
    /// A warning for the user; the work continues.
    Warning(String),
    /// A decision and its reason; shown with `-v`.
    Note(String),
    /// A line of a request or an answer, safe to show; sent only if the user wants to see them.
    Wire(String),
}

/// A piece of masked output, otherwise unchanged. It may be a part of a line, and may end within a
/// character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    /// Name of the writer.
    pub subject: Arc<str>,
    /// Output stream.
    pub stream: Stream,
    /// Untrusted content.
    pub bytes: Vec<u8>,
    /// Timestamp, if known and requested.
    pub time: Option<jiff::Timestamp>,
    /// Marks the end of the stream.
    pub ends: bool,
}

/// State of a pipeline. All text in it is safe to show.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineEvent {
    /// The bot's name for the pipeline's group.
    pub group: String,
    /// Branch, or the number of the earlier pipeline that is run again.
    pub branch: String,
    /// Pipeline number, once assigned.
    pub id: Option<u64>,
    /// Status.
    pub status: PipelineStatus,
    /// Web page.
    pub url: Option<String>,
    /// Running time so far, or in total.
    pub took: Option<Duration>,
    /// Current position in a few words: `test aarch64, 3 of 7 jobs`.
    pub detail: String,
    /// Marks a final status.
    pub finished: bool,
}

impl PipelineEvent {
    /// Returns the name to show to users.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} {}", self.group, self.branch)
    }
}

/// Result of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskOutcome {
    /// Done.
    Done,
    /// Nothing to do.
    Unchanged,
    /// Left out, for the reason in the detail.
    Skipped,
    /// Failed.
    Failed,
}

/// Unit of a progress count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressUnit {
    /// Bytes.
    Bytes,
    /// Items, such as objects or steps.
    Items,
}

/// One of a process's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Receiver of events. It must not block for long.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn send(&self, event: Event);
}

/// A cloneable handle to a sink.
#[derive(Clone)]
pub struct Events {
    sink: Arc<dyn Sink>,
    /// Warnings and sources that are not to be repeated; clones share them.
    warned: Arc<Mutex<HashSet<String>>>,
}

impl Events {
    /// Wraps a sink.
    pub fn new(sink: impl Sink + 'static) -> Self {
        Self { sink: Arc::new(sink), warned: Arc::default() }
    }

    /// Returns a sink that discards all events.
    #[must_use]
    pub fn silent() -> Self {
        struct Silent;
        impl Sink for Silent {
            fn send(&self, _event: Event) {}
        }
        Self::new(Silent)
    }

    /// Sends an event.
    pub fn send(&self, event: Event) {
        self.sink.send(event);
    }

    /// Sends secrets that every later output must mask.
    pub fn hide<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        self.send(Event::Secrets(secrets.into_iter().cloned().collect()));
    }

    /// Sends a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.send(Event::Warning(text.into()));
    }

    /// Sends a warning, unless these events already had the same one: several parts of a command may
    /// notice the same fact.
    pub fn warn_once(&self, text: impl Into<String>) {
        let text = text.into();
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(text.clone()) {
            drop(warned);
            self.warn(text);
        }
    }

    /// Sends the sources that are used, unless these events already had the same ones in the same state.
    pub fn source(&self, subject: &str, path: &Path, state: String) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(format!("{subject}\0{}\0{state}", path.display())) {
            drop(warned);
            self.send(Event::Source { subject: subject.to_owned(), path: path.to_owned(), state });
        }
    }

    /// Sends a note about a decision.
    pub fn note(&self, text: impl Into<String>) {
        self.send(Event::Note(text.into()));
    }

    /// Starts work on a subject. A task that is dropped before its end counts as failed.
    pub fn start(&self, subject: impl Into<String>, doing: impl Into<String>) -> Task {
        let subject = subject.into();
        self.send(Event::Started { subject: subject.clone(), doing: doing.into() });
        Task { events: self.clone(), subject, began: std::time::Instant::now(), ended: false }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

/// One started piece of work.
#[derive(Debug)]
pub struct Task {
    events: Events,
    subject: String,
    began: std::time::Instant,
    ended: bool,
}

impl Task {
    /// Returns the subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Sends the progress.
    pub fn progress(&self, done: u64, total: Option<u64>, unit: ProgressUnit) {
        self.events.send(Event::Progress { subject: self.subject.clone(), done, total, unit });
    }

    /// Sends a line about the current step.
    pub fn detail(&self, text: impl Into<String>) {
        self.events.send(Event::Detail { subject: self.subject.clone(), text: text.into() });
    }

    /// Ends the task with a result.
    pub fn finish(mut self, state: TaskOutcome, detail: impl Into<String>) {
        self.end(state, detail.into());
    }

    /// Ends the task: the subject runs, reached at its published ports.
    pub fn ready(mut self, state: impl Into<String>, ports: Vec<PublishedPort>) {
        self.ended = true;
        self.events.send(Event::Ready {
            subject: self.subject.clone(),
            state: state.into(),
            ports,
            took: self.began.elapsed(),
        });
    }

    /// Returns a guard that ends the task silently when it is dropped: its result is reported elsewhere.
    #[must_use]
    pub fn silent(self) -> SilentTask {
        SilentTask(Some(self))
    }

    /// Ends the task silently: its result is reported elsewhere.
    pub fn dismiss(mut self) {
        self.ended = true;
        self.events.send(Event::Dismissed { subject: self.subject.clone() });
    }

    fn end(&mut self, state: TaskOutcome, detail: String) {
        self.ended = true;
        self.events.send(Event::Finished {
            subject: self.subject.clone(),
            state,
            detail,
            took: self.began.elapsed(),
        });
    }
}

/// A task whose end is not reported, however it comes.
#[derive(Debug)]
pub struct SilentTask(Option<Task>);

impl SilentTask {
    /// Sends a line about the current step.
    pub fn detail(&self, text: impl Into<String>) {
        if let Some(task) = &self.0 {
            task.detail(text);
        }
    }
}

impl Drop for SilentTask {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.dismiss();
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.ended {
            self.end(TaskOutcome::Failed, "not finished".to_owned());
        }
    }
}
