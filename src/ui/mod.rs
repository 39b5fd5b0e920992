//! Floor 2: the only code that prints. Data goes to standard output, everything else to standard error;
//! colour and symbols become plain where the terminal cannot show them. The content is decided by the
//! callers, mostly `report`.

mod commands;
mod lines;
mod links;
pub mod markdown;
mod options;
mod output;
mod outputs;
mod pager;
mod paths;
mod pipeline_states;
mod pipelines;
mod port_view;
mod progress;
mod progress_terminal;
pub mod prompt;
mod reminders;
pub mod style;
mod tasks;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::base::text;
use crate::host::{Host, OutputSink, StreamTerminal};
use crate::model::event::{Event, OutputLine, Sink, Stream};
use lines::Prefixes;
pub use options::{Results, UiOptions, Verbosity};
use outputs::Outputs;
use pipeline_states::PipelineStates;
pub use port_view::PortView;
use progress::Progress;
use reminders::Reminders;

/// Label of a next step.
const HINT: &str = "hint:";
/// Maximum columns of one message: names from outside may have millions of characters.
const LONGEST_MESSAGE: usize = 8000;

/// Function that completes a command; `None` if it is complete.
type CommandWriter = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Function that shows a text in a pager; false if it showed nothing.
type Pager = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Printer. Cheap to clone.
#[derive(Clone)]
pub struct Ui(Arc<UiState>);

struct UiState {
    stdout: OutputSink,
    stderr: OutputSink,
    terminal: StreamTerminal,
    cwd: PathBuf,
    home: Option<PathBuf>,
    options: UiOptions,
    color_out: bool,
    color_err: bool,
    progress: Progress,
    prefixes: Mutex<Prefixes>,
    outputs: Mutex<Outputs>,
    followed: PipelineStates,
    reminders: Mutex<Reminders>,
    commands: OnceLock<CommandWriter>,
    pager: OnceLock<Pager>,
}

impl Ui {
    /// Creates the printer of a machine.
    #[must_use]
    pub fn new(host: &Host, options: UiOptions) -> Self {
        let terminal = host.terminal;
        let wanted = |is_terminal: bool| {
            options.color.unwrap_or_else(|| {
                let env = &host.env;
                if env.get("NO_COLOR").is_some() {
                    false
                } else if env.get("CLICOLOR_FORCE").is_some_and(|v| v != "0") {
                    true
                } else {
                    is_terminal && !terminal.dumb && env.get("CLICOLOR") != Some("0")
                }
            })
        };
        let draws = terminal.stderr && !terminal.dumb && options.verbosity > Verbosity::Quiet;
        Self(Arc::new(UiState {
            stdout: host.stdout.clone(),
            stderr: host.stderr.clone(),
            terminal,
            cwd: host.cwd.clone(),
            home: host.env.home(),
            options,
            color_out: wanted(terminal.stdout),
            color_err: wanted(terminal.stderr),
            progress: Progress::new(draws),
            prefixes: Mutex::default(),
            outputs: Mutex::default(),
            followed: PipelineStates::default(),
            reminders: Mutex::default(),
            commands: OnceLock::new(),
            pager: OnceLock::new(),
        }))
    }

    /// Returns the maximum columns of data: the terminal's width, or no limit without a terminal and for the wide form.
    #[must_use]
    pub fn columns(&self) -> Option<usize> {
        (self.0.terminal.stdout && !self.is_wide()).then(|| self.0.terminal.columns.unwrap_or(80).max(40))
    }

    /// Returns whether data is shown in colour.
    #[must_use]
    pub fn has_color(&self) -> bool {
        self.0.color_out
    }

