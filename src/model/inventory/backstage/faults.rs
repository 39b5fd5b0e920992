//! Faults of entities: names, references, types of fields and missing fields that Backstage refuses. The rest of its descriptor format
//! is up to Backstage; what the inventory has no place for is found in `mapping`.

use super::entity::{BackstageEntity, parts};
use super::unplaced::UnplacedPart;
use crate::base::text::truncate_middle;
use crate::base::yaml::tree::{Location, Node, NodeValue};

/// Maximum length of names and namespaces.
const LONGEST: usize = 63;
/// Maximum columns of a wrong text in a message.
const SHOWN: usize = 80;

/// Type of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FieldType {
    Text,
    List,
    Mapping,
}

impl FieldType {
    fn is_of(self, node: &Node) -> bool {
        match self {
            Self::Text => matches!(node.value, NodeValue::Scalar { .. }),
            Self::List => matches!(node.value, NodeValue::List(_)),
            Self::Mapping => matches!(node.value, NodeValue::Map(_)),
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::List => "a list",
            Self::Mapping => "a mapping",
        }
    }
}

/// Fields of which `cki` or Backstage depends on the type.
const FIELDS: [(&[&str], FieldType); 23] = [
    (&["metadata"], FieldType::Mapping),
    (&["spec"], FieldType::Mapping),
    (&["metadata", "description"], FieldType::Text),
    (&["metadata", "title"], FieldType::Text),
    (&["metadata", "annotations"], FieldType::Mapping),
    (&["metadata", "labels"], FieldType::Mapping),
    (&["metadata", "links"], FieldType::List),
    (&["metadata", "tags"], FieldType::List),
    (&["spec", "type"], FieldType::Text),
    (&["spec", "lifecycle"], FieldType::Text),
    (&["spec", "owner"], FieldType::Text),
    (&["spec", "system"], FieldType::Text),
    (&["spec", "domain"], FieldType::Text),
    (&["spec", "subcomponentOf"], FieldType::Text),
    (&["spec", "subdomainOf"], FieldType::Text),
    (&["spec", "parent"], FieldType::Text),
    (&["spec", "profile"], FieldType::Mapping),
    (&["spec", "dependsOn"], FieldType::List),
    (&["spec", "dependencyOf"], FieldType::List),
    (&["spec", "providesApis"], FieldType::List),
    (&["spec", "consumesApis"], FieldType::List),
    (&["spec", "children"], FieldType::List),
    (&["spec", "memberOf"], FieldType::List),
];

/// Fields of `spec` that each kind needs, as in the schemas of Backstage. Of texts, an empty one is none.
const REQUIRED: [(&str, &[&str]); 7] = [
    ("component", &["type", "lifecycle", "owner"]),
    ("api", &["type", "lifecycle", "owner", "definition"]),
    ("resource", &["type", "owner"]),
    ("system", &["owner"]),
    ("domain", &["owner"]),
    ("group", &["type", "children"]),
    ("user", &["memberOf"]),
];

