//! Tests of output: its content, and the number of writes.

use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl std::io::Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics").push(bytes.to_vec());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Writes {
    fn all(&self) -> Vec<u8> {
        self.0.lock().expect("nobody panics").concat()
    }

    fn count(&self) -> usize {
        self.0.lock().expect("nobody panics").len()
    }
}

fn ui(terminal: StreamTerminal, json: bool) -> (Ui, Writes, Writes) {
    let (out, err) = (Writes::default(), Writes::default());
    let host = Host {
        stdout: OutputSink::new(out.clone()),
        stderr: OutputSink::new(err.clone()),
        terminal,
        env: crate::host::Env::new([("", ""); 0]),
        ..Host::real()
    };
    let results = if json { Results::Json } else { Results::Text };
    (Ui::new(&host, UiOptions { color: None, verbosity: Verbosity::Normal, results }), out, err)
}

fn piece(subject: &str, stream: Stream, bytes: &[u8]) -> OutputLine {
    OutputLine { subject: subject.into(), stream, bytes: bytes.to_vec(), time: None, ends: false }
}

#[test]
fn output_batch_is_one_write_in_every_format() {
    let pieces = || (0..1000).map(|_| piece("a", Stream::Stdout, b"line\n")).collect::<Vec<_>>();
    let screen = StreamTerminal { stdout: true, ..StreamTerminal::NONE };
    for (terminal, json) in [(StreamTerminal::NONE, false), (StreamTerminal::NONE, true), (screen, false)] {
        let (ui, out, _) = ui(terminal, json);
        ui.send(Event::Output(pieces()));
        assert_eq!(out.count(), 1);
        assert_eq!(out.all().iter().filter(|byte| **byte == b'\n').count(), 1000);
    }
}

#[test]
fn output_bytes_pass_unchanged_without_terminal() {
    let odd = b"\0\r\x1b[1m\xff\xc2\x85 no end";
    let (ui, out, err) = ui(StreamTerminal::NONE, false);
    ui.send(Event::Output(vec![piece("a", Stream::Stdout, odd), piece("a", Stream::Stderr, odd)]));
    assert_eq!((out.all(), err.all()), (odd.to_vec(), odd.to_vec()));
    // A message begins a line of its own.
    ui.status("done");
    assert_eq!(err.all(), [odd, &b"\ndone\n"[..]].concat());
}

#[test]
fn output_of_several_sources_is_prefixed_by_line() {
    let (ui, out, _) = ui(StreamTerminal::NONE, false);
    ui.send(Event::Speakers(vec!["a".into(), "bb".into()]));
    ui.send(Event::Output(vec![
        piece("a", Stream::Stdout, b"\xff\x1b[1m one\r\nha"),
        piece("bb", Stream::Stdout, b"two\n"),
        piece("a", Stream::Stdout, b"lf\n\n"),
        OutputLine { ends: true, ..piece("bb", Stream::Stdout, b"no end") },
    ]));
    let expected =
        ["a  │ ".as_bytes(), b"\xff\x1b[1m one\r\n", "bb │ two\na  │ half\na  │ \nbb │ no end".as_bytes()];
    assert_eq!(String::from_utf8_lossy(&out.all()), String::from_utf8_lossy(&expected.concat()));
    assert_eq!(out.all(), expected.concat());
}

#[test]
fn partial_line_continues_until_another_source_writes() {
    let (ui, out, _) = ui(StreamTerminal::NONE, false);
    ui.send(Event::Speakers(vec!["a".into(), "b".into()]));
    let long = vec![b'x'; 100 << 10];
    ui.send(Event::Output(vec![piece("a", Stream::Stdout, &long), piece("a", Stream::Stdout, b"\n")]));
    assert_eq!(out.all(), ["a │ ".as_bytes(), &long, b"\n"].concat());
    ui.send(Event::Output(vec![piece("a", Stream::Stdout, &long), piece("b", Stream::Stdout, b"b\n")]));
    assert!(out.all().ends_with("x\nb │ b\n".as_bytes()));
}

#[test]
fn terminal_output_strips_control_sequences() {
    let (ui, out, _) = ui(StreamTerminal { stdout: true, ..StreamTerminal::NONE }, false);
    ui.send(Event::Output(vec![OutputLine {
        ends: true,
        ..piece("a", Stream::Stdout, b"\x1b[1mx\x1b[0m\x07\xff")
    }]));
    let shown = anstream::adapter::strip_str(&String::from_utf8(out.all()).expect("is text")).to_string();
    assert_eq!(shown, "x\u{fffd}\n");
}

#[test]
fn json_output_keeps_raw_text() {
    let (ui, out, _) = ui(StreamTerminal::NONE, true);
    ui.send(Event::Output(vec![piece("a", Stream::Stderr, b"\x1b[1mx\0\n")]));
    let object: serde_json::Value = serde_json::from_slice(&out.all()).expect("is JSON");
    assert_eq!(object["text"], "\u{1b}[1mx\0");
    assert_eq!(object["stream"], "stderr");
}

#[test]
fn message_keeps_its_ends_when_it_is_too_long() {
    let (ui, _, err) = ui(StreamTerminal::NONE, false);
    ui.warning(&format!("the key {} is unknown", "k".repeat(3_000_000)));
    let shown = String::from_utf8(err.all()).expect("is text");
    assert!(shown.len() < 10_000, "{}", shown.len());
    assert!(shown.starts_with("warning: the key kkk") && shown.ends_with("kkk is unknown\n"), "{shown}");
}
