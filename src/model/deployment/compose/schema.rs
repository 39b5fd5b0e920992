//! Check of a project against the schema of the Compose Specification: Compose refuses an unknown key, a
//! value of another type, or an unquoted date; here, each becomes a finding with its position. Only the
//! parts of the schema about keys and types are kept. The meaning of values belongs in the other
//! modules.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

use super::super::date::Date;
use super::document::{Taints, place};
use super::types::{ScalarType, ScalarTypes};
use crate::base::text::nearest;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};

/// `schema/compose-spec.json` of compose-go 2.13, without descriptions, formats and limits.
const TEXT: &str = include_str!("schema.json");

static SCHEMA: LazyLock<Json> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());
static PATTERNS: LazyLock<HashMap<&'static str, Regex>> = LazyLock::new(|| {
    let mut patterns = HashMap::new();
    let mut open = vec![&*SCHEMA];
    while let Some(node) = open.pop() {
        let keys = node.get("patternProperties").and_then(Json::as_object).into_iter().flatten();
        for (pattern, _) in keys {
            if let Ok(regex) = Regex::new(pattern) {
                patterns.insert(pattern.as_str(), regex);
            }
        }
        match node {
            Json::Object(entries) => open.extend(entries.values()),
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    patterns
});

/// Maximum number of these findings per file.
const FINDINGS: usize = 100;

/// Parts of a project that Compose refuses, with their positions.
pub(super) struct Refusals<'a> {
    types: &'a ScalarTypes,
    /// Taints of texts after interpolation; `None` where texts are not interpolated yet.
    taints: Option<&'a Taints>,
    found: Vec<(Location, String)>,
}

impl<'a> Refusals<'a> {
    /// Checks the services of a project, merged with all earlier files.
    pub(super) fn of_services(
        services: &[MapEntry],
        types: &'a ScalarTypes,
        taints: &'a Taints,
    ) -> Vec<(Location, String)> {
        let mut all = Self { types, taints: Some(taints), found: Vec::new() };
        let schemas = alternatives([property("services")].into_iter().flatten().collect());
        all.entries(services, &schemas, "services");
        all.found
    }

    /// Checks the other parts of a document.
    pub(super) fn of_rest(document: &[MapEntry], types: &'a ScalarTypes) -> Vec<(Location, String)> {
        let mut all = Self { types, taints: None, found: Vec::new() };
        let rest: Vec<MapEntry> = document.iter().filter(|entry| entry.key != "services").cloned().collect();
        all.entries(&rest, &[&SCHEMA], "");
        all.found
    }

