//! Marks on the commands and options of the tree that say which of the user's options a hint repeats. The hints are
//! completed in `repeated_flags`.

use clap::builder::{ArgExt, CommandExt};

/// Mark of an option that says what its command is about. Other options say how to show it, or how long to wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeated;

impl ArgExt for Repeated {}

/// Mark of a command: the global options that decide its result.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecidedBy(pub(super) &'static [&'static str]);

impl CommandExt for DecidedBy {}
