//! Environment files as Compose reads them: interpolation of their values. The syntax of their lines
//! belongs in [`crate::base::dotenv`].

use std::collections::BTreeSet;

use super::super::error::no_value as missing_value;
use super::super::expansion::Segment;
use super::super::interpolation::{Budget, InterpolationVar, Values, interpolate};
use super::super::{DeploymentPart, EnvVarSource, finding};
use super::document::Variables;
use crate::base::dotenv::{DotenvText, KEY_LINES, Statement, key_rest, statements, without_end};
use crate::base::variable::is_like_key;
use crate::base::yaml::Position;
use crate::base::yaml::tree::Location;
use crate::model::inventory::InventoryFinding;

/// A line of an environment file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnvFileLine {
    pub(super) name: String,
    pub(super) value: EnvVarSource,
    /// Variables in its interpolated text.
    pub(super) parts: Vec<DeploymentPart>,
    /// Text with unset variables left out, if nothing else is missing.
    pub(super) draft: Option<String>,
    pub(super) spot: Location,
}

impl EnvFileLine {
    /// Returns the value for the interpolation of other values, without what only a deployer has.
    pub(super) fn known(&self) -> Option<InterpolationVar> {
        let text = usable_text(&self.value, self.draft.as_deref())?;
        Some(InterpolationVar { text: text.to_owned(), parts: self.parts.clone() })
    }

    /// Returns whether the line is only a name, whose value only a deployer has.
    pub(super) fn is_passed_on(&self) -> bool {
        matches!(&self.value, EnvVarSource::Unknown(why) if why == PASSED_ON)
    }
}

/// Parsed lines, and findings about the others.
pub(super) type EnvFileLines = (Vec<EnvFileLine>, Vec<InventoryFinding>);

/// Parses a file. Values are interpolated with `outer` first, then with `earlier` files and the lines
/// above; a name without a value takes the value of `outer`.
pub(super) fn read(
    label: &str,
    text: &str,
    outer: Values<'_, '_>,
    earlier: &Variables,
    budget: &Budget,
) -> EnvFileLines {
    let mut defined: Variables = Variables::new();
    let mut lost: BTreeSet<String> = BTreeSet::new();
    let (mut lines, mut findings) = (Vec::new(), Vec::new());
    for statement in statements(text) {
        let Statement { name, value, line, .. } = match statement {
            Ok(statement) => statement,
            Err(invalid) => {
                let message = match invalid.message {
                    KEY_LINES => format!("{KEY_LINES}, so these lines are left out"),
                    message => format!("{message}, and is left out"),
                };
                findings.push(finding(&spot(label, invalid.line), message));
                continue;
            }
        };
        let spot = spot(label, line);
        let is_alone = value.is_none();
        let FilledValue { value, parts, draft } = match value {
            None => match outer(&name) {
                Some(value) => FilledValue::of(value),
                None => FilledValue::unknown(PASSED_ON),
            },
            Some(DotenvText::Literal(text)) => FilledValue::plain(text),
            Some(DotenvText::Template(text)) => {
                let known = |wanted: &str| {
                    let above = || defined.get(wanted).or_else(|| earlier.get(wanted));
                    outer(wanted).or_else(|| above().filter(|_| !lost.contains(wanted)))
                };
                filled((&name, &text), &known, budget, &spot, &mut findings)
            }
        };
        match usable_text(&value, draft.as_deref()) {
            Some(text) => {
                lost.remove(&name);
                defined
                    .insert(name.clone(), InterpolationVar { text: text.to_owned(), parts: parts.clone() });
            }
            None if !is_alone => {
                lost.insert(name.clone());
            }
            None => {}
        }
        lines.push(EnvFileLine { name, value, parts, draft, spot });
    }
    (lines, findings)
}