    fn entries(&mut self, entries: &[MapEntry], schemas: &[&'static Json], path: &str) {
        for MapEntry { key, spot, node } in entries {
            let below: Vec<&'static Json> = schemas.iter().filter_map(|schema| of_key(schema, key)).collect();
            if below.is_empty() {
                self.add(spot, unknown(key, path, schemas));
                continue;
            }
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.node(node, &alternatives(below), &path);
        }
    }

    /// Checks a node. The depth of nodes is bounded.
    fn node(&mut self, node: &Node, schemas: &[&'static Json], path: &str) {
        if node.is_null() || self.found.len() >= FINDINGS {
            return;
        }
        let fitting: Vec<&'static Json> =
            schemas.iter().copied().filter(|schema| self.fits(schema, node)).collect();
        if fitting.is_empty() {
            let shapes: BTreeSet<&str> = schemas.iter().flat_map(|schema| types(schema)).map(shape).collect();
            let wanted = shapes.into_iter().collect::<Vec<_>>().join(" or ");
            self.add(&node.spot, format!("`{path}` must be {wanted}: Compose refuses the project"));
            return;
        }
        match &node.value {
            NodeValue::Map(entries) => self.entries(entries, &fitting, path),
            NodeValue::List(items) => {
                let below = fitting.iter().filter_map(|schema| schema.get("items")).collect();
                let below = alternatives(below);
                for item in items.iter().filter(|_| !below.is_empty()) {
                    self.node(item, &below, path);
                }
            }
            NodeValue::Scalar { text, plain: true } if Date::read(text).is_some() => {
                let message = format!("`{path}` is a date, for which Compose refuses the project: quote it");
                self.add(&node.spot, message);
            }
            NodeValue::Scalar { .. } => {}
        }
    }

    /// Returns whether a node has a type that a schema allows.
    fn fits(&self, schema: &'static Json, node: &Node) -> bool {
        let types = types(schema);
        let has = |kind: &str| types.contains(&kind);
        types.is_empty()
            || match &node.value {
                NodeValue::Map(_) => has("object"),
                NodeValue::List(_) => has("array"),
                NodeValue::Scalar { text, .. } => match self.types.of(&node.spot, text) {
                    Some(ScalarType::Truth) => has("boolean"),
                    Some(ScalarType::Integer) => has("integer") || has("number"),
                    Some(ScalarType::Float) => has("number"),
                    None => self.fits_text(&types, node, text),
                },
            }
    }

    /// Returns whether a schema allows a text, which Compose converts where the type is another one.
    fn fits_text(&self, types: &[&str], node: &Node, text: &str) -> bool {
        let has = |kind: &str| types.contains(&kind);
        let is_open = match self.taints {
            Some(taints) => taints
                .get(&place(&node.spot))
                .is_some_and(|taint| !taint.unset.is_empty() || taint.refusal().is_some()),
            None => text.contains('$'),
        };
        let is_truth = || TRUTHS.contains(&text.to_lowercase().as_str());
        match has("boolean") {
            _ if is_open => types.iter().any(|kind| shape(kind) != "a list" && shape(kind) != "a mapping"),
            true => is_truth() || (has("string") && FREE.contains(&types)),
            false if has("string") => true,
            false if has("integer") => text.parse::<i64>().is_ok(),
            false => has("number") && text.parse::<f64>().is_ok(),
        }
    }

    fn add(&mut self, spot: &Location, message: String) {
        if self.found.len() < FINDINGS {
            self.found.push((spot.clone(), message));
        }
    }
}

fn unknown(key: &str, path: &str, schemas: &[&'static Json]) -> String {
    let known = schemas.iter().filter_map(|schema| schema.get("properties")?.as_object());
    let near = nearest(key, known.flat_map(|properties| properties.keys().map(String::as_str)));
    let near = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
    format!("the key `{key}`{place} is unknown to Compose, which refuses the project{near}")
}

fn property(key: &str) -> Option<&'static Json> {
    SCHEMA.get("properties")?.get(key)
}

/// Resolves references and alternatives of schemas.
fn alternatives(schemas: Vec<&'static Json>) -> Vec<&'static Json> {
    let mut open = schemas;
    let mut found = Vec::new();
    // The built-in schema has no reference that leads back to itself without a key in between.
    while let Some(schema) = open.pop() {
        if let Some(name) = schema.get("$ref").and_then(Json::as_str) {
            open.extend(SCHEMA.pointer(name.trim_start_matches('#')));
        } else if let Some(one_of) = schema.get("oneOf").and_then(Json::as_array) {
            open.extend(one_of);
        } else {
            found.push(schema);
        }
    }
    found
}

/// Returns the schema of a key; `None` if the key is not allowed.
fn of_key(schema: &'static Json, key: &str) -> Option<&'static Json> {
    static ANYTHING: LazyLock<Json> = LazyLock::new(|| Json::Bool(true));
    if let Some(known) = schema.get("properties").and_then(|properties| properties.get(key)) {
        return Some(known);
    }
    let patterns = schema.get("patternProperties").and_then(Json::as_object);
    let mut fitting = patterns
        .into_iter()
        .flatten()
        .filter(|(pattern, _)| PATTERNS.get(pattern.as_str()).is_some_and(|pattern| pattern.is_match(key)));
    if let Some((_, known)) = fitting.next() {
        return Some(known);
    }
    match schema.get("additionalProperties") {
        Some(Json::Bool(false)) => None,
        Some(known @ Json::Object(_)) => Some(known),
        _ => Some(&ANYTHING),
    }
}

/// Returns the types that a schema allows; none means any.
fn types(schema: &'static Json) -> Vec<&'static str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn shape(kind: &str) -> &'static str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "boolean" => "a truth value",
        "integer" => "a whole number",
        "null" => "empty",
        "number" => "a number",
        _ => "a text",
    }
}

/// Texts that Compose converts to a truth value, in lower case.
const TRUTHS: &[&str] = &["true", "false", "1", "0", "y", "n", "yes", "no", "on", "off", "t", "f"];

/// Types of fields that may be a truth value or any text.
const FREE: &[&[&str]] =
    &[&["string", "boolean"], &["string", "number", "boolean"], &["string", "number", "boolean", "null"]];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::{Tags, documents};

    fn refused(text: &str) -> Vec<String> {
        let mut document = documents("c.yaml", text).expect("parses").remove(0);
        let mut types = ScalarTypes::default();
        super::super::types::read(&mut document, &Tags::new(), &mut types);
        let services = document.get("services").map_or(&[][..], Node::entries);
        let (types, taints) = (&types, &Taints::new());
        let rest = Refusals::of_rest(document.entries(), types);
        let found = [rest, Refusals::of_services(services, types, taints)].concat();
        found.into_iter().map(|(spot, message)| format!("{}: {message}", spot.position.line)).collect()
    }

    #[test]
    fn schema_is_embedded_completely() {
        assert!(SCHEMA.pointer("/$defs/service/properties/environment").is_some());
        assert!(PATTERNS.contains_key("^x-"));
    }

    #[test]
    fn schema_names_unknown_keys_at_every_depth() {
        for (text, wanted) in [
            ("services:\n  a: {image: x, bogus: 1}", "2: the key `bogus` in `services.a` is unknown"),
            ("services:\n  a: {enviroment: {A: b}}", "did you mean `environment`?"),
            ("services:\n  a: {build: {bogus: 1}}", "`bogus` in `services.a.build`"),
            ("services:\n  a: {env_file: [{path: a, bogus: 1}]}", "`bogus` in `services.a.env_file`"),
            ("services:\n  a: {depends_on: {b: {bogus: 1}}}", "`services.a.depends_on.b`"),
            ("services:\n  a: {ulimits: {nofile: {bogus: 1}}}", "`services.a.ulimits.nofile`"),
            ("bogus: 1\nservices: {}", "1: the key `bogus` is unknown to Compose"),
            ("services: {}\nnetworks: {n: {bogus: 1}}", "2: the key `bogus` in `networks.n`"),
            ("services:\n  a: {environment: 5}", "`services.a.environment` must be a list or a mapping"),
            ("services:\n  a: {ports: {b: c}}", "`services.a.ports` must be a list"),
            ("services:\n  a: {image: 5}", "`services.a.image` must be a text"),
            ("services:\n  a: {working_dir: true}", "`services.a.working_dir` must be a text"),
            ("services:\n  a: {environment: [1]}", "`services.a.environment` must be a text"),
            ("services:\n  a: {command: [a, 1]}", "`services.a.command` must be a text"),
            ("services:\n  a: {command: 1}", "`services.a.command` must be a list or a text or empty"),
            ("services:\n  a: {privileged: abc}", "`services.a.privileged` must be a text or a truth value"),
            ("version: 3.8\nservices: {}", "`version` must be a text"),
            ("name: 5\nservices: {}", "`name` must be a text"),
        ] {
            let found = refused(text);
            assert!(found.len() == 1 && found[0].contains(wanted), "{text}: {found:?}");
        }
    }

    #[test]
    fn schema_accepts_valid_compose_files() {
        let text = "
x-a: {b: c}
name: p
services:
  a:
    x-own: 1
    image: x
    build: .
    command: [a, '1', 'true']
    environment: [A=b, C]
    env_file: a.env
    labels: {a: 1}
    ports: [80, '1:2', {target: 3, x-y: z}]
    healthcheck: {test: [CMD, a], x-a: b}
    deploy: {resources: {limits: {cpus: '1'}}}
    logging: {driver: d, options: {anything: 1}}
    depends_on: {b: {condition: service_started}}
    networks: {default: , n: {aliases: [a]}}
    extra_hosts: {a: b}
    volumes: ['a:/b', {type: bind, source: a, target: b}]
    sysctls: {a.b: 1}
    develop: {watch: [{path: a, action: sync, target: b}]}
  b: {environment: }
volumes: {v: , w: {driver_opts: {a: 1}}}
networks: {n: {ipam: {config: [{subnet: a}]}}}
secrets: {s: {file: a}}
configs: {c: {content: a}}
";
        assert_eq!(refused(text), [""; 0]);
        let dates = refused("services:\n  a: {environment: {A: 2024-01-01, B: '2024-01-01'}}");
        assert!(dates.len() == 1 && dates[0].contains("`services.a.environment.A` is a date"), "{dates:?}");
    }
}
