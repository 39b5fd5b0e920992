//! Types of unquoted scalars in Kubernetes files: only a text can be the value of a variable. `kubectl`
//! reads files as YAML 1.1, in which `yes` is a boolean and a date is a text. kustomize reads `yes` as a
//! text and a date as a timestamp, but reads JSON patches like `kubectl`; its output quotes every text
//! that needs it. Numbers are the same for both, and belong in `plain`.

use super::finding;
use super::plain::{Scalar, key, read};
use crate::base::yaml::tree::{Location, Node, NodeValue, Tags};
use crate::model::inventory::InventoryFinding;

/// Returns the name of a node's type in `kubectl`; `None` for a text.
pub(super) fn other_kind(node: &Node) -> Option<&'static str> {
    match &node.value {
        NodeValue::Scalar { text, plain: true } if truth(text).is_some() => Some("a truth value"),
        _ => kustomize_kind(node).filter(|kind| *kind != DATE),
    }
}

const DATE: &str = "a date";

/// Returns the name of a node's type in kustomize; `None` for a text.
pub(super) fn kustomize_kind(node: &Node) -> Option<&'static str> {
    match &node.value {
        NodeValue::Scalar { plain: false, .. } => None,
        NodeValue::Scalar { text, .. } => match read(text) {
            Scalar::Null => Some("nothing"),
            Scalar::Truth(_) => Some("a truth value"),
            Scalar::Number(_) => Some("a number"),
            Scalar::Date(_) => Some(DATE),
            Scalar::Text => None,
        },
        NodeValue::List(_) => Some("a list"),
        NodeValue::Map(_) => Some("a mapping"),
    }
}

/// Returns the scalar with its original type: a text, unless it is a boolean, a number or null.
pub(super) fn as_written(node: &Node) -> NodeValue {
    match (&node.value, kustomize_kind(node)) {
        (NodeValue::Scalar { text, .. }, None | Some(DATE)) => {
            NodeValue::Scalar { text: text.clone(), plain: false }
        }
        (value, _) => value.clone(),
    }
}

/// Converts all scalars below a node to kustomize's output; adds findings where that is uncertain.
pub(super) fn print(node: &mut Node, findings: &mut Vec<InventoryFinding>) {
    each_scalar(node, &mut |spot, text, plain| {
        if !*plain {
            return;
        }
        let written = has_time(text).then(|| text.clone());
        *plain = !is_printed_text(text);
        if written.is_some_and(|written| written != *text) {
            let message = "kustomize prints this time as it is if it stands in braces, and else in another form: put it in quotes";
            findings.push(finding(spot, message));
        }
    });
}

/// Returns whether a plain scalar is a date with a time, which kustomize prints as a text in braces.
fn has_time(text: &str) -> bool {
    text.contains(':') && matches!(read(text), Scalar::Date(_))
}

/// Converts all scalars below a node to kustomize's JSON form of an object, which no longer tells which
/// texts had quotes.
pub(super) fn through_json(node: &mut Node) {
    each_scalar(node, &mut |_, text, plain| {
        if *plain && has_time(text) {
            return;
        }
        let is_text = !*plain || is_printed_text(text);
        *plain = !is_text || !needs_quotes(text);
    });
}

/// Converts all scalars in a JSON patch to `kubectl`'s reading.
pub(super) fn patch_values(node: &mut Node) {
    each_scalar(node, &mut |_, text, plain| {
        if !*plain {
            return;
        }
        if let Some(truth) = truth(text) {
            *text = truth.to_string();
        } else {
            *plain = matches!(read(text), Scalar::Number(_) | Scalar::Null);
        }
    });
}

