//! `$(NAME)` in the values and arguments of Kubernetes containers: earlier variables are expanded, other
//! references stay unchanged, and `$$` is a dollar sign. The variables of kustomizations belong in
//! `variable`.

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Literal text.
    Text(String),
    /// Value of another variable.
    Variable(String),
}

/// Splits a text into pieces. `is_defined` returns whether a variable is defined earlier.
#[must_use]
pub fn pieces(text: &str, is_defined: &dyn Fn(&str) -> bool) -> Vec<Segment> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        plain.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(more) = after.strip_prefix('$') {
            plain.push('$');
            rest = more;
        } else if let Some((name, more)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            if is_defined(name) {
                if !plain.is_empty() {
                    pieces.push(Segment::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Segment::Variable(name.to_owned()));
            } else {
                plain.push_str(&rest[at..at + 1 + name.len() + 2]);
            }
            rest = more;
        } else {
            plain.push('$');
            rest = after;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Segment::Text(plain));
    }
    pieces
}

/// Returns the character that Kubernetes damages: after a `$` that begins no reference, Kubernetes and
/// kustomize copy only the first byte of the next character.
#[must_use]
pub fn spoiled(text: &str) -> Option<char> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        let next = after.chars().next()?;
        if !next.is_ascii() {
            return Some(next);
        }
        rest = match next {
            '$' => &after[1..],
            '(' => after.split_once(')').map_or(after, |(_, more)| more),
            _ => after,
        };
    }
    None
}

/// Joins pieces. A variable without a value stays as its reference.
#[must_use]
pub fn render<'a>(pieces: &[Segment], value: &dyn Fn(&str) -> Option<&'a str>) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Segment::Text(part) => text.push_str(part),
            Segment::Variable(name) => match value(name) {
                Some(value) => text.push_str(value),
                None => text.push_str(&format!("$({name})")),
            },
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expand(text: &str) -> String {
        let value = |name: &str| match name {
            "A" => Some("a"),
            "B" => Some("$(A)"),
            _ => None,
        };
        render(&pieces(text, &|name| value(name).is_some()), &value)
    }

    #[test]
    fn expand_matches_kubernetes() {
        for (written, meant) in [
            ("$(A)/$(B)", "a/$(A)"),
            ("$$(A) $$$(A)", "$(A) $a"),
            ("$(NONE) $A ${A} $", "$(NONE) $A ${A} $"),
            ("$(A", "$(A"),
            ("$()$(A)", "$()a"),
            ("$($(A))", "$($(A))"),
            ("", ""),
        ] {
            assert_eq!(expand(written), meant, "{written}");
        }
    }

    #[test]
    fn spoiled_finds_non_ascii_letter_after_dollar() {
        for (text, letter) in [
            ("a$é", Some('é')),
            ("$(A)$ž", Some('ž')),
            ("$$$é", Some('é')),
            ("$(é", None),
            ("$$é", None),
            ("$(é)é$", None),
            ("$aé", None),
            ("é", None),
        ] {
            assert_eq!(spoiled(text), letter, "{text}");
        }
    }

    proptest! {
        #[test]
        fn expand_never_panics(text in "[$()ABé ]{0,30}") {
            let _ = expand(&text);
            let _ = spoiled(&text);
        }

        #[test]
        fn expand_keeps_text_without_dollar(text in "[^$]{0,30}") {
            prop_assert_eq!(expand(&text), text);
        }
    }
}
