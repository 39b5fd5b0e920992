//! Rules about the files of the project: each has a header, none is too long, and each dependency has a written
//! reason. Rules about imports are in `layering`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file is split by noun before it gets longer.
const LINES: usize = 600;

/// All Rust files below a directory of the project, with their path relative to it, sorted.
pub(crate) fn rust_files(directory: &str) -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("lists a directory of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let read = |path: &Path| std::fs::read_to_string(path).expect("a source file is text");
    let relative = |path: &Path| path.strip_prefix(&root).expect("is below it").to_path_buf();
    paths.iter().map(|path| (relative(path), read(path))).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the project")
}

#[test]
fn source_files_open_with_a_doc_comment_and_stay_short() {
    let mut wrong = Vec::new();
    for directory in ["src", "tests/suite"] {
        for (path, text) in rust_files(directory) {
            let name = format!("{directory}/{}", path.display());
            if !text.starts_with("//! ") {
                wrong.push(format!("{name} does not open with `//!` and what it is for"));
            }
            let lines = text.lines().count();
            if lines > LINES {
                wrong.push(format!("{name} has {lines} lines, more than {LINES}: split it by noun"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A test is ignored only where what it needs is missing, and `tests/run` sets all of that up.
#[test]
fn ignored_tests_name_their_prerequisite() {
    let mut wrong = Vec::new();
    for directory in ["src", "tests/suite"] {
        for (path, text) in rust_files(directory) {
            let ignored = text.lines().enumerate().filter(|(_, line)| line.trim().starts_with("#[ignore"));
            for (number, line) in ignored.filter(|(_, line)| !is_valid_ignore(line.trim())) {
                wrong.push(format!("{directory}/{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "not `needs … (bash tests/run)`:\n{}", wrong.join("\n"));
    assert!(!is_valid_ignore("#[ignore]") && !is_valid_ignore("#[ignore = \"slow\"]"));
}

fn is_valid_ignore(attribute: &str) -> bool {
    let reason = attribute.strip_prefix("#[ignore = \"needs ");
    let commands = [" (bash tests/run)\"]", " (bash tests/run --kubernetes)\"]"];
    reason.is_some_and(|reason| commands.iter().any(|command| reason.ends_with(command)))
}

#[test]
fn dependencies_match_the_documented_reasons() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let dependencies: BTreeSet<String> = tables
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect();
    let reasons = reasons(&read("docs/decisions/dependencies.md"));
    let without: Vec<_> = dependencies.difference(&reasons).collect();
    assert!(without.is_empty(), "docs/decisions/dependencies.md gives no reason for: {without:?}");
    let gone: Vec<_> = reasons.difference(&dependencies).collect();
    assert!(
        gone.is_empty(),
        "docs/decisions/dependencies.md gives reasons for what Cargo.toml lacks: {gone:?}"
    );
}

/// The names in the first column of the tables of a document, each in backticks.
fn reasons(document: &str) -> BTreeSet<String> {
    let name = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    document.lines().filter_map(name).collect()
}

/// A template is evaluated where its work is metered.
#[test]
fn one_module_makes_the_template_engine() {
    let users: Vec<String> = rust_files("src")
        .into_iter()
        .filter(|(_, text)| {
            text.contains("minijinja::Environment") || text.contains("minijinja::{Environment")
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_eq!(users, ["base/template/mod.rs"]);
}

/// Programs of others get none of this program's variables, which may hold a token. Each of these files gives its program
/// an environment that it makes up; `host/programs.rs` is for all others.
#[test]
fn one_function_starts_programs_of_others() {
    const OWN_ENVIRONMENT: [&str; 6] = [
        "demo/step.rs",
        "host/executable.rs",
        "host/notifier.rs",
        "systems/native/forwarders.rs",
        "systems/native/start.rs",
        "systems/preprocessor/mod.rs",
    ];
    let mut starting = Vec::new();
    for (path, text) in rust_files("src") {
        let name = path.display().to_string();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        if name.contains("tests") || !code.contains("use std::process") && !code.contains("process::Command")
        {
            continue;
        }
        let starts = code.match_indices("Command::new(").count();
        assert_eq!(code.matches(".env_clear()").count(), starts, "{name} keeps the environment");
        starting.extend((starts > 0).then_some(name));
    }
    let mut expected: Vec<&str> = OWN_ENVIRONMENT.into_iter().chain(["host/programs.rs"]).collect();
    expected.sort_unstable();
    assert_eq!(starting, expected);
}

/// A new variant of an error does not compile until somebody has decided on its exit code and hints.
#[test]
fn error_diagnosis_has_no_wildcard_arm() {
    let files = rust_files("src/cli/error");
    // The names that begin a diagnosis, so that a rename does not blind this test.
    for name in ["fn plain(", "fn hint(", "struct Diagnosis "] {
        assert!(files.iter().any(|(_, text)| text.contains(name)), "{name}");
    }
    let mut wrong = Vec::new();
    for (path, text) in files {
        for (at, _) in text.match_indices("_ =>") {
            let arm = text[at + 4..].trim_start_matches(|c: char| c.is_whitespace() || c == '{');
            if ["plain(", "hint(", "Diagnosis"].iter().any(|meaning| arm.starts_with(meaning)) {
                let line = text[..at].matches('\n').count() + 1;
                wrong.push(format!("src/cli/error/{}:{line}: list the variants", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Returns the names of the types that a source defines, outside of its tests.
fn types(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    code.lines().filter_map(|line| {
        let line = match line.strip_prefix("pub") {
            Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
            Some(rest) => rest.strip_prefix(' ')?,
            None => line,
        };
        let (keyword, name) = line.split_once(' ')?;
        let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        ["struct", "enum", "trait", "type", "union"].contains(&keyword).then_some(name)
    })
}

#[test]
fn each_type_name_is_defined_once() {
    let mut places: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (path, text) in rust_files("src").iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
        for name in types(text) {
            places.entry(name.to_owned()).or_default().push(path.display().to_string());
        }
    }
    let shared: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(shared.is_empty(), "give each a name of its own: {shared:?}");
}
