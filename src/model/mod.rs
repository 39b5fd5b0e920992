//! Floor 1: the nouns of `cki` as plain data, with their rules. No I/O: reading, writing and connecting
//! belong in systems (floor 3), which pass their results to these rules.

pub mod access_token;
pub mod container;
pub mod deployment;
pub mod draft;
pub mod environment;
pub mod event;
pub mod forge;
pub mod graph;
pub mod guard;
pub mod identity;
pub mod image_name;
pub mod inventory;
pub mod log;
pub mod merge_request;
pub mod port;
pub mod probe;
pub mod reference;
pub mod rfc;
pub mod rollback;
pub mod rule;
pub mod scan;
pub mod server;
pub mod service;
pub mod staging;
pub mod workload;
