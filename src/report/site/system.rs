//! The page of the whole system: one picture of all components, which a script can filter; for an inventory of which
//! nobody could read that, a table of the dependencies between categories.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::frame::{PageLink, Titled};
use super::pages::Site;
use crate::base::template::html::Markup;
use crate::base::text::plural;
use crate::model::graph::GraphQuery;
use crate::report::graph::{EmbeddedForm, MOST_NODES, category_class, embedded_svg};

#[derive(Serialize)]
pub(super) struct SystemView<'a> {
    title: &'static str,
    root: &'a str,
    count: String,
    svg: Option<Markup>,
    kinds: Vec<&'a str>,
    categories: Vec<ChoiceView<'a>>,
    owners: Vec<&'a str>,
    /// Dependencies between categories, instead of the picture.
    between: Vec<BetweenView>,
}

#[derive(Serialize)]
struct ChoiceView<'a> {
    id: &'a str,
    title: &'a str,
    class: String,
}

#[derive(Serialize)]
struct BetweenView {
    from: PageLink,
    to: PageLink,
    count: usize,
}

impl Titled for SystemView<'_> {
    fn title(&self) -> &str {
        self.title
    }
}

impl<'a> Site<'a> {
    pub(super) fn system<'v>(&'v self, root: &'v str) -> SystemView<'v> {
        let content = self.content;
        let nodes = content.graph.node_count();
        let is_readable = nodes <= MOST_NODES;
        let kinds: BTreeSet<&str> =
            content.components().iter().filter_map(|one| one.kind.as_deref()).collect();
        let categories = self.frame.categories.iter().map(|group| ChoiceView {
            id: group.id,
            title: self.category_title(group.id),
            class: category_class(content.inventory, group.id),
        });
        SystemView {
            title: "System",
            root,
            count: plural(content.components().len(), "component"),
            svg: is_readable.then(|| self.whole_picture(root)),
            kinds: kinds.into_iter().collect(),
            categories: categories.collect(),
            owners: self.frame.owners.iter().map(|group| group.id).collect(),
            between: if is_readable { Vec::new() } else { self.between(root) },
        }
    }

    fn whole_picture(&self, root: &str) -> Markup {
        let part = self.content.graph.select(&GraphQuery::default());
        let form = EmbeddedForm {
            id: "system",
            title: "All components and their dependencies",
            root,
            links: &self.frame.links,
            has_facts: true,
            cleaner: self.cleaner,
        };
        Markup(embedded_svg(self.content.inventory, &self.content.graph, &part, &form))
    }

    /// Counts the dependencies between categories.
    fn between(&self, root: &str) -> Vec<BetweenView> {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for component in self.content.components() {
            for dependency in &component.dependencies {
                let pair = (component.reference.category.as_str(), dependency.target.category.as_str());
                *counts.entry(pair).or_default() += 1;
            }
        }
        let known: BTreeSet<&str> = self.frame.categories.iter().map(|group| group.id).collect();
        let has_page = |id: &str| known.contains(id);
        let link = |id| {
            let link = self.category_link(id, root);
            PageLink { href: link.href.filter(|_| has_page(id)), ..link }
        };
        let between = counts.into_iter();
        between.map(|((from, to), count)| BetweenView { from: link(from), to: link(to), count }).collect()
    }
}
