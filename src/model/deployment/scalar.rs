//! Unquoted scalars as Kubernetes has them: a text, or something else that no value of a variable can be.
//! `kubectl` reads files as YAML 1.1, in which `yes` is a truth value and a date is a text. kustomize reads
//! `yes` as a text and a date as a moment, but what is in a JSON patch as `kubectl` does; what it prints has
//! quotes wherever a text needs any. Numbers are the same to both, and are read in `plain`.

use super::finding;
use super::plain::{Scalar, read};
use crate::base::yaml::tree::{Node, Spot, Value};
use crate::model::inventory::Finding;

/// What a node is called that is no text to `kubectl`; `None` for a text.
pub(super) fn other_kind(node: &Node) -> Option<&'static str> {
    match &node.value {
        Value::Scalar { text, plain: true } if truth(text).is_some() => Some("a truth value"),
        _ => kustomize_kind(node).filter(|kind| *kind != DATE),
    }
}

const DATE: &str = "a date";

/// What a node is called that is no text to kustomize; `None` for a text.
pub(super) fn kustomize_kind(node: &Node) -> Option<&'static str> {
    match &node.value {
        Value::Scalar { plain: false, .. } => None,
        Value::Scalar { text, .. } => match read(text) {
            Scalar::Null => Some("nothing"),
            Scalar::Truth(_) => Some("a truth value"),
            Scalar::Number(_) => Some("a number"),
            Scalar::Date(_) => Some(DATE),
            Scalar::Text => None,
        },
        Value::List(_) => Some("a list"),
        Value::Map(_) => Some("a mapping"),
    }
}

/// The scalar as what it is written with: a text, unless it is a truth value, a number or nothing.
pub(super) fn as_written(node: &Node) -> Value {
    match (&node.value, kustomize_kind(node)) {
        (Value::Scalar { text, .. }, None | Some(DATE)) => Value::Scalar { text: text.clone(), plain: false },
        (value, _) => value.clone(),
    }
}

/// Makes of all scalars below what kustomize prints of them; says where that is not sure.
pub(super) fn print(node: &mut Node, findings: &mut Vec<Finding>) {
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

/// Whether a plain scalar is a date with a time, of which kustomize makes a text in braces.
fn has_time(text: &str) -> bool {
    text.contains(':') && matches!(read(text), Scalar::Date(_))
}

/// Makes of all scalars below what is left of them when kustomize has made JSON of an object: which texts
/// had quotes is not known any more.
pub(super) fn through_json(node: &mut Node) {
    each_scalar(node, &mut |_, text, plain| {
        if *plain && has_time(text) {
            return;
        }
        let is_text = !*plain || is_printed_text(text);
        *plain = !is_text || !needs_quotes(text);
    });
}

/// Makes of all scalars in a JSON patch what `kubectl` makes of them.
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

/// Whether kustomize prints a plain scalar as a text, which is put in place.
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

/// The truth value that a plain scalar is in YAML 1.1.
fn truth(text: &str) -> Option<bool> {
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

/// The depth of nodes is bounded.
fn each_scalar(node: &mut Node, change: &mut dyn FnMut(&Spot, &mut String, &mut bool)) {
    match &mut node.value {
        Value::Scalar { text, plain } => change(&node.spot, text, plain),
        Value::List(items) => items.iter_mut().for_each(|item| each_scalar(item, change)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| each_scalar(&mut entry.node, change)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    fn one(text: &str) -> Node {
        documents("f", &format!("- {text}")).expect("parses").remove(0).items()[0].clone()
    }

    /// Each scalar with what `kubectl` and what `kubectl kustomize` make of it.
    #[test]
    fn unquoted_scalars_are_what_each_program_makes_of_them() {
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

    #[test]
    fn kustomize_prints_texts_in_quotes() {
        let text = "[yes, 2024-1-1, True, 010, '5', ~, q]";
        let seen = |change: &dyn Fn(&mut Node)| -> Vec<String> {
            let mut node = one(text);
            change(&mut node);
            let shown = |item: &Node| match &item.value {
                Value::Scalar { text, plain } => format!("{text}{}", if *plain { "" } else { "'" }),
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
