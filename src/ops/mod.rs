//! Floor 4: one file or directory for each verb that a user knows. An operation combines systems for the
//! verb and returns an outcome; it never prints and knows no flags.

pub mod build;
pub mod clone;
pub mod clone_notes;
pub mod contact;
pub mod dependencies;
pub mod deployment;
mod dialer;
pub mod doctor;
pub mod engine;
pub mod env;
pub mod env_diff;
pub mod gc;
pub mod helper_image;
pub mod inventory;
pub mod list;
pub mod mock_services;
pub mod op_context;
pub mod production;
mod relay;
pub mod run_local;
pub mod run_policy;
pub mod running;
pub mod scan;
pub mod service_volumes;
pub mod show;
pub mod source;
pub mod stage;
pub mod token;
pub mod trust;
pub mod workspace;
pub mod workspace_secrets;
