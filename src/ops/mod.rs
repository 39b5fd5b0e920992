//! Floor 4: one file or directory for each verb that a user knows. An operation combines systems for the
//! verb and returns an outcome; it never prints and knows no flags.

pub mod build;
pub mod clone;
pub mod clone_notes;
pub mod contact;
pub mod deployment;
pub mod doctor;
pub mod engine;
pub mod env;
pub mod env_diff;
pub mod inventory;
pub mod keep;
pub mod leftovers;
pub mod list;
pub mod needs;
pub mod own_image;
pub mod production;
mod reach;
mod relay;
pub mod rules;
pub mod run_local;
pub mod running;
pub mod scan;
pub mod show;
pub mod source;
pub mod stage;
pub mod stand_in;
pub mod stored;
pub mod token;
pub mod tools;
pub mod trust;
pub mod workspace;
