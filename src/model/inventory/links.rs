//! The links of an inventory with their places: pages, paths in repositories, and the addresses of the repositories.
//! The check of links belongs in `check::links`, everything that looks at a target in `ops`.

use std::collections::HashSet;

use super::{Component, Inventory, Link};
use crate::model::reference::Reference;

/// A link and its place.
#[derive(Debug, Clone)]
pub struct DeclaredLink<'a> {
    /// Entry; `None` for the head.
    pub component: Option<&'a Component>,
    /// Part of the entry or the head, such as `documentation.0.url`.
    pub part: String,
    /// Target.
    pub target: DeclaredTarget<'a>,
}

/// Target of a link, as the inventory writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclaredTarget<'a> {
    /// A URL.
    Url(&'a str),
    /// A path in a repository; an empty one is the repository.
    Path {
        /// Repository, by its name in the inventory or its address.
        repo: &'a str,
        /// Path.
        path: &'a str,
    },
    /// A repository of the list in the head, by its name.
    Repository(&'a str),
    /// Neither a URL nor a repository, under this label.
    Nothing(&'a str),
}

impl Inventory {
    /// Returns the links of some entries, or those of all entries and the head.
    #[must_use]
    pub fn links(&self, chosen: Option<&HashSet<&Reference>>) -> Vec<DeclaredLink<'_>> {
        let mut links = Vec::new();
        if chosen.is_none() {
            let repository = |name| DeclaredLink {
                component: None,
                part: format!("repos.{name}"),
                target: DeclaredTarget::Repository(name),
            };
            links.extend(self.repos.keys().map(|name| repository(name.as_str())));
            links.extend(self.rfcs.iter().map(|rfcs| DeclaredLink {
                component: None,
                part: "rfcs.directory".to_owned(),
                target: DeclaredTarget::Path { repo: &rfcs.repo, path: &rfcs.directory },
            }));
        }
        let is_chosen = |one: &&Component| chosen.is_none_or(|chosen| chosen.contains(&one.reference));
        for component in self.components.iter().filter(is_chosen) {
            for (key, list) in
                [("documentation", &component.documentation), ("monitoring", &component.monitoring)]
            {
                links.extend(list.iter().enumerate().map(|(at, link)| declared(component, key, at, link)));
            }
            links.extend(component.sources.iter().enumerate().map(|(at, source)| DeclaredLink {
                component: Some(component),
                part: format!("sources.{at}.{}", if source.path.is_some() { "path" } else { "repo" }),
                target: DeclaredTarget::Path {
                    repo: &source.repo,
                    path: source.path.as_deref().unwrap_or_default(),
                },
            }));
        }
        links
    }
}

fn declared<'a>(component: &'a Component, key: &str, at: usize, link: &'a Link) -> DeclaredLink<'a> {
    let (end, target) = match (&link.url, &link.repo, &link.path) {
        (Some(url), ..) => (".url", DeclaredTarget::Url(url)),
        (None, Some(repo), Some(path)) => (".path", DeclaredTarget::Path { repo, path }),
        (None, Some(repo), None) => (".repo", DeclaredTarget::Path { repo, path: "" }),
        (None, None, _) => ("", DeclaredTarget::Nothing(&link.label)),
    };
    DeclaredLink { component: Some(component), part: format!("{key}.{at}{end}"), target }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::InventoryDocument;

    #[test]
    fn links_have_the_places_of_their_targets() {
        let text = "\
repos: {tools: 'https://x.test/tools'}
rfcs: {repo: tools, directory: rfcs, prefix: X}
components:
- name: a
  category: c
  documentation: [{label: x, url: 'https://x.test/'}, {label: y, repo: tools, path: y.md}, {label: z, path: z.md}]
  monitoring: [{label: d, repo: tools}]
  sources: [{repo: tools, path: src}, {repo: tools}]
- {name: b, category: c, documentation: [{label: x, url: y}]}
";
        let document = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("here", vec![document]).expect("reads");
        let parts = |links: Vec<DeclaredLink<'_>>| -> Vec<String> {
            links.iter().map(|link| format!("{} {:?}", link.part, link.target)).collect()
        };
        let all = parts(inventory.links(None));
        assert_eq!(all[0], "repos.tools Repository(\"tools\")");
        assert_eq!(all[1], "rfcs.directory Path { repo: \"tools\", path: \"rfcs\" }");
        let b = Reference::new("c", "b");
        assert_eq!(parts(inventory.links(Some(&HashSet::from([&b])))), ["documentation.0.url Url(\"y\")"]);
        let a = Reference::new("c", "a");
        assert_eq!(
            parts(inventory.links(Some(&HashSet::from([&a])))),
            [
                "documentation.0.url Url(\"https://x.test/\")",
                "documentation.1.path Path { repo: \"tools\", path: \"y.md\" }",
                "documentation.2 Nothing(\"z\")",
                "monitoring.0.repo Path { repo: \"tools\", path: \"\" }",
                "sources.0.path Path { repo: \"tools\", path: \"src\" }",
                "sources.1.repo Path { repo: \"tools\", path: \"\" }",
            ]
        );
    }
}
