//! The integration tests: one binary, a module per subject. What they share is in `support`.

mod git;
mod support;
