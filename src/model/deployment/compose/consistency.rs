//! Check that a project is complete: each service has an image or a build, and whatever a service names exists.
//! Compose refuses another project; here, each fault becomes a finding with its position. Types of fields belong in
//! `schema`.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Taints, place};
use super::types::Refusal;
use crate::base::yaml::tree::{MapEntry, Node, NodeValue};

/// Sections of a Compose file to whose entries services refer, each with the word for an entry.
const SECTIONS: &[(&str, &str)] = &[
    ("configs", "config"),
    ("models", "model"),
    ("networks", "network"),
    ("secrets", "secret"),
    ("volumes", "volume"),
];

/// Entries of these sections in all files of a project: the last definition of each.
#[derive(Debug, Default)]
pub(super) struct Declarations(BTreeMap<String, BTreeMap<String, Node>>);

impl Declarations {
    /// Adds the entries of a file.
    pub(super) fn add(&mut self, document: &[MapEntry]) {
        for section in document.iter().filter(|entry| SECTIONS.iter().any(|(key, _)| *key == entry.key)) {
            let known = self.0.entry(section.key.clone()).or_default();
            for entry in section.node.entries() {
                let has_content = matches!(entry.node.value, NodeValue::Map(_));
                if has_content || !known.contains_key(&entry.key) {
                    known.insert(entry.key.clone(), entry.node.clone());
                }
            }
        }
    }

    /// Returns an entry of a section.
    pub(super) fn get(&self, section: &str, name: &str) -> Option<&Node> {
        self.0.get(section)?.get(name)
    }
}

/// Returns the faults of all services.
pub(super) fn faults(services: &[MapEntry], declared: &Declarations, taints: &Taints) -> Vec<Refusal> {
    let names: BTreeSet<&str> = services.iter().map(|service| service.key.as_str()).collect();
    let mut check = ConsistencyCheck { names, declared, taints, faults: Vec::new() };
    services.iter().for_each(|service| check.service(service));
    check.cycle(services);
    check.faults
}

struct ConsistencyCheck<'a> {
    names: BTreeSet<&'a str>,
    declared: &'a Declarations,
    taints: &'a Taints,
    faults: Vec<Refusal>,
}

impl ConsistencyCheck<'_> {
    /// Returns whether a text depends on a variable that only a deployer has.
    fn is_open(&self, node: &Node) -> bool {
        let taint = self.taints.get(&place(&node.spot));
        taint.is_some_and(|taint| !taint.unset.is_empty() || taint.refusal().is_some())
    }

    fn service(&mut self, MapEntry { key: name, spot, node: service }: &MapEntry) {
        let has_image = service
            .get("image")
            .is_some_and(|image| image.text().is_none_or(|text| !text.is_empty()) || self.is_open(image));
        if !has_image && ["build", "provider"].iter().all(|key| service.get(key).is_none()) {
            let message = format!(
                "the service `{name}` has neither `image` nor `build`, for which Compose refuses the project"
            );
            self.faults.push((spot.clone(), message));
        }
        if let (Some(mode), Some(networks)) = (service.get("network_mode"), service.get("networks"))
            && (!networks.entries().is_empty() || !networks.items().is_empty())
        {
            let message = format!(
                "the service `{name}` has both `network_mode` and `networks`, for which Compose refuses the project"
            );
            self.faults.push((mode.spot.clone(), message));
        }
        for reference in references(service) {
            let ServiceReference { section, name: other, node } = reference;
            let is_known = match section {
                Some(section) => self.declared.get(section, &other).is_some(),
                None => self.names.contains(other.as_str()),
            };
            if is_known || self.is_open(node) {
                continue;
            }
            let what = section.map_or("service", |section| {
                SECTIONS.iter().find(|(key, _)| *key == section).map_or(section, |(_, word)| word)
            });
            let message = format!(
                "the service `{name}` names the {what} `{other}`, which no file defines: Compose refuses the project"
            );
            self.faults.push((node.spot.clone(), message));
        }
    }

    /// Reports a service that depends on itself.
    fn cycle(&mut self, services: &[MapEntry]) {
        let index: BTreeMap<&str, usize> =
            services.iter().enumerate().map(|(at, service)| (service.key.as_str(), at)).collect();
        let needs = |at: usize| services[at].node.get("depends_on").map_or(&[][..], Node::entries);
        let mut is_done = vec![false; services.len()];
        for start in 0..services.len() {
            // Path of services, each with the number of dependencies that were visited.
            let mut path = vec![(start, 0)];
            let mut is_open = BTreeSet::from([start]);
            while let Some((at, next)) = path.pop() {
                if is_done[at] {
                    continue;
                }
                let Some(need) = needs(at).get(next) else {
                    is_done[at] = true;
                    is_open.remove(&at);
                    continue;
                };
                path.push((at, next + 1));
                let Some(&other) = index.get(need.key.as_str()) else { continue };
                if !is_open.insert(other) && !is_done[other] {
                    let message = format!(
                        "the service `{}` depends on itself, for which Compose refuses the project",
                        need.key
                    );
                    self.faults.push((need.spot.clone(), message));
                    return;
                }
                path.push((other, 0));
            }
        }
    }
}

/// A name in a service: of another service, or of an entry of a section.
struct ServiceReference<'a> {
    section: Option<&'static str>,
    name: String,
    node: &'a Node,
}