/// Parses a file of the form `raw`, without interpolation.
pub(super) fn read_raw(label: &str, text: &str, outer: Values<'_, '_>) -> EnvFileLines {
    let (mut lines, mut findings) = (Vec::new(), Vec::new());
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut next = 1;
    while !rest.is_empty() {
        let (written, after) = rest.split_at(rest.find('\n').map_or(rest.len(), |end| end + 1));
        let (key, after) = after.split_at(key_rest(written, after));
        let number = next;
        (rest, next) = (after, number + 1 + key.lines().count());
        if !key.is_empty() {
            findings
                .push(finding(&spot(label, number + 1), format!("{KEY_LINES}, so these lines are left out")));
        }
        let line = without_end(written).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let spot = spot(label, number);
        let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
        if name.is_empty() || name.contains(char::is_whitespace) || is_like_key(name) {
            findings.push(finding(&spot, NO_ASSIGNMENT));
            continue;
        }
        let known = value.is_none().then(|| outer(name)).flatten();
        let FilledValue { value, parts, draft } = match (value, known) {
            (Some(value), _) => FilledValue::plain(value),
            (None, Some(known)) => FilledValue::of(known),
            (None, None) => FilledValue::unknown(PASSED_ON),
        };
        lines.push(EnvFileLine { name: name.to_owned(), value, parts, draft, spot });
    }
    (lines, findings)
}

/// Reason for a name without a value.
pub(super) const PASSED_ON: &str = "it is passed on from the environment of the deployment";

fn spot(label: &str, line: usize) -> Location {
    Location { file: label.into(), position: Position { line, column: 1 } }
}

/// A value after interpolation.
struct FilledValue {
    value: EnvVarSource,
    parts: Vec<DeploymentPart>,
    draft: Option<String>,
}

impl FilledValue {
    fn plain(text: impl Into<String>) -> Self {
        Self { value: EnvVarSource::Text(vec![Segment::Text(text.into())]), parts: Vec::new(), draft: None }
    }

    /// Returns the value of another variable.
    fn of(known: &InterpolationVar) -> Self {
        let (text, parts) = (known.text.clone(), known.parts.clone());
        match known.unset().next() {
            None => Self { parts, ..Self::plain(text) },
            Some(name) => Self { parts, draft: Some(text), ..Self::unknown(&no_value(name)) },
        }
    }

    fn unknown(why: &str) -> Self {
        Self { value: EnvVarSource::Unknown(why.to_owned()), parts: Vec::new(), draft: None }
    }
}

fn filled(
    (name, text): (&str, &str),
    known: Values<'_, '_>,
    budget: &Budget,
    spot: &Location,
    findings: &mut Vec<InventoryFinding>,
) -> FilledValue {
    let made = match interpolate(text, known, budget) {
        Ok(made) => made,
        Err(wrong) => {
            findings.push(missing_value(spot, name, format!("this line has no value: {wrong}")));
            return FilledValue::unknown(&wrong);
        }
    };
    let value = match (made.required, made.unset.first()) {
        (Some(required), _) => {
            findings.push(missing_value(spot, name, format!("this line has no value: {required}")));
            EnvVarSource::Required(required)
        }
        (None, Some(name)) => EnvVarSource::Unknown(no_value(name)),
        (None, None) => return FilledValue { parts: made.parts, ..FilledValue::plain(made.text) },
    };
    FilledValue { value, parts: made.parts, draft: Some(made.text) }
}

/// Returns the reason for which a value is unknown.
fn no_value(name: &str) -> String {
    format!("`{name}` has no value in the files")
}

/// Returns the text that Compose makes of a value if the deployer has nothing to add.
pub(super) fn usable_text<'a>(value: &'a EnvVarSource, draft: Option<&'a str>) -> Option<&'a str> {
    match value {
        EnvVarSource::Unknown(_) => draft,
        value => only_text(value),
    }
}

