//! The volumes of a Compose service: what a local run lacks of them. A run mounts none of them; what takes their place is
//! up to the entry of the component.

use super::super::finding;
use super::project::ComposeProject;
use crate::base::yaml::tree::{MapEntry, Node};
use crate::model::inventory::InventoryFinding;

/// A volume of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServiceVolume<'a> {
    /// A file or directory of the machine.
    Bind { from: &'a str, to: &'a str },
    /// A volume with a name, which services may share.
    Named { name: &'a str, to: &'a str },
    /// A directory that is the service's alone: it is so in any container.
    Private,
    /// Another kind.
    Other { kind: &'a str, to: &'a str },
}

/// Adds findings about the files that a service finds in its volumes, and a local run does not have. The data of a
/// service that is alone with them is not missing.
pub(super) fn note(project: &ComposeProject<'_>, entry: &MapEntry, findings: &mut Vec<InventoryFinding>) {
    for node in volumes(entry) {
        let message = match read(node) {
            None | Some(ServiceVolume::Private) => continue,
            Some(ServiceVolume::Bind { from, to }) if from.starts_with('.') => format!(
                "`{from}` is not mounted at `{to}` in a local run, except with `--mount` if `run.mount` of the entry has it"
            ),
            Some(ServiceVolume::Bind { from, to }) => {
                format!("`{from}` of the machine is not mounted at `{to}` in a local run")
            }
            Some(ServiceVolume::Named { name, to }) => match partner(project, entry, name) {
                Some(other) => format!(
                    "`{to}` is not shared with `{other}` in a local run: each has its own files there"
                ),
                None => continue,
            },
            Some(ServiceVolume::Other { kind, to }) => {
                format!("`{to}` is a volume of kind `{kind}`, and is not there in a local run")
            }
        };
        findings.push(finding(&node.spot, message));
    }
}

fn volumes(entry: &MapEntry) -> &[Node] {
    entry.node.get("volumes").map_or(&[], Node::items)
}

/// Returns another service that mounts a named volume.
fn partner<'p>(project: &'p ComposeProject<'_>, entry: &MapEntry, name: &str) -> Option<&'p str> {
    let mounts_it = |other: &&MapEntry| {
        let mut all = volumes(other).iter().filter_map(read);
        all.any(|one| matches!(one, ServiceVolume::Named { name: other, .. } if other == name))
    };
    let others = project.services.iter().filter(|other| other.key != entry.key);
    others.into_iter().find(mounts_it).map(|other| other.key.as_str())
}

/// Reads a volume in its short or long form: <https://docs.docker.com/reference/compose-file/services/#volumes>.
fn read(node: &Node) -> Option<ServiceVolume<'_>> {
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