/// Converts all keys without quotes below a node to `kubectl`'s reading: `on` is the text `true`, and
/// `010` is `8`. The depth of nodes is bounded.
pub(super) fn kubectl_keys(node: &mut Node, tags: &Tags, findings: &mut Vec<InventoryFinding>) {
    match &mut node.value {
        NodeValue::Scalar { .. } => {}
        NodeValue::List(items) => items.iter_mut().for_each(|item| kubectl_keys(item, tags, findings)),
        NodeValue::Map(entries) => {
            for entry in entries {
                if tags.get(&entry.spot.position).is_some_and(String::is_empty) {
                    match kubectl_key(&entry.key) {
                        Some(key) => entry.key = key,
                        None => {
                            let message =
                                format!("Kubernetes refuses the key `{}` without quotes", entry.key);
                            findings.push(finding(&entry.spot, message));
                        }
                    }
                }
                kubectl_keys(&mut entry.node, tags, findings);
            }
        }
    }
}

/// Returns a key without quotes in `kubectl`'s reading; `None` for one that it refuses.
pub(super) fn kubectl_key(text: &str) -> Option<String> {
    match (truth(text), read(text)) {
        (Some(truth), _) => Some(truth.to_string()),
        (None, Scalar::Null) => None,
        (None, Scalar::Number(_)) => key(text),
        (None, _) => Some(text.to_owned()),
    }
}

/// Adds a finding for each key without quotes that kustomize takes for something other than a text, and
/// refuses. The depth of nodes is bounded.
pub(super) fn check_keys(node: &Node, tags: &Tags, findings: &mut Vec<InventoryFinding>) {
    for item in node.items() {
        check_keys(item, tags, findings);
    }
    for entry in node.entries() {
        if tags.get(&entry.spot.position).is_some_and(String::is_empty) && read(&entry.key) != Scalar::Text {
            let message = format!("kustomize refuses the key `{}` without quotes", entry.key);
            findings.push(finding(&entry.spot, message));
        }
        check_keys(&entry.node, tags, findings);
    }
}

/// Returns whether kustomize prints a plain scalar as a text, and replaces it by that text.
fn is_printed_text(text: &mut String) -> bool {
    match read(text) {
        Scalar::Text => true,
        Scalar::Date(date) => {
            *text = date.rfc3339();
            true
        }
        Scalar::Truth(truth) => {
            *text = truth.to_string();
            false
        }
        Scalar::Number(_) | Scalar::Null => false,
    }
}

fn needs_quotes(text: &str) -> bool {
    truth(text).is_some() || read(text) != Scalar::Text
}

/// Parses a boolean of YAML 1.1.
pub(super) fn truth(text: &str) -> Option<bool> {
    const WORDS: &[(&str, bool)] = &[
        ("y", true),
        ("n", false),
        ("yes", true),
        ("no", false),
        ("on", true),
        ("off", false),
        ("true", true),
        ("false", false),
    ];
    let is_cased = |word: &str| {
        text == word
            || text == word.to_ascii_uppercase()
            || (text.get(..1) == Some(&word[..1].to_ascii_uppercase()) && text.get(1..) == Some(&word[1..]))
    };
    WORDS.iter().find(|(word, _)| is_cased(word)).map(|(_, truth)| *truth)
}

