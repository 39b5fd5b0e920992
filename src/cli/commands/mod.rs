//! One file per command: an args struct and a `run` that resolves, calls one operation, reports,
//! and returns the exit code. The work itself is in `ops`.

pub(super) mod auth;
pub(super) mod build;
pub(super) mod clone;
pub(super) mod completions;
pub(super) mod config;
mod default_component;
pub(super) mod demo;
pub(super) mod docs;
pub(super) mod doctor;
pub(super) mod down;
pub(super) mod env;
pub(super) mod exec;
pub(super) mod forward;
pub(super) mod gc;
pub(super) mod graph;
pub(super) mod init;
mod inside;
pub(super) mod inventory;
pub(super) mod list;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod logs;
pub(super) mod man;
pub(super) mod mock_service;
pub(super) mod open;
pub(super) mod ps;
pub(super) mod rfc;
pub(super) mod rollback;
pub(super) mod run_local;
pub(super) mod shell;
pub(super) mod show;
pub(super) mod stage;
pub(super) mod status;
pub(super) mod trust;
pub(super) mod unstage;
