//! The English of the project, as far as a program can judge it: how doc comments open, and words that the
//! project does not use. The rules are in `docs/guides/developer.md`.

use std::path::Path;

use crate::house::rust_files;

/// Words that open a clause, not the name of a thing.
const OPENERS: &[&str] = &["What", "How", "Where", "Who", "Whose", "Why", "When", "Which"];

/// Words with a better one: directory, again, caller, placeholder secret.
const BANNED: &[&str] = &["folder", "folders", "anew", "whoever", "reference secret", "reference secrets"];

/// Returns the doc comments of a source that open with a question word, with their lines. `Whether` may
/// open the comment of a function that returns a `bool`.
fn questions(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let opening = |number: usize| is_doc(lines[number]) && (number == 0 || !is_doc(lines[number - 1]));
    let mut found = Vec::new();
    for number in (0..lines.len()).filter(|number| opening(*number)) {
        let word = lines[number][3..].trim_start().split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
        let item = lines[number..].iter().find(|line| !is_doc(line) && !line.starts_with('#'));
        let is_bool = || item.is_some_and(|item| item.contains("fn ") || item.contains("bool"));
        if OPENERS.contains(&word) || (word == "Whether" && !is_bool()) {
            found.push((number + 1, lines[number]));
        }
    }
    found
}

#[test]
fn no_doc_comment_opens_with_a_question_word() {
    let mut wrong = Vec::new();
    for directory in ["src", "tests/suite"] {
        for (path, text) in rust_files(directory) {
            for (line, comment) in questions(&text) {
                wrong.push(format!("{directory}/{}:{line}: {comment}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} doc comments:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn question_words_are_found_where_they_open_a_comment() {
    let text = "//! How it works.\n\n/// Whether it is.\nfn is() -> bool {}\n/// Whether to.\nstruct To;\n\
        /// The thing.\n/// What it does.\nfn f() {}\n/// Where.\n#[must_use]\nfn g() {}\n";
    assert_eq!(questions(text).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 5, 10]);
}

/// Returns the modules that the header of a file refers its readers to: `belongs in `x``, `is in `x``.
fn modules_named(text: &str) -> Vec<String> {
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let reference =
        regex::Regex::new(r"(?:belongs?|is|are) (?:in|to) `([a-z_]+(?:::[a-z_]+)*)`").expect("a constant");
    reference.captures_iter(&header.join(" ")).map(|found| found[1].to_owned()).collect()
}

#[test]
fn headers_refer_to_modules_that_exist() {
    let sources = rust_files("src");
    let modules: std::collections::BTreeSet<String> = sources
        .iter()
        .flat_map(|(path, _)| {
            path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>()
        })
        .collect();
    let mut wrong = Vec::new();
    for (path, text) in &sources {
        for name in modules_named(text) {
            if name != "cki" && !name.split("::").all(|part| modules.contains(part)) {
                wrong.push(format!("src/{}: there is no module `{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(modules_named("//! The rest\n//! belongs in `a::b`, and more is in `c`.\n"), ["a::b", "c"]);
}

/// Returns the text files of the project that people read: sources, pages, templates and scripts.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut todo = ["src", "docs", "templates", "tests", "completions"].map(|name| root.join(name)).to_vec();
    let mut found = vec![root.join("README.md"), root.join("Cargo.toml")];
    while let Some(directory) = todo.pop() {
        for entry in std::fs::read_dir(directory).expect("lists a directory of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { todo.push(path) } else { found.push(path) }
        }
    }
    let name = |path: &Path| path.strip_prefix(root).expect("is below it").display().to_string();
    let read = |path: std::path::PathBuf| Some((name(&path), std::fs::read_to_string(&path).ok()?));
    found.into_iter().filter(|path| !path.ends_with("prose.rs")).filter_map(read).collect()
}

#[test]
fn no_text_uses_a_banned_word() {
    let banned = BANNED.join("|");
    let banned = regex::Regex::new(&format!(r"(?i)\b({banned})\b")).expect("is one");
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = banned.find(line) {
                wrong.push(format!("{name}:{}: `{}`", number + 1, word.as_str()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} words:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn help_opens_with_an_imperative() {
    fn walk(command: &clap::Command, path: &str, wrong: &mut Vec<String>) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let first = about.split_whitespace().next().unwrap_or_default();
        // A noun, a gerund or a third person would end in one of these, no imperative of this program does.
        let is_imperative = first.starts_with(char::is_uppercase)
            && !["ing", "es", "ed", "tion"].iter().any(|end| first.ends_with(end))
            && !["The", "A", "An", "What", "How", "It", "This"].contains(&first);
        if !is_imperative || about.ends_with('.') {
            wrong.push(format!("{path}: {about}"));
        }
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            walk(inner, &format!("{path} {}", inner.get_name()), wrong);
        }
    }
    let mut wrong = Vec::new();
    for command in cki::cli::command_tree().get_subcommands().filter(|command| !command.is_hide_set()) {
        walk(command, command.get_name(), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
