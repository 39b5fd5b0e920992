//! The `cki` program: gives the machine to the library and its answer back. Anything else is in
//! the library.

use std::process::ExitCode;

use cki::host::Host;

fn main() -> ExitCode {
    cki::run(Host::real())
}