    /// Returns a path, or a place in a file, as people write it: relative to the working directory below it, with
    /// `~` below the home directory. On a terminal only: a program gets the whole path.
    #[must_use]
    pub fn place<'a>(&self, place: &'a str) -> Cow<'a, str> {
        if self.0.terminal.stdout { self.short(place) } else { Cow::Borrowed(place) }
    }

    /// Returns a path for a message, as [`Ui::place`] does for data.
    fn place_of_status<'a>(&self, place: &'a str) -> Cow<'a, str> {
        if self.0.terminal.stderr { self.short(place) } else { Cow::Borrowed(place) }
    }

    fn short<'a>(&self, place: &'a str) -> Cow<'a, str> {
        paths::short(place, &self.0.cwd, self.0.home.as_deref())
    }

    /// Returns whether results are JSON or YAML.
    #[must_use]
    pub fn is_structured(&self) -> bool {
        self.0.options.results.is_structured()
    }

    /// Returns whether results are tables with all columns.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.0.options.results == Results::Wide
    }

    /// Returns whether results are names alone.
    #[must_use]
    pub fn is_names(&self) -> bool {
        self.0.options.results == Results::Names
    }

    /// Returns whether results are YAML.
    #[must_use]
    pub fn is_yaml(&self) -> bool {
        self.0.options.results == Results::Yaml
    }

    /// Returns the amount of messages.
    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        self.0.options.verbosity
    }

    /// Returns data as the terminal can show it, for another program that shows it there.
    #[must_use]
    pub fn fitted(&self, text: &str) -> String {
        self.0.fit(text, self.0.color_out).into_owned()
    }

    /// Prints a line of data.
    pub fn data(&self, line: &str) {
        self.lines([line]);
    }

    /// Prints lines of data, all at once.
    pub fn lines<T: AsRef<str>>(&self, lines: impl IntoIterator<Item = T>) {
        let mut text = String::new();
        for line in lines {
            text.push_str(&self.0.fit(line.as_ref(), self.0.color_out));
            text.push('\n');
        }
        self.0.progress.suspend(|| {
            self.0.stdout.write(text.as_bytes());
        });
    }

    /// Prints names, which may come from outside, one per line.
    pub fn names<T: AsRef<str>>(&self, names: impl IntoIterator<Item = T>) {
        self.lines(names.into_iter().map(|name| text::safe_line(name.as_ref()).into_owned()));
    }

    /// Prints data for other programs, byte for byte; on a terminal, without control sequences.
    pub fn exact(&self, text: &str) {
        let shown = self.0.terminal.stdout.then(|| anstream::adapter::strip_str(text).to_string());
        self.0.progress.suspend(|| {
            self.0.stdout.write(shown.as_deref().unwrap_or(text).as_bytes());
        });
    }

    /// Prints a line about progress or a change; not with `-q`.
    pub fn status(&self, line: &str) {
        if self.0.options.verbosity > Verbosity::Quiet {
            self.0.message(line);
        }
    }

    /// Prints a warning, even with `-q`.
    pub fn warning(&self, text: &str) {
        self.0.labelled("warning:", style::warn, text);
    }

    /// Prints a next step; not with `-q`.
    pub fn hint(&self, text: &str) {
        if self.0.options.verbosity > Verbosity::Quiet {
            self.0.labelled(HINT, style::hint, text);
        }
    }

    /// Prints an error with its causes and hints.
    pub fn error(&self, text: &str, causes: &[String], hints: &[String]) {
        self.0.labelled("error:", style::bad, text);
        for (number, cause) in causes.iter().enumerate() {
            let number = if causes.len() > 1 { format!("{}: ", number + 1) } else { String::new() };
            self.0.labelled(" ", str::to_owned, &format!("{number}{cause}"));
        }
        for hint in hints {
            self.0.labelled(HINT, style::hint, hint);
        }
    }

    /// Rings the bell of the terminal, if there is one.
    pub fn bell(&self) {
        if self.0.terminal.stderr {
            self.0.progress.suspend(|| self.0.stderr.write(b"\x07"));
        }
    }

    /// Returns the text masked. Mask a text before any other change.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        self.0.stderr.masked(text).into_owned()
    }
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ui")
    }
}

impl UiState {
    /// Returns an event with masked texts: a later change of a text could hide a secret from the stream.
    fn masked(&self, event: Event) -> Event {
        let mask = |text: String| self.stderr.masked(&text).into_owned();
        match event {
            Event::Detail { subject, text } => Event::Detail { subject, text: mask(text) },
            Event::Line { subject, stream, text } => Event::Line { subject, stream, text: mask(text) },
            Event::Finished { subject, state, detail, took } => {
                Event::Finished { subject, state, detail: mask(detail), took }
            }
            Event::Warning(text) => Event::Warning(mask(text)),
            Event::Note(text) => Event::Note(mask(text)),
            Event::Wire(text) => Event::Wire(mask(text)),
            other => other,
        }
    }

    fn message(&self, line: &str) {
        self.wrapped(&self.with_commands(line));
    }

    /// Prints lines whose commands are complete.
    fn wrapped(&self, line: &str) {
        let columns = self.terminal.columns.filter(|_| self.terminal.stderr).unwrap_or(usize::MAX);
        let lines = line.split('\n').flat_map(|line| text::wrap_styled(line, columns));
        let lines = lines.map(|line| self.fit(&line, self.color_err).into_owned() + "\n");
        self.write_error(&lines.collect::<String>());
    }

