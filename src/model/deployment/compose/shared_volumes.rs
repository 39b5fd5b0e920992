//! The volumes of Compose services by their kinds, and the services that share each named one. What a run lacks of them is
//! in `volumes`.

use std::collections::HashMap;

use crate::base::yaml::tree::{MapEntry, Node};

/// A volume of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceVolume<'a> {
    /// A file or directory of the machine.
    Bind { from: &'a str, to: &'a str },
    /// A volume with a name, which services may share.
    Named { name: &'a str, to: &'a str },
    /// A directory that is the service's alone: it is so in any container.
    Private,
    /// Another kind.
    Other { kind: &'a str, to: &'a str },
}

/// The first two services that mount each named volume: enough to name a partner of any service.
#[derive(Debug, Default)]
pub(super) struct SharedVolumes(HashMap<String, Vec<String>>);

impl SharedVolumes {
    /// Reads the volumes of all services once.
    pub(super) fn of(services: &[MapEntry]) -> Self {
        let mut sharers: HashMap<String, Vec<String>> = HashMap::new();
        for entry in services {
            for volume in volumes(entry).iter().filter_map(read) {
                let ServiceVolume::Named { name, .. } = volume else { continue };
                let known = sharers.entry(name.to_owned()).or_default();
                if known.len() < 2 && !known.contains(&entry.key) {
                    known.push(entry.key.clone());
                }
            }
        }
        Self(sharers)
    }

    /// Returns another service that mounts a named volume.
    pub(super) fn partner(&self, service: &str, name: &str) -> Option<&str> {
        self.0.get(name)?.iter().find(|other| *other != service).map(String::as_str)
    }
}

/// Returns the volumes of a service.
pub(super) fn volumes(entry: &MapEntry) -> &[Node] {
    entry.node.get("volumes").map_or(&[], Node::items)
}

/// Reads a volume in its short or long form: <https://docs.docker.com/reference/compose-file/services/#volumes>.
pub(super) fn read(node: &Node) -> Option<ServiceVolume<'_>> {
    let Some(text) = node.text() else {
        let to = node.text_of("target")?;
        return Some(match (node.text_of("type").unwrap_or("volume"), node.text_of("source")) {
            ("bind", from) => ServiceVolume::Bind { from: from.unwrap_or_default(), to },
            ("volume", Some(name)) => ServiceVolume::Named { name, to },
            ("volume" | "tmpfs", _) => ServiceVolume::Private,
            (kind, _) => ServiceVolume::Other { kind, to },
        });
    };
    let mut parts = text.split(':');
    let (from, to) = (parts.next()?, parts.next());
    let Some(to) = to.filter(|to| to.starts_with('/')) else { return Some(ServiceVolume::Private) };
    Some(match from.starts_with(['.', '/', '~']) {
        true => ServiceVolume::Bind { from, to },
        false => ServiceVolume::Named { name: from, to },
    })
}
