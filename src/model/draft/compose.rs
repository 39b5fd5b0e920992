//! The services of a Compose file, as far as a draft needs them: what is built, what is an image, and what
//! needs what. The values of a run come from the deployment reader.

use super::interpolation::fill_in;
use super::mounts::{MountFacts, labelled_port, mounts};
use crate::base::dotenv::{DotenvText, statements};
use crate::base::yaml::tree::{MapEntry, Node, NodeValue};

/// Maximum number of services to read from one file.
const SERVICES: usize = 100;

/// The services of a file.
#[derive(Debug, Clone, Default)]
pub struct ComposeFacts {
    /// The services.
    pub services: Vec<ComposeServiceFacts>,
}

/// A service.
#[derive(Debug, Clone, Default)]
pub struct ComposeServiceFacts {
    /// Name.
    pub name: String,
    /// Line in the file.
    pub line: usize,
    /// The later file that has it alone.
    pub file: Option<String>,
    /// Image.
    pub image: Option<String>,
    /// Directory and file of its build, relative to the Compose file.
    pub build: Option<(String, Option<String>)>,
    /// Stage to build.
    pub target: Option<String>,
    /// Services that it needs.
    pub needs: Vec<String>,
    /// Ports in the container, each with the port of this machine on which it is published.
    pub ports: Vec<(u16, Option<u16>)>,
    /// Variables with their values, as far as these are known.
    pub environment: Vec<(String, String)>,
    /// Files of variables, relative to the Compose file.
    pub env_files: Vec<String>,
    /// Profiles without which Compose does not start it.
    pub profiles: Vec<String>,
    /// It has a health check that replaces the image's.
    pub has_probe: bool,
    /// Its command is not that of the image.
    pub has_command: bool,
    /// Files and directories of this machine that it mounts.
    pub mounts: Vec<MountFacts>,
}

impl ComposeFacts {
    /// Reads the services of a document. `dotenv` is the text of the `.env` file next to it.
    #[must_use]
    pub fn read(mut document: Node, dotenv: &str) -> Self {
        fill_in(&mut document, dotenv);
        let services = document.get("services").map_or(&[][..], Node::entries);
        let one = |entry: &MapEntry| service(&document, &entry.key, entry.spot.position.line, &entry.node);
        Self { services: services.iter().take(SERVICES).map(one).collect() }
    }
}

impl ComposeFacts {
    /// Changes the services by those of a file that Compose reads after this one, and adds its own.
    pub fn extend(&mut self, later: Self, file: &str) {
        for mut one in later.services {
            match self.services.iter_mut().find(|known| known.name == one.name) {
                Some(known) => known.change(one),
                None => {
                    one.file = Some(file.to_owned());
                    self.services.push(one);
                }
            }
        }
    }
}

impl ComposeServiceFacts {
    /// Takes over the facts of a later file.
    fn change(&mut self, later: Self) {
        self.image = later.image.or(self.image.take());
        self.build = later.build.or(self.build.take());
        self.target = later.target.or(self.target.take());
        self.needs.extend(later.needs);
        for (port, host) in later.ports {
            self.ports.retain(|(known, _)| *known != port);
            self.ports.push((port, host));
        }
        self.environment.retain(|(name, _)| later.environment.iter().all(|(other, _)| other != name));
        self.environment.extend(later.environment);
        self.mounts.retain(|one| later.mounts.iter().all(|other| other.to != one.to));
        self.mounts.extend(later.mounts);
        self.env_files.extend(later.env_files);
        self.profiles.extend(later.profiles);
        self.has_command |= later.has_command;
        self.has_probe |= later.has_probe;
    }

    /// Adds the variables of the text of a file that the service names. Those of the service come first.
    pub fn add_variables(&mut self, dotenv: &str) {
        for statement in statements(dotenv).into_iter().flatten() {
            let Some(DotenvText::Literal(value) | DotenvText::Template(value)) = statement.value else {
                continue;
            };
            if self.environment.iter().all(|(name, _)| *name != statement.name) {
                self.environment.push((statement.name, value));
            }
        }
    }
}

fn service(document: &Node, name: &str, line: usize, node: &Node) -> ComposeServiceFacts {
    let build = node.get("build").and_then(|build| match build.text() {
        Some(context) => Some((context.to_owned(), None)),
        None if matches!(build.value, NodeValue::Map(_)) => {
            let context = build.text_of("context").unwrap_or(".");
            Some((context.to_owned(), build.text_of("dockerfile").map(str::to_owned)))
        }
        None => None,
    });
    let target = node.at(&["build", "target"]).and_then(Node::text).map(str::to_owned);
    let needs = node.get("depends_on").map(|needs| {
        let listed = needs.items().iter().filter_map(|item| item.text().map(str::to_owned));
        listed.chain(needs.entries().iter().map(|entry| entry.key.clone())).collect()
    });
    let ports = ["ports", "expose"].iter().filter_map(|key| node.get(key)).flat_map(Node::items);
    let mut found: Vec<(u16, Option<u16>)> = Vec::new();
    for (port, host) in ports.filter_map(published_port) {
        match found.iter_mut().find(|(known, _)| *known == port) {
            Some((_, known)) => *known = known.or(host),
            None => found.push((port, host)),
        }
    }
    if found.is_empty() {
        found.extend(labelled_port(node).map(|port| (port, None)));
    }
    ComposeServiceFacts {
        name: name.to_owned(),
        line,
        file: None,
        image: node.text_of("image").map(str::to_owned),
        build,
        target,
        needs: needs.unwrap_or_default(),
        ports: found,
        environment: environment(node),
        env_files: texts(node.get("env_file")),
        profiles: texts(node.get("profiles")),
        has_probe: has_probe(node),
        has_command: ["command", "entrypoint"]
            .iter()
            .any(|key| node.get(key).is_some_and(|node| !node.is_null())),
        mounts: mounts(document, node),
    }
}

/// Returns a text, or the texts or paths of a list.
fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let listed = node.items().iter().filter_map(|item| item.text().or_else(|| item.text_of("path")));
    node.text().into_iter().chain(listed).map(str::to_owned).collect()
}

/// Returns whether a service has a health check that is not turned off.
fn has_probe(node: &Node) -> bool {
    let Some(check) = node.get("healthcheck") else { return false };
    let is_none = |test: &Node| test.items().first().and_then(Node::text) == Some("NONE");
    let is_disabled = check.get("disable").is_some_and(Node::is_true);
    !is_disabled && check.get("test").is_some_and(|test| !test.is_null() && !is_none(test))
}

/// Returns the port in the container, the last number of `[[address:]host:]container[/protocol]`, and the one before
/// it.
fn published_port(node: &Node) -> Option<(u16, Option<u16>)> {
    let number = |text: &str| text.parse().ok().filter(|port: &u16| *port > 0);
    let text = node.text_of("target").or_else(|| node.text())?;
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let mut parts = text.rsplit(':');
    let port = number(parts.next().unwrap_or(text)).filter(|_| protocol == "tcp")?;
    let host = node.text_of("published").or_else(|| parts.next());
    Some((port, host.and_then(number)))
}

/// Returns the variables of a service that have a value.
fn environment(node: &Node) -> Vec<(String, String)> {
    let Some(given) = node.get("environment") else { return Vec::new() };
    let listed = given.items().iter().filter_map(|item| item.text()?.split_once('='));
    let mapped = given.entries().iter().filter_map(|entry| Some((entry.key.as_str(), entry.node.text()?)));
    listed.chain(mapped).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
