//! `cki inventory site`: the facts that the pages show, the directory that they are written to, and the server that
//! shows them. The pages themselves are in `report`.

mod content;
mod directory;
mod readme;
mod rfcs;
mod serve;
mod write;

pub use content::{SiteContent, content};
pub use directory::SiteDirectoryError;
pub use readme::Readme;
pub use rfcs::SiteRfc;
pub use serve::{BoundSite, bind};
pub use write::write;
