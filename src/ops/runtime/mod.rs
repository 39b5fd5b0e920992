//! The one way to run a thing, be it a container on an engine or a process of this machine. Starting
//! and reaching either stays in this directory; operations for one kind only (build, pull, checks of images,
//! removal of leftovers) ask [`engine::RunEngine`].

pub mod contact;
pub(in crate::ops) mod dialer;
pub mod engine;
pub mod error;
pub(in crate::ops) mod exec;
pub mod helper_image;
pub(in crate::ops) mod instance;
pub mod list;
pub mod other_engines;
pub mod ports;
pub(in crate::ops) mod probe;
pub(in crate::ops) mod relay;
pub(in crate::ops) mod remove;
pub mod running;
pub mod select;
pub mod start;
pub(in crate::ops) mod started;
pub(in crate::ops) mod terminal;
