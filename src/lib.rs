//! The map of `cki`, floor by floor, lowest first. A module may use only floors below its own, and files
//! never import each other in a ring; `tests/suite/layering.rs` holds the same table and fails on any other
//! edge. `docs/architecture.md` explains the floors, `docs/glossary.md` defines the terms.

pub mod base;
pub mod cli;
pub mod config;
pub mod demo;
pub mod host;
pub mod model;
pub mod ops;
pub mod report;
pub mod systems;
pub mod ui;

/// Runs the program on a machine and returns its exit code.
#[must_use]
pub fn run(host: host::Host) -> std::process::ExitCode {
    cli::run(host)
}

#[cfg(test)]
#[path = "../tests/suite/support/limit.rs"]
#[expect(dead_code, reason = "the integration tests use all of it")]
mod limit;
