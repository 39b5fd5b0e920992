//! The `cki` program: hands the machine to the library and returns the library's exit code. Everything else
//! is in the library.

use std::process::ExitCode;

use cki::host::Host;
use mimalloc::MiMalloc;

/// Threads that read thousands of files wait for each other in the allocator of glibc.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cki::run(Host::real())
}
