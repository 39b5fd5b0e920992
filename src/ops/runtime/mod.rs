//! The one way to run a unit, as a container on an engine or as a process of this machine.

pub mod contact;
pub(in crate::ops) mod dialer;
pub mod engine;
pub mod helper_image;
pub(in crate::ops) mod relay;
