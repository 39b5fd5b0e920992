//! `-o`: the formats of results, and those that each command has.

use super::error::UsageError;
use crate::base::text::{nearest, safe_line};

/// Format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputFormat {
    /// Text for people.
    Text,
    /// Text with all columns, of any width.
    Wide,
    /// Names only, one per line.
    Name,
    /// JSON.
    Json,
    /// YAML, with the same content as JSON.
    Yaml,
    /// Environment: a table.
    Table,
    /// Environment: a file for `--env-file`.
    Dotenv,
    /// Environment: commands of a POSIX shell.
    Shell,
    /// Dependencies: a tree.
    Tree,
    /// Dependencies: the language of Graphviz.
    Dot,
    /// Dependencies: the language of Mermaid.
    Mermaid,
    /// Dependencies: a picture.
    Svg,
    /// Findings: the format of analysis tools (SARIF 2.1.0).
    Sarif,
    /// Findings: the code-quality report of GitLab.
    Gitlab,
}

use OutputFormat::{
    Dot, Dotenv, Gitlab, Json, Mermaid, Name, Sarif, Shell, Svg, Table, Text, Tree, Wide, Yaml,
};

impl OutputFormat {
    const ALL: [(&'static str, Self); 14] = [
        ("text", Text),
        ("wide", Wide),
        ("name", Name),
        ("json", Json),
        ("yaml", Yaml),
        ("table", Table),
        ("dotenv", Dotenv),
        ("shell", Shell),
        ("tree", Tree),
        ("dot", Dot),
        ("mermaid", Mermaid),
        ("svg", Svg),
        ("sarif", Sarif),
        ("gitlab", Gitlab),
    ];

    /// Parses the value of `-o`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, format)| *format)
    }

    /// Returns the value of `-o`.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map(|(name, _)| *name).unwrap_or_default()
    }

    /// Returns whether programs read it, not people.
    pub(super) fn is_structured(self) -> bool {
        matches!(self, Json | Yaml)
    }
}

/// Returns the formats of a command, or of a subcommand as in `config get`.
pub(super) fn formats(command: &str) -> &'static [OutputFormat] {
    match command {
        "list" | "show" | "docs" | "clone" | "build" | "ps" | "gc" | "stage" | "rfc list" | "auth status"
        | "config" | "config list" | "doctor" | "trust" | "stage watch" | "status" => {
            &[Text, Wide, Name, Json, Yaml]
        }
        "down" | "rollback" | "inventory sync" | "stage status" | "stage logs" | "stage list"
        | "stage cancel" => &[Text, Name, Json, Yaml],
        "env" => &[Table, Wide, Name, Json, Yaml, Dotenv, Shell],
        "inventory check" | "rfc check" => &[Text, Wide, Name, Json, Yaml, Sarif, Gitlab],
        "inventory schema" => &[Json],
        "graph" => &[Tree, Wide, Name, Dot, Mermaid, Svg, Json, Yaml],
        // Their results are lines, each a JSON object.
        "run-local" | "logs" | "exec" | "shell" => &[Text, Json],
        // Their results are files, or a text of its own.
        "config set" | "config unset" | "config edit" | "demo" | "demo serve" | "demo clean"
        | "inventory export" | "man" => &[Text],
        _ => &[Text, Json, Yaml],
    }
}

/// Rejects a value of `-o` that the command does not have.
pub(super) fn check(wanted: Option<&str>, formats: &[OutputFormat]) -> Result<(), UsageError> {
    let Some(wanted) = wanted else { return Ok(()) };
    // `text` is the format for people in every command.
    if OutputFormat::parse(wanted).is_some_and(|format| format == Text || formats.contains(&format)) {
        return Ok(());
    }
    let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
    let choices = match names.as_slice() {
        [one] => format!("`{one}`"),
        [all @ .., last] => {
            let all: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", all.join(", "))
        }
        [] => String::new(),
    };
    let near = nearest(wanted, names.iter().copied());
    let guess = near.first().map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default();
    let wanted = safe_line(wanted);
    Err(UsageError(format!("this command has no output format `{wanted}`{guess}; choose {choices}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_name_commands_that_exist() {
        let tree = crate::cli::command_tree();
        let all = "list show docs clone build ps gc stage status config doctor trust down env graph man demo run-local logs exec shell";
        let nested = [
            "rfc list",
            "auth status",
            "rfc check",
            "config list",
            "config set",
            "config unset",
            "config edit",
            "demo serve",
            "demo clean",
            "inventory sync",
            "inventory check",
            "inventory schema",
            "inventory export",
        ];
        for path in all.split(' ').chain(nested) {
            let mut at = &tree;
            for name in path.split(' ') {
                at = at.find_subcommand(name).filter(|found| found.get_name() == name).expect(path);
            }
        }
    }

    #[test]
    fn check_names_formats_of_the_command() {
        assert!(check(Some("yaml"), &[Text, Json, Yaml]).is_ok());
        assert!(check(Some("text"), &[Table, Json]).is_ok());
        assert!(check(None, &[]).is_ok());
        let error = check(Some("yml"), &[Text, Json, Yaml]).expect_err("is unknown").to_string();
        assert_eq!(
            error,
            "this command has no output format `yml` (did you mean `yaml`?); choose `text`, `json` or `yaml`"
        );
    }

    #[test]
    fn check_names_the_formats_of_a_command() {
        let message = |formats| check(Some("yml"), formats).map_err(|error| error.to_string());
        assert_eq!(
            message(&[Json]),
            Err("this command has no output format `yml`; choose `json`".to_owned())
        );
        let several = message(&[Text, Json, Yaml]).expect_err("is refused");
        assert!(
            several.contains("did you mean `yaml`?") && several.ends_with("choose `text`, `json` or `yaml`")
        );
    }
}
