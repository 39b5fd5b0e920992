//! The pages of `cki inventory site`: a list of files, each rendered on its own from the same facts, so that many can be
//! rendered at once. Writing them is in `ops`; the templates, the style sheet and the script are in `templates/site/`.

mod address;
mod component;
mod files;
mod findings;
mod frame;
mod links;
mod list;
mod markdown;
mod names;
mod overview;
mod pages;
mod picture;
mod rfcs;
mod search;
mod service;
mod summary;
mod system;
mod templates;
#[cfg(test)]
mod tests;

pub use pages::Site;
pub use summary::{SiteSummary, print};
pub use templates::{SiteError, SiteTemplates};
