//! Detection of secret variables by name and value, which decides on masking and placeholders. The rules
//! are in the template `secret-names.yaml`. Secrets within longer values belong in `secret_part`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use regex::Regex;
use serde::Deserialize;

use super::error::RuleError;
use crate::base::yaml;

/// Maximum bytes of a name to check.
const LONGEST_NAME: usize = 256;
/// Maximum bytes of a value to check for a shape other than random text.
const LONGEST_SHAPE: usize = 1024;

#[derive(Debug, Deserialize)]
struct RawSecretNames {
    #[serde(default)]
    shapes: BTreeMap<String, String>,
    #[serde(default)]
    compounds: Vec<String>,
    rules: Vec<RawSecretNameRule>,
}

#[derive(Debug, Deserialize)]
struct RawSecretNameRule {
    rule: String,
    name: String,
    #[serde(default)]
    hide: MatchCondition,
    #[serde(default)]
    replace: MatchCondition,
    #[serde(default)]
    unless: Vec<String>,
    part: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MatchCondition {
    #[default]
    Always,
    Never,
    Random,
}

impl MatchCondition {
    fn holds(self, value: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Random => is_random(value),
        }
    }
}

#[derive(Debug)]
struct SecretNameRule {
    label: String,
    name: Regex,
    hide: MatchCondition,
    replace: MatchCondition,
    unless: Vec<Regex>,
    part: Option<Regex>,
}

/// Rules, in order; the first with a matching name decides.
#[derive(Debug, Clone)]
pub struct SecretNames(Arc<SecretNameSet>);

#[derive(Debug)]
struct SecretNameSet {
    compounds: Vec<Regex>,
    rules: Vec<SecretNameRule>,
}

/// Result of checking a variable by name and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Marks a value that must be masked.
    pub hide: bool,
    /// Byte range of the value that a placeholder replaces.
    pub replace: Option<Range<usize>>,
    /// Rule that decided.
    pub rule: Option<String>,
}

impl SecretNames {
    /// Parses the rules.
    ///
    /// # Errors
    /// Fails when the text is not a list of rules, a pattern is invalid, or a shape is unknown.
    pub fn read(file: &str, text: &str) -> Result<Self, RuleError> {
        let (raw, _) = yaml::parse::<RawSecretNames>(file, text)?;
        let compile = |rule: &str, pattern: &str| {
            Regex::new(&format!("^(?:{pattern})$")).map_err(|source| RuleError::Pattern {
                file: file.to_owned(),
                rule: rule.to_owned(),
                source,
            })
        };
        let shapes = raw.shapes.iter().map(|(name, pattern)| Ok((name, compile(name, pattern)?)));
        let shapes = shapes.collect::<Result<BTreeMap<_, _>, RuleError>>()?;
        let compounds = raw.compounds.iter().map(|pattern| compile("compounds", pattern));
        let rules = raw.rules.iter().map(|rule| {
            let shape = |name: &String| {
                let known = shapes.get(name).cloned();
                known.ok_or_else(|| RuleError::Shape {
                    file: file.to_owned(),
                    rule: rule.rule.clone(),
                    shape: name.clone(),
                })
            };
            Ok(SecretNameRule {
                label: rule.rule.clone(),
                name: compile(&rule.rule, &rule.name)?,
                hide: rule.hide,
                replace: rule.replace,
                unless: rule.unless.iter().map(shape).collect::<Result<_, RuleError>>()?,
                part: rule.part.as_deref().map(|part| compile(&rule.rule, part)).transpose()?,
            })
        });
        Ok(Self(Arc::new(SecretNameSet {
            compounds: compounds.collect::<Result<_, RuleError>>()?,
            rules: rules.collect::<Result<_, RuleError>>()?,
        })))
    }

    /// Returns rules that find no secret.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new(SecretNameSet { compounds: Vec::new(), rules: Vec::new() }))
    }

    /// Checks a variable with its value.
    #[must_use]
    pub fn judge(&self, name: &str, value: &str) -> Judgement {
        let Some(rule) = self.rule(name) else { return Judgement::default() };
        let label = Some(rule.label.clone());
        if value.trim().is_empty() {
            return Judgement { rule: label, ..Judgement::default() };
        }
        let shown = value.trim();
        if shown.len() <= LONGEST_SHAPE && rule.unless.iter().any(|shape| shape.is_match(shown)) {
            return Judgement { rule: label, ..Judgement::default() };
        }
        let part = rule.part.as_ref().and_then(|part| part.captures(value)?.get(1));
        let replace = match part {
            Some(part) => Some(part.range()),
            None => rule.replace.holds(shown).then_some(0..value.len()),
        };
        Judgement { hide: replace.is_some() || rule.hide.holds(shown), replace, rule: label }
    }

    /// Returns the rule by which the name alone makes a variable secret, if any.
    #[must_use]
    pub fn certain(&self, name: &str) -> Option<&str> {
        let rule = self
            .rule(name)
            .filter(|rule| rule.replace == MatchCondition::Always && rule.hide == MatchCondition::Always);
        rule.map(|rule| rule.label.as_str())
    }

    /// Returns whether the name alone suggests a secret: some value of it is masked.
    #[must_use]
    pub fn suggests(&self, name: &str) -> bool {
        self.rule(name).is_some_and(|rule| rule.hide != MatchCondition::Never)
    }

    fn rule(&self, name: &str) -> Option<&SecretNameRule> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        let words = self.words(name);
        self.0.rules.iter().find(|rule| rule.name.is_match(&words))
    }

    /// Returns the words of a name, in lower case, joined by `_`.
    fn words(&self, name: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for word in split(name) {
            let found = self.0.compounds.iter().find_map(|compound| compound.captures(&word));
            match found {
                Some(groups) => {
                    let groups = groups.iter().skip(1).flatten().map(|group| group.as_str().to_owned());
                    words.extend(groups.filter(|group| !group.is_empty()));
                }
                None => words.push(word),
            }
        }
        words.join("_")
    }
}

