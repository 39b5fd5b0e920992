//! Variables of a container, in the order of their definition: `envFrom`, `env`, and what they refer to. The rest of a
//! container is read in `container`.

use super::error::no_value;
use super::expansion::{Segment, pieces, spoiled};
use super::limits::{ExpansionLimit, is_full};
use super::object::{Object, find};
use super::scalar::other_kind;
use super::{EnvEntry, EnvVarSource, finding};
use crate::base::yaml::tree::{Location, Node};
use crate::model::environment::is_environment_name;
use crate::model::inventory::InventoryFinding;

/// Maximum number of pieces of a value.
const PIECES: usize = 1000;

/// Variables of a container that are read so far.
pub(super) struct ContainerReading<'a> {
    pub(super) object: &'a Object,
    pub(super) objects: &'a [Object],
    pub(super) variables: Vec<EnvEntry>,
    pub(super) limit: ExpansionLimit,
    pub(super) findings: &'a mut Vec<InventoryFinding>,
}

/// Replaces a variable by its earlier value in a value that uses it.
fn settle(made: &mut EnvVarSource, name: &str, before: &EnvVarSource) {
    let EnvVarSource::Text(pieces) = made else { return };
    let own = Segment::Variable(name.to_owned());
    if !pieces.contains(&own) {
        return;
    }
    *made = match before {
        EnvVarSource::Text(earlier) => {
            let whole = std::mem::take(pieces).into_iter();
            let whole = whole.flat_map(|piece| if piece == own { earlier.clone() } else { vec![piece] });
            let whole: Vec<Segment> = whole.take(PIECES + 1).collect();
            match whole.len() > PIECES {
                true => EnvVarSource::Unknown("it is made of too many others".to_owned()),
                false => EnvVarSource::Text(whole),
            }
        }
        other if pieces.len() == 1 => other.clone(),
        _ => EnvVarSource::Unknown(format!("it is made of an earlier value of `{name}`")),
    };
}

