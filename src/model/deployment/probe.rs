//! Conversion of Kubernetes probes to readiness probes. Running a probe belongs in `ops`.

use super::finding;
use crate::base::yaml::tree::Node;
use crate::model::inventory::InventoryFinding;
use crate::model::probe::ReadinessProbe;

/// Returns the readiness probe of a container, else its startup probe.
pub(super) fn ready(container: &Node, findings: &mut Vec<InventoryFinding>) -> Option<ReadinessProbe> {
    let (key, probe) =
        ["readinessProbe", "startupProbe"].into_iter().find_map(|key| Some((key, container.get(key)?)))?;
    if let Some(command) = probe.at(&["exec", "command"]) {
        let words: Vec<String> = command.items().iter().filter_map(|w| w.text().map(str::to_owned)).collect();
        return (!words.is_empty()).then_some(ReadinessProbe::Exec(words));
    }
    if let Some(get) = probe.get("httpGet") {
        for odd in ["host", "httpHeaders"] {
            if let Some(node) = get.get(odd) {
                findings.push(finding(&node.spot, format!("`{odd}` of `{key}` is not observed")));
            }
        }
        if get.text_of("scheme").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) {
            findings.push(finding(&get.spot, format!("`{key}` asks over HTTPS, which `cki` does not")));
            return None;
        }
        let path = get.text_of("path").unwrap_or("/");
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let port = port(container, get, findings)?;
        return Some(ReadinessProbe::Http { path, port });
    }
    if let Some(socket) = probe.get("tcpSocket") {
        return port(container, socket, findings).map(ReadinessProbe::Tcp);
    }
    findings.push(finding(&probe.spot, format!("`{key}` asks in a way that `cki` does not know")));
    None
}

/// Returns a port given by number, or by its name among the ports of the container.
fn port(container: &Node, node: &Node, findings: &mut Vec<InventoryFinding>) -> Option<u16> {
    let written = node.text_of("port");
    let number = written.and_then(|port| port.parse().ok()).or_else(|| {
        let ports = container.get("ports").map_or(&[][..], Node::items);
        ports.iter().find(|port| port.text_of("name") == written)?.text_of("containerPort")?.parse().ok()
    });
    if number.is_none() {
        let message =
            format!("the probe asks the port `{}`, which is not known", written.unwrap_or_default());
        findings.push(finding(&node.spot, message));
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    fn read(text: &str) -> (Option<ReadinessProbe>, usize) {
        let mut findings = Vec::new();
        let node = documents("f", text).expect("parses").remove(0);
        (ready(&node, &mut findings), findings.len())
    }

    #[test]
    fn probe_reads_every_kubernetes_kind() {
        let ports = "ports: [{name: web, containerPort: 8000}]\n";
        for (probe, wanted) in [
            (
                "httpGet: {path: healthz, port: web}",
                Some(ReadinessProbe::Http { path: "/healthz".into(), port: 8000 }),
            ),
            ("httpGet: {port: 80}", Some(ReadinessProbe::Http { path: "/".into(), port: 80 })),
            ("tcpSocket: {port: '5672'}", Some(ReadinessProbe::Tcp(5672))),
            (
                "exec: {command: [test, -f, /ready]}",
                Some(ReadinessProbe::Exec(vec!["test".into(), "-f".into(), "/ready".into()])),
            ),
        ] {
            assert_eq!(read(&format!("{ports}readinessProbe: {{{probe}}}")), (wanted, 0), "{probe}");
        }
        for odd in ["httpGet: {port: other}", "httpGet: {port: 443, scheme: HTTPS}", "grpc: {port: 1}"] {
            assert_eq!(read(&format!("{ports}startupProbe: {{{odd}}}")), (None, 1), "{odd}");
        }
        assert_eq!(read(ports), (None, 0));
    }
}
