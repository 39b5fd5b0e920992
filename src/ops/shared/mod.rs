//! Parts that several operations use: their context, the inventory, clones, deployments, rules and tokens.
//! Running instances are in `ops::runtime`.

pub mod brisk_clock;
pub mod cluster_boundary;
pub mod dependencies;
pub mod deployment;
pub mod inventory;
pub mod need_error;
pub mod op_context;
pub mod open_merge_requests;
pub mod outside_text;
mod private_files;
pub mod production;
pub mod production_cluster;
pub mod project;
pub mod readme;
pub mod run_policy;
pub mod services;
pub mod token;
pub mod workspace;
pub mod workspace_secrets;