/// Adds the faults of the name, the namespace and the fields of an entity.
pub(super) fn check(entity: &BackstageEntity, unplaced: &mut Vec<UnplacedPart>) {
    let shown = entity.shown();
    let mut add = |spot: &Location, message: String| {
        unplaced.push(UnplacedPart::fault(spot.clone(), message));
    };
    let place = |key: &str| entity.metadata(key).unwrap_or(&entity.node).spot.clone();
    if !is_object_name(&entity.name) {
        let what = "letters and digits, with `-`, `_` and `.` between them, and 63 characters at most";
        add(&place("name"), format!("the name of `{shown}` is not one of Backstage: {what}"));
    }
    if !is_namespace(&entity.namespace) {
        let what = "lower-case letters and digits, with `-` between them, and 63 characters at most";
        add(&place("namespace"), format!("the namespace of `{shown}` is not one of Backstage: {what}"));
    }
    for (path, wanted) in FIELDS {
        if let Some(node) = entity.node.at(path).filter(|node| !wanted.is_of(node)) {
            let found = [FieldType::Text, FieldType::List, FieldType::Mapping];
            let found = found.into_iter().find(|one| one.is_of(node)).map_or("", FieldType::shown);
            let (path, wanted) = (path.join("."), wanted.shown());
            add(&node.spot, format!("`{path}` of `{shown}` is {found}, and has to be {wanted}"));
        }
    }
    let spec = entity.node.get("spec");
    let is_readable = spec.is_none_or(|spec| FieldType::Mapping.is_of(spec));
    let required = REQUIRED.iter().find(|(kind, _)| *kind == entity.kind && is_readable);
    let is_empty = |key: &&&str| entity.spec(key).is_none_or(|node| node.text() == Some(""));
    for key in required.map_or(&[][..], |(_, keys)| keys).iter().filter(is_empty) {
        let spot = entity.spec(key).or(spec).unwrap_or(&entity.node).spot.clone();
        add(&spot, format!("`{shown}` lacks `spec.{key}`, which Backstage requires"));
    }
    if let Some(owner) = entity.spec("owner").filter(|node| FieldType::Text.is_of(node)) {
        of_reference(owner, "owner", &shown, None).into_iter().for_each(|message| add(&owner.spot, message));
    }
    for annotation in entity.metadata("annotations").map(Node::entries).unwrap_or_default() {
        if !FieldType::Text.is_of(&annotation.node) {
            let key = &annotation.key;
            add(&annotation.spot, format!("the annotation `{key}` of `{shown}` has to be a text"));
        }
    }
}

/// Returns the fault of a reference in a field of an entity, as a sentence; `None` if Backstage accepts it.
/// `needs_kind`: the field has no kind of its own.
pub(super) fn of_reference(node: &Node, key: &str, shown: &str, needs_kind: Option<&str>) -> Option<String> {
    let form = if needs_kind.is_some() { "KIND:[NAMESPACE/]NAME" } else { "[KIND:][NAMESPACE/]NAME" };
    let Some(text) = node.text() else {
        return Some(format!("`{key}` of `{shown}` has to name entities as `{form}`"));
    };
    let (kind, namespace, name) = parts(text, "component", "default");
    let is_kind = kind.starts_with(|first: char| first.is_ascii_alphabetic())
        && kind.chars().all(|one| one.is_ascii_alphanumeric());
    let lacks_kind = needs_kind.filter(|_| !text.contains(':'));
    if is_kind && is_object_name(name) && is_namespace(&namespace.to_lowercase()) && lacks_kind.is_none() {
        return None;
    }
    let text = truncate_middle(text, SHOWN);
    Some(match lacks_kind.filter(|_| is_object_name(name)) {
        Some(kind) => format!("`{text}` in `{key}` of `{shown}` lacks its kind: write `{kind}:{text}`"),
        None => format!("`{text}` in `{key}` of `{shown}` names no entity: the form is `{form}`"),
    })
}

fn is_object_name(name: &str) -> bool {
    let is_end = |end: Option<char>| end.is_some_and(|one| one.is_ascii_alphanumeric());
    name.len() <= LONGEST
        && is_end(name.chars().next())
        && is_end(name.chars().next_back())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.'))
}

fn is_namespace(name: &str) -> bool {
    name.len() <= LONGEST
        && !name.is_empty()
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_fields_are_those_of_the_schemas_of_backstage() {
        for (kind, keys) in REQUIRED {
            let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/backstage");
            let mut files =
                std::fs::read_dir(fixtures).expect("is there").map(|file| file.expect("reads").path());
            let is_of_kind = |file: &std::path::PathBuf| {
                let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
                name.starts_with(&format!("{kind}."))
            };
            let schema =
                std::fs::read_to_string(files.find(is_of_kind).expect("has a schema")).expect("reads");
            let schema: serde_json::Value = serde_json::from_str(&schema).expect("is JSON");
            assert_eq!(
                schema["allOf"][1]["properties"]["spec"]["required"],
                serde_json::json!(keys),
                "{kind}"
            );
        }
    }
}
