//! A container of a Kubernetes workload: its command, its ports, its init containers. Its variables are read in
//! `container_env`; the choice of the container belongs in `candidate`.

use super::candidate::CandidateSite;
use super::container_env::{ContainerReading, is_open, note_spoiled};
use super::expansion::{Segment, pieces};
use super::limits::ExpansionLimit;
use super::object::Object;
use super::texts::texts;
use super::{DeployedContainer, finding, probe};
use crate::base::yaml::tree::{Location, Node};
use crate::model::inventory::InventoryFinding;
use crate::model::port::DeclaredPort;

/// Reads a container and its init containers. ConfigMaps and Secrets are looked up among the objects.
pub(super) fn read(
    place: CandidateSite<'_>,
    objects: &[Object],
    findings: &mut Vec<InventoryFinding>,
) -> DeployedContainer {
    note_others(place, findings);
    let mut container = read_one(place, objects, findings);
    for node in init_nodes(place) {
        let initial = CandidateSite { object: place.object, node, is_init: true };
        container.init.push(read_one(initial, objects, findings));
    }
    container
}

fn read_one(
    place: CandidateSite<'_>,
    objects: &[Object],
    findings: &mut Vec<InventoryFinding>,
) -> DeployedContainer {
    let CandidateSite { object, node, is_init } = place;
    let mut reading = ContainerReading {
        object,
        objects,
        variables: Vec::new(),
        limit: ExpansionLimit::default(),
        findings,
    };
    for source in node.get("envFrom").map_or(&[][..], Node::items) {
        reading.from(source);
    }
    for item in node.get("env").map_or(&[][..], Node::items) {
        reading.item(item);
    }
    let ContainerReading { variables, mut limit, .. } = reading;
    let is_defined = |name: &str| variables.iter().any(|given| given.name == name);
    let mut words = |key: &str| -> Vec<Vec<Segment>> {
        let words = texts(node.get(key), key, findings);
        words.iter().for_each(|(text, spot)| note_spoiled(text, spot, findings));
        let mut word = |(text, spot): &(String, Location)| {
            let made = pieces(text, &is_defined);
            let what = format!("this word of `{key}`");
            if limit.admits(&made, (&what, spot), findings) {
                made
            } else {
                vec![Segment::Text(text.clone())]
            }
        };
        words.iter().map(&mut word).collect()
    };
    let (command, args) = (words("command"), words("args"));
    note_files(object, node, findings);
    if let Some(lifecycle) = node.get("lifecycle") {
        findings.push(finding(&lifecycle.spot, "`lifecycle` is not observed in a local run"));
    }
    // An init container is done when it has ended, so its probe does not count.
    let ready = if is_init { None } else { probe::ready(node, findings) };
    DeployedContainer {
        label: place.label(),
        place: node.spot.line(),
        // Pods are reached by their Services.
        hostnames: Vec::new(),
        image: node.text_of("image").map(str::to_owned).filter(|image| !is_open(image, object)),
        command,
        args,
        workdir: node.text_of("workingDir").map(str::to_owned),
        ports: ports(node, findings),
        ready,
        variables,
        clears_entrypoint: false,
        interpolated: Vec::new(),
        init: Vec::new(),
    }
}

/// Returns the containers that must have ended before this one starts.
fn init_nodes<'a>(place: CandidateSite<'a>) -> impl Iterator<Item = &'a Node> {
    let pod = place.object.pod().filter(|_| !place.is_init);
    let nodes = pod.and_then(|pod| pod.get("initContainers")).map_or(&[][..], Node::items);
    nodes.iter().filter(|node| !is_sidecar(node))
}

/// Returns whether an init container is a sidecar, which starts first and keeps running:
/// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>.
fn is_sidecar(node: &Node) -> bool {
    node.text_of("restartPolicy") == Some("Always")
}

fn ports(node: &Node, findings: &mut Vec<InventoryFinding>) -> Vec<DeclaredPort> {
    let mut ports = Vec::new();
    for port in node.get("ports").map_or(&[][..], Node::items) {
        // The convention of service meshes: a port named `http` or `http-…` speaks HTTP.
        let is_http = port.text_of("name").is_some_and(|name| name.split('-').next() == Some("http"));
        match port.text_of("containerPort").map(str::parse::<u16>) {
            Some(Ok(_)) if port.text_of("protocol").is_some_and(|p| p != "TCP") => {
                findings.push(finding(&port.spot, "only ports of TCP are known to `cki`"));
            }
            Some(Ok(number)) => ports.push(DeclaredPort { is_http, ..DeclaredPort::from(number) }),
            _ => findings.push(finding(&port.spot, "this port has no number in `containerPort`")),
        }
    }
    ports
}

/// Adds a finding about the other containers of the pod, which a local run does not start.
fn note_others(place: CandidateSite<'_>, findings: &mut Vec<InventoryFinding>) {
    let Some(pod) = place.object.pod() else { return };
    let all = |key: &str| pod.get(key).map_or(&[][..], Node::items).iter();
    let sidecars = all("initContainers").filter(|node| place.is_init || is_sidecar(node));
    for other in sidecars.chain(all("containers")).filter(|other| !std::ptr::eq(*other, place.node)) {
        let name = other.text_of("name").unwrap_or_default();
        let message = format!("the container `{name}` of the same pod is not run");
        findings.push(finding(&other.spot, message));
    }
}

/// Adds a finding about files from ConfigMaps and Secrets, which a local run does not mount.
fn note_files(object: &Object, node: &Node, findings: &mut Vec<InventoryFinding>) {
    let volumes = object.pod().and_then(|pod| pod.get("volumes")).map_or(&[][..], Node::items);
    for mount in node.get("volumeMounts").map_or(&[][..], Node::items) {
        let volume = volumes.iter().find(|volume| volume.text_of("name") == mount.text_of("name"));
        let Some(volume) = volume else { continue };
        let from = ["configMap", "secret", "projected", "downwardAPI", "csi", "hostPath"];
        if let Some(kind) = from.into_iter().find(|kind| volume.get(kind).is_some()) {
            let path = mount.text_of("mountPath").unwrap_or_default();
            let message =
                format!("`{path}` comes from a volume of kind `{kind}`, and is not there in a local run");
            findings.push(finding(&mount.spot, message));
        }
    }
}
