//! The files of a site, each rendered on its own.

use serde::Serialize;

use super::frame::{Frame, LayoutView, Titled};
use super::names;
use super::pages::{Site, SiteFile};
use super::templates::{FILES, SiteError, SiteTemplates};
use crate::base::template::TemplateError;
use crate::base::template::html::{HtmlTemplates, Markup, TextCleaner};
use crate::ops::inventory::site::SiteContent;

/// Script with the index of the search.
const INDEX: &str = "search-index.js";

impl<'a> Site<'a> {
    /// Prepares the pages.
    ///
    /// # Errors
    /// Fails if a template is invalid.
    pub fn new(
        content: &'a SiteContent<'a>,
        fixed: &'a SiteTemplates,
        cleaner: &'a TextCleaner,
    ) -> Result<Self, SiteError> {
        let items = content.components().len() + content.checked.findings.len() + content.services.len();
        let items = items + content.rfcs.len();
        let templates = HtmlTemplates::new(fixed.split(), cleaner, items);
        let templates =
            templates.map_err(|(name, source)| SiteError::Template { name: name.to_owned(), source })?;
        let frame = Frame::new(content);
        let mut files: Vec<(String, SiteFile)> = [
            ("index.html", SiteFile::Overview),
            ("owners.html", SiteFile::Owners),
            ("system.html", SiteFile::System),
            ("findings.html", SiteFile::Findings),
            (INDEX, SiteFile::Index),
        ]
        .into_iter()
        .chain(FILES.map(|name| (name, SiteFile::Fixed(name))))
        .map(|(path, file)| (path.to_owned(), file))
        .collect();
        let components = content.components().iter().enumerate();
        files.extend(
            components.map(|(at, one)| (names::component_page(&one.reference), SiteFile::Component(at))),
        );
        let categories = frame.categories.iter().enumerate();
        files.extend(categories.map(|(at, one)| (names::category_page(one.id), SiteFile::Category(at))));
        let owners = frame.owners.iter().enumerate();
        files.extend(owners.map(|(at, one)| (names::owner_page(one.id), SiteFile::Owner(at))));
        let services = content.services.iter().enumerate();
        files.extend(services.map(|(at, one)| (names::service_page(&one.name), SiteFile::Service(at))));
        if !content.rfcs.is_empty() {
            files.push(("rfcs.html".to_owned(), SiteFile::Rfcs));
        }
        let rfcs = content.rfcs.iter().enumerate();
        files.extend(rfcs.map(|(at, one)| (names::rfc_page(&one.name), SiteFile::Rfc(at))));
        Ok(Self { content, templates, fixed, cleaner, frame, files })
    }

    /// Returns the paths of all files.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.files.iter().map(|(path, _)| path.clone()).collect()
    }

    /// Returns the content of a file, by its place in [`Site::paths`].
    ///
    /// # Errors
    /// Fails if its template uses a value that the page does not have, or takes too much work.
    pub fn file(&self, at: usize) -> Result<String, SiteError> {
        let (path, file) = &self.files[at];
        let depth = path.matches('/').count();
        let root = "../".repeat(depth);
        match *file {
            SiteFile::Overview => self.page("index.html", &self.overview(&root), &root),
            SiteFile::Owners => self.page("owners.html", &self.owners(&root), &root),
            SiteFile::System => self.page("system.html", &self.system(&root), &root),
            SiteFile::Findings => self.page("findings.html", &self.findings(&root), &root),
            SiteFile::Component(at) => self.page("component.html", &self.component(at, &root), &root),
            SiteFile::Category(at) => self.page("list.html", &self.category(at, &root), &root),
            SiteFile::Owner(at) => self.page("list.html", &self.owner(at, &root), &root),
            SiteFile::Service(at) => self.page("service.html", &self.service(at, &root), &root),
            SiteFile::Rfcs => self.page("rfcs.html", &self.rfcs(&root), &root),
            SiteFile::Rfc(at) => self.page("rfc.html", &self.rfc(at, &root), &root),
            SiteFile::Index => Ok(self.index()),
            SiteFile::Fixed(name) => Ok(self.fixed.0.get(name).cloned().unwrap_or_default()),
        }
    }

    /// Renders a page and puts it into the frame that all pages have.
    fn page<T: Serialize + Titled>(&self, name: &str, view: &T, root: &str) -> Result<String, SiteError> {
        let render = |name: &str, page: Result<String, TemplateError>| {
            page.map_err(|source| SiteError::Template { name: name.to_owned(), source })
        };
        let body = render(name, self.templates.render(name, view))?;
        let layout = LayoutView {
            title: view.title(),
            site: &self.content.inventory.title,
            root,
            page: name,
            has_rfcs: !self.content.rfcs.is_empty(),
            body: Markup(body),
        };
        render("layout.html", self.templates.render("layout.html", &layout))
    }
}
