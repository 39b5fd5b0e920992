//! The templates of a site: the user's, else the built-in ones.

use std::collections::BTreeMap;

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::template::TemplateError;

/// Directory of the templates.
const DIRECTORY: &str = "site";
/// Templates of pages, and of what they have in common.
const TEMPLATES: [&str; 10] = [
    "component.html",
    "findings.html",
    "index.html",
    "layout.html",
    "list.html",
    "owners.html",
    "rfc.html",
    "rfcs.html",
    "service.html",
    "system.html",
];
/// Files that are written as they are.
pub(super) const FILES: [&str; 3] = ["icon.svg", "site.css", "site.js"];

/// A site that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A template cannot be evaluated.
    #[error("the template `{DIRECTORY}/{name}` is invalid: {source}")]
    Template {
        /// Its name.
        name: String,
        /// Underlying error.
        source: TemplateError,
    },
    /// A template cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The templates of a site, by name.
#[derive(Debug)]
pub struct SiteTemplates(pub(super) BTreeMap<String, String>);

impl SiteTemplates {
    /// Reads the templates: those of the user, else the built-in ones.
    ///
    /// # Errors
    /// Fails if a template of the user cannot be read.
    pub fn read(assets: &Assets) -> Result<Self, FileError> {
        let mut texts = BTreeMap::new();
        for name in TEMPLATES.iter().chain(&FILES) {
            let asset = assets.text(&format!("{DIRECTORY}/{name}"))?;
            texts.insert((*name).to_owned(), asset.map(|asset| asset.text.into_owned()).unwrap_or_default());
        }
        Ok(Self(texts))
    }

    /// Takes those that are templates out of the files.
    pub(super) fn split(&self) -> BTreeMap<&str, &str> {
        let pages = self.0.iter().filter(|(name, _)| TEMPLATES.contains(&name.as_str()));
        pages.map(|(name, text)| (name.as_str(), text.as_str())).collect()
    }
}
