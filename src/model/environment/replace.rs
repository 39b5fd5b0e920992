//! Decision which secrets of a deployment get placeholders in a local run: a whole value, or parts of
//! one, each with the reason. The form of a placeholder belongs in `placeholder_secret`.

use std::ops::Range;

use super::error::RuleError;
use super::placeholder_secret::{GeneratorContext, GeneratorSource, SecretRules};
use super::secret_form;
use super::secret_part::{self, SecretPart};
use crate::base::secret::Secret;
use crate::model::deployment::expansion::Segment;
use crate::model::deployment::{EnvEntry, EnvVarSource};

/// Minimum bytes of a secret in a command: a shorter one may be a part of ordinary words there.
const SHORTEST: usize = 4;

/// Generator of placeholders.
#[derive(Clone, Copy)]
pub(super) struct Placeholders<'a> {
    pub(super) rules: &'a SecretRules,
    pub(super) context: &'a GeneratorContext,
}

/// Local form of a value.
pub(super) enum Local {
    /// Same value as in the deployment.
    Same,
    /// Placeholder for the whole value.
    Whole(GeneratorSource),
    /// Value with some parts replaced, and the reasons for replacing them.
    Parts(Vec<Segment>, Vec<String>),
}

/// A part of a text to replace.
struct Span {
    range: Range<usize>,
    source: GeneratorSource,
}

impl Placeholders<'_> {
    /// Decides about a variable without an entry in the table. `value` is its whole value in production,
    /// if known.
    pub(super) fn of(self, given: &EnvEntry, value: Option<&str>) -> Result<Local, RuleError> {
        let names = self.rules.names();
        let (Some(value), EnvVarSource::Text(pieces)) = (value, &given.value) else {
            return self.of_unknown(given);
        };
        let judged = names.judge(&given.name, value);
        let listed = match (&judged.rule, pieces.as_slice()) {
            (Some(_), [Segment::Text(text)]) => secret_form::listed_tokens(text),
            _ => Vec::new(),
        };
        if let [Segment::Text(text)] = pieces.as_slice()
            && !listed.is_empty()
        {
            let mut reasons = Vec::new();
            let spans = listed.into_iter().map(|part| span(text, part)).collect();
            let text = self.filled(text, spans, &mut reasons)?;
            return Ok(Local::Parts(vec![Segment::Text(text)], reasons));
        }
        if let (Some(range), Some(rule)) = (&judged.replace, &judged.rule)
            && *range == (0..value.len())
        {
            let why = format!("its name and value say {rule}");
            return Ok(Local::Whole(source(&given.name, Some(value), why)));
        }
        let mut made = Vec::new();
        let mut reasons = Vec::new();
        for piece in pieces {
            let Segment::Text(text) = piece else {
                made.push(piece.clone());
                continue;
            };
            let mut spans = Vec::new();
            if let ([_], Some(range), Some(rule)) = (pieces.as_slice(), &judged.replace, &judged.rule) {
                let secret = text.get(range.clone()).unwrap_or("");
                spans.push(Span {
                    range: range.clone(),
                    source: source(&given.name, Some(secret), rule.clone()),
                });
            }
            if pieces.len() == 1 {
                spans.extend(self.interpolated(given, text));
            }
            spans.extend(secret_part::find(text, names).into_iter().map(|part| span(text, part)));
            made.push(Segment::Text(self.filled(text, spans, &mut reasons)?));
        }
        Ok(if reasons.is_empty() { Local::Same } else { Local::Parts(made, reasons) })
    }

    /// Decides about a value that is unknown from the files.
    fn of_unknown(self, given: &EnvEntry) -> Result<Local, RuleError> {
        let names = self.rules.names();
        if let Some(rule) = names.certain(&given.name) {
            // If one variable makes up the whole value, other values may be made of it too.
            let whole = match given.parts.as_slice() {
                [part] if given.draft.as_deref() == Some("") => part.name.as_str(),
                _ => given.name.as_str(),
            };
            let why = format!("its name says {rule}, and the files have no value");
            return Ok(Local::Whole(source(whole, None, why)));
        }
        let Some(draft) = &given.draft else { return Ok(Local::Same) };
        let mut spans = self.interpolated(given, draft);
        let is_filled = |name: &str, at: usize| {
            spans.iter().any(|span| span.source.name == name && span.range == (at..at))
        };
        // If anything but secrets is missing, the value stays unknown.
        let has_unfilled_part =
            given.parts.iter().any(|part| !part.known && !is_filled(&part.name, part.range.start));
        if has_unfilled_part {
            return Ok(Local::Same);
        }
        spans.extend(secret_part::find(draft, names).into_iter().map(|part| span(draft, part)));
        let mut reasons = Vec::new();
        let text = self.filled(draft, spans, &mut reasons)?;
        Ok(Local::Parts(vec![Segment::Text(text)], reasons))
    }

    /// Returns the spans of secret variables that Compose interpolated into a text.
    fn interpolated(self, given: &EnvEntry, text: &str) -> Vec<Span> {
        let names = self.rules.names();
        let mut spans = Vec::new();
        for part in &given.parts {
            let Some(value) = text.get(part.range.clone()) else { continue };
            let why = format!("made of `{}`", part.name);
            if part.known {
                if let Some(range) = names.judge(&part.name, value).replace {
                    let start = part.range.start;
                    let secret = value.get(range.clone());
                    let range = start + range.start..start + range.end;
                    spans.push(Span { range, source: source(&part.name, secret, why) });
                }
            } else if names.certain(&part.name).is_some() || is_password_of_address(text, part.range.start) {
                spans.push(Span { range: part.range.clone(), source: source(&part.name, None, why) });
            }
        }
        spans
    }

    /// Replaces the spans of a text by placeholders; of overlapping ones, the first counts, or the
    /// longest of those that start together.
    fn filled(
        self,
        text: &str,
        mut spans: Vec<Span>,
        reasons: &mut Vec<String>,
    ) -> Result<String, RuleError> {
        spans.sort_by_key(|span| (span.range.start, std::cmp::Reverse(span.range.end)));
        let mut made = String::new();
        let mut end = 0;
        for span in spans {
            let is_known = span.source.value.is_some();
            if span.range.start < end || (is_known && span.range.is_empty()) {
                continue;
            }
            made.push_str(&text[end..span.range.start]);
            made.push_str(self.value(&span.source)?.expose());
            end = span.range.end;
            reasons.push(span.source.why);
        }
        made.push_str(&text[end..]);
        Ok(made)
    }

    /// Returns a placeholder that can be part of a text, so never the path of a file.
    fn value(self, source: &GeneratorSource) -> Result<Secret, RuleError> {
        let made = self.rules.make_for(None, source, self.context)?;
        if made.file.is_none() {
            return Ok(made.value);
        }
        let plain = GeneratorSource { name: String::new(), ..source.clone() };
        Ok(self.rules.make_for(None, &plain, self.context)?.value)
    }
}

