//! The volumes of a Compose service: what a local run lacks of them. A run mounts none of them; what takes their place is
//! up to the entry of the component.

use super::super::finding;
use super::project::ComposeProject;
use super::shared_volumes::{ServiceVolume, SharedVolumes, read, volumes};
use crate::base::yaml::tree::MapEntry;
use crate::model::inventory::InventoryFinding;

/// Adds findings about the files that a service finds in its volumes, and a local run does not have. The data of a
/// service that is alone with them is not missing.
pub(super) fn note(project: &ComposeProject<'_>, entry: &MapEntry, findings: &mut Vec<InventoryFinding>) {
    let shared = || project.shared.get_or_init(|| SharedVolumes::of(&project.services));
    for node in volumes(entry) {
        let message = match read(node) {
            None | Some(ServiceVolume::Private) => continue,
            Some(ServiceVolume::Bind { from, to }) if from.starts_with('.') => format!(
                "`{from}` is not mounted at `{to}` in a local run, except with `--mount` if `run.mount` of the entry has it"
            ),
            Some(ServiceVolume::Bind { from, to }) => {
                format!("`{from}` of the machine is not mounted at `{to}` in a local run")
            }
            Some(ServiceVolume::Named { name, to }) => match shared().partner(&entry.key, name) {
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
