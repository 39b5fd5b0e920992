//! Struct tags of Go that name variables: `env:"X,required" envDefault:"y"`. The position of a tag
//! belongs in `analysis`.

use super::Requirement;
use super::rules::Language;
use crate::model::environment::is_variable_name;

/// Variables that a tag names.
#[derive(Default)]
pub(super) struct TagReads {
    pub(super) names: Vec<(String, Requirement)>,
    /// Marks a tag that puts a prefix before the names of other tags.
    pub(super) is_prefix: bool,
}

/// Reads the tags of one field.
pub(super) fn tag_reads(language: &Language, tag: &str) -> TagReads {
    let pairs = tag_pairs(tag);
    let value = |wanted: &[&str]| pairs.iter().find(|(key, _)| wanted.contains(key)).map(|(_, value)| *value);
    let mut reads = TagReads::default();
    for (key, said) in &pairs {
        reads.is_prefix |= language.prefix_tags.iter().any(|tag| tag == key);
        if !language.tags.iter().any(|tag| tag == key) {
            continue;
        }
        let parts: Vec<&str> = said.split(',').map(str::trim).collect();
        reads.is_prefix |= parts.iter().any(|part| part.starts_with("prefix="));
        let has_default = value(&["envDefault", "env-default", "default"]).is_some()
            || parts.iter().any(|part| part.starts_with("default="));
        let required = parts.iter().any(|part| matches!(*part, "required" | "notEmpty"))
            || value(&["required", "env-required"]).is_some_and(|value| value != "false");
        let need = match (has_default, required) {
            (true, _) => Requirement::Default,
            (false, true) => Requirement::Required,
            (false, false) => Requirement::Optional,
        };
        // `env:"A,B"` names two variables, `env:"A,required"` one.
        let is_further =
            |part: &str| part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let names = parts.iter().enumerate().filter(|(at, part)| *at == 0 || is_further(part));
        let names = names.filter(|(_, part)| is_variable_name(part));
        reads.names.extend(names.map(|(_, name)| ((*name).to_owned(), need)));
    }
    reads
}

/// Returns the pairs of a Go struct tag: `env:"X,required" default:"y"`.
fn tag_pairs(tag: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = tag.trim_matches('`').trim();
    while let Some((key, after)) = rest.split_once(":\"") {
        let Some((value, after)) = after.split_once('"') else { break };
        pairs.push((key.trim(), value));
        rest = after;
    }
    pairs
}
