//! The addresses under which a release is reached from outside of its cluster: hosts of Ingresses and of OpenShift's Routes
//! that lead to one of its Services. `cki` makes neither; somebody else may have.

use std::collections::BTreeSet;

use serde_json::Value;

/// Kinds of objects that may lead to a Service.
pub const ADDRESS_KINDS: [&str; 2] = ["ingresses.networking.k8s.io", "routes.route.openshift.io"];

/// Returns the addresses of Ingresses and Routes that lead to one of the Services, by name.
#[must_use]
pub fn release_addresses(objects: &[Value], services: &BTreeSet<&str>) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    let is_own = |name: &Value| name.as_str().is_some_and(|name| services.contains(name));
    for object in objects {
        let spec = &object["spec"];
        let mut add = |host: &Value, path: &Value, is_safe: bool| {
            let Some(host) = host.as_str().filter(|host| !host.is_empty() && !host.starts_with('*')) else {
                return;
            };
            let scheme = if is_safe { "https" } else { "http" };
            let path = path.as_str().filter(|path| path.starts_with('/')).unwrap_or("/");
            let address = format!("{scheme}://{host}{path}");
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        };
        if object["kind"] == "Route" && is_own(&spec["to"]["name"]) {
            add(&spec["host"], &spec["path"], spec["tls"].is_object());
        }
        for rule in spec["rules"].as_array().into_iter().flatten().filter(|_| object["kind"] == "Ingress") {
            let host = &rule["host"];
            let is_safe = |tls: &Value| tls["hosts"].as_array().is_some_and(|hosts| hosts.contains(host));
            let is_safe = spec["tls"].as_array().into_iter().flatten().any(is_safe);
            for one in rule["http"]["paths"].as_array().into_iter().flatten() {
                if is_own(&one["backend"]["service"]["name"]) {
                    add(host, &one["path"], is_safe);
                }
            }
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_are_those_that_lead_to_own_services() {
        let path =
            |service: &str, path: &str| json!({"path": path, "backend": {"service": {"name": service}}});
        let rule = |host: &str, paths: Value| json!({"host": host, "http": {"paths": paths}});
        let ingress = json!({"kind": "Ingress", "spec": {
            "tls": [{"hosts": ["a.example"]}],
            "rules": [
                rule("a.example", json!([path("web-mr-1", "/api"), path("web", "/")])),
                rule("b.example", json!([path("web-mr-1", "/")])),
                rule("*.example", json!([path("web-mr-1", "/")])),
            ],
        }});
        let route =
            |to: &str| json!({"kind": "Route", "spec": {"host": "c.example", "to": {"name": to}, "tls": {}}});
        let found =
            release_addresses(&[ingress, route("web-mr-1"), route("web")], &BTreeSet::from(["web-mr-1"]));
        assert_eq!(found, ["https://a.example/api", "http://b.example/", "https://c.example/"]);
    }
}
