//! Floor 6: everything for trying and testing `cki` without an account: a small project with its
//! inventory and repositories, the behaviour of its components, and a stand-in for a GitLab server. Of the
//! floors below, only `ops::gc` knows that it exists, to remove its leftovers.

pub mod base_image;
pub mod gitlab;
pub mod play;
pub mod project;
pub mod session;
mod step;
mod tools;
pub mod walk;
