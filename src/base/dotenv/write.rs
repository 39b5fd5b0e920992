//! Writer of environment files. Each value is written in the form that most programs read alike, together
//! with the programs that read it differently, so that the caller can warn of them.

use std::fmt;

/// Program that reads environment files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DotenvReader {
    /// `docker run --env-file`, and Podman's: without quotes and escapes.
    Engine,
    /// A POSIX shell that sources the file.
    Shell,
    /// The Python package `python-dotenv`.
    PythonDotenv,
    /// `env_file` of Docker Compose, and `cki --env-file`.
    Compose,
}

impl fmt::Display for DotenvReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "`docker run --env-file`",
            Self::Shell => "a shell",
            Self::PythonDotenv => "python-dotenv",
            Self::Compose => "Docker Compose",
        })
    }
}

/// Line for an environment file; may contain quoted line feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DotenvFile {
    /// Text, without the line feed at its end.
    pub text: String,
    /// Programs that read another value from it.
    pub misread_by: Vec<DotenvReader>,
}

/// Formats a variable.
#[must_use]
pub fn write(name: &str, value: &str) -> DotenvFile {
    let mut misread_by = Vec::new();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    let text = if value.chars().all(is_plain) {
        value.to_owned()
    } else if !value.contains('\'') && !value.ends_with('\\') && !has_pair(value) {
        misread_by.push(DotenvReader::Engine);
        format!("'{value}'")
    } else {
        misread_by.push(DotenvReader::Engine);
        in_double_quotes(value, &mut misread_by)
    };
    // python-dotenv converts line ends, and interpolates variables even in single quotes.
    if value.contains('\r') && text.starts_with('\'') || value.contains("${") {
        misread_by.push(DotenvReader::PythonDotenv);
    }
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(is_start) || !name.chars().all(|c| is_start(c) || c.is_ascii_digit()) {
        misread_by.push(DotenvReader::Shell);
        let is_known = |c: char| c.is_alphanumeric() || "_.-[]".contains(c);
        if name.is_empty() || !name.chars().all(is_known) {
            misread_by.push(DotenvReader::Compose);
        }
    }
    misread_by.sort_unstable();
    misread_by.dedup();
    DotenvFile { text: format!("{name}={text}"), misread_by }
}

/// Returns whether python-dotenv takes a backslash for an escape, even in single quotes.
fn has_pair(value: &str) -> bool {
    value.contains("\\\\")
}

fn in_double_quotes(value: &str, misread_by: &mut Vec<DotenvReader>) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '$' => {
                text.push_str("\\$");
                misread_by.push(DotenvReader::PythonDotenv);
            }
            // A shell that sources the file must not execute anything.
            '`' => {
                text.push_str("\\0140");
                misread_by.extend([DotenvReader::PythonDotenv, DotenvReader::Shell]);
            }
            '\r' => {
                text.push_str("\\r");
                misread_by.push(DotenvReader::Shell);
            }
            _ => text.push(c),
        }
    }
    // Compose searches for the end of the value in the following text.
    if value.ends_with('\\') {
        misread_by.push(DotenvReader::PythonDotenv);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::super::{DotenvText, statements};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn write_quotes_only_where_needed() {
        for (value, text) in [
            ("plain", "A=plain"),
            ("", "A="),
            ("pa$word", "A='pa$word'"),
            ("it's", "A=\"it's\""),
            (" lead", "A=' lead'"),
            ("x #y", "A='x #y'"),
            ("two\nlines", "A='two\nlines'"),
            ("~", "A='~'"),
            ("it's $5", "A=\"it's \\$5\""),
        ] {
            assert_eq!(write("A", value).text, text, "{value}");
        }
        assert_eq!(write("A", "x").misread_by, []);
        assert_eq!(write("A", "x y").misread_by, [DotenvReader::Engine]);
        assert_eq!(write("a.b", "x").misread_by, [DotenvReader::Shell]);
        assert_eq!(write("A", "it's ${B}").misread_by, [DotenvReader::Engine, DotenvReader::PythonDotenv]);
    }

    proptest! {
        #[test]
        fn write_round_trips_through_statements(values in prop::collection::vec("[a $'\"`\\\\\\n\\r#{}é=~]{0,8}", 1..6)) {
            let text: String = values.iter().map(|value| write("A", value).text + "\n").collect();
            let read: Vec<String> = statements(&text).into_iter().map(|one| match one.expect("is valid").value {
                Some(DotenvText::Literal(text)) => text,
                Some(DotenvText::Template(text)) => text.replace("$$", "$"),
                None => "none".to_owned(),
            }).collect();
            prop_assert_eq!(read, values);
        }
    }
}
