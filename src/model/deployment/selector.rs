//! Selection of the objects of a patch or a replacement: by group, version, kind, name and namespace,
//! each a regular expression for the whole text, and by labels and annotations. The change itself
//! belongs in `patch` and `replacement`.

use regex::{Regex, RegexBuilder};

use super::object::{Id, Object};
use super::{DeploymentError, wrong};
use crate::base::yaml::tree::{MapEntry, Node};

/// Patterns, and conditions on labels and annotations.
#[derive(Debug)]
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Condition>,
    annotations: Vec<Condition>,
}

/// Maximum size of a compiled pattern in bytes.
const PATTERN: usize = 1 << 20;

impl Selector {
    pub(super) fn read(node: &Node) -> Result<Self, DeploymentError> {
        let pattern = |key: &str| {
            let Some(text) = node.text_of(key).filter(|text| !text.is_empty()) else { return Ok(None) };
            let pattern = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(PATTERN).build();
            pattern.map(Some).map_err(|_| wrong(&node.spot, format!("`{text}` is no regular expression")))
        };
        let conditions = |key: &str| {
            let Some(text) = node.text_of(key) else { return Ok(Vec::new()) };
            conditions(text).ok_or_else(|| wrong(&node.spot, format!("`{text}` is no `{key}`")))
        };
        Ok(Self {
            group: pattern("group")?,
            version: pattern("version")?,
            kind: pattern("kind")?,
            name: pattern("name")?,
            namespace: pattern("namespace")?,
            labels: conditions("labelSelector")?,
            annotations: conditions("annotationSelector")?,
        })
    }

    /// Returns whether the selector matches the current or the first ID of an object.
    pub(super) fn fits(&self, object: &Object) -> bool {
        let now = object.id();
        let first = object.former.first().unwrap_or(&now);
        let is = |pattern: &Option<Regex>, one: &str, other: &str| {
            pattern.as_ref().is_none_or(|p| p.is_match(one) || p.is_match(other))
        };
        let (group, version) = object.group_version();
        is(&self.group, group, group)
            && is(&self.version, version, version)
            && is(&self.kind, &now.kind, &now.kind)
            && is(&self.namespace, &first.namespace, &now.namespace)
            && is(&self.name, &first.name, &now.name)
            && self.fits_metadata(object)
    }

    /// Returns whether the conditions on labels and annotations hold.
    pub(super) fn fits_metadata(&self, object: &Object) -> bool {
        self.labels.iter().all(|condition| condition.holds(object.metadata("labels")))
            && self.annotations.iter().all(|condition| condition.holds(object.metadata("annotations")))
    }

    pub(super) fn has_metadata(&self) -> bool {
        !(self.labels.is_empty() && self.annotations.is_empty())
    }

    pub(super) fn has_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace].into_iter().any(Option::is_some)
    }

    /// Returns whether the patterns match a current or former ID of an object; `namespace` is the one
    /// written in the object, which may be empty.
    pub(super) fn fits_id(&self, object: &Object, id: &Id) -> bool {
        let is = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let (group, version) = object.group_version();
        is(&self.group, group)
            && is(&self.version, version)
            && is(&self.kind, &id.kind)
            && is(&self.name, &id.name)
            && is(&self.namespace, &id.namespace)
    }
}

/// A condition on a label: present or absent, or with a value in or outside of a list.
#[derive(Debug, PartialEq, Eq)]
struct Condition {
    key: String,
    test: Test,
}

#[derive(Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Condition {
    fn holds(&self, entries: &[MapEntry]) -> bool {
        let value =
            entries.iter().find(|entry| entry.key == self.key).map(|e| e.node.text().unwrap_or_default());
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|wanted| wanted != value)),
            Test::Above(limit) => number().is_some_and(|number| number > *limit),
            Test::Below(limit) => number().is_some_and(|number| number < *limit),
        }
    }
}

/// Parses the comma-separated conditions of a selector; returns `None` if they are invalid.
fn conditions(text: &str) -> Option<Vec<Condition>> {
    let mut parts = Vec::new();
    let (mut start, mut is_in_set) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '(' if !is_in_set => is_in_set = true,
            ')' if is_in_set => is_in_set = false,
            '(' | ')' => return None,
            ',' if !is_in_set => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    parts.into_iter().map(condition).collect()
}

fn condition(text: &str) -> Option<Condition> {
    let text = text.trim();
    let made = |key: &str, test| {
        let key = key.trim();
        is_word(key, "/").then(|| Condition { key: key.to_owned(), test })
    };
    let value = |text: &str| {
        let text = text.trim();
        (text.is_empty() || is_word(text, "")).then(|| text.to_owned())
    };
    if let Some(key) = text.strip_prefix('!') {
        return made(key, Test::Absent);
    }
    if let Some((head, set)) = text.split_once('(') {
        let values = set.strip_suffix(')')?.split(',').map(value).collect::<Option<Vec<String>>>()?;
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        return match word {
            "in" => made(key, Test::In(values)),
            "notin" => made(key, Test::NotIn(values)),
            _ => None,
        };
    }
    if let Some((key, wanted)) = text.split_once("!=") {
        return made(key, Test::NotIn(vec![value(wanted)?]));
    }
    if let Some((key, wanted)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return made(key, Test::In(vec![value(wanted)?]));
    }
    if let Some((key, limit)) = text.split_once('>') {
        return made(key, Test::Above(limit.trim().parse().ok()?));
    }
    if let Some((key, limit)) = text.split_once('<') {
        return made(key, Test::Below(limit.trim().parse().ok()?));
    }
    made(text, Test::Exists)
}

/// Returns whether a text is a valid key or value of a label.
fn is_word(text: &str, more: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c) || more.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;
    use proptest::prelude::*;

    #[test]
    fn selector_conditions_match_kubernetes() {
        let node = documents("f", "{app: web, tier: '3', empty: ''}").expect("parses").remove(0);
        let holds = |text: &str| {
            conditions(text).map(|all| all.iter().all(|condition| condition.holds(node.entries())))
        };
        for yes in [
            "app",
            "app=web",
            "app == web",
            "app!=db",
            "none!=x",
            "!none",
            "app in (db, web)",
            "app notin (db),tier>2",
            "tier<4",
            "empty=",
            "",
        ] {
            assert_eq!(holds(yes), Some(true), "{yes}");
        }
        for no in [
            "none",
            "app=db",
            "app!=web",
            "!app",
            "app in (db)",
            "app notin (web, x)",
            "tier>3",
            "none=",
            "app,none",
        ] {
            assert_eq!(holds(no), Some(false), "{no}");
        }
        for wrong in
            ["app=a=b", "app in web", "(", "app in (a", "-x", "app within (a)", ",", "app>x", "app=a b"]
        {
            assert_eq!(holds(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn selector_conditions_never_panic(text in "[a!=(), in<>notin1é]{0,30}") {
            let _ = conditions(&text);
        }
    }
}