    /// Prints a sentence after a label; a terminal's line breaks between words.
    fn labelled(&self, label: &str, paint: fn(&str) -> String, text: &str) {
        let indent = label.chars().count() + 1;
        // Mask before a line break can split a secret.
        let text = self.stderr.masked(&self.with_commands(text)).into_owned();
        // A hint is typed as it stands.
        let is_shortened = self.terminal.stderr && label != HINT;
        let text = match is_shortened {
            true => paths::shorten_all(&text, &self.cwd, self.home.as_deref()),
            false => Cow::Borrowed(text.as_str()),
        };
        let text = &text::truncate_middle(&text, LONGEST_MESSAGE);
        let columns = self.terminal.columns.filter(|_| self.terminal.stderr).unwrap_or(usize::MAX);
        let mut lines = text::wrap(text, columns.saturating_sub(indent).max(20)).into_iter();
        self.wrapped(&format!("{} {}", paint(label), lines.next().unwrap_or_default()));
        for line in lines {
            self.wrapped(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    fn write_error(&self, text: &str) {
        if self.outputs.lock().unwrap_or_else(PoisonError::into_inner).break_line() {
            self.stderr.write(b"\n");
        }
        self.progress.suspend(|| {
            // A failure cannot be reported anywhere.
            self.stderr.write(text.as_bytes());
        });
    }

    /// Returns a line in the form that the terminal can show.
    fn fit<'a>(&self, line: &'a str, color: bool) -> Cow<'a, str> {
        // A user without colour wants no other sequences either. Most lines have none: they are not copied.
        let line = match color {
            true if self.terminal.links => Cow::Owned(links::linked(line)),
            false if line.bytes().any(|byte| byte.is_ascii_control()) => {
                Cow::Owned(anstream::adapter::strip_str(line).collect())
            }
            _ => Cow::Borrowed(line),
        };
        if self.terminal.unicode { line } else { Cow::Owned(style::ascii(&line)) }
    }

    /// Prints a line of text about work, which is never the requested data.
    fn line(&self, subject: &str, stream: Stream, line: &str) {
        let bytes = format!("{}\n", text::safe_line(line)).into_bytes();
        // The text ends its line, so that the stream holds nothing back.
        self.output(vec![OutputLine { subject: subject.into(), stream, bytes, time: None, ends: false }]);
    }

    /// Returns whether more than one subject writes, so that lines need prefixes.
    fn several(&self) -> bool {
        self.prefixes.lock().unwrap_or_else(PoisonError::into_inner).are_needed()
    }

    /// Returns whether a line of a subject needs a prefix on a terminal, where lines of all subjects meet.
    fn is_one_of_several(&self, subject: &str) -> bool {
        self.prefixes.lock().unwrap_or_else(PoisonError::into_inner).is_one_of_several(subject)
    }

    fn prefix(&self, subject: &str) -> String {
        self.prefixes.lock().unwrap_or_else(PoisonError::into_inner).prefix(subject)
    }
}

impl Sink for Ui {
    fn send(&self, event: Event) {
        let inner = &self.0;
        match inner.masked(event) {
            Event::Started { subject, doing } => inner.started(&subject, &doing),
            Event::Progress { subject, done, total, unit } => {
                inner.progress.progress(&subject, done, total, unit);
            }
            Event::Detail { subject, text } => inner.detail(&subject, &text),
            Event::Finished { subject, state, detail, took } => {
                inner.finished(&subject, state, &detail, took);
            }
            Event::Ready { subject, state, ports, took } => {
                inner.ready(&subject, state, &ports, took);
                if inner.options.results == Results::Json && !ports.is_empty() {
                    let ports: Vec<PortView> = ports.iter().map(PortView::from).collect();
                    let line = serde_json::json!({"type": "ready", "from": subject, "ports": ports});
                    self.exact(&format!("{line}\n"));
                }
            }
            Event::Source { subject, path, state } => {
                inner.source(&subject, &self.place_of_status(&path.display().to_string()), &state);
            }
            Event::Pipeline(one) => inner.pipeline(&one),
            Event::Secrets(secrets) => {
                inner.stdout.hide(&secrets);
                inner.stderr.hide(&secrets);
            }
            Event::Dismissed { subject } => inner.forget(&subject),
            Event::Line { subject, stream, text } => inner.line(&subject, stream, &text),
            Event::Output(pieces) => inner.output(pieces),
            Event::OutputPaused(subjects) => inner.pause_output(&subjects),
            Event::Speakers(names) => {
                inner.prefixes.lock().unwrap_or_else(PoisonError::into_inner).announce(&names);
            }
            Event::Warning(text) => self.warning(&text::safe_line(&text)),
            Event::Wire(text) => inner.wrapped(&style::dim(&text::truncate_middle(&text, LONGEST_MESSAGE))),
            Event::Note(text) => {
                if inner.options.verbosity == Verbosity::Verbose {
                    inner.message(&format!("  {}", style::dim(&text::safe_line(&text))));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
