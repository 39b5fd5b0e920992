//! The files of this machine that a Compose file mounts into a service, and the ports of other services that the text
//! of a proxy's configuration names. Reading the files is up to `ops::init`.

use crate::base::yaml::tree::Node;

/// Maximum number of mounts of a service.
const MOUNTS: usize = 50;

/// A file, or directory, that a service mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountFacts {
    /// Path of this machine, relative to the Compose file; `None` if its content has no file.
    pub from: Option<String>,
    /// Path in the container.
    pub to: String,
    /// Kind and name: ``secret `x` ``; `None` for a bind mount.
    pub label: Option<String>,
}

/// Returns the mounts of a service: its secrets, its configs and its bind mounts.
pub(super) fn mounts(document: &Node, service: &Node) -> Vec<MountFacts> {
    let mut found = Vec::new();
    for (section, kind, directory) in [("secrets", "secret", "/run/secrets/"), ("configs", "config", "/")] {
        let items = service.get(section).map_or(&[][..], Node::items);
        for item in items {
            let Some(name) = item.text().or_else(|| item.text_of("source")) else { continue };
            let to = match item.text_of("target") {
                Some(target) if target.starts_with('/') => target.to_owned(),
                target => format!("{directory}{}", target.unwrap_or(name)),
            };
            let from = document.at(&[section, name, "file"]).and_then(Node::text).map(str::to_owned);
            found.push(MountFacts { from, to, label: Some(format!("{kind} `{name}`")) });
        }
    }
    found.extend(service.get("volumes").map_or(&[][..], Node::items).iter().filter_map(bind));
    found.truncate(MOUNTS);
    found
}

/// Returns a mount of a path that is relative to the Compose file.
fn bind(item: &Node) -> Option<MountFacts> {
    let (from, to) = match item.text() {
        Some(text) => {
            let mut parts = text.split(':');
            (parts.next()?, parts.next()?)
        }
        None => (item.text_of("source")?, item.text_of("target")?),
    };
    from.starts_with('.').then(|| MountFacts { from: Some(from.to_owned()), to: to.to_owned(), label: None })
}

/// Returns the port that the label of a proxy (Traefik) names for a service.
pub(super) fn labelled_port(service: &Node) -> Option<u16> {
    let labels = service.get("labels")?;
    let listed = labels.items().iter().filter_map(|item| item.text()?.split_once('='));
    let mapped = labels.entries().iter().filter_map(|entry| Some((entry.key.as_str(), entry.node.text()?)));
    let mut ports = listed.chain(mapped).filter(|(key, _)| key.ends_with(".loadbalancer.server.port"));
    ports.next()?.1.parse().ok()
}

/// Returns the port in the first `NAME:PORT` of a text: what a proxy forwards to a service. Comments do not count; an
/// address of HTTP without a port means 80.
#[must_use]
pub fn forwarded_port(text: &str, name: &str) -> Option<u16> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default()) {
        for (at, _) in line.match_indices(name) {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            if before.ends_with(is_part) || after.starts_with(is_part) {
                continue;
            }
            let digits: String = after
                .strip_prefix(':')
                .unwrap_or_default()
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            match digits.parse().ok().filter(|port: &u16| *port > 0) {
                Some(port) => return Some(port),
                None if before.ends_with("http://") => return Some(80),
                None => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree;

    #[test]
    fn mounts_are_secrets_configs_and_relative_binds() {
        let text = "services:\n  a:\n    secrets: [s, {source: t, target: /x/t}]\n    configs: [c]\n    \
                    volumes: ['./n.conf:/etc/n.conf:ro', 'data:/d', {type: bind, source: ./b, target: /b}]\n    \
                    labels: {traefik.http.services.a.loadbalancer.server.port: 81}\n\
                    secrets: {s: {file: s.txt}, t: {environment: T}}\nconfigs: {c: {file: ./c}}\n";
        let document = tree::documents("c", text).expect("reads").remove(0);
        let service = document.at(&["services", "a"]).expect("is there");
        let found = mounts(&document, service);
        let shown: Vec<String> =
            found.iter().map(|one| format!("{} {}", one.from.as_deref().unwrap_or("-"), one.to)).collect();
        assert_eq!(shown, ["s.txt /run/secrets/s", "- /x/t", "./c /c", "./n.conf /etc/n.conf", "./b /b"]);
        assert_eq!(labelled_port(service), Some(81));
    }

    #[test]
    fn forwarded_port_is_that_of_the_whole_name() {
        for (text, port) in [
            ("proxy_pass http://backend:8000;", Some(8000)),
            ("upstream x { server backend:3000 weight=1; }", Some(3000)),
            ("reverse_proxy backend:99999 my-backend:1 backend-2:2 backends:3", None),
            ("http://backend.example.org", None),
            ("# backend:1\nproxy_pass http://backend/;", Some(80)),
            ("server_name backend;", None),
        ] {
            assert_eq!(forwarded_port(text, "backend"), port, "{text}");
        }
    }
}
