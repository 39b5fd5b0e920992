//! Interpolation in Compose's syntax: `$NAME`, `${NAME}`, defaults, requirements and replacements.
//! Values come from the caller, never from the environment of this process.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::DeploymentPart;

/// A value to interpolate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InterpolationVar {
    pub(super) text: String,
    /// Variables that the value was made of.
    pub(super) parts: Vec<DeploymentPart>,
}

impl InterpolationVar {
    /// Returns the variables in it that only a deployer has. Its text leaves them out.
    pub(super) fn unset(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter(|part| !part.known).map(|part| part.name.as_str())
    }
}

/// Lookup of values.
pub(super) type Values<'a, 'v> = &'v dyn Fn(&str) -> Option<&'a InterpolationVar>;

/// Remaining bytes that may be put into texts.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(16 << 20))
    }
}

impl Budget {
    fn take(&self, bytes: usize) -> Result<(), String> {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.ok_or_else(|| "the variables of these files make them too long".to_owned())?);
        Ok(())
    }
}

/// A text after interpolation.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct InterpolatedText {
    pub(super) text: String,
    /// Variables without a value and a default, which were replaced by nothing.
    pub(super) unset: Vec<String>,
    /// Variables in the text, with or without a value, each after those that it is made of.
    pub(super) parts: Vec<DeploymentPart>,
    /// Name of a required variable without a value, with the reason in the words of the file.
    pub(super) required: Option<String>,
}

impl InterpolatedText {
    /// Records that the text since `start` stands for a variable.
    fn note(&mut self, name: &str, start: usize, known: bool) {
        self.parts.push(DeploymentPart { name: name.to_owned(), range: start..self.text.len(), known });
    }

    /// Appends another interpolated text.
    fn append(&mut self, other: Self) {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.unset.extend(other.unset);
        self.parts.extend(shifted(&other.parts, start));
    }
}

/// Returns the parts of an appended text with shifted ranges.
fn shifted(parts: &[DeploymentPart], start: usize) -> impl Iterator<Item = DeploymentPart> + '_ {
    parts.iter().map(move |part| {
        let range = start + part.range.start..start + part.range.end;
        DeploymentPart { range, ..part.clone() }
    })
}

/// Maximum nesting of expressions.
const DEPTH: usize = 16;
/// Maximum length of a name to show.
const LONGEST_NAME: usize = 64;
/// Cost of recording a part, in bytes.
const PART: usize = 32;
/// Maximum length of a text in bytes.
const LONGEST: usize = 1 << 20;

/// Interpolates a text like the package `template` of compose-go: a `$` that begins no expression stays,
/// `.` of its patterns stops at line ends, and a default is parsed even if it is not used.
pub(super) fn interpolate(
    text: &str,
    value: Values<'_, '_>,
    budget: &Budget,
) -> Result<InterpolatedText, String> {
    let mut made = InterpolatedText::default();
    part(text, &InterpolationSource { value, budget }, &mut made, 0)?;
    Ok(made)
}

/// Interpolates a value of the user's own file, where no deployer fills in the rest. Variables without a
/// value are replaced by nothing, and returned with the text.
///
/// # Errors
/// Fails when the syntax is invalid, or a required variable has no value.
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<(String, Vec<String>), String> {
    let mut known: BTreeMap<String, InterpolationVar> = BTreeMap::new();
    let budget = Budget::default();
    loop {
        let asked = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            known.get(name)
        };
        let made = interpolate(text, &lookup, &budget)?;
        let missing = asked.into_inner().into_iter().filter(|name| !known.contains_key(name));
        let found: Vec<(String, InterpolationVar)> = missing
            .filter_map(|name| value(&name).map(|text| (name, InterpolationVar { text, parts: Vec::new() })))
            .collect();
        if !found.is_empty() {
            known.extend(found);
            continue;
        }
        return match made.required {
            Some(required) => Err(required),
            None => Ok((made.text, made.unset)),
        };
    }
}

struct InterpolationSource<'a, 'v> {
    value: Values<'a, 'v>,
    budget: &'v Budget,
}

fn part(
    text: &str,
    source: &InterpolationSource<'_, '_>,
    made: &mut InterpolatedText,
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
            let length = braced_length(inner).ok_or_else(|| wrong(inner))?;
            let end = closing(&inner[..length]).unwrap_or(length - 1);
            braced(&inner[..end], source, made, depth)?;
            rest = &inner[end + 1..];
        } else {
            let length = name_length(after);
            if length == 0 {
                made.text.push('$');
            } else {
                plain(&after[..length], source, made)?;
            }
            rest = &after[length..];
        }
    }
    made.text.push_str(rest);
    Ok(())
}

