//! Floor 6: everything for trying and testing `cki` without an account: a small project with its
//! inventory and repositories, the behaviour of its components, and a stand-in for a GitLab server. The
//! floors below do not know the demo.

pub mod base_image;
pub mod gitlab;
pub mod play;
pub mod project;
pub mod session;
mod step;
pub mod walk;
