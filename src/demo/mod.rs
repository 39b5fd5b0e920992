//! Floor 6: what `cki` brings along to be tried and tested without an account: a stand-in for a
//! GitLab server. Nothing below this floor knows of it.

pub mod gitlab;
