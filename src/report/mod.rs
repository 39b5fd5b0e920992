//! Floor 5: from an outcome to text or JSON, one file per verb. JSON comes from view structs with a
//! version, never from `model`. Reports decide nothing.

pub mod build;
pub mod clone;
pub mod completions;
pub mod config;
pub mod docs;
pub mod doctor;
pub mod down;
pub mod env;
pub mod env_diff;
mod env_explain;
mod env_value;
pub mod export;
pub mod findings;
pub mod gc;
pub mod graph;
pub mod init;
pub mod inventory_check;
pub mod inventory_export;
pub mod inventory_new;
pub mod inventory_schema;
pub mod inventory_sync;
pub mod list;
pub mod open;
pub mod plan;
pub mod ps;
pub mod rfc;
pub mod run_local;
pub mod scan;
pub mod service;
pub mod show;
mod show_origins;
mod show_view;
pub mod site;
pub mod stage;
pub mod trust;
pub mod view;
