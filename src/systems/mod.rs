//! Floor 3: one module per outside system. These modules never use each other, nor `ui` or `config`;
//! shared code is in `base` or `host`, and combining systems belongs to `ops`.

pub mod editor;
pub mod engine;
pub mod file_watcher;
pub mod git;
pub mod gitlab;
pub mod glab;
pub mod keyring;
pub mod kubectl;
pub mod man;
pub mod native;
pub mod packages;
pub mod pager;
pub mod preprocessor;
pub mod registry;
pub mod shell;
pub mod web;
