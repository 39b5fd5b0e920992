//! Types of the fields of a kustomization, which kustomize refuses if one has another: unquoted `newTag: 1.10` is a
//! number. Each fault becomes a finding with its position. The meaning of fields belongs in `kustomize`.

use super::finding;
use super::plain::is_integer;
use super::scalar::{kubectl_key, other_kind};
use crate::base::yaml::tree::{MapEntry, Node, NodeValue, Tags};
use crate::model::inventory::InventoryFinding;

/// Type of a field.
#[derive(Clone, Copy)]
enum Field {
    Text,
    Truth,
    Integer,
    /// Mapping of texts.
    Texts,
    /// Mapping with these fields.
    Map(&'static [(&'static str, Field)]),
    List(&'static Field),
    /// Any value that kustomize converts itself.
    Any,
}

use Field::{Any, Integer, List, Map, Text, Texts, Truth};

const PATHS: Field = List(&Text);
const OPTIONS: Field =
    Map(&[("annotations", Texts), ("disableNameSuffixHash", Truth), ("immutable", Truth), ("labels", Texts)]);
const TARGET: &[(&str, Field)] = &[
    ("annotationSelector", Text),
    ("apiVersion", Text),
    ("fieldPath", Text),
    ("group", Text),
    ("kind", Text),
    ("labelSelector", Text),
    ("name", Text),
    ("namespace", Text),
    ("options", COPY),
    ("version", Text),
];
const COPY: Field = Map(&[("create", Truth), ("delimiter", Text), ("encoding", Text), ("index", Integer)]);
const PATCH: Field = Map(&[("options", Any), ("patch", Text), ("path", Text), ("target", Map(TARGET))]);
const GENERATOR: Field = Map(&[
    ("behavior", Text),
    ("env", Text),
    ("envs", PATHS),
    ("files", PATHS),
    ("literals", PATHS),
    ("name", Text),
    ("namespace", Text),
    ("options", OPTIONS),
    ("type", Text),
]);
const IMAGE: Field =
    Map(&[("digest", Text), ("name", Text), ("newName", Text), ("newTag", Text), ("tagSuffix", Text)]);
const LABEL: Field =
    Map(&[("fields", Any), ("includeSelectors", Truth), ("includeTemplates", Truth), ("pairs", Texts)]);
const REPLACED: Field =
    Map(&[("fieldPaths", PATHS), ("options", COPY), ("reject", List(&Map(TARGET))), ("select", Map(TARGET))]);
const REPLACEMENT: Field =
    Map(&[("path", Text), ("source", Map(TARGET)), ("sourceValue", Text), ("targets", List(&REPLACED))]);
const VARIABLE: Field = Map(&[
    ("fieldref", Map(&[("fieldPath", Text), ("fieldpath", Text)])),
    ("name", Text),
    ("objref", Map(TARGET)),
]);

/// `Kustomization` of `sigs.k8s.io/kustomize/api/types`; the caller reports its unknown keys.
const KUSTOMIZATION: &[(&str, Field)] = &[
    ("apiVersion", Text),
    ("bases", PATHS),
    ("buildMetadata", PATHS),
    ("commonAnnotations", Texts),
    ("commonLabels", Texts),
    ("components", PATHS),
    ("configMapGenerator", List(&GENERATOR)),
    ("configurations", PATHS),
    ("crds", PATHS),
    ("generatorOptions", OPTIONS),
    ("generators", PATHS),
    ("images", List(&IMAGE)),
    ("kind", Text),
    ("labels", List(&LABEL)),
    ("namePrefix", Text),
    ("nameSuffix", Text),
    ("namespace", Text),
    ("openapi", Texts),
    ("patches", List(&PATCH)),
    ("patchesJson6902", List(&PATCH)),
    ("patchesStrategicMerge", PATHS),
    ("replacements", List(&REPLACEMENT)),
    ("replicas", List(&Map(&[("count", Integer), ("name", Text)]))),
    ("resources", PATHS),
    ("secretGenerator", List(&GENERATOR)),
    ("transformers", PATHS),
    ("validators", PATHS),
    ("vars", List(&VARIABLE)),
];

