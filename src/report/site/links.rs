//! The links and the lists of components in pages.

use super::address::{file_address, safe_href, web_address};
use super::frame::{ItemView, PageLink, first_line, owners};
use super::names::{category_page, component_page};
use super::pages::Site;
use crate::base::assets::BUILT_IN;
use crate::model::inventory::Link;
use crate::model::reference::Reference;
use crate::report::graph::category_class;

impl<'a> Site<'a> {
    /// Returns a component for a list.
    pub(super) fn item(&self, at: usize, root: &str) -> ItemView<'a> {
        let component = &self.content.components()[at];
        ItemView {
            name: component.name(),
            href: format!("{root}{}", component_page(&component.reference)),
            class: category_class(self.content.inventory, &component.reference.category),
            category: self.category_title(&component.reference.category),
            kind: component.kind.as_deref(),
            description: first_line(component),
            owners: owners(component, root),
            findings: self.frame.findings.get(&component.reference).map_or(0, Vec::len),
        }
    }

    pub(super) fn items(&self, places: &[usize], root: &str) -> Vec<ItemView<'a>> {
        places.iter().map(|at| self.item(*at, root)).collect()
    }

    /// Returns the title of a category.
    pub(super) fn category_title(&self, id: &'a str) -> &'a str {
        self.content.inventory.category(id).and_then(|one| one.title.as_deref()).unwrap_or(id)
    }

    /// Returns the link to a category.
    pub(super) fn category_link(&self, id: &'a str, root: &str) -> PageLink {
        PageLink::new(self.category_title(id), Some(format!("{root}{}", category_page(id))))
    }

    /// Returns the link to an entry; a text if it has none.
    pub(super) fn entry_link(&self, reference: &Reference, root: &str) -> PageLink {
        let has_page = self.content.inventory.get(reference).is_some();
        let href = has_page.then(|| format!("{root}{}", component_page(reference)));
        PageLink::new(reference.to_string(), href)
    }

    /// Returns the link to a path of a repository, or to the repository.
    pub(super) fn repo_link(&self, repo: &str, path: Option<&str>) -> PageLink {
        let inventory = self.content.inventory;
        let path = path.filter(|path| !path.is_empty());
        let href = match path {
            Some(path) => file_address(inventory, repo, path, self.cleaner),
            None => web_address(inventory, repo, self.cleaner),
        };
        let text = path.map_or_else(|| repo.to_owned(), |path| format!("{repo}: {path}"));
        PageLink::new(text, href)
    }

    /// Returns a link of the inventory.
    pub(super) fn declared_link(&self, link: &Link) -> PageLink {
        let target = match (&link.url, &link.repo, &link.path) {
            (Some(url), ..) => PageLink::new(url, safe_href(url, self.cleaner)),
            (None, Some(repo), path) => self.repo_link(repo, path.as_deref()),
            (None, None, path) => PageLink::new(path.as_deref().unwrap_or_default(), None),
        };
        // The address is part of the text only where it is no link.
        let note = target.href.is_none().then_some(target.text).filter(|text| !text.is_empty());
        PageLink { text: link.label.clone(), href: target.href, note }
    }

    /// Returns a file of the inventory as a path that says nothing about this machine.
    pub(super) fn shown_file(&self, file: &str) -> String {
        if let Some(built_in) = file.strip_prefix(BUILT_IN) {
            return format!("{built_in} (built in)");
        }
        let path = std::path::Path::new(file);
        let origin = std::path::Path::new(&self.content.inventory.origin);
        let around = self.content.repository.as_deref().into_iter().chain([origin]).chain(origin.parent());
        let below = around
            .filter_map(|root| path.strip_prefix(root).ok())
            .find(|below| !below.as_os_str().is_empty());
        let shown = below.unwrap_or_else(|| path.file_name().map_or(path, std::path::Path::new));
        shown.display().to_string()
    }
}
