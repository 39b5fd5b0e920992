//! Output of components and backing services on its way to a standard stream. In a file or pipe, the bytes
//! are unchanged, with the time or name before each line if requested. On a terminal, the output is cut
//! into lines that are safe to show; in JSON, into objects. The state of unfinished lines is in `outputs`.

use std::sync::Arc;

use super::outputs::{OutputLane, Outputs, index};
use super::{UiState, style};
use crate::base::text::{self, LineCutter};
use crate::model::event::{OutputLine, Stream};

/// Maximum bytes of a line before it is cut.
const LONGEST_LINE: usize = 64 << 10;

/// Form of output on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProgressForm {
    /// Unchanged bytes.
    Bytes,
    /// Unchanged bytes, with the name or time before each line.
    Prefixed,
    /// Lines safe for a terminal.
    Screen,
    /// One JSON object for each line.
    Json,
}

impl UiState {
    /// Writes pieces of output, those for the same stream at once.
    pub(super) fn output(&self, pieces: Vec<OutputLine>) {
        let mut outputs = self.outputs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut batch = Vec::new();
        let mut target = Stream::Stdout;
        for piece in pieces {
            let to = if self.options.results.is_structured() { Stream::Stdout } else { piece.stream };
            if to != target {
                self.write_batch(target, &mut batch);
                target = to;
            }
            match self.form(&piece) {
                ProgressForm::Bytes => {
                    batch.extend_from_slice(&piece.bytes);
                    if let Some(last) = piece.bytes.last() {
                        outputs.open[index(to)] = (*last != b'\n').then(|| piece.subject.clone());
                    }
                }
                form => self.lines_of(form, &piece, &mut outputs, &mut batch),
            }
        }
        self.write_batch(target, &mut batch);
    }

    /// Shows unfinished lines of subjects that have written nothing for a while, such as a prompt. On a terminal,
    /// such a line then ends. In JSON, only whole lines count.
    pub(super) fn pause_output(&self, subjects: &[Arc<str>]) {
        let mut outputs = self.outputs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (subject, stream) in
            subjects.iter().flat_map(|subject| [(subject, Stream::Stdout), (subject, Stream::Stderr)])
        {
            let key = (subject.clone(), stream == Stream::Stderr);
            let time = outputs.lanes.get(&key).and_then(|lane| lane.began);
            let piece = OutputLine { subject: subject.clone(), stream, bytes: Vec::new(), time, ends: true };
            let form = self.form(&piece);
            if matches!(form, ProgressForm::Screen | ProgressForm::Prefixed)
                && outputs.lanes.contains_key(&key)
            {
                let mut batch = Vec::new();
                self.lines_of(form, &piece, &mut outputs, &mut batch);
                self.write_batch(stream, &mut batch);
                if let Some(lane) = outputs.lanes.get_mut(&key) {
                    lane.began = None;
                }
            }
        }
        self.progress.suspend(|| {
            self.stdout.pause();
            self.stderr.pause();
        });
    }

    fn form(&self, piece: &OutputLine) -> ProgressForm {
        let terminal = match piece.stream {
            Stream::Stdout => self.terminal.stdout,
            Stream::Stderr => self.terminal.stderr,
        };
        if self.options.results.is_structured() {
            ProgressForm::Json
        } else if terminal {
            ProgressForm::Screen
        } else if piece.time.is_some() || self.several() {
            ProgressForm::Prefixed
        } else {
            ProgressForm::Bytes
        }
    }

    fn write_batch(&self, stream: Stream, batch: &mut Vec<u8>) {
        if batch.is_empty() {
            return;
        }
        let output = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        self.progress.suspend(|| output.pass_through(batch));
        batch.clear();
    }

    /// Returns the lines that a piece completes.
    fn lines_of(&self, form: ProgressForm, piece: &OutputLine, outputs: &mut Outputs, batch: &mut Vec<u8>) {
        let Outputs { lanes, open } = outputs;
        let key = (piece.subject.clone(), piece.stream == Stream::Stderr);
        let lane = lanes
            .entry(key)
            .or_insert_with(|| OutputLane { cutter: LineCutter::new(LONGEST_LINE), began: None });
        let mut began = lane.began.take();
        let mut take = |line: &[u8]| {
            let time = began.take().or(piece.time);
            match form {
                ProgressForm::Json => self.object(piece, line, time, batch),
                ProgressForm::Screen => self.shown(piece, line, time, batch),
                ProgressForm::Bytes | ProgressForm::Prefixed => {
                    self.prefixed(piece, line, time, &mut open[index(piece.stream)], batch);
                }
            }
        };
        lane.cutter.push(&piece.bytes, &mut take);
        if piece.ends {
            lane.cutter.finish(take);
        }
        if !piece.bytes.ends_with(b"\n") {
            lane.began = began.or(piece.time);
        }
    }

    fn object(&self, piece: &OutputLine, line: &[u8], time: Option<jiff::Timestamp>, batch: &mut Vec<u8>) {
        let text = text::line_text(line);
        let mut object = serde_json::json!({
            "type": "line",
            "from": *piece.subject,
            "stream": if piece.stream == Stream::Stdout { "stdout" } else { "stderr" },
            // JSON escapes the characters on which a terminal would act.
            "text": if self.terminal.stdout { text::safe_line(&text) } else { text },
        });
        if let Some(time) = time {
            object["time"] = super::lines::time(time).into();
        }
        batch.extend_from_slice(format!("{object}\n").as_bytes());
    }

    fn shown(&self, piece: &OutputLine, line: &[u8], time: Option<jiff::Timestamp>, batch: &mut Vec<u8>) {
        let text = text::line_text(line);
        let before = self.before(piece, time, self.is_one_of_several(&piece.subject));
        let line = format!("{before}{}", text::safe_line(&text));
        let line = self.fit(&line, self.color(piece.stream));
        batch.extend_from_slice(line.as_bytes());
        batch.push(b'\n');
    }

    fn prefixed(
        &self,
        piece: &OutputLine,
        line: &[u8],
        time: Option<jiff::Timestamp>,
        open: &mut Option<Arc<str>>,
        batch: &mut Vec<u8>,
    ) {
        // A cut line continues, unless another subject has written since.
        if open.as_ref() != Some(&piece.subject) {
            if open.is_some() {
                batch.push(b'\n');
            }
            let before = self.before(piece, time, self.several());
            batch.extend_from_slice(self.fit(&before, self.color(piece.stream)).as_bytes());
        }
        batch.extend_from_slice(line);
        *open = (!line.ends_with(b"\n")).then(|| piece.subject.clone());
    }

    /// Returns the name and the time before a line.
    fn before(&self, piece: &OutputLine, time: Option<jiff::Timestamp>, named: bool) -> String {
        let mut before = if named { self.prefix(&piece.subject) } else { String::new() };
        if let Some(time) = time {
            before.push_str(&style::dim(&super::lines::time(time)));
            before.push(' ');
        }
        before
    }

    fn color(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.color_out,
            Stream::Stderr => self.color_err,
        }
    }
}
