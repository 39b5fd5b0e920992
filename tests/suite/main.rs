//! The integration tests: one binary, so that it is linked once. Each module is about one system
//! or one promise; what they share is in `support`.

mod gitlab;
mod support;
