//! The one integration binary: tests of the whole program with real engines, servers and shells, and of the
//! project's rules that no compiler checks. Tests of one module are in that module.
//!
//! A test that needs something from the set-up of `bash tests/run` asks `support` for it, and is ignored with
//! that reason: `tests/run` includes ignored tests. No test passes by skipping.

mod completion;
mod compose;
mod demo;
mod docs;
mod doctor;
mod engine;
mod generated;
mod git;
mod gitlab;
mod hosts;
mod house;
mod kubectl;
mod kubernetes_api;
mod layering;
mod machine;
mod masking;
mod native;
mod packages;
mod preprocessor;
mod prose;
mod registry;
mod support;
mod verbs;
mod web;