/// Adds a finding for each field of a kustomization that kustomize refuses for its type.
pub(super) fn check(node: &Node, tags: &Tags, findings: &mut Vec<InventoryFinding>) {
    let mut check = TypeCheck { tags, findings };
    for entry in node.entries() {
        check.key(entry, "");
        if let Some((_, field)) = KUSTOMIZATION.iter().find(|(key, _)| *key == entry.key) {
            check.field(&entry.node, *field, &entry.key);
        }
    }
    check.kind(node);
}

struct TypeCheck<'a> {
    tags: &'a Tags,
    findings: &'a mut Vec<InventoryFinding>,
}

impl TypeCheck<'_> {
    /// Checks the API version, which belongs to the kind.
    fn kind(&mut self, node: &Node) {
        let kind = node.text_of("kind").filter(|kind| !kind.is_empty()).unwrap_or("Kustomization");
        let wanted = match kind {
            "Kustomization" => "kustomize.config.k8s.io/v1beta1",
            "Component" => "kustomize.config.k8s.io/v1alpha1",
            _ => {
                if let Some(kind) = node.get("kind") {
                    let message = "kustomize refuses this `kind`: it must be Kustomization or Component";
                    self.findings.push(finding(&kind.spot, message));
                }
                return;
            }
        };
        if let Some(version) = node.get("apiVersion")
            && version.text().is_some_and(|text| !text.is_empty() && text != wanted)
        {
            let message = format!("kustomize refuses this `apiVersion`: that of a {kind} is `{wanted}`");
            self.findings.push(finding(&version.spot, message));
        }
    }

    /// Checks a field. The depth of the table bounds the recursion.
    fn field(&mut self, node: &Node, field: Field, path: &str) {
        if node.is_null() {
            return;
        }
        let kind = other_kind(node);
        let wanted = match field {
            Any => return,
            Text => (kind.is_some()).then_some("a text"),
            Truth => (kind != Some("a truth value")).then_some("a truth value"),
            Integer => {
                let is_whole =
                    matches!(&node.value, NodeValue::Scalar { text, plain: true } if is_integer(text));
                (!is_whole).then_some("a whole number")
            }
            Texts | Map(_) => (kind != Some("a mapping")).then_some("a mapping"),
            List(_) => (kind != Some("a list")).then_some("a list"),
        };
        if let Some(wanted) = wanted {
            let found = kind.unwrap_or("a text");
            let message = format!("kustomize refuses `{path}`: it must be {wanted}, and this is {found}");
            self.findings.push(finding(&node.spot, message));
            return;
        }
        match field {
            Texts => {
                for entry in node.entries() {
                    self.key(entry, path);
                    self.field(&entry.node, Text, &format!("{path}.{}", entry.key));
                }
            }
            Map(fields) => {
                for entry in node.entries() {
                    self.key(entry, path);
                    if let Some((_, field)) = fields.iter().find(|(key, _)| *key == entry.key) {
                        self.field(&entry.node, *field, &format!("{path}.{}", entry.key));
                    } else if !REPORTED.contains(&path) {
                        let message =
                            format!("kustomize refuses `{path}.{}`: it has no such field", entry.key);
                        self.findings.push(finding(&entry.spot, message));
                    }
                }
            }
            List(item) => node.items().iter().for_each(|one| self.field(one, *item, path)),
            Text | Truth | Integer | Any => {}
        }
    }

    fn key(&mut self, entry: &MapEntry, path: &str) {
        let is_plain = self.tags.get(&entry.spot.position).is_some_and(String::is_empty);
        if is_plain && kubectl_key(&entry.key).as_deref() != Some(entry.key.as_str()) {
            let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
            let message = format!("kustomize refuses the key `{}`{place} without quotes", entry.key);
            self.findings.push(finding(&entry.spot, message));
        }
    }
}

