//! The one integration binary: what `cki` does as a whole, with real engines, servers and shells,
//! and the rules of the house that no compiler checks. Rules of one module are tested in it.
//!
//! A test that needs something which `bash tests/run` sets up asks `support` for it, and is ignored
//! with that as the reason: `tests/run` includes the ignored ones. No test passes by skipping.

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
mod layering;
mod machine;
mod masking;
mod native;
mod preprocessor;
mod prose;
mod support;
mod verbs;
