//! The `cki` program: hands the machine to the library and returns the library's exit code. Everything else
//! is in the library.

use std::process::ExitCode;

use cki::host::Host;

fn main() -> ExitCode {
    cki::run(Host::real())
}