fn wrong(inner: &str) -> String {
    format!("`${{{}…` is written wrongly", shown(inner))
}

/// Returns the name at the beginning of a text. The rest may be a part of a secret, so it is not shown.
fn shown(text: &str) -> &str {
    let name = &text[..name_length(text)];
    if name.len() <= LONGEST_NAME { name } else { "" }
}

/// Returns the maximum length of an expression after `${`: up to the brace after the name, or, with an
/// operator, up to the last brace of the line.
fn braced_length(inner: &str) -> Option<usize> {
    let length = name_length(inner);
    let rest = &inner[length..];
    let is_operator = |rest: &str| rest.starts_with(['-', '+', '?']);
    if length == 0 {
        return None;
    }
    if is_operator(rest) || rest.strip_prefix(':').is_some_and(is_operator) {
        let line = inner.find('\n').unwrap_or(inner.len());
        return inner[..line].rfind('}').map(|at| at + 1);
    }
    rest.starts_with('}').then_some(length + 1)
}

/// Returns the end of the first expression after its `${`. Like compose-go, it skips the character after
/// an opening brace.
fn closing(inner: &str) -> Option<usize> {
    let bytes = inner.as_bytes();
    let (mut open, mut at) = (1_i32, 1);
    while at < bytes.len() {
        match bytes[at] {
            b'}' if open == 1 => return Some(at),
            b'}' => open -= 1,
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

fn plain(
    name: &str,
    source: &InterpolationSource<'_, '_>,
    made: &mut InterpolatedText,
) -> Result<(), String> {
    match (source.value)(name) {
        Some(value) => put(name, value, source, made),
        None => lack(name, source, made),
    }
}

/// Records a variable without a value.
fn lack(name: &str, source: &InterpolationSource<'_, '_>, made: &mut InterpolatedText) -> Result<(), String> {
    source.budget.take(name.len() + PART)?;
    made.note(name, made.text.len(), false);
    made.unset.push(name.to_owned());
    Ok(())
}

fn put(
    name: &str,
    value: &InterpolationVar,
    source: &InterpolationSource<'_, '_>,
    made: &mut InterpolatedText,
) -> Result<(), String> {
    // Nested parts grow like texts, even if all of them are empty, so they count too.
    let parts: usize = value.parts.iter().map(|part| part.name.len() + PART).sum();
    source.budget.take(value.text.len() + name.len() + PART + parts)?;
    let start = made.text.len();
    made.text.push_str(&value.text);
    made.parts.extend(shifted(&value.parts, start));
    made.unset.extend(value.unset().map(str::to_owned));
    made.note(name, start, value.unset().next().is_none());
    Ok(())
}

/// Evaluates an expression without its braces.
fn braced(
    inner: &str,
    source: &InterpolationSource<'_, '_>,
    made: &mut InterpolatedText,
    depth: usize,
) -> Result<(), String> {
    let length = name_length(inner);
    let (name, operator) = inner.split_at(length);
    if operator.is_empty() {
        return plain(name, source, made);
    }
    let (counts_empty, operator) = match operator.strip_prefix(':') {
        Some(operator) => (false, operator),
        None => (true, operator),
    };
    let mut operator_chars = operator.chars();
    let kind = operator_chars.next().ok_or_else(|| wrong(inner))?;
    let mut word = InterpolatedText::default();
    part(operator_chars.as_str(), source, &mut word, depth + 1)?;
    made.required = made.required.take().or_else(|| word.required.take());
    let found = (source.value)(name);
    let known = found.filter(|value| counts_empty || !value.text.is_empty());
    // A text may be empty here only because it lacks what a deployer has.
    let uncertain = found.filter(|_| known.is_none()).into_iter().flat_map(InterpolationVar::unset);
    made.unset.extend(uncertain.map(str::to_owned));
    match (kind, known) {
        ('-' | '?', Some(known)) => put(name, known, source, made)?,
        ('-', None) => {
            source.budget.take(word.text.len() + name.len() + PART)?;
            let start = made.text.len();
            made.append(word);
            made.note(name, start, true);
        }
        ('+', Some(_)) => {
            source.budget.take(word.text.len())?;
            made.append(word);
        }
        ('+', None) => {}
        ('?', None) => {
            lack(name, source, made)?;
            // A reason that contains variables may contain a secret.
            let why = if word.text.is_empty() || !word.parts.is_empty() {
                String::new()
            } else {
                format!(": {}", word.text)
            };
            made.required.get_or_insert(format!("`{name}` is required and has no value{why}"));
        }
        _ => return Err(wrong(inner)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn interpolate(text: &str) -> Result<InterpolatedText, String> {
        let known = |text: &str| InterpolationVar { text: text.to_owned(), parts: Vec::new() };
        let (a, empty, hidden) = (known("a"), known(""), known("hunter2"));
        let value = |name: &str| match name {
            "A" => Some(&a),
            "EMPTY" => Some(&empty),
            "HIDDEN" => Some(&hidden),
            _ => None,
        };
        super::interpolate(text, &value, &Budget::default())
    }

    #[test]
    fn interpolate_matches_compose() {
        for (written, meant) in [
            ("$A-${A}", "a-a"),
            ("${NO:-d}${EMPTY:-d}${EMPTY-d}${NO-d}", "ddd"),
            ("${A:+x}${NO:+x}${EMPTY:+x}${EMPTY+x}", "xx"),
            ("${A:?no}${EMPTY?no}", "a"),
            ("${NO:-${A}/${NO:-{}}}", "a/{}"),
            ("$$A $${A}", "$A ${A}"),
        ] {
            let made = interpolate(written).expect(written);
            assert_eq!((made.text.as_str(), made.unset.len()), (meant, 0), "{written}");
        }
        assert_eq!(interpolate("x${NO}").expect("is blank").unset, ["NO"]);
        let required = |text: &str| interpolate(text).expect(text).required.expect(text);
        assert_eq!(required("${NO:?set it}"), "`NO` is required and has no value: set it");
        assert_eq!(required("${A:-${NO?$HIDDEN}}"), "`NO` is required and has no value");
        assert_eq!(interpolate("x${NO?}y").expect("is made").text, "xy");
        assert_eq!(interpolate("${A!hunter2}"), Err("`${A…` is written wrongly".to_owned()));
        for wrong in ["${", "${A", "${1}", "${A!x}", "${}", "${A:-x\ny}", "${A:-${NO}"] {
            assert!(interpolate(wrong).is_err(), "{wrong}");
        }
        for same in ["$", "^a$|b", "$1", "$-", "$(A)", "a$"] {
            assert_eq!(interpolate(same).expect(same).text, same);
        }
        let deep = format!("{}x{}", "${NO:-".repeat(1000), "}".repeat(1000));
        assert!(interpolate(&deep).is_err());
    }

    #[test]
    fn interpolate_records_ranges_of_variables() {
        for text in ["$HIDDEN", "x${HIDDEN}", "${HIDDEN:-x}", "${NO:-${HIDDEN}}", "${A:+$HIDDEN}"] {
            let made = interpolate(text).expect(text);
            let part = made.parts.iter().find(|part| part.name == "HIDDEN").expect(text);
            assert_eq!(&made.text[part.range.clone()], "hunter2", "{text}");
        }
        for text in ["$A", "${HIDDEN:+x}", "$$HIDDEN", "${A:-$HIDDEN}"] {
            let made = interpolate(text).expect(text);
            assert!(made.parts.iter().all(|part| part.name != "HIDDEN"), "{text}");
        }
        let made = interpolate("a${NO}b${NO:-é}").expect("is made");
        let seen: Vec<_> = made.parts.iter().map(|part| (part.range.clone(), part.known)).collect();
        assert_eq!((made.text.as_str(), seen), ("abé", vec![(1..1, false), (2..4, true)]));
    }

    #[test]
    fn interpolate_enforces_budget() {
        let long = InterpolationVar { text: "x".repeat(1 << 19), parts: Vec::new() };
        let budget = Budget::default();
        let make = || super::interpolate("$A", &|_| Some(&long), &budget);
        let error = (0..100).find_map(|_| make().err()).expect("ends");
        assert!(error.contains("too long"), "{error}");
    }

    proptest! {
        #[test]
        fn interpolate_never_panics(text in "[$A{}:?+é-]{0,40}") {
            let _ = interpolate(&text);
        }
    }
}