/// Splits a name at characters other than letters and digits, at capital letters, and before the digits
/// at the end of a word.
fn split(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        let letters: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (index, letter) in letters.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| letters[before]);
            let after = letters.get(index + 1);
            let begins = letter.is_uppercase()
                && before.is_some_and(|before| {
                    before.is_lowercase()
                        || (before.is_uppercase() && after.is_some_and(|c| c.is_lowercase()))
                });
            if begins {
                end(&mut word, &mut words);
            }
            word.extend(letter.to_lowercase());
        }
        end(&mut word, &mut words);
    }
    words
}

/// Ends a word; its trailing digits become a word of their own.
fn end(word: &mut String, words: &mut Vec<String>) {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let digits = word.split_off(stem);
    words.extend([std::mem::take(word), digits].into_iter().filter(|part| !part.is_empty()));
}

/// Returns whether a text looks random: one word with frequent changes between letters and digits, or a
/// long hexadecimal number.
fn is_random(text: &str) -> bool {
    if text.len() < 8 || text.chars().any(char::is_whitespace) {
        return false;
    }
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if is_hex && text.len() >= 16 && digits > 0 && digits < text.len() {
        return true;
    }
    let kind = |c: char| match c {
        'a'..='z' => Some(0),
        'A'..='Z' => Some(1),
        '0'..='9' => Some(2),
        _ => None,
    };
    // In a text composed of words, the changes are at the separators.
    let longest = text.split(['-', '_', '.', ':', '/', ',', '=']).map(str::len).max().unwrap_or(0);
    let changes =
        text.chars().zip(text.chars().skip(1)).filter(|(one, two)| match (kind(*one), kind(*two)) {
            (Some(one), Some(two)) => one != two && (one == 2 || two == 2),
            _ => false,
        });
    let signs = text.chars().filter(|c| "!@#$%^&*+~?".contains(*c)).count();
    let (changes, letters) = (changes.count(), text.chars().any(char::is_alphabetic));
    letters && digits > 0 && longest >= 8 && (changes >= 2 || signs > 0 || text.len() >= 24)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use proptest::prelude::*;

    static NAMES: LazyLock<SecretNames> = LazyLock::new(|| {
        let text = crate::base::assets::embedded_text("secret-names.yaml").expect("is built in");
        SecretNames::read("secret-names.yaml", text).expect("are valid")
    });

    fn names() -> SecretNames {
        NAMES.clone()
    }

    #[test]
    fn secret_name_splits_into_words() {
        let names = names();
        for (name, words) in [
            ("DB_PASSWORD", "db_password"),
            ("dbPassword", "db_password"),
            ("spring.datasource.password", "spring_datasource_password"),
            ("APIKey", "api_key"),
            ("apikey", "api_key"),
            ("PGPASSWORD", "pg_password"),
            ("DB1PASSWORD2", "db1_password_2"),
            ("OAUTH2_TOKEN", "oauth_2_token"),
            ("NEO4J_AUTH", "neo4j_auth"),
            ("BYPASS", "bypass"),
            ("MONKEY", "monkey"),
            ("COMPASS", "compass"),
            ("AUTHOR", "author"),
        ] {
            assert_eq!(names.words(name), words, "{name}");
        }
    }

    #[test]
    fn secret_name_rules_report_location_of_errors() {
        let error = |text: &str| SecretNames::read("n.yaml", text).expect_err("is wrong").to_string();
        let shape = error("rules: [{rule: x, name: y, unless: [z]}]");
        assert!(shape.contains("n.yaml") && shape.contains("`z`"), "{shape}");
        assert!(error("rules: [{rule: x, name: '('}]").contains("rule `x`"));
        assert!(error("rules: [{rule: x, name: y, hide: maybe}]").contains("maybe"));
    }

    proptest! {
        #[test]
        fn judged_replacement_is_a_valid_range(name in "[A-Za-z_0-9é.-]{0,40}", value in "\\PC{0,40}") {
            let judged = names().judge(&name, &value);
            if let Some(range) = judged.replace {
                prop_assert!(value.get(range).is_some());
                prop_assert!(judged.hide, "what is replaced is hidden");
            }
        }
    }
}
