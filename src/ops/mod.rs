//! Floor 4: one file or directory for each verb that a user knows. An operation combines systems for the
//! verb and returns an outcome; it never prints and knows no flags. `runtime` starts, reaches and stops
//! containers and processes for all of them, and `shared` has what else several verbs use.

pub mod auth_status;
pub mod build;
pub mod clone;
pub mod docs;
pub mod doctor;
pub mod down;
pub mod draft;
pub mod env;
pub mod exec;
pub mod gc;
pub mod graph;
pub mod init;
pub mod inventory;
pub mod list;
pub mod login;
pub mod logs;
pub mod mock_services;
pub mod open;
pub mod ps;
pub mod rfc;
pub mod rollback;
pub mod run_local;
pub mod runtime;
pub mod scan;
pub mod shared;
pub mod shell;
pub mod show;
pub mod stage;
pub mod status;
pub mod trust;
pub mod unstage;
