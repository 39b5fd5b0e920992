//! Parameters of a staging request, `[key=value]`, with the rules for their values. The comment around
//! them belongs in `comment`.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::literal::Extractor;

use super::{StagingError, shown};
use crate::base::text::{nearest, safe_line};
use crate::model::inventory::{ParameterDecl, ParameterKind};

/// Maximum length of a pipeline parameter's value.
const LONGEST_VALUE: usize = 2000;

/// One requested parameter: a trigger variable of every pipeline that the comment starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StagingParameter {
    key: String,
    value: String,
}

impl StagingParameter {
    /// Checks a key and a value.
    ///
    /// # Errors
    /// Fails when the bot would read them differently.
    pub fn new(key: &str, value: &str) -> Result<Self, StagingError> {
        if !is_key(key) {
            return Err(StagingError::BadKey { key: shown(key) });
        }
        if let Some(why) = trouble(value) {
            return Err(StagingError::BadValue { key: key.to_owned(), why: why.to_owned() });
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }

    /// Parses `key=value`.
    ///
    /// # Errors
    /// Fails when the text is not of that form, or cannot be sent.
    pub fn parse(text: &str) -> Result<Self, StagingError> {
        let (key, value) =
            text.split_once('=').ok_or_else(|| StagingError::NotAPair { text: shown(text) })?;
        Self::new(key.trim(), value)
    }

    /// Checks a name and a value for a pipeline, in which brackets mean nothing.
    ///
    /// # Errors
    /// Fails when GitLab would not take them, or people would not see all of the value.
    pub fn for_pipeline(key: &str, value: &str) -> Result<Self, StagingError> {
        if !is_key(&key.replace('-', "_")) {
            return Err(StagingError::BadKey { key: shown(key) });
        }
        if value.chars().count() > LONGEST_VALUE {
            let why = "it is longer than 2000 characters".to_owned();
            return Err(StagingError::BadValue { key: key.to_owned(), why });
        }
        if value.chars().any(char::is_control) || safe_line(value) != value {
            let why = "it holds a line break, a control character or an invisible one".to_owned();
            return Err(StagingError::BadValue { key: key.to_owned(), why });
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }

    /// Parses `key=value` for a pipeline.
    ///
    /// # Errors
    /// Fails when the text is not of that form, or cannot be sent.
    pub fn parse_for_pipeline(text: &str) -> Result<Self, StagingError> {
        let (key, value) =
            text.split_once('=').ok_or_else(|| StagingError::NotAPair { text: shown(text) })?;
        Self::for_pipeline(key.trim(), value)
    }

    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// Returns whether a text is a valid key: `[A-Za-z_][A-Za-z0-9_]*`.
pub(super) fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns the reason why a value cannot be between brackets in a comment.
fn trouble(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        return Some("it is empty");
    }
    if value.chars().count() > LONGEST_VALUE {
        return Some("it is longer than 2000 characters");
    }
    if value.contains(['[', ']']) {
        return Some("it holds a bracket, and brackets end a parameter");
    }
    if value.contains("-->") || value.contains("<!--") {
        return Some("it holds the mark of a hidden comment");
    }
    if value.chars().any(char::is_control) || safe_line(value) != value {
        return Some("it holds a line break, a control character or an invisible one");
    }
    if value.trim() != value {
        return Some("it begins or ends with a space");
    }
    None
}

/// A parameter that a component declares.
#[derive(Debug, Clone)]
pub struct StageParameter {
    /// Key.
    pub name: String,
    /// Purpose.
    pub description: Option<String>,
    /// Kind of its values.
    pub kind: ParameterKind,
    /// It is an input of a pipeline, not a variable.
    pub is_input: bool,
    values: Vec<String>,
    pattern: Option<(String, Regex)>,
}

impl StageParameter {
    /// Declares a parameter; the whole value must match the pattern.
    ///
    /// # Errors
    /// Fails when the pattern is not a regular expression.
    pub fn new(name: &str, pattern: Option<&str>, description: Option<&str>) -> Result<Self, StagingError> {
        let compile = |text: &str| RegexBuilder::new(text).size_limit(1 << 20).build();
        let pattern = pattern
            .map(|text| {
                // The pattern must compile alone first: `a)|(b` is valid only inside the added brackets.
                compile(text)
                    .and_then(|_| compile(&format!(r"\A(?:{text})\z")))
                    .map(|regex| (text.to_owned(), regex))
                    .map_err(|error| StagingError::BadPattern {
                        name: shown(name),
                        pattern: shown(text),
                        why: shown(error.to_string().lines().last().unwrap_or_default().trim()),
                    })
            })
            .transpose()?;
        Ok(Self {
            name: name.to_owned(),
            description: description.map(str::to_owned),
            kind: ParameterKind::String,
            is_input: false,
            values: Vec::new(),
            pattern,
        })
    }

    /// Builds the parameter from an entry of the inventory.
    ///
    /// # Errors
    /// Fails when the pattern is not a regular expression.
    pub fn from_inventory(declared: &ParameterDecl) -> Result<Self, StagingError> {
        let parameter =
            Self::new(&declared.name, declared.pattern.as_deref(), declared.description.as_deref())?;
        let (kind, is_input, values) = (declared.kind, declared.input, declared.values.clone());
        Ok(Self { kind, is_input, values, ..parameter })
    }

    /// Checks a value.
    ///
    /// # Errors
    /// Fails when the value is not of the type, not one of the allowed values, or does not match the pattern.
    pub fn check(&self, value: &str) -> Result<(), StagingError> {
        if let Some(wanted) = wrong_type(self.kind, value) {
            let (key, description) = (self.name.clone(), self.description.clone());
            return Err(StagingError::WrongType { key, value: shown(value), wanted, description });
        }
        if !self.values.is_empty() && self.values.iter().all(|allowed| allowed != value) {
            let like = nearest(value, self.values.iter().map(String::as_str));
            return Err(StagingError::NotAllowed {
                key: self.name.clone(),
                value: shown(value),
                nearest: like.first().map(|value| (*value).to_owned()),
                allowed: self.values.clone(),
            });
        }
        match &self.pattern {
            Some((text, regex)) if !regex.is_match(value) => Err(StagingError::Mismatch {
                key: self.name.clone(),
                value: shown(value),
                pattern: text.clone(),
                description: self.description.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// Returns the values of a type, in words, if a value is not one of them.
fn wrong_type(kind: ParameterKind, value: &str) -> Option<&'static str> {
    let is_count = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        ParameterKind::String => None,
        ParameterKind::Boolean => (!matches!(value, "true" | "false")).then_some("`true` or `false`"),
        ParameterKind::Number => {
            let plain = value.strip_prefix('-').unwrap_or(value);
            let (whole, rest) = plain.split_once('.').unwrap_or((plain, "0"));
            (!is_count(whole) || !is_count(rest)).then_some("a number")
        }
        ParameterKind::ImageTag => {
            let number = value.strip_prefix("mr-").or_else(|| value.strip_prefix("g-"));
            (!number.is_some_and(is_count)).then_some("`mr-` or `g-` and a number")
        }
    }
}

impl StageParameter {
    /// Returns the values that it allows, if they are few.
    #[must_use]
    pub fn few_values(&self) -> Vec<String> {
        if !self.values.is_empty() {
            return self.values.clone();
        }
        match (self.kind, &self.pattern) {
            (ParameterKind::Boolean, _) => ["true", "false"].map(str::to_owned).to_vec(),
            (_, Some((pattern, _))) => allowed_values(pattern),
            _ => Vec::new(),
        }
    }
}

/// Returns the values that a pattern allows, if they are few; none for a pattern of any other kind.
fn allowed_values(pattern: &str) -> Vec<String> {
    let Ok(parameter) = StageParameter::new("", Some(pattern), None) else { return Vec::new() };
    let Ok(parsed) = regex_syntax::parse(pattern) else { return Vec::new() };
    let found = Extractor::new().extract(&parsed);
    let literals = found.literals().filter(|_| found.is_exact()).unwrap_or_default();
    let texts = literals.iter().filter_map(|literal| std::str::from_utf8(literal.as_bytes()).ok());
    texts.filter(|text| trouble(text).is_none() && parameter.check(text).is_ok()).map(str::to_owned).collect()
}

/// Checks parameters against the declared ones; without any declaration, all are allowed.
pub(super) fn check_declared(
    parameters: &[StagingParameter],
    declared: &[StageParameter],
) -> Result<(), StagingError> {
    if declared.is_empty() {
        return Ok(());
    }
    for parameter in parameters {
        match declared.iter().find(|known| known.name == parameter.key) {
            Some(known) => known.check(&parameter.value)?,
            None => {
                let allowed: Vec<String> = declared.iter().map(|known| known.name.clone()).collect();
                let like = nearest(&parameter.key, allowed.iter().map(String::as_str));
                return Err(StagingError::UnknownKey {
                    key: parameter.key.clone(),
                    nearest: like.first().map(|name| (*name).to_owned()),
                    allowed,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staging_parameter_rejects_unsafe_values() {
        for (text, why) in [
            ("a=[b]", "bracket"),
            ("a=b\nc", "line break"),
            ("a=b\u{202e}c", "invisible"),
            ("a=b-->", "hidden comment"),
            ("a=", "empty"),
            ("a= b", "space"),
            ("1a=b", "parameter's name"),
            ("a b=c", "parameter's name"),
            ("ab", "key=value"),
        ] {
            let error = StagingParameter::parse(text).expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let image = StagingParameter::parse("builder_image=quay.io/cki/builder-fedora").expect("can be sent");
        assert_eq!((image.key(), image.value()), ("builder_image", "quay.io/cki/builder-fedora"));
        assert_eq!(StagingParameter::parse("a=b=c").expect("can be sent").value(), "b=c");
    }

    #[test]
    fn parameter_pattern_matches_whole_value() {
        let tag = StageParameter::new("tag", Some(r"mr-\d+|g-\d+"), Some("of the image")).expect("a pattern");
        assert!(tag.check("mr-213").is_ok() && tag.check("g-1").is_ok());
        for value in ["xmr-1", "mr-1x", "mr-1\n", "g-1 "] {
            let error = tag.check(value).expect_err(value).to_string();
            assert!(error.contains(r"mr-\d+|g-\d+") && error.contains("of the image"), "{error}");
        }
        assert!(StageParameter::new("x", Some("a)|(b"), None).is_err());
        assert!(
            StageParameter::new("x", Some("(?x) a # b"), None).is_err_and(|e| e.to_string().contains('x'))
        );
    }

    #[test]
    fn allowed_values_of_a_pattern_are_listed_if_few() {
        for (pattern, values) in [
            ("gcc|clang", &["gcc", "clang"][..]),
            ("^(?:gcc|clang)$", &["gcc", "clang"]),
            ("v[12]", &["v1", "v2"]),
            (r"mr-\d+", &[]),
            (".*", &[]),
            ("a)|(b", &[]),
            ("(x{0,9}){9}", &[]),
            ("|a", &["a"]),
        ] {
            assert_eq!(allowed_values(pattern), values, "{pattern}");
        }
    }

    #[test]
    fn check_declared_suggests_declared_keys() {
        let declared = [
            StageParameter::new("builder_image", None, None).expect("no pattern"),
            StageParameter::new("compiler", None, None).expect("no pattern"),
        ];
        let asked = [StagingParameter::new("biulder_image", "x").expect("can be sent")];
        let error = check_declared(&asked, &declared).expect_err("is unknown").to_string();
        assert_eq!(
            error,
            "there is no staging parameter `biulder_image`; did you mean `builder_image`? It can be \
             `builder_image` and `compiler`"
        );
        assert!(check_declared(&asked, &[]).is_ok());
    }
}