impl<'a> ContainerReading<'a> {
    /// Returns the object that a name refers to. Adds a finding if only one of the two objects sets a
    /// namespace, since the reference works only if the other one is applied to the same namespace.
    fn find(&mut self, kind: &str, name: &str, spot: &Location) -> Option<&'a Object> {
        let found = find(self.objects, kind, name, self.object)?;
        if found.effective_namespace() != self.object.effective_namespace() {
            let said = |object: &Object| match object.namespace() {
                Some(namespace) => format!("is in the namespace `{namespace}`"),
                None => "names no namespace".to_owned(),
            };
            let message = format!(
                "the {kind} `{name}` {}, and `{}` {}: it is taken, as if both were in the same one",
                said(found),
                self.object.name(),
                said(self.object)
            );
            if self.findings.iter().all(|known| known.message != message) {
                self.note(spot, message);
            }
        }
        Some(found)
    }

    fn note(&mut self, spot: &Location, message: impl Into<String>) {
        self.findings.push(finding(spot, message));
    }

    fn give(&mut self, name: &str, spot: &Location, mut value: EnvVarSource) {
        if !is_environment_name(name) {
            let message = format!("`{name}` cannot be the name of a variable here, and is left out");
            self.note(spot, message);
            return;
        }
        if is_full(&self.variables, spot, self.findings) {
            return;
        }
        if let EnvVarSource::Text(made) = &value {
            let what = format!("the value of `{name}`");
            if self.limit.admits(made, (&what, spot), self.findings) {
                self.limit.define(name, made);
            } else {
                value = EnvVarSource::Unknown("the values made of others are too long together".to_owned());
            }
        }
        if let Some(index) = self.variables.iter().position(|given| given.name == name) {
            // Values that use the variable were made of its earlier value, and so may the new definition
            // be.
            let before = self.variables.remove(index).value;
            let earlier = self.variables.iter_mut().map(|given| &mut given.value);
            for made in earlier.chain(std::iter::once(&mut value)) {
                settle(made, name, &before);
            }
        }
        let (name, place) = (name.to_owned(), spot.line());
        self.variables.push(EnvEntry { name, place, value, parts: Vec::new(), draft: None });
    }

    /// Reads an item of `envFrom`.
    pub(super) fn from(&mut self, source: &Node) {
        let prefix = source.text_of("prefix").unwrap_or_default().to_owned();
        for entry in source.entries() {
            let (kind, key) = match entry.key.as_str() {
                "prefix" => continue,
                "configMapRef" => ("ConfigMap", "data"),
                "secretRef" => ("Secret", "data"),
                other => {
                    let message = format!("`{other}` in `envFrom` is not known, so its values are missing");
                    self.note(&entry.spot, message);
                    continue;
                }
            };
            let name = entry.node.text_of("name").unwrap_or_default();
            let Some(object) = self.find(kind, name, &entry.spot) else {
                if !entry.node.get("optional").is_some_and(Node::is_true) {
                    let message = format!(
                        "the {kind} `{name}` is not among the files: which variables it gives is not known"
                    );
                    self.note(&entry.spot, message);
                }
                continue;
            };
            if kind == "ConfigMap" {
                for given in object.node.get(key).map_or(&[][..], Node::entries) {
                    let name = format!("{prefix}{}", given.key);
                    self.check_text(&name, &given.node);
                    let value = self.plain(given.node.text().unwrap_or_default());
                    self.give(&format!("{prefix}{}", given.key), &given.spot, value);
                }
                continue;
            }
            for part in ["data", "stringData"] {
                for given in object.node.get(part).map_or(&[][..], Node::entries) {
                    let value = EnvVarSource::Secret { secret: name.to_owned(), key: given.key.clone() };
                    self.give(&format!("{prefix}{}", given.key), &given.spot, value);
                }
            }
        }
    }

    /// Reads an item of `env`.
    pub(super) fn item(&mut self, item: &Node) {
        let Some(name) = item.text_of("name") else {
            self.note(&item.spot, "this item of `env` has no `name`");
            return;
        };
        if let Some(kind) = item.get("name").and_then(other_kind) {
            let message = format!("the name `{name}` is {kind}, which Kubernetes refuses without quotes");
            self.note(&item.spot, message);
        }
        for entry in item.entries() {
            if !["name", "value", "valueFrom"].contains(&entry.key.as_str()) {
                self.note(&entry.spot, format!("`{}` of the variable `{name}` is not known", entry.key));
            }
        }
        if let (Some(_), Some(value)) = (item.get("valueFrom"), item.get("value")) {
            self.note(
                &value.spot,
                format!("`{name}` has both `value` and `valueFrom`, which Kubernetes refuses"),
            );
        }
        // A patch may have set the value in another file than that of the name.
        let mut spot = &item.spot;
        let value = match (item.get("valueFrom"), item.get("value")) {
            (Some(from), _) => match self.value_from(name, from) {
                Some((value, place)) => {
                    if let Some(place) = place {
                        self.give(name, &place, value);
                        return;
                    }
                    value
                }
                None => return,
            },
            (None, Some(value)) => match self.checked_text(name, value) {
                Some(text) if is_open(text, self.object) => self.open(),
                Some(text) => {
                    note_spoiled(text, &value.spot, self.findings);
                    let earlier = |name: &str| self.variables.iter().any(|given| given.name == name);
                    EnvVarSource::Text(pieces(text, &earlier))
                }
                None => {
                    self.note(&value.spot, format!("the value of `{name}` is no text"));
                    EnvVarSource::Unknown("its value is no text".to_owned())
                }
            },
            (None, None) => EnvVarSource::Text(vec![Segment::Text(String::new())]),
        };
        if let Some(node) = item.get("value").or_else(|| item.get("valueFrom"))
            && node.spot.file != spot.file
        {
            spot = &node.spot;
        }
        self.give(name, spot, value);
    }

    /// Returns the text of a value, and adds findings about values that Kubernetes refuses and about
    /// likely placeholders.
    fn checked_text<'n>(&mut self, name: &str, value: &'n Node) -> Option<&'n str> {
        self.check_text(name, value);
        let text = value.text()?;
        if text.replace("${{", "").split_once("{{").is_some_and(|(_, rest)| rest.contains("}}")) {
            let message =
                format!("the value of `{name}` looks like a template, and is taken as it is written");
            self.note(&value.spot, message);
        }
        Some(text)
    }

    /// Adds a finding about a value that is not a text: Kubernetes refuses it without quotes.
    fn check_text(&mut self, name: &str, value: &Node) {
        // A template parameter takes the type of its value.
        if let Some(kind) =
            other_kind(value).filter(|_| !value.is_null() && self.object.unresolved.is_empty())
        {
            self.note(
                &value.spot,
                format!("the value of `{name}` is {kind}, which Kubernetes refuses without quotes"),
            );
        }
    }

    /// Returns a value without expansion.
    fn plain(&self, text: &str) -> EnvVarSource {
        if is_open(text, self.object) {
            self.open()
        } else {
            EnvVarSource::Text(vec![Segment::Text(text.to_owned())])
        }
    }

    fn open(&self) -> EnvVarSource {
        EnvVarSource::Unknown("a parameter of the template has no value".to_owned())
    }

    /// Reads `valueFrom`, with the position of the value if that is elsewhere; returns `None` if the
    /// variable is not set at all.
    fn value_from(&mut self, name: &str, from: &Node) -> Option<(EnvVarSource, Option<Location>)> {
        let Some(entry) = from.entries().first() else {
            self.note(&from.spot, format!("`valueFrom` of `{name}` says nothing"));
            return Some((EnvVarSource::Unknown("`valueFrom` says nothing".to_owned()), None));
        };
        if let Some(second) = from.entries().get(1) {
            self.note(
                &second.spot,
                format!("`valueFrom` of `{name}` has two sources, which Kubernetes refuses"),
            );
        }
        let text = |key: &str| entry.node.text_of(key).unwrap_or_default().to_owned();
        let optional = entry.node.get("optional").is_some_and(Node::is_true);
        let here = |value| Some((value, None));
        match entry.key.as_str() {
            "secretKeyRef" => here(EnvVarSource::Secret { secret: text("name"), key: text("key") }),
            "fieldRef" => here(EnvVarSource::Field(text("fieldPath"))),
            "resourceFieldRef" => here(EnvVarSource::Field(text("resource"))),
            "configMapKeyRef" => {
                let (map, key) = (text("name"), text("key"));
                let object = self.find("ConfigMap", &map, &entry.spot);
                let value = object.and_then(|object| {
                    let entries = object.node.get("data")?.entries();
                    let entry = entries.iter().find(|entry| entry.key == key)?;
                    Some((&entry.node, entry.spot.clone()))
                });
                match (value, object) {
                    (Some((value, spot)), _) => {
                        self.check_text(name, value);
                        Some((self.plain(value.text().unwrap_or_default()), Some(spot)))
                    }
                    (None, _) if optional => None,
                    (None, object) => {
                        let why = match object {
                            Some(_) => format!("the ConfigMap `{map}` has no key `{key}`"),
                            None => format!("the ConfigMap `{map}` is not among the files"),
                        };
                        let message = format!("`{name}` has no value: {why}");
                        self.findings.push(no_value(&entry.spot, name, message));
                        here(EnvVarSource::Unknown(why))
                    }
                }
            }
            other => {
                self.note(&entry.spot, format!("`{other}` of the variable `{name}` is not known"));
                here(EnvVarSource::Unknown(format!("`{other}` is not known to `cki`")))
            }
        }
    }
}

/// Adds a finding about a character that does not reach the program: Kubernetes takes `$` and the next
/// byte together.
pub(super) fn note_spoiled(text: &str, spot: &Location, findings: &mut Vec<InventoryFinding>) {
    if let Some(letter) = spoiled(text) {
        let message = format!(
            "Kubernetes spoils the `{letter}` behind this `$`, and `cki` keeps it: `$${letter}` means both as they are"
        );
        findings.push(finding(spot, message));
    }
}

/// Returns whether a text contains a template parameter without a value.
pub(super) fn is_open(text: &str, object: &Object) -> bool {
    object
        .unresolved
        .iter()
        .any(|name| text.contains(&format!("${{{name}}}")) || text.contains(&format!("${{{{{name}}}}}")))
}
