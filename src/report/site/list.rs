//! The pages of categories and of owners: lists of components.

use serde::Serialize;

use super::frame::{ItemView, PageLink, Titled};
use super::pages::Site;
use crate::base::text::plural;
use crate::model::reference::Reference;
use crate::report::graph::category_class;

#[derive(Serialize)]
pub(super) struct ComponentListPage<'a> {
    title: &'a str,
    root: &'a str,
    /// Page above it.
    above: PageLink,
    description: Option<&'a str>,
    class: Option<String>,
    count: String,
    /// Page of the entry about an owner.
    entry: Option<PageLink>,
    has_category: bool,
    components: Vec<ItemView<'a>>,
}

impl Titled for ComponentListPage<'_> {
    fn title(&self) -> &str {
        self.title
    }
}

impl Site<'_> {
    pub(super) fn category<'v>(&'v self, at: usize, root: &'v str) -> ComponentListPage<'v> {
        let group = &self.frame.categories[at];
        let category = self.content.inventory.category(group.id);
        ComponentListPage {
            title: self.category_title(group.id),
            root,
            above: PageLink::new("Overview", Some(format!("{root}index.html"))),
            description: category.and_then(|one| one.description.as_deref()),
            class: Some(category_class(self.content.inventory, group.id)),
            count: plural(group.components.len(), "component"),
            entry: None,
            has_category: false,
            components: self.items(&group.components, root),
        }
    }

    pub(super) fn owner<'v>(&'v self, at: usize, root: &'v str) -> ComponentListPage<'v> {
        let group = &self.frame.owners[at];
        let entry = self.entry_link(&Reference::new("people", group.id), root);
        ComponentListPage {
            title: group.id,
            root,
            above: PageLink::new("Owners", Some(format!("{root}owners.html"))),
            description: None,
            class: None,
            count: plural(group.components.len(), "component"),
            entry: entry.href.is_some().then_some(entry),
            has_category: true,
            components: self.items(&group.components, root),
        }
    }
}
