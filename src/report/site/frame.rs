//! Parts of several pages: the frame around each, groups of components, and links as templates take them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::names::{component_page, owner_page};
use crate::base::template::html::Markup;
use crate::model::inventory::Component;
use crate::model::reference::Reference;
use crate::ops::inventory::site::SiteContent;

/// A page with a title.
pub(super) trait Titled {
    /// Returns the title.
    fn title(&self) -> &str;
}

/// The frame of a page.
#[derive(Serialize)]
pub(super) struct LayoutView<'a> {
    pub(super) title: &'a str,
    pub(super) site: &'a str,
    pub(super) root: &'a str,
    /// Name of its template, by which the frame knows where it is.
    pub(super) page: &'a str,
    /// The site has requests for comments.
    pub(super) has_rfcs: bool,
    pub(super) body: Markup,
}

/// A group of components.
#[derive(Debug)]
pub(super) struct ComponentGroup<'a> {
    /// ID of a category, or name of an owner.
    pub(super) id: &'a str,
    /// Places of its components in the inventory.
    pub(super) components: Vec<usize>,
}

/// Facts about the whole inventory that several pages need.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// Categories with components, in the order of the inventory.
    pub(super) categories: Vec<ComponentGroup<'a>>,
    /// Owners, sorted.
    pub(super) owners: Vec<ComponentGroup<'a>>,
    /// Components without an owner.
    pub(super) without_owner: Vec<usize>,
    /// Places of the findings of each component.
    pub(super) findings: HashMap<&'a Reference, Vec<usize>>,
    /// Link of each node of the graph from the top of the site.
    pub(super) links: Vec<Option<String>>,
    /// Places of the requests for comments by their paths in the repository.
    pub(super) rfcs: HashMap<&'a str, usize>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(content: &'a SiteContent<'a>) -> Self {
        let components = content.components();
        let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut categories: Vec<ComponentGroup<'_>> = Vec::new();
        let mut without_owner = Vec::new();
        for (at, component) in components.iter().enumerate() {
            let id = component.reference.category.as_str();
            // The inventory is sorted by category.
            match categories.last_mut().filter(|last| last.id == id) {
                Some(last) => last.components.push(at),
                None => categories.push(ComponentGroup { id, components: vec![at] }),
            }
            for owner in &component.people {
                let owned = owners.entry(owner).or_default();
                if owned.last() != Some(&at) {
                    owned.push(at);
                }
            }
            if component.people.is_empty() {
                without_owner.push(at);
            }
        }
        let mut findings: HashMap<&Reference, Vec<usize>> = HashMap::new();
        for (at, finding) in content.checked.findings.iter().enumerate() {
            if let Some(reference) = &finding.component {
                findings.entry(reference).or_default().push(at);
            }
        }
        let nodes = (0..content.graph.node_count()).map(|at| content.graph.node(at));
        let links = nodes.map(|node| node.component.map(|one| component_page(&one.reference))).collect();
        let owners = owners.into_iter().map(|(id, components)| ComponentGroup { id, components }).collect();
        let rfcs = content.rfcs.iter().enumerate().map(|(at, rfc)| (rfc.text.path.as_str(), at)).collect();
        Self { categories, owners, without_owner, findings, links, rfcs }
    }
}

/// A link, or a text in its place.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PageLink {
    pub(super) text: String,
    pub(super) href: Option<String>,
    /// Text after it.
    pub(super) note: Option<String>,
}

impl PageLink {
    pub(super) fn new(text: impl Into<String>, href: Option<String>) -> Self {
        Self { text: text.into(), href, note: None }
    }
}

/// A component in a list.
#[derive(Serialize)]
pub(super) struct ItemView<'a> {
    pub(super) name: &'a str,
    pub(super) href: String,
    pub(super) class: String,
    pub(super) category: &'a str,
    pub(super) kind: Option<&'a str>,
    pub(super) description: &'a str,
    pub(super) owners: Vec<PageLink>,
    pub(super) findings: usize,
}

/// Returns the links to the owners of a component.
pub(super) fn owners(component: &Component, root: &str) -> Vec<PageLink> {
    let people = component.people.iter();
    people.map(|owner| PageLink::new(owner.as_ref(), Some(format!("{root}{}", owner_page(owner))))).collect()
}

/// Returns the first line of a description.
pub(super) fn first_line(component: &Component) -> &str {
    component.description.as_deref().unwrap_or_default().trim_start().lines().next().unwrap_or_default()
}