/// Fields whose readers report unknown keys themselves.
const REPORTED: &[&str] =
    &["configMapGenerator", "patches", "patchesJson6902", "replacements", "secretGenerator"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::tagged_documents;

    fn refused(text: &str) -> Vec<String> {
        let documents = tagged_documents("k.yaml", text).expect("parses");
        let mut findings = Vec::new();
        check(&documents.nodes[0], &documents.tags, &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    /// `kubectl kustomize` refuses each of these.
    #[test]
    fn fields_of_another_type_are_reported_with_their_place() {
        for (text, wanted) in [
            (
                "images: [{name: x, newTag: 1.10}]",
                "k.yaml:1:28: kustomize refuses `images.newTag`: it must be a text, and this is a number",
            ),
            ("images: [{name: x, newTag: yes}]", "this is a truth value"),
            ("images: [{name: x, tag: a}]", "`images.tag`: it has no such field"),
            ("images: {name: x}", "`images`: it must be a list"),
            ("commonLabels: {a: 1}", "k.yaml:1:19: kustomize refuses `commonLabels.a`"),
            ("commonLabels: {1.0: a}", "refuses the key `1.0` in `commonLabels`"),
            ("commonAnnotations: {a: true}", "`commonAnnotations.a`"),
            ("labels: [{pairs: {a: 1}}]", "`labels.pairs.a`"),
            ("labels: [{includeSelectors: 'true'}]", "`labels.includeSelectors`: it must be a truth value"),
            ("namePrefix: 5", "`namePrefix`"),
            ("namespace: true", "`namespace`"),
            ("replicas: [{name: a, count: '2'}]", "`replicas.count`: it must be a whole number"),
            (
                "configMapGenerator: [{name: c, literals: A=b}]",
                "`configMapGenerator.literals`: it must be a list",
            ),
            ("configMapGenerator: [{name: c, literals: [5]}]", "`configMapGenerator.literals`"),
            ("generatorOptions: {disableNameSuffixHash: 'true'}", "`generatorOptions.disableNameSuffixHash`"),
            ("resources: [5]", "`resources`"),
            ("kind: Foo", "k.yaml:1:7: kustomize refuses this `kind`"),
            ("apiVersion: kustomize.config.k8s.io/v1", "refuses this `apiVersion`"),
            ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Component", "that of a Component is"),
            ("apiVersion: 5", "`apiVersion`: it must be a text"),
        ] {
            let found = refused(text);
            assert!(found.iter().any(|one| one.contains(wanted)), "{text}: {found:?}");
        }
    }

    #[test]
    fn valid_kustomizations_have_no_finding() {
        let text = "
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
metadata: {name: x, annotations: {a: b}}
resources: [a.yaml, ../b]
namespace: ~
namePrefix: ''
images: [{name: x, newTag: 2024-01-01}, {name: z, newTag: v1.2.3, digest: }]
commonLabels: {a: , b: 'yes'}
labels: [{pairs: {a: b}, includeSelectors: yes, fields: [{path: x, create: true}]}]
patches: [{path: p.yaml, target: {kind: A, labelSelector: a=b}, options: {allowNameChange: true}}]
replacements: [{source: {kind: A, fieldPath: a.b, options: {index: -1}}, targets: [{select: {kind: B}, fieldPaths: [x]}]}, {path: r.yaml}]
replicas: [{name: a, count: 0}]
vars: [{name: V, objref: {kind: A, name: b, apiVersion: v1}, fieldref: {fieldpath: a.b}}]
configMapGenerator: [{name: c, literals: [A=1], files: [x], options: {labels: {a: b}}}]
generatorOptions: {disableNameSuffixHash: true}
";
        assert_eq!(refused(text), [""; 0]);
        assert_eq!(refused("kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"), [""; 0]);
    }
}
