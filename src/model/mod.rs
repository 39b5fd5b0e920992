//! Floor 1: the nouns of `cki` as plain data, with the rules about them. No I/O: whatever reads,
//! writes or connects is a system (floor 3), and what it found is given to the rules here.

pub mod container;
pub mod deployment;
pub mod environment;
pub mod event;
pub mod guard;
pub mod identity;
pub mod inventory;
pub mod probe;
pub mod reference;
pub mod scan;
pub mod service;
pub mod staging;
