//! Tests of `-o name` and `-o wide` over the commands that have rows. `list`, `ps` and `rfc list` have tests of their
//! own.

use crate::support::cli::Cli;

const INVENTORY: &str = "\
title: Sample
repos: {tools: https://gitlab.example.com/group/tools}
production: {environment: {IS_PRODUCTION: 'false'}}
components:
  - name: web
    category: service
    description: Serves the pages that everybody of the group reads in the morning, and those of the evening.
    sources: [{repo: tools, path: web}]
    documentation: [{label: guide, repo: tools, path: web/README.md}]
    dependencies: [{verb: calls, target: service/api}, {verb: reads, target: external/gone}]
    environment: [{name: API_URL, default: 'http://api'}, {name: LOG_LEVEL, default: INFO}]
  - {name: api, category: service}
";

fn cli() -> Cli {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    let directory = cli.workspace().join("tools/web");
    std::fs::create_dir_all(&directory).expect("makes");
    std::fs::write(directory.join("README.md"), "# Web\nRetries, and retries.\n").expect("writes");
    std::fs::write(directory.join("main.py"), "import os\nos.environ['TIMEOUT']\n").expect("writes");
    cli
}

#[test]
fn names_are_the_identifiers_of_rows_one_per_line() {
    let cli = cli();
    let readme = cli.workspace().join("tools/web/README.md").display().to_string();
    for (line, expected) in [
        ("show web", "web"),
        ("show category=service", "api\nweb"),
        ("show redis", "redis"),
        ("graph web", "service/web\nservice/api\nexternal/gone"),
        ("graph web api", "service/web\nservice/api"),
        ("env web", "API_URL\nIS_PRODUCTION\nLOG_LEVEL"),
        ("docs web --offline", readme.as_str()),
        ("docs web --search retries", readme.as_str()),
        ("gc --dry-run --engine native", ""),
        ("down --engine native", ""),
    ] {
        let outcome = cli.run(&format!("{line} -o name"));
        assert_eq!(outcome.stdout.trim_end(), expected, "{line}: {outcome}");
    }
    let scanned = cli.run("env web --scan -o name").stdout;
    assert!(scanned.lines().any(|name| name == "TIMEOUT"), "{scanned}");
    let settings = cli.run("config -o name").ends_with(0).stdout;
    assert!(settings.lines().any(|name| name == "workspace"), "{settings}");
    let checks = cli.run("doctor --offline -o name").stdout;
    assert!(checks.lines().any(|name| name == "configuration"), "{checks}");
}

#[test]
fn wide_tables_have_all_columns_on_a_narrow_terminal() {
    let cli = cli();
    for (line, expected) in [
        ("config", &["SETTING", "MEANING", "VARIABLE", "CKI_WORKSPACE"][..]),
        ("env web", &["VARIABLE", "WHY", "inventory.yaml:11", "locked: never production"][..]),
        ("graph web", &["└─ reads external/gone (missing)", "and those of the evening."][..]),
        ("show web", &["and those of the evening."][..]),
    ] {
        let outcome = cli.call(&format!("{line} -o wide --color never")).terminal(40).end();
        for text in expected {
            assert!(outcome.stdout.contains(text), "{line}: no `{text}`: {outcome}");
        }
    }
}

#[test]
fn commands_without_rows_name_the_formats_that_they_have() {
    for (line, choices) in [
        ("config get workspace -o name", "choose `text`, `json` or `yaml`"),
        ("config set engine auto -o json", "choose `text`"),
        ("inventory check -o svg", "choose `text`, `wide`, `name`, `json`, `yaml`, `sarif` or `gitlab`"),
    ] {
        Cli::new().run(line).ends_with(2).says(choices);
    }
}