/// Returns the text of a value that consists of a single text.
fn only_text(value: &EnvVarSource) -> Option<&str> {
    match value {
        EnvVarSource::Text(pieces) => match pieces.as_slice() {
            [Segment::Text(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Message without the line's text, which may be a part of a secret.
pub(super) const NO_ASSIGNMENT: &str = "this is no `NAME=VALUE`, and is left out";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> EnvFileLines {
        let out = InterpolationVar { text: "out".to_owned(), parts: Vec::new() };
        let earlier = Variables::from([(
            "EARLY".to_owned(),
            InterpolationVar { text: "early".to_owned(), parts: Vec::new() },
        )]);
        super::read("f", text, &|name| (name == "OUT").then_some(&out), &earlier, &Budget::default())
    }

    fn values(lines: &[EnvFileLine]) -> Vec<(String, String, usize)> {
        let value = |line: &EnvFileLine| only_text(&line.value).unwrap_or("?").to_owned();
        lines.iter().map(|line| (line.name.clone(), value(line), line.spot.position.line)).collect()
    }

    #[test]
    fn dotenv_prefers_outer_variables() {
        let text = "A=a # c\nOUT=own\nC=\"$A $OUT ${EARLY}\"\nD='$A'\nOUT\nF=${NO}\nG=$F\nH\nI=${NO:?why}\nEARLY=$EARLY!\n";
        let expected = [
            ("A", "a", 1),
            ("OUT", "own", 2),
            ("C", "a out early", 3),
            ("D", "$A", 4),
            ("OUT", "out", 5),
            ("F", "?", 6),
            ("G", "?", 7),
            ("H", "?", 8),
            ("I", "?", 9),
            ("EARLY", "early!", 10),
        ];
        let expected: Vec<_> = expected.map(|(n, v, l)| (n.to_owned(), v.to_owned(), l)).into();
        let (lines, findings) = read(text);
        assert_eq!(values(&lines), expected);
        assert_eq!(
            findings[0].to_string(),
            "f:9:1: this line has no value: `NO` is required and has no value: why"
        );
        let (lines, _) = read_raw("f", "A='x' # $B\r\n#\nB\n", &|_| None);
        assert_eq!(
            values(&lines),
            [("A".to_owned(), "'x' # $B".to_owned(), 1), ("B".to_owned(), "?".to_owned(), 3)]
        );
        let key = "K=-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq0\nabc\n-----END PRIVATE KEY-----\nMIIEvQ0BADANBgkq\nC=1\n";
        for (lines, findings) in [read(key), read_raw("f", key, &|_| None)] {
            let names: Vec<(&str, usize)> =
                lines.iter().map(|line| (line.name.as_str(), line.spot.position.line)).collect();
            assert_eq!(names, [("K", 1), ("C", 6)]);
            let said: Vec<String> = findings.iter().map(ToString::to_string).collect();
            assert!(
                said[0].starts_with("f:2:1: a key over several lines") && said[1].starts_with("f:5:1: "),
                "{said:?}"
            );
            assert!(said.iter().all(|text| !text.contains("MII") && !text.contains("abc")), "{said:?}");
        }
    }

    #[test]
    fn dotenv_records_interpolated_variables() {
        let text = "DB_PASSWORD=hunter2\nURL=x/$DB_PASSWORD\nAGAIN=<$URL>\nPLAIN=x\nOPEN=a$NO-b\n";
        let (lines, _) = read(text);
        let made_of = |line: &EnvFileLine| -> Vec<String> {
            let text = line.draft.as_deref().or(only_text(&line.value)).expect("has a text");
            line.parts.iter().map(|part| format!("{}={}", part.name, &text[part.range.clone()])).collect()
        };
        let seen: Vec<Vec<String>> = lines.iter().map(made_of).collect();
        let again = ["DB_PASSWORD=hunter2", "URL=x/hunter2"];
        let expected: [&[&str]; 5] = [&[], &["DB_PASSWORD=hunter2"], &again, &[], &["NO="]];
        assert_eq!(seen, expected);
        assert_eq!(lines[4].draft.as_deref(), Some("a-b"));
    }

    proptest! {
        #[test]
        fn dotenv_read_never_panics(text in "[A=$'\"\\\\#{}\\n\\ré ]{0,40}") {
            let _ = read(&text);
            let _ = read_raw("f", &text, &|_| None);
        }
    }
}
