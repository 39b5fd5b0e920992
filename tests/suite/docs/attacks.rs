//! The table of attacks in `docs/guides/developer.md`: each row names existing tests. The tests themselves are
//! next to the code that they attack.

use std::collections::BTreeSet;
use std::path::Path;

use crate::house::rust_files;

/// Heading of the section with the table.
const HEADING: &str = "## Attacks, and the tests that hold against them";

/// Returns the rows of the table: the attack, the promise, the names of tests.
fn rows(page: &str) -> Vec<(String, String, Vec<String>)> {
    let section = page.split(HEADING).nth(1).expect("has the section");
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [attack, promise, tests] = cells[..] else { panic!("a row has three cells: {row}") };
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (attack.to_owned(), promise.to_owned(), tests)
    })
    .collect()
}

/// Returns the names of all functions in tests: those of the suite, and of the test modules in `src`.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (path, text) in ["src", "tests/suite"].iter().flat_map(|directory| rust_files(directory)) {
        let is_test_file =
            path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
        let in_src = !text.contains("crate::support") && text.contains("#[cfg(test)]") && !is_test_file;
        let text = if in_src { text.split("#[cfg(test)]").skip(1).collect() } else { text };
        let found = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
        names.extend(found.map(str::to_owned));
    }
    names
}

#[test]
fn each_test_in_the_table_of_attacks_exists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/developer.md");
    let page = std::fs::read_to_string(page).expect("is there");
    let (rows, known) = (rows(&page), functions());
    assert!(rows.len() > 40, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for (attack, promise, tests) in rows {
        if tests.is_empty() {
            wrong.push(format!("no test: {attack}"));
        }
        if !["production", "nothing left", "no secret", "trust"].contains(&promise.as_str()) {
            wrong.push(format!("no promise: {attack}: {promise}"));
        }
        wrong.extend(
            tests.iter().filter(|test| !known.contains(*test)).map(|test| format!("no such test: {test}")),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
