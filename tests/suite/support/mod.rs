//! What tests of all kinds share.

use std::ffi::OsString;
use std::io::Write as _;

/// Says that a test did nothing, and why. `tests/run` counts these lines; written past the test
/// runner's capture, so that they are seen.
pub(crate) fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}: {why}");
}

/// A variable by which `tests/run` tells where something is.
#[expect(clippy::disallowed_methods, reason = "tests have no `host`")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
