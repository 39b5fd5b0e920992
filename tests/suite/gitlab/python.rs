//! An independent client reads the stand-in: python-gitlab.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{ALICE, READER, stand_in};
use crate::support;

#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn stand_in_is_accepted_by_python_gitlab() {
    let stand_in = stand_in();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python_gitlab_reads.py");
    let mut child = Command::new(support::python())
        .arg(script)
        .args([stand_in.url(), ALICE, READER])
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    // Each line asks for something that no request of GitLab's API does.
    let mut answers = child.stdin.take().expect("is piped");
    for line in BufReader::new(child.stdout.take().expect("is piped")).lines() {
        let control = serde_json::from_str(&line.expect("is text")).expect("is a control");
        stand_in.control(control).expect("is taken");
        writeln!(answers, "done").expect("is read");
    }
    assert!(child.wait().expect("ends").success(), "python-gitlab reads something else");
}
