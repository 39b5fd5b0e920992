//! What an unquoted scalar is to Kubernetes, whose files are read as YAML 1.1: a text, or something else
//! that no value of a variable can be.

use crate::base::yaml::tree::{Node, Value};

/// Whether a node is a text.
pub(super) fn is_text(node: &Node) -> bool {
    match &node.value {
        Value::Scalar { text, plain } => !plain || kind(text).is_none(),
        _ => false,
    }
}

/// What a node that is no text is called; `None` for a text.
pub(super) fn other_kind(node: &Node) -> Option<&'static str> {
    match &node.value {
        Value::Scalar { text, plain: true } => kind(text),
        Value::Scalar { .. } => None,
        Value::List(_) => Some("a list"),
        Value::Map(_) => Some("a mapping"),
    }
}

/// What an unquoted scalar is; `None` if it is a text.
fn kind(text: &str) -> Option<&'static str> {
    const TRUTH: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false"];
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Some("nothing");
    }
    let is_cased = |word: &str| {
        let mut capital = word.to_owned();
        capital[..1].make_ascii_uppercase();
        text == word || text == capital || text == word.to_ascii_uppercase()
    };
    if TRUTH.iter().any(|word| is_cased(word)) {
        return Some("a truth value");
    }
    is_number(text).then_some("a number")
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let digits = |text: &str, radix: u32| {
        !text.is_empty()
            && text.chars().all(|c| c == '_' || c.is_digit(radix))
            && text.chars().any(|c| c != '_')
    };
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(rest) = unsigned.strip_prefix(prefix) {
            return digits(rest, radix);
        }
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let plain = unsigned.replace('_', "");
    let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (plain.as_str(), None),
    };
    let is_exponent = |text: &str| {
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (whole.len() + part.len() > 0)
        && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit())
        && exponent.is_none_or(is_exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_scalars_are_what_yaml_makes_of_them() {
        for text in [
            "true", "Yes", "OFF", "n", "1", "-1", "010", "0x1F", "0b1", "1_000", "1.10", "1e3", ".5", "~",
            ".inf", "-.INF", ".NaN",
        ] {
            assert!(kind(text).is_some(), "{text}");
        }
        for text in [
            "tRue",
            "yess",
            "1.2.3",
            "0xyz",
            "1e",
            "a",
            "-",
            ".",
            "12h",
            "1,000",
            "2001-01-01",
            "0x",
            "e3",
            "é",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }
}
