//! What work reports upward while it is done. Operations and systems send events to a [`Sink`];
//! how they look on a terminal is for `ui` alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::staging::PipelineStatus;
use crate::base::secret::Secret;

/// Something that happened. `subject` is the thing worked on, as a person calls it: a repository,
/// an image, a component.
#[derive(Debug, Clone)]
pub enum Event {
    /// Work on a subject began.
    Started {
        /// What is worked on.
        subject: String,
        /// What is done to it, as `cloning`.
        doing: String,
    },
    /// How far it is.
    Progress {
        /// What is worked on.
        subject: String,
        /// Units done.
        done: u64,
        /// Units in all, if known.
        total: Option<u64>,
        /// What is counted.
        unit: Unit,
    },
    /// One line about what it is doing now: untrusted text, at most a line.
    Detail {
        /// What is worked on.
        subject: String,
        /// The line.
        text: String,
    },
    /// Work on a subject ended.
    Finished {
        /// What was worked on.
        subject: String,
        /// How it ended.
        state: State,
        /// In a few words, what came of it: `cloned`, `image cki/x:1`.
        detail: String,
        /// How long it took.
        took: Duration,
    },
    /// A pipeline that is followed was seen first, or changed.
    Pipeline(PipelineEvent),
    /// Work on a subject ended, and what came of it is told by other means.
    Dismissed {
        /// What was worked on.
        subject: String,
    },
    /// One line of text about work on a subject, without its end, masked already: of a build, of a
    /// package manager, the last words of what failed.
    Line {
        /// Whose it is.
        subject: String,
        /// Where to.
        stream: Stream,
        /// The line: untrusted text.
        text: String,
    },
    /// Output of components and backing services, as it came and in this order: all that was at hand,
    /// so that it is written at once.
    Output(Vec<Written>),
    /// Who will write lines, all of them, so that their names align from the first line on. When
    /// there are several, each line names who wrote it.
    Speakers(Vec<String>),
    /// Secrets that have become known: they are not to be printed from here on, whoever does it.
    Secrets(Vec<Secret>),
    /// Something a person should see although the work goes on.
    Warning(String),
    /// What was decided and why; shown with `-v`.
    Note(String),
}

/// A piece of output: bytes that were masked already and are otherwise as they were written. It need
/// be neither a line nor whole characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Who wrote it.
    pub subject: Arc<str>,
    /// Where to.
    pub stream: Stream,
    /// What: untrusted.
    pub bytes: Vec<u8>,
    /// When, where that is known and wanted.
    pub time: Option<jiff::Timestamp>,
    /// Nothing more comes from there.
    pub ends: bool,
}

/// How a pipeline is. All text in it is safe to show.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineEvent {
    /// The bot's name for its group.
    pub group: String,
    /// The branch, or the number of the earlier pipeline that is run again.
    pub branch: String,
    /// Its number, once it has one.
    pub id: Option<u64>,
    /// How it is.
    pub status: PipelineStatus,
    /// Its page.
    pub url: Option<String>,
    /// How long it has been running, or ran.
    pub took: Option<Duration>,
    /// In a few words, where it is: `test aarch64, 3 of 7 jobs`.
    pub detail: String,
    /// Nothing more will happen to it.
    pub finished: bool,
}

impl PipelineEvent {
    /// What people call it.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} {}", self.group, self.branch)
    }
}

/// How a piece of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was done.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It was left out, for a reason given in the detail.
    Skipped,
    /// It failed.
    Failed,
}

/// What progress counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things: objects, steps.
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

/// Receives events. It must not block for long.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn send(&self, event: Event);
}

/// A sink that can be shared.
#[derive(Clone)]
pub struct Events(Arc<dyn Sink>);

impl Events {
    /// Shares a sink.
    pub fn new(sink: impl Sink + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// A sink that forgets everything.
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
        self.0.send(event);
    }

    /// Says what must not be printed from here on.
    pub fn hide<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        self.send(Event::Secrets(secrets.into_iter().cloned().collect()));
    }

    /// Says that something should be seen.
    pub fn warn(&self, text: impl Into<String>) {
        self.send(Event::Warning(text.into()));
    }

    /// Says what was decided.
    pub fn note(&self, text: impl Into<String>) {
        self.send(Event::Note(text.into()));
    }

    /// Begins work on a subject. Whoever drops the task without ending it has failed.
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

/// One piece of work that has begun.
#[derive(Debug)]
pub struct Task {
    events: Events,
    subject: String,
    began: std::time::Instant,
    ended: bool,
}

impl Task {
    /// What is worked on.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Says how far it is.
    pub fn progress(&self, done: u64, total: Option<u64>, unit: Unit) {
        self.events.send(Event::Progress { subject: self.subject.clone(), done, total, unit });
    }

    /// Says what it is doing now.
    pub fn detail(&self, text: impl Into<String>) {
        self.events.send(Event::Detail { subject: self.subject.clone(), text: text.into() });
    }

    /// Ends it.
    pub fn finish(mut self, state: State, detail: impl Into<String>) {
        self.end(state, detail.into());
    }

    /// Ends it without a word: what came of it is told by other means.
    pub fn dismiss(mut self) {
        self.ended = true;
        self.events.send(Event::Dismissed { subject: self.subject.clone() });
    }

    fn end(&mut self, state: State, detail: String) {
        self.ended = true;
        self.events.send(Event::Finished {
            subject: self.subject.clone(),
            state,
            detail,
            took: self.began.elapsed(),
        });
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.ended {
            self.end(State::Failed, "given up".to_owned());
        }
    }
}
