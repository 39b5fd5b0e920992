//! Projects on a GitLab server, by name or by group: `group/project`, `group/*`. One pattern, or a list.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// Patterns of projects; none stands for all projects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectPatterns(Vec<String>);

impl ProjectPatterns {
    /// Returns the first project that a pattern names.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.0.iter().map(String::as_str).find(|pattern| !pattern.ends_with("/*"))
    }

    /// Returns whether there is no pattern, which means every project.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a project is one of them. GitLab ignores case in paths.
    #[must_use]
    pub fn has(&self, project: &str) -> bool {
        let project = project.to_lowercase();
        let is = |pattern: &String| match pattern.to_lowercase().strip_suffix('*') {
            Some(group) => project.starts_with(group),
            None => project == pattern.to_lowercase(),
        };
        self.0.is_empty() || self.0.iter().any(is)
    }
}

impl From<Vec<String>> for ProjectPatterns {
    fn from(patterns: Vec<String>) -> Self {
        Self(patterns)
    }
}

impl JsonSchema for ProjectPatterns {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ProjectPatterns")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = json_schema!({
            "type": "string",
            "pattern": r"^([^/*]+(/[^/*]+)+|[^/*]+(/[^/*]+)*/\*)$",
        });
        json_schema!({"anyOf": [pattern, {"type": "array", "items": pattern}, {"type": "null"}]})
    }
}

impl<'de> Deserialize<'de> for ProjectPatterns {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PatternsVisitor)
    }
}

struct PatternsVisitor;

impl<'de> Visitor<'de> for PatternsVisitor {
    type Value = ProjectPatterns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a project such as `group/project`, or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ProjectPatterns, E> {
        checked(vec![text.to_owned()])
    }

    fn visit_unit<E: Error>(self) -> Result<ProjectPatterns, E> {
        Ok(ProjectPatterns::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ProjectPatterns, A::Error> {
        let mut patterns = Vec::new();
        while let Some(pattern) = items.next_element::<String>()? {
            patterns.push(pattern);
        }
        checked(patterns)
    }
}

fn checked<E: Error>(patterns: Vec<String>) -> Result<ProjectPatterns, E> {
    for pattern in &patterns {
        let path = pattern.strip_suffix("/*").unwrap_or(pattern);
        let is_path = !path.is_empty() && path.split('/').all(|part| !part.is_empty() && !part.contains('*'));
        if !is_path || (path == pattern && !path.contains('/')) {
            return Err(E::custom(format!("`{pattern}` is neither `group/project` nor `group/*`")));
        }
    }
    Ok(ProjectPatterns(patterns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ProjectPatterns, String> {
        let parsed = crate::base::yaml::parse("x.yaml", &format!("[{text}]"));
        let all: Vec<ProjectPatterns> = parsed.map_err(|error| error.to_string())?.0;
        all.into_iter().next().ok_or_else(|| "nothing".to_owned())
    }

    #[test]
    fn project_patterns_name_projects_and_groups() {
        let all = read("[group/*, other/project]").expect("is valid");
        assert_eq!(all.first(), Some("other/project"));
        for (project, has) in [
            ("group/a", true),
            ("Group/sub/b", true),
            ("other/project", true),
            ("groups/a", false),
            ("other/project2", false),
            ("evil/group/a", false),
        ] {
            assert_eq!(all.has(project), has, "{project}");
        }
        assert_eq!(read("a/b").expect("is valid").first(), Some("a/b"));
        assert!(ProjectPatterns::default().has("any/thing"));
        for text in ["project", "'*'", "'a/*/b'", "a//b", "''"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