fn references(service: &Node) -> Vec<ServiceReference<'_>> {
    let mut found = Vec::new();
    let mut add =
        |section, name: &str, node| found.push(ServiceReference { section, name: name.to_owned(), node });
    for need in service.get("depends_on").map_or(&[][..], Node::entries) {
        add(None, &need.key, &need.node);
    }
    for key in ["links", "volumes_from"] {
        for (text, node) in texts(service, key) {
            let name = text.split(':').next().unwrap_or_default();
            if name != "container" {
                add(None, name, node);
            }
        }
    }
    for key in ["network_mode", "ipc", "pid"] {
        let Some(node) = service.get(key) else { continue };
        if let Some(name) = node.text().and_then(|text| text.strip_prefix("service:")) {
            add(None, name, node);
        }
    }
    for section in ["networks", "models"] {
        let node = service.get(section);
        for entry in node.map_or(&[][..], Node::entries) {
            if (section, entry.key.as_str()) != ("networks", "default") {
                add(Some(section), &entry.key, &entry.node);
            }
        }
        for (text, node) in texts(service, section) {
            if (section, text) != ("networks", "default") {
                add(Some(section), text, node);
            }
        }
    }
    for section in ["configs", "secrets"] {
        for item in service.get(section).map_or(&[][..], Node::items) {
            let source = if item.text().is_some() { Some(item) } else { item.get("source") };
            if let Some((name, node)) = source.and_then(|node| Some((node.text()?, node))) {
                add(Some(section), name, node);
            }
        }
    }
    for item in service.get("volumes").map_or(&[][..], Node::items) {
        let source = match item.text() {
            Some(text) => text.split_once(':').map(|(source, _)| (source, item)),
            None if item.text_of("type") == Some("volume") => {
                item.get("source").and_then(|node| Some((node.text()?, node)))
            }
            None => None,
        };
        // A path is a mount, and a single letter a drive.
        let is_name = |source: &str| source.len() > 1 && !source.starts_with(['/', '.', '~', '\\', '$']);
        if let Some((name, node)) = source.filter(|(source, _)| is_name(source)) {
            add(Some("volumes"), name, node);
        }
    }
    found
}

fn texts<'a>(service: &'a Node, key: &str) -> Vec<(&'a str, &'a Node)> {
    let items = service.get(key).map_or(&[][..], Node::items);
    items.iter().filter_map(|item| Some((item.text()?, item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    fn found(text: &str) -> Vec<String> {
        let document = documents("c.yaml", text).expect("parses").remove(0);
        let mut declared = Declarations::default();
        declared.add(document.entries());
        let services = document.get("services").map_or(&[][..], Node::entries);
        let found = faults(services, &declared, &Taints::new());
        found.into_iter().map(|(spot, message)| format!("{}: {message}", spot.position.line)).collect()
    }

    /// Compose refuses each of these.
    #[test]
    fn incomplete_projects_are_reported() {
        for (text, wanted) in [
            ("services:\n  a: {environment: {A: b}}", "2: the service `a` has neither `image` nor `build`"),
            ("services: {a: {image: ''}}", "neither"),
            ("services: {a: {image: x, depends_on: {b: {}}}}", "names the service `b`"),
            ("services: {a: {image: x, links: ['b:c']}}", "names the service `b`"),
            ("services: {a: {image: x, network_mode: 'service:b'}}", "names the service `b`"),
            ("services: {a: {image: x, networks: [n]}}", "names the network `n`"),
            ("services: {a: {image: x, networks: {n: {}}}}", "names the network `n`"),
            ("services: {a: {image: x, models: [m]}}", "names the model `m`"),
            ("services: {a: {image: x, secrets: [s]}}", "names the secret `s`"),
            ("services: {a: {image: x, configs: [{source: c}]}}", "names the config `c`"),
            ("services: {a: {image: x, volumes: ['vo:/v']}}", "names the volume `vo`"),
            ("services: {a: {image: x, volumes: [{type: volume, source: vo}]}}", "names the volume `vo`"),
            ("services: {a: {image: x, network_mode: host, networks: [n]}}\nnetworks: {n: }", "has both"),
            ("services: {a: {image: x, depends_on: {a: {}}}}", "depends on itself"),
            (
                "services: {a: {image: x, depends_on: {b: {}}}, b: {image: x, depends_on: {a: {}}}}",
                "depends on itself",
            ),
        ] {
            let found = found(text);
            assert!(found.len() == 1 && found[0].contains(wanted), "{text}: {found:?}");
        }
    }

    #[test]
    fn complete_projects_have_no_fault() {
        let text = "
services:
  a:
    build: .
    depends_on: {b: {}, c: {}}
    networks: {default: , n: }
    volumes: ['vo:/v', ./x:/y, /x, '/x:/y', 'C:/x', '~/x:/y', v]
    secrets: [s]
    models: [m]
    links: [b]
    volumes_from: ['container:z', 'b:ro']
  b: {image: x, depends_on: {c: {}}, network_mode: 'service:c', networks: []}
  c: {image: x, networks: [n, default]}
networks: {n: }
volumes: {vo: }
secrets: {s: {file: x}}
models: {m: {model: x}}
";
        assert_eq!(found(text), [""; 0]);
    }
}
