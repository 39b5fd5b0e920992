//! Floor 3: one folder per outside system. They never look at each other, nor at `ui` or `config`;
//! what several of them need is in `base` or `host`, and combining them is for `ops`.

pub mod changes;
pub mod engine;
pub mod git;
pub mod gitlab;
pub mod native;
pub mod packages;
pub mod preprocessor;
pub mod shell;