impl SecretRules {
    /// Returns each secret in the commands of a container with its placeholder: those among the interpolated
    /// variables, with the same placeholder as in the environment, and those that are written in the `literal`
    /// text, as the password of an address or the value of `--password`.
    ///
    /// # Errors
    /// Fails when a rule is invalid.
    pub fn placeholders(
        &self,
        interpolated: &[(String, Secret)],
        literal: &[String],
        context: &GeneratorContext,
    ) -> Result<Vec<(String, Secret)>, RuleError> {
        let placeholders = Placeholders { rules: self, context };
        let mut made = Vec::new();
        for (name, value) in interpolated {
            let value = value.expose();
            let Some(range) = self.names().judge(name, value).replace else { continue };
            let secret = &value[range];
            let why = format!("made of `{name}`");
            made.push((secret.to_owned(), placeholders.value(&source(name, Some(secret), why))?));
        }
        for text in literal {
            for SecretPart { range, what } in secret_part::find(text, self.names()) {
                let secret = &text[range];
                let is_known = made.iter().any(|(known, _)| known.contains(secret) || secret.contains(known));
                if secret.len() >= SHORTEST && !is_known {
                    made.push((secret.to_owned(), placeholders.value(&source("", Some(secret), what))?));
                }
            }
        }
        // A secret may be a part of another one.
        made.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        Ok(made)
    }
}

/// Returns the span of a secret that is a part of a text.
fn span(text: &str, SecretPart { range, what }: SecretPart) -> Span {
    let secret = text.get(range.clone());
    Span { source: source("", secret, what), range }
}

/// Returns the source of a secret in an undeclared variable.
fn source(name: &str, value: Option<&str>, why: String) -> GeneratorSource {
    let (name, value) = (name.to_owned(), value.map(Secret::new));
    GeneratorSource { store_key: format!("variable {name}"), name, value, declared: false, why }
}

/// Returns whether a position in a text is that of an address's password.
fn is_password_of_address(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let Some((_, login)) = before.rsplit_once("://") else { return false };
    after.starts_with('@') && login.ends_with(':') && !login.contains(['/', '@', ' ', '?', '#'])
}