/// Calls a function for each scalar below a node. The depth of nodes is bounded.
fn each_scalar(node: &mut Node, change: &mut dyn FnMut(&Location, &mut String, &mut bool)) {
    match &mut node.value {
        NodeValue::Scalar { text, plain } => change(&node.spot, text, plain),
        NodeValue::List(items) => items.iter_mut().for_each(|item| each_scalar(item, change)),
        NodeValue::Map(entries) => entries.iter_mut().for_each(|entry| each_scalar(&mut entry.node, change)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::{YamlDocuments, documents};

    fn one(text: &str) -> Node {
        documents("f", &format!("- {text}")).expect("parses").remove(0).items()[0].clone()
    }

    /// Compares each scalar with the results of `kubectl` and `kubectl kustomize`.
    #[test]
    fn scalar_kinds_match_kubectl_and_kustomize() {
        for text in ["y", "N", "yes", "Yes", "YES", "no", "on", "ON", "Off"] {
            assert_eq!(other_kind(&one(text)), Some("a truth value"), "{text}");
            assert_eq!(kustomize_kind(&one(text)), None, "{text}");
        }
        for text in ["true", "True", "FALSE"] {
            assert_eq!(other_kind(&one(text)), Some("a truth value"), "{text}");
            assert_eq!(kustomize_kind(&one(text)), Some("a truth value"), "{text}");
        }
        for text in ["2024-01-01", "2024-1-1", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00"] {
            assert_eq!(other_kind(&one(text)), None, "{text}");
            assert_eq!(kustomize_kind(&one(text)), Some("a date"), "{text}");
        }
        for (text, kind) in [
            ("1", "a number"),
            ("-010", "a number"),
            ("0o10", "a number"),
            ("0x1F", "a number"),
            ("0b1", "a number"),
            ("1_000", "a number"),
            ("1e3", "a number"),
            (".5", "a number"),
            (".inf", "a number"),
            ("-.INF", "a number"),
            (".NaN", "a number"),
            ("~", "nothing"),
            ("Null", "nothing"),
            ("[a]", "a list"),
        ] {
            assert_eq!(other_kind(&one(text)), Some(kind), "{text}");
            assert_eq!(kustomize_kind(&one(text)), Some(kind), "{text}");
        }
        for text in
            ["tRue", "yEs", "1:30", "190:20:30", "1.2.3", "0x", "0b2", "0o8", "1e400", "2024-02-30", "é"]
        {
            assert_eq!((other_kind(&one(text)), kustomize_kind(&one(text))), (None, None), "{text}");
        }
    }

    /// Each result is that of `kubectl label --local`.
    #[test]
    fn keys_without_quotes_are_what_kubectl_makes_of_them() {
        let keys = "on: a, Y: a, off: a, 010: a, 1.50: a, 0x10: a, 1e3: a, '007': a, 2024-01-01: a, 1_000: a, .inf: a, 1:30: a, 123456789.5: a, tRue: a, ~: a";
        let YamlDocuments { nodes: mut read, tags, .. } =
            crate::base::yaml::tree::tagged_documents("f", &format!("{{{keys}}}")).expect("parses");
        let mut findings = Vec::new();
        kubectl_keys(&mut read[0], &tags, &mut findings);
        let made: Vec<&str> = read[0].entries().iter().map(|entry| entry.key.as_str()).collect();
        let wanted = "true true false 8 1.5 16 1000 007 2024-01-01 1000 .inf 1:30 1.2345679e+08 tRue ~";
        assert_eq!(made.join(" "), wanted);
        assert!(findings.len() == 1 && findings[0].message.contains("`~`"), "{findings:?}");
        let YamlDocuments { nodes: read, tags, .. } =
            crate::base::yaml::tree::tagged_documents("f", "{on: {010: a}, '1': b}").expect("parses");
        let mut findings = Vec::new();
        check_keys(&read[0], &tags, &mut findings);
        assert!(findings.len() == 1 && findings[0].message.contains("`010`"), "{findings:?}");
    }

    #[test]
    fn kustomize_quotes_ambiguous_scalars() {
        let text = "[yes, 2024-1-1, True, 010, '5', ~, q]";
        let seen = |change: &dyn Fn(&mut Node)| -> Vec<String> {
            let mut node = one(text);
            change(&mut node);
            let shown = |item: &Node| match &item.value {
                NodeValue::Scalar { text, plain } => format!("{text}{}", if *plain { "" } else { "'" }),
                _ => String::new(),
            };
            node.items().iter().map(shown).collect()
        };
        let date = "2024-01-01T00:00:00Z'";
        assert_eq!(
            seen(&|node| print(node, &mut Vec::new())),
            ["yes'", date, "true", "010", "5'", "~", "q'"]
        );
        assert_eq!(seen(&through_json), ["yes'", date, "true", "010", "5'", "~", "q"]);
        assert_eq!(seen(&patch_values), ["true", "2024-1-1'", "true", "010", "5'", "~", "q'"]);
    }
}
