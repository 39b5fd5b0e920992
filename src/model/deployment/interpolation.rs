//! Interpolation as Compose does it: `$NAME`, `${NAME}`, defaults, requirements and replacements.
//! Values come from whoever asks, never from the environment of this program.

/// A text with its variables put in.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Interpolated {
    pub(super) text: String,
    /// Variables that have no value and no default, in place of which there is nothing.
    pub(super) unset: Vec<String>,
}

/// No expression is nested deeper.
const DEPTH: usize = 16;
/// No text becomes longer.
const LONGEST: usize = 1 << 20;

/// Puts variables into a text.
///
/// # Errors
/// When it is written wrongly, or requires a variable that is not there: why.
pub(super) fn interpolate(
    text: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Interpolated, String> {
    let mut made = Interpolated::default();
    part(text, value, &mut made, 0)?;
    Ok(made)
}

fn part(
    text: &str,
    value: &dyn Fn(&str) -> Option<String>,
    made: &mut Interpolated,
    depth: usize,
) -> Result<(), String> {
    if depth > DEPTH {
        return Err("its variables are nested too deeply".to_owned());
    }
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        made.text.push_str(&rest[..at]);
        if made.text.len() > LONGEST {
            return Err("its variables make it too long".to_owned());
        }
        let after = &rest[at + 1..];
        if let Some(more) = after.strip_prefix('$') {
            made.text.push('$');
            rest = more;
        } else if let Some(inner) = after.strip_prefix('{') {
            let end = closing(inner).ok_or_else(|| format!("`${{{}` is not closed", shown(inner)))?;
            braced(&inner[..end], value, made, depth)?;
            rest = &inner[end + 1..];
        } else {
            let length = name_length(after);
            if length == 0 {
                return Err("a `$` that stands for itself is written `$$`".to_owned());
            }
            plain(&after[..length], value, made);
            rest = &after[length..];
        }
    }
    made.text.push_str(rest);
    Ok(())
}

fn shown(text: &str) -> String {
    text.chars().take(20).collect()
}

/// Where the brace closes that is open.
fn closing(inner: &str) -> Option<usize> {
    let mut open = 0;
    let bytes = inner.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

fn plain(name: &str, value: &dyn Fn(&str) -> Option<String>, made: &mut Interpolated) {
    match value(name) {
        Some(value) => made.text.push_str(&value),
        None => made.unset.push(name.to_owned()),
    }
}

fn braced(
    inner: &str,
    value: &dyn Fn(&str) -> Option<String>,
    made: &mut Interpolated,
    depth: usize,
) -> Result<(), String> {
    let length = name_length(inner);
    let (name, rest) = inner.split_at(length);
    let wrong = || format!("`${{{}}}` is written wrongly", shown(inner));
    if name.is_empty() {
        return Err(wrong());
    }
    if rest.is_empty() {
        plain(name, value, made);
        return Ok(());
    }
    let (counts_empty, operator) = match rest.strip_prefix(':') {
        Some(rest) => (false, rest),
        None => (true, rest),
    };
    let known = value(name).filter(|value| counts_empty || !value.is_empty());
    let mut operator_chars = operator.chars();
    let kind = operator_chars.next().ok_or_else(wrong)?;
    let word = operator_chars.as_str();
    match (kind, known) {
        ('-' | '?', Some(known)) => made.text.push_str(&known),
        ('-', None) | ('+', Some(_)) => part(word, value, made, depth + 1)?,
        ('+', None) => {}
        ('?', None) => {
            let mut message = Interpolated::default();
            part(word, value, &mut message, depth + 1)?;
            let why = if message.text.is_empty() { "it is required".to_owned() } else { message.text };
            return Err(format!("`{name}` has no value: {why}"));
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn as_compose_does_it() {
        for (written, meant) in [
            ("$A-${A}", "a-a"),
            ("${NO:-d}${EMPTY:-d}${EMPTY-d}${NO-d}", "ddd"),
            ("${A:+x}${NO:+x}${EMPTY:+x}${EMPTY+x}", "xx"),
            ("${A:?no}${EMPTY?no}", "a"),
            ("${NO:-${A}/${NO:-{}}}", "a/{}"),
            ("$$A $${A}", "$A ${A}"),
        ] {
            let made = interpolate(written, &value).expect(written);
            assert_eq!((made.text.as_str(), made.unset.len()), (meant, 0), "{written}");
        }
        assert_eq!(interpolate("x${NO}", &value).expect("is blank").unset, ["NO"]);
        assert_eq!(interpolate("${NO:?set it}", &value), Err("`NO` has no value: set it".to_owned()));
        for wrong in ["${", "$", "${A", "${1}", "${A!x}", "$-", "${}", "${NO:?}"] {
            assert!(interpolate(wrong, &value).is_err(), "{wrong}");
        }
        let deep = format!("{}x{}", "${NO:-".repeat(1000), "}".repeat(1000));
        assert!(interpolate(&deep, &value).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[$A{}:?+é-]{0,40}") {
            let _ = interpolate(&text, &value);
        }
    }
}
