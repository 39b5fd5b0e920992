//! The page of a backing service.

use serde::Serialize;

use super::frame::{PageLink, Titled};
use super::pages::Site;
use crate::base::secret::MASK;
use crate::ops::runtime::helper_image;

#[derive(Serialize)]
pub(super) struct ServicePageView<'a> {
    name: &'a str,
    root: &'a str,
    description: Option<&'a str>,
    image: &'a str,
    image_place: Option<String>,
    version: Option<&'a str>,
    ports: Vec<String>,
    ready: Option<String>,
    is_native: bool,
    parameters: Vec<(&'a str, String)>,
    provides: Vec<ProvidedItem<'a>>,
    users: Vec<PageLink>,
    query: &'a str,
    written_in: String,
}

#[derive(Serialize)]
struct ProvidedItem<'a> {
    name: &'a str,
    value: &'a str,
    is_secret: bool,
}

impl Titled for ServicePageView<'_> {
    fn title(&self) -> &str {
        self.name
    }
}

impl Site<'_> {
    pub(super) fn service<'v>(&'v self, at: usize, root: &'v str) -> ServicePageView<'v> {
        let service = &self.content.services[at];
        let provides = service.provided.iter().map(|one| ProvidedItem {
            name: &one.name,
            value: if one.secret { MASK } else { &one.value },
            is_secret: one.secret,
        });
        let is_own = service.image == helper_image::NAME;
        ServicePageView {
            name: &service.name,
            root,
            description: service.description.as_deref().map(str::trim),
            image: if is_own { "this program, which `cki` puts into an image" } else { &service.image },
            image_place: service.image_place.as_deref().map(|place| {
                let (file, line) = place.rsplit_once(':').unwrap_or((place, ""));
                format!("{}:{line}", self.shown_file(file))
            }),
            version: service.version(),
            ports: service.ports.iter().map(ToString::to_string).collect(),
            ready: service.ready.as_ref().map(ToString::to_string),
            is_native: service.native,
            parameters: service
                .parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_string()))
                .collect(),
            provides: provides.collect(),
            users: service.used_by.iter().map(|one| self.entry_link(&one.reference, root)).collect(),
            query: &service.query,
            written_in: self.shown_file(&service.place),
        }
    }
}
