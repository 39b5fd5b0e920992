//! Floor 4: one file or directory for each verb that a user knows. An operation combines systems for the
//! verb and returns an outcome; it never prints and knows no flags. `runtime` starts, reaches and stops
//! containers and processes for all of them, and `shared` has what else several verbs use.

pub mod build;
pub mod clone;
pub mod doctor;
pub mod env;
pub mod gc;
pub mod list;
pub mod mock_services;
pub mod run_local;
pub mod running;
pub mod runtime;
pub mod scan;
pub mod service_volumes;
pub mod shared;
pub mod show;
pub mod stage;
pub mod trust;
