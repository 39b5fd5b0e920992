//! The first page: categories with their components; and the page of owners.

use serde::Serialize;

use super::frame::{ItemView, PageLink, Titled};
use super::names::{category_page, owner_page, service_page};
use super::pages::Site;
use crate::base::text::{plural, plural_of};
use crate::report::graph::category_class;

/// Number of components up to which the first page lists them all.
const MOST_LISTED: usize = 400;

#[derive(Serialize)]
pub(super) struct OverviewView<'a> {
    title: &'a str,
    root: &'a str,
    components: String,
    owners: String,
    findings: usize,
    /// Number of requests for comments, if there are any.
    rfcs: Option<String>,
    categories: Vec<CategoryView<'a>>,
    services: Vec<ServiceItemView<'a>>,
}

#[derive(Serialize)]
struct CategoryView<'a> {
    title: &'a str,
    href: String,
    class: String,
    description: Option<&'a str>,
    count: String,
    /// Components; without any, the page of the category lists them.
    components: Vec<ItemView<'a>>,
}

#[derive(Serialize)]
struct ServiceItemView<'a> {
    name: &'a str,
    href: String,
    description: Option<&'a str>,
    users: usize,
}

#[derive(Serialize)]
pub(super) struct OwnersView<'a> {
    title: &'static str,
    root: &'a str,
    owners: Vec<OwnerView<'a>>,
    without_owner: Vec<ItemView<'a>>,
}

#[derive(Serialize)]
struct OwnerView<'a> {
    name: &'a str,
    href: String,
    count: String,
    /// The first components.
    components: Vec<PageLink>,
    more: usize,
}

impl Titled for OverviewView<'_> {
    fn title(&self) -> &str {
        "Overview"
    }
}

impl Titled for OwnersView<'_> {
    fn title(&self) -> &str {
        self.title
    }
}

/// Number of components that the page of owners lists for each.
const FEW: usize = 12;

impl Site<'_> {
    pub(super) fn overview<'v>(&'v self, root: &'v str) -> OverviewView<'v> {
        let content = self.content;
        let total = content.components().len();
        let categories = self.frame.categories.iter().map(|group| CategoryView {
            title: self.category_title(group.id),
            href: format!("{root}{}", category_page(group.id)),
            class: category_class(content.inventory, group.id),
            description: content.inventory.category(group.id).and_then(|one| one.description.as_deref()),
            count: plural(group.components.len(), "component"),
            components: if total <= MOST_LISTED { self.items(&group.components, root) } else { Vec::new() },
        });
        let services = content.services.iter().map(|service| ServiceItemView {
            name: &service.name,
            href: format!("{root}{}", service_page(&service.name)),
            description: service.description.as_deref().and_then(|text| text.trim().lines().next()),
            users: service.used_by.len(),
        });
        OverviewView {
            title: &content.inventory.title,
            root,
            components: plural(total, "component"),
            owners: plural(self.frame.owners.len(), "owner"),
            findings: content.checked.findings.len(),
            rfcs: (!content.rfcs.is_empty())
                .then(|| plural_of(content.rfcs.len(), "request for comments", "requests for comments")),
            categories: categories.collect(),
            services: services.collect(),
        }
    }

    pub(super) fn owners<'v>(&'v self, root: &'v str) -> OwnersView<'v> {
        let components = self.content.components();
        let owners = self.frame.owners.iter().map(|group| OwnerView {
            name: group.id,
            href: format!("{root}{}", owner_page(group.id)),
            count: plural(group.components.len(), "component"),
            components: group
                .components
                .iter()
                .take(FEW)
                .map(|at| {
                    let PageLink { href, .. } = self.entry_link(&components[*at].reference, root);
                    PageLink::new(components[*at].name(), href)
                })
                .collect(),
            more: group.components.len().saturating_sub(FEW),
        });
        OwnersView {
            title: "Owners",
            root,
            owners: owners.collect(),
            without_owner: self.items(&self.frame.without_owner, root),
        }
    }
}
