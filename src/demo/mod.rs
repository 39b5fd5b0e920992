//! Floor 6: what `cki` brings along to be tried and tested without an account: a small project with
//! its inventory and repositories, components that play their part, and a stand-in for a GitLab
//! server. Nothing below this floor knows of it.

pub mod base_image;
pub mod gitlab;
pub mod play;
pub mod project;
pub mod session;
mod step;
pub mod walk;
