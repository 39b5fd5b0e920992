//! An independent client reads the stand-in: python-gitlab.

use std::path::Path;
use std::process::Command;

use super::{ALICE, READER, stand_in};
use crate::support;

#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn python_gitlab_takes_it_for_gitlab() {
    let stand_in = stand_in();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/python_gitlab_reads.py");
    let output = Command::new(support::python())
        .arg(script)
        .args([stand_in.url(), ALICE, READER])
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .expect("Python starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
}
