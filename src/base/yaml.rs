//! The only place where YAML is parsed or written. Parsing is typed, rejects duplicate keys and alias
//! bombs, and reports unknown keys; every error and finding has line and column. The parser behind the name
//! `serde_yaml` is `serde-saphyr`; see `docs/decisions/`. The meaning of documents is up to the callers.

pub mod edit;
mod error;
mod fields;
pub mod flat;
pub mod merge;
mod node;
mod places;
mod position;
mod simple;
mod tape;
pub mod tree;
mod typed;

use serde::de::DeserializeOwned;
use serde_ignored::Path;

pub use error::YamlError;
use error::{is_blank, message, one_line};
pub use places::Places;
#[cfg(test)]
pub(crate) use places::count;
pub use position::Position;

/// Key that the type does not have. [`Places`] finds its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// Path of the key, such as `environment.2.nmae`.
    pub path: String,
    /// The key without its path.
    pub key: String,
    /// Keys that are valid at its place.
    pub known: &'static [&'static str],
}

impl UnknownKey {
    fn new<T: DeserializeOwned>(path: &Path<'_>) -> Self {
        let mut steps = Vec::new();
        let mut rest = path;
        loop {
            rest = match rest {
                Path::Root => break,
                Path::Seq { parent, index } => {
                    steps.push(index.to_string());
                    parent
                }
                Path::Map { parent, key } => {
                    steps.push(key.clone());
                    parent
                }
                Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
                    parent
                }
            };
        }
        steps.reverse();
        let path = steps.join(".");
        let key = steps.pop().unwrap_or_default();
        let way: Vec<&str> = steps.iter().map(String::as_str).collect();
        Self { path, key, known: fields::known_keys::<T>(&way) }
    }
}

/// Parses one document into a type, and returns the keys that the type does not have.
///
/// # Errors
/// Fails if the text is not YAML, or does not match the type.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<(T, Vec<UnknownKey>), YamlError> {
    match parse_simple(text) {
        Some(parsed) => Ok(parsed),
        None => parse_whole(file, text),
    }
}

/// Parses a valid document in simple YAML; `None` for any other text.
fn parse_simple<T: DeserializeOwned>(text: &str) -> Option<(T, Vec<UnknownKey>)> {
    let tokens = simple::read(text)?;
    // Tracking paths takes longer than parsing, and is rarely needed.
    if let Some(value) = from_tokens(&tokens) {
        return Some((value, Vec::new()));
    }
    let mut unknown = Vec::new();
    let mut tokens = typed::Tokens::skipping(&tokens);
    let note = |path: Path<'_>| unknown.push(UnknownKey::new::<T>(&path));
    let value = serde_ignored::deserialize(&mut tokens, note).ok()?;
    tokens.is_done().then_some((value, unknown))
}

/// Parses any document with the full parser.
fn parse_whole<T: DeserializeOwned>(file: &str, text: &str) -> Result<(T, Vec<UnknownKey>), YamlError> {
    // An empty text, or one with comments only, is an empty mapping.
    let text = if is_blank(text) { "{}" } else { text };
    let mut unknown = Vec::new();
    let parsed = serde_yaml::with_deserializer_from_str_with_options(text, options(text), |deserializer| {
        serde_ignored::deserialize(deserializer, |path| unknown.push(UnknownKey::new::<T>(&path)))
    });
    let value = parsed.map_err(|error| {
        let error = error.without_snippet();
        let position = error.location().filter(|at| at.line() > 0).map(|at| Position {
            line: usize::try_from(at.line()).unwrap_or(0),
            column: usize::try_from(at.column()).unwrap_or(0),
        });
        YamlError { file: file.to_owned(), position, message: one_line(&message(error)) }
    })?;
    Ok((value, unknown))
}

/// Returns the limits of the parser: the size of the text bounds them, and only the expansion of aliases
/// has its own.
fn options(text: &str) -> serde_yaml::Options {
    let mut options = serde_yaml::Options::default();
    options.emit_comments = false;
    if let Some(budget) = &mut options.budget {
        budget.max_events = budget.max_events.max(text.len().saturating_mul(2));
        budget.max_nodes = budget.max_nodes.max(text.len());
        budget.max_total_scalar_bytes = budget.max_total_scalar_bytes.max(text.len());
    }
    options
}

fn from_tokens<T: DeserializeOwned>(tokens: &[tape::YamlToken<'_>]) -> Option<T> {
    let mut tokens = typed::Tokens::new(tokens);
    let value = T::deserialize(&mut tokens).ok()?;
    tokens.is_done().then_some(value)
}

/// Writes parsed documents in a compact form that is fast to read.
#[must_use]
pub fn compile(documents: &[(&str, tree::Node)]) -> String {
    documents.iter().map(|(name, node)| tape::write(name, node)).collect()
}

/// Reads the documents that [`compile`] wrote, each with its name; returns none for any other text.
#[must_use]
pub fn compiled(text: &str) -> Vec<(&str, CompiledDocument<'_>)> {
    tape::read(text)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, tokens)| (name, CompiledDocument(tokens)))
        .collect()
}

/// Document in compact form.
pub struct CompiledDocument<'a>(Vec<tape::YamlToken<'a>>);

impl CompiledDocument<'_> {
    /// Deserialises the document; `None` if it does not match the type, or has a key that the type does not
    /// have.
    #[must_use]
    pub fn typed<T: DeserializeOwned>(&self) -> Option<T> {
        from_tokens(&self.0)
    }
}

/// Writes a value as a YAML document that parsers of YAML 1.1 and 1.2 read alike.
#[must_use]
pub fn to_string<T: serde::Serialize>(value: &T) -> String {
    // Values consist of strings, numbers, booleans, lists and maps with string keys, which cannot fail.
    let text = serde_yaml::to_string(value).unwrap_or_default();
    // The parser of Docker Compose takes a tab at the start of a block for an indentation.
    let has_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    if !text.lines().any(has_tab) {
        return text;
    }
    let options = serde_yaml::ser_options! { prefer_block_scalars: false };
    serde_yaml::to_string_with_options(value, options).unwrap_or_default()
}

/// Returns the position of the node at a path such as `environment.2.name`: the key of a mapping, or the
/// first character of an item.
#[must_use]
pub fn position(text: &str, path: &str) -> Option<Position> {
    Places::new("").position(text, path)
}

#[cfg(test)]
mod tests;
