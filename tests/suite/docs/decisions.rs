//! The form of the decision records: each opens with one sentence that states the decision, says which
//! record supersedes it, and names only modules, files and options that exist. Links and paths are checked
//! with those of all pages, in the parent module.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

use crate::house::rust_files;

/// Longest statement of a decision, in characters.
const LONGEST: usize = 240;

/// A decision record.
struct Record {
    /// The name of its file.
    file: String,
    /// The text of its file.
    text: String,
}

impl Record {
    fn number(&self) -> &str {
        self.file.get(..4).unwrap_or_default()
    }

    /// Returns a paragraph as one line, counted from the title.
    fn paragraph(&self, index: usize) -> String {
        self.text.split("\n\n").nth(index).unwrap_or_default().replace('\n', " ")
    }

    fn is_superseded(&self) -> bool {
        super::is_superseded(&self.text)
    }
}

fn records() -> Vec<Record> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/decisions");
    let mut records = Vec::new();
    for entry in std::fs::read_dir(directory).expect("lists the records") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().expect("has a name").to_string_lossy().into_owned();
        if file.starts_with(|c: char| c.is_ascii_digit()) {
            records.push(Record { file, text: std::fs::read_to_string(path).expect("is text") });
        }
    }
    records.sort_by(|one, other| one.file.cmp(&other.file));
    records
}

/// Returns what is wrong with the statement of a decision.
fn fault(statement: &str) -> Option<&'static str> {
    let sentences = Regex::new(r"[.!?] +[A-Z`]").expect("a constant").find_iter(statement).count() + 1;
    match statement {
        "" => Some("there is no statement"),
        _ if statement.contains("**") || statement.starts_with(['|', '#', '-', '>']) => {
            Some("the statement is not a plain sentence")
        }
        _ if !statement.ends_with('.') => Some("the statement does not end with a full stop"),
        _ if sentences > 1 => Some("the statement has more than one sentence"),
        _ if statement.chars().count() > LONGEST => Some("the statement is too long"),
        _ => None,
    }
}

#[test]
fn decision_records_open_with_one_sentence() {
    let index =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/decisions/README.md"))
            .expect("is text");
    let mut wrong = Vec::new();
    for record in records() {
        if !record.text.starts_with(&format!("# {}: ", record.number())) {
            wrong.push(format!("{}: the title does not open with the number", record.file));
        }
        if !index.contains(&format!("| [{}]({}) |", record.number(), record.file)) {
            wrong.push(format!("{}: the index does not list it", record.file));
        }
        wrong.extend(fault(&record.paragraph(1)).map(|fault| format!("{}: {fault}", record.file)));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn statements_of_several_sentences_are_found() {
    assert_eq!(fault("`cki` reads `cki.toml`; `serde-saphyr` 0.4 parses it."), None);
    for wrong in
        ["", "**Decision.** It is so.", "One. Two.", "No stop", "| a |", &format!("{}.", "x".repeat(LONGEST))]
    {
        assert!(fault(wrong).is_some(), "{wrong}");
    }
}

#[test]
fn superseding_records_are_later_and_name_the_earlier_one() {
    let line = Regex::new(r"(?m)^Superseded (?:in part )?by ((?:.|\n)*?)(?:\n\n|\z)").expect("a constant");
    let link = Regex::new(r"\[(\d{4})\]\((\d{4}-[a-z0-9-]+\.md)\)").expect("a constant");
    let records = records();
    let mut wrong = Vec::new();
    for record in records.iter().filter(|record| record.text.contains("Superseded")) {
        let Some(line) = line.captures(&record.text).filter(|_| record.is_superseded()) else {
            wrong.push(format!("{}: the line is not `Superseded by [NNNN](FILE)`", record.file));
            continue;
        };
        let links: Vec<_> =
            link.captures_iter(&line[1]).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
        if links.is_empty() {
            wrong.push(format!("{}: the line names no record", record.file));
        }
        for (number, file) in links {
            let later = records.iter().find(|later| later.file == file && later.number() == number);
            if !later
                .is_some_and(|later| later.number() > record.number() && later.text.contains(record.number()))
            {
                wrong.push(format!("{}: `{file}` is not a later record that names this one", record.file));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Returns the long options of all commands.
fn options() -> BTreeSet<String> {
    fn walk(command: &clap::Command, found: &mut BTreeSet<String>) {
        found.extend(command.get_arguments().filter_map(|arg| arg.get_long()).map(str::to_owned));
        command.get_subcommands().for_each(|inner| walk(inner, found));
    }
    let mut tree = cki::cli::command_tree();
    tree.build();
    let mut found = BTreeSet::new();
    walk(&tree, &mut found);
    found
}

/// Returns whether a path such as `git::tree::open` ends in a module, and in an item of it.
fn is_in_sources(sources: &[(String, String)], path: &str) -> bool {
    let segments: Vec<&str> = path.trim_end_matches("()").split("::").collect();
    let modules = segments[..segments.len() - 1].join("/");
    let last = segments[segments.len() - 1];
    let item =
        Regex::new(&format!(r"\b(?:fn|struct|enum|trait|const|static|type|mod) {last}\b")).expect("a name");
    let type_name = segments[segments.len().saturating_sub(2)];
    if type_name.starts_with(char::is_uppercase) {
        let owner = Regex::new(&format!(r"\b(?:impl|enum|trait)\b[^\n]*\b{type_name}\b")).expect("a name");
        return sources.iter().any(|(_, text)| owner.is_match(text) && item.is_match(text));
    }
    let is_module = |file: &str, modules: &str| {
        let file = format!("/{}", file.trim_end_matches(".rs").trim_end_matches("/mod"));
        file.ends_with(&format!("/{modules}"))
    };
    sources.iter().any(|(file, text)| {
        is_module(file, &segments.join("/")) || is_module(file, &modules) && item.is_match(text)
    })
}

#[test]
fn decision_records_name_modules_files_and_options_that_exist() {
    let code = Regex::new("`([^`\n]+)`").expect("a constant");
    let path = Regex::new(r"^[A-Za-z_]+(?:::[A-Za-z_]+)+(?:\(\))?$").expect("a constant");
    let file = Regex::new(r"^[a-z_]+\.rs$").expect("a constant");
    let option = Regex::new(r"(?:^| )--([a-z][a-z-]+)").expect("a constant");
    let (options, mut wrong) = (options(), Vec::new());
    let text_of = |(path, text): (std::path::PathBuf, String)| (path.display().to_string(), text);
    let sources: Vec<_> = rust_files("src").into_iter().map(text_of).collect();
    for record in records().into_iter().filter(|record| !record.is_superseded()) {
        for found in code.captures_iter(&record.text) {
            let code = &found[1];
            let is_wrong =
                (path.is_match(code) && !code.starts_with("std::") && !is_in_sources(&sources, code))
                    || (file.is_match(code)
                        && !sources.iter().any(|(path, _)| path.ends_with(&format!("/{code}"))))
                    || (code.starts_with("--") || code.starts_with("cki "))
                        && option.captures_iter(code).any(|found| !options.contains(&found[1]));
            if is_wrong {
                wrong.push(format!("{}: there is no `{code}`", record.file));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn missing_modules_are_found() {
    let sources =
        [("base/text/size.rs".to_owned(), "pub fn parse() {}\nimpl Size { fn of() {} }".to_owned())];
    for path in ["text::size", "size::parse", "base::text::size::parse()", "Size::of"] {
        assert!(is_in_sources(&sources, path), "{path}");
    }
    for path in ["base::size", "size::render", "Size::at", "Weight::of"] {
        assert!(!is_in_sources(&sources, path), "{path}");
    }
}
