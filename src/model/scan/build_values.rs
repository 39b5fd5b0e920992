//! Values of variables in a build file: the pairs of `ARG` and `ENV`, and words that name them. Which instructions there are
//! is in `dockerfile`.

use std::collections::BTreeMap;

/// Returns the pairs of an `ARG` or `ENV` instruction, `NAME=VALUE …` or `NAME VALUE`; a name alone has an empty value.
#[must_use]
pub fn build_pairs(rest: &str) -> Vec<(String, String)> {
    let plain = |text: &str| text.replace(['"', '\''], "");
    let rest = rest.trim();
    let first = rest.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        return vec![(name.to_owned(), plain(value.trim()))];
    }
    // A quote without an end must not hide the other pairs.
    let words = shell_words::split(rest).unwrap_or_else(|_| rest.split_whitespace().map(plain).collect());
    let pair = |word: &String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    words.iter().filter_map(pair).collect()
}

/// Replaces each `$NAME` and `${NAME}` in a text that has a value, and `${NAME:-default}`; others stay, as `${NAME}`.
#[must_use]
pub fn expand_build_values(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let (name, left) = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some(braced) => braced,
            None => after.split_at(after.find(is_end).unwrap_or(after.len())),
        };
        let (bare, default) = name.split_once(":-").map_or((name, None), |(bare, value)| (bare, Some(value)));
        match known.get(bare).map(String::as_str).filter(|value| !value.is_empty()).or(default) {
            Some(value) => done.push_str(value),
            None => done.push_str(&format!("${{{name}}}")),
        }
        rest = left;
    }
    done.push_str(rest);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_have_both_forms_and_quotes() {
        for (text, expected) in [
            ("A=1 B='x y' C=\"z\"", &[("A", "1"), ("B", "x y"), ("C", "z")][..]),
            ("A one two", &[("A", "one two")]),
            ("A", &[("A", "")]),
            ("A=\"1 B=2", &[("A", "1"), ("B", "2")]),
        ] {
            let found = build_pairs(text);
            let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn values_are_replaced_anywhere_in_a_word() {
        let known = BTreeMap::from([("A".to_owned(), "x".to_owned()), ("E".to_owned(), String::new())]);
        for (text, expected) in [
            ("r/$A:${A}-1", "r/x:x-1"),
            ("${B:-d}/${E:-e}", "d/e"),
            ("$B/${E}", "${B}/${E}"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand_build_values(text, &known), expected, "{text}");
        }
    }
}
