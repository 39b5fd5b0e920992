//! Tests of `cki inventory check`.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support;
use crate::support::cli::Cli;

const INVENTORY: &str = "\
title: Sample
repos:
  web: https://gitlab.example.com/group/web
  idle: https://gitlab.example.com/group/idle
ignore:
  - {rule: no-documentation, reason: The wiki has it.}
components:
  - name: web
    category: service
    description: The web site.
    people: [team]
    sources: [{repo: web}]
    dependencies:
      - {verb: calls, target: service/apy}
      - {verb: reads, target: service/api}
  - name: api
    category: service
    descripton: The interface.
    dependencies: [{verb: notifies, target: service/web}]
    ignore:
      - {rule: no-owner, reason: Nobody knows.}
      - {rule: no-source, reason: It has none.}
";

fn cli() -> Cli {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    cli
}

#[test]
fn inventory_check_shows_findings_by_place() {
    assert_snapshot!(cli().call("inventory check --color never").terminal(80).end(), @"
    inventory.yaml:4:3: unused-repository: no entry uses the repository `idle`
        fix: name it in `sources`, `build`, `deployment` or `documentation` of an
        entry, or remove it
    inventory.yaml:14:23: missing-target: there is no entry `service/apy`
        fix: write `service/api`, or add an entry `service/apy`
    inventory.yaml:16:5: no-description: `service/api` has no description
        fix: say in `description` what it is for
    inventory.yaml:18:5: unknown-key: the key `descripton` is unknown
        fix: write `description`
    inventory.yaml:19:37: dependency-cycle: entries depend on each other:
        `service/api` → `service/web` → `service/api`
        fix: remove one of these dependencies, or turn it around
    inventory.yaml:22:9: unused-ignore: no finding of `no-source` is left to
        silence here
        fix: remove it
    --- stderr
    2 errors · 4 warnings · 3 silenced · 2 entries · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 1
    ");
    // A program gets whole paths and whole lines.
    assert_snapshot!(cli().run("inventory check api"), @"
    /tmp/cki-TESTID/project/inventory.yaml:16:5: no-description: `service/api` has no description
        fix: say in `description` what it is for
    /tmp/cki-TESTID/project/inventory.yaml:18:5: unknown-key: the key `descripton` is unknown
        fix: write `description`
    /tmp/cki-TESTID/project/inventory.yaml:19:37: dependency-cycle: entries depend on each other: `service/api` → `service/web` → `service/api`
        fix: remove one of these dependencies, or turn it around
    /tmp/cki-TESTID/project/inventory.yaml:22:9: unused-ignore: no finding of `no-source` is left to silence here
        fix: remove it
    --- stderr
    1 error · 3 warnings · 2 silenced · 1 entry · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 1
    ");
}

#[test]
fn inventory_check_of_a_clean_inventory_ends_with_0() {
    let cli = Cli::new();
    cli.inventory("title: Clean\ncomponents:\n- {name: a, category: external, description: A.}\n");
    assert_snapshot!(cli.run("inventory check"), @"
    --- stderr
    no findings · 1 entry · inventory: Clean, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    ");
    assert_snapshot!(cli.run("inventory check -o gitlab"), @"
    []
    --- stderr
    no findings · 1 entry · inventory: Clean, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 0
    ");
    cli.inventory("components:\n- {name: a, category: external, description: [A.]}\n");
    assert_snapshot!(cli.run("inventory check"), @"
    /tmp/cki-TESTID/project/inventory.yaml:2:46: invalid-file: expected string scalar
        fix: mend the file; no other rule is checked before
    --- stderr
    error: the inventory cannot be read: 1 finding.
    hint: `cki help inventory` describes the format.
    --- exit 4
    ");
}

#[test]
fn inventory_check_refuses_what_it_does_not_know() {
    let cli = cli();
    assert_snapshot!(cli.run("inventory check wbe"), @"
    --- stderr
    error: there is no component `wbe` in the inventory (Sample, /tmp/cki-TESTID/project/inventory.yaml).
    hint: `cki list` shows all components.
    --- exit 3
    ");
    assert_snapshot!(cli.run("inventory check owner=nobody"), @"
    --- stderr
    error: no component matches `owner=nobody`; no component has the owner `nobody`; there is `team`.
    hint: `cki list` shows all components; `cki list -o wide` shows what selectors choose by.
    --- exit 3
    ");
    assert_snapshot!(cli.run("inventory check -o svg"), @"
    --- stderr
    error: this command has no output format `svg`; choose `text`, `wide`, `name`, `json`, `yaml`, `sarif` or `gitlab`.
    hint: `cki inventory check --help` shows its usage.
    --- exit 2
    ");
    cli.run("inventory").ends_with(2).says("check");
}

#[test]
fn inventory_check_reports_all_files_that_cannot_be_read() {
    let cli = Cli::new();
    cli.write("cki.toml", "inventory = ['low', 'catalog']\n");
    for (path, text) in [
        ("low/service/a.yaml", "description: [\n"),
        ("low/service/b.yaml", "x: 1\n y: 2\n"),
        ("low/service/c.yaml", "description: C.\nrun: {ports: many}\n"),
        ("low/service/d.yaml", "description: D.\n"),
        (
            "catalog/catalog-info.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a\n",
        ),
    ] {
        cli.write(path, text);
    }
    std::fs::write(cli.project().join("low/service/e.yaml"), b"description: \xff\n").expect("writes");
    let places = |outcome: &str| {
        ["catalog/catalog-info.yaml:", "a.yaml:1:14", "b.yaml:2:3", "c.yaml:2:", "e.yaml:1:1"]
            .iter()
            .all(|place| outcome.contains(place))
    };
    let text = cli.run("inventory check").ends_with(4);
    assert!(places(&text.stdout) && text.stdout.matches(": invalid-file: ").count() == 5, "{text}");
    assert!(text.stderr.contains("the inventory cannot be read: 5 findings."), "{text}");
    let names = cli.run("inventory check -o name").ends_with(4);
    assert!(places(&names.stdout) && names.stdout.lines().count() == 5, "{names}");
    let wide = cli.run("inventory check -o wide").ends_with(4);
    assert!(places(&wide.stdout) && wide.stdout.lines().count() == 6, "{wide}");
    let json = cli.run("inventory check -o json").ends_with(4).json();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(5), "{json}");
    let json: Value =
        serde_json::from_str(&cli.run("inventory check -o gitlab").ends_with(4).stdout).expect("is JSON");
    assert_eq!((json.as_array().map(Vec::len), &json[0]["check_name"]), (Some(5), &"invalid-file".into()));
    let json: Value =
        serde_json::from_str(&cli.run("inventory check -o sarif").ends_with(4).stdout).expect("is JSON");
    assert_eq!(json["runs"][0]["results"].as_array().map(Vec::len), Some(5), "{json}");
    // Other commands name the first one, and who names the rest.
    let listed = cli.run("list").ends_with(4);
    assert!(listed.stderr.contains("(and 4 more errors)."), "{listed}");
    assert!(listed.stderr.contains("hint: `cki inventory check` shows all of them."), "{listed}");
    // A catalog alone is none that "holds no inventory".
    let alone = cli.run("list --inventory catalog").ends_with(4);
    assert!(alone.stderr.contains("catalog-info.yaml:"), "{alone}");
}

#[test]
fn inventory_check_prints_json() {
    let cli = cli();
    let answer = cli.run("inventory check -o json").ends_with(1).json();
    let findings = answer["findings"].as_array().expect("is a list");
    let rules: Vec<&str> = findings.iter().filter_map(|one| one["rule"].as_str()).collect();
    assert_eq!(
        rules,
        [
            "unused-repository",
            "missing-target",
            "no-description",
            "unknown-key",
            "dependency-cycle",
            "unused-ignore"
        ]
    );
    let shown = format!("{:#}\n{:#}", answer["findings"][1], answer["silenced"][0]);
    assert_snapshot!(cli.redact(&shown), @r#"
    {
      "rule": "missing-target",
      "severity": "error",
      "component": "service/web",
      "file": "/tmp/cki-TESTID/project/inventory.yaml",
      "line": 14,
      "column": 23,
      "message": "there is no entry `service/apy`",
      "fix": "write `service/api`, or add an entry `service/apy`"
    }
    {
      "rule": "no-documentation",
      "severity": "warning",
      "component": "service/web",
      "file": "/tmp/cki-TESTID/project/inventory.yaml",
      "line": 8,
      "column": 5,
      "message": "`service/web` has no documentation",
      "fix": "add a link in `documentation`",
      "reason": "The wiki has it."
    }
    "#);
}

/// The inventory of a directory with a name that a URI has to quote, in a repository.
fn in_repository() -> Cli {
    let cli = Cli::new();
    cli.write("cki.toml", "inventory = \"in ventory\"\n");
    cli.write("in ventory/inventory.yaml", "ignore: [{rule: no-owner, reason: Nobody knows.}]\n");
    cli.write(
        "in ventory/tool/a.yaml",
        "descripton: A.\ndependencies: [{verb: x, target: b/c}, {verb: y, target: b/c}]\nmonitoring: [{label: x}]\n",
    );
    git2::Repository::init(cli.project()).expect("makes a repository");
    cli
}

#[test]
fn inventory_check_prints_sarif_and_a_code_quality_report() {
    let cli = in_repository();
    let read = |format: &str| -> Value {
        let outcome = cli.run(&format!("inventory check -o {format}")).ends_with(1);
        serde_json::from_str(&outcome.stdout).expect("is JSON")
    };
    let log = read("sarif");
    let results = log["runs"][0]["results"].as_array().expect("is a list");
    assert_snapshot!(format!("{:#}", results[0]), @r#"
    {
      "ruleId": "unknown-key",
      "ruleIndex": 1,
      "level": "error",
      "message": {
        "text": "the key `descripton` is unknown. To fix it, write `description`."
      },
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "in%20ventory/tool/a.yaml"
            },
            "region": {
              "startLine": 1,
              "startColumn": 1
            }
          },
          "logicalLocations": [
            {
              "fullyQualifiedName": "tool/a"
            }
          ]
        }
      ],
      "partialFingerprints": {
        "cki/v1": "d14d33e17d2d3bb6ec7465fd2d1dd50ee5db26e11122b7d6545124f0662c8c00"
      }
    }
    "#);
    let silenced: Vec<&Value> = results.iter().filter(|one| !one["suppressions"].is_null()).collect();
    assert_eq!(silenced.len(), 1);
    assert_eq!(silenced[0]["suppressions"][0]["justification"], "Nobody knows.");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("is a number")).expect("is small");
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let report = read("gitlab");
    let items = report.as_array().expect("is a list");
    assert_snapshot!(format!("{:#}", items[0]), @r#"
    {
      "description": "the key `descripton` is unknown. To fix it, write `description`.",
      "check_name": "unknown-key",
      "fingerprint": "d14d33e17d2d3bb6ec7465fd2d1dd50ee5db26e11122b7d6545124f0662c8c00",
      "severity": "major",
      "location": {
        "path": "in ventory/tool/a.yaml",
        "lines": {
          "begin": 1
        }
      }
    }
    "#);
    let fingerprints = |report: &Value| -> Vec<String> {
        let items = report.as_array().into_iter().flatten();
        let mut each: Vec<String> = items.map(|one| one["fingerprint"].to_string()).collect();
        each.sort();
        each
    };
    let before = fingerprints(&report);
    let mut each = before.clone();
    each.dedup();
    assert_eq!(each.len(), items.len(), "two findings have one fingerprint");
    let file = cli.project().join("in ventory/tool/a.yaml");
    let text = std::fs::read_to_string(&file).expect("is there");
    std::fs::write(&file, format!("# A comment.\n\n{text}")).expect("writes");
    assert_eq!(fingerprints(&read("gitlab")), before, "moved lines change no fingerprint");
}

/// The published schema of SARIF, and one written after the documentation of GitLab.
#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn checks_print_what_published_schemas_accept() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let program = "import json, sys, jsonschema\n\
                   schema, file = (json.load(open(name)) for name in sys.argv[1:])\n\
                   validator = jsonschema.validators.validator_for(schema)\n\
                   validator.check_schema(schema)\n\
                   errors = [error.message for error in validator(schema).iter_errors(file)]\n\
                   sys.exit('\\n'.join(errors) or 0)";
    let validate = |schema: &str, text: &str, directory: &Path| {
        let file = directory.join("output.json");
        std::fs::write(&file, text).expect("writes");
        let output = Command::new(support::python())
            .args(["-c", program])
            .args([&fixtures.join(schema), &file])
            .output()
            .expect("starts");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (rfcs, _stand_in) = super::rfc::cli(&[("content/rfcs/cki-001-x.md", "Text\n")], "\n      []\n");
    let links = "inventory check --links --offline";
    let drift = (super::inventory_drift::changed(), "inventory check --drift");
    let checks = [(in_repository(), links), (cli(), links), drift, (rfcs, "rfc check")];
    for (cli, command) in checks {
        git2::Repository::init(cli.project()).expect("makes a repository");
        for (format, schema) in
            [("sarif", "sarif/sarif-schema-2.1.0.json"), ("gitlab", "gitlab-code-quality.schema.json")]
        {
            let text = cli.run(&format!("{command} -o {format}")).ends_with(1).stdout;
            let (is_valid, errors) = validate(schema, &text, cli.directory());
            assert!(is_valid, "{command} {format}: {errors}");
            // The schema rejects something.
            let (is_valid, _) = validate(
                schema,
                &text.replace("essage", "assage").replace("check_name", "name"),
                cli.directory(),
            );
            assert!(!is_valid, "{format}");
        }
    }
}

/// Its remaining findings are silenced, each with a reason.
#[test]
fn inventory_check_accepts_the_built_in_inventory() {
    let outcome = Cli::new().run("inventory check").ends_with(0);
    assert_eq!(outcome.stdout, "", "{outcome}");
    let answer = Cli::new().run("inventory check -o json").ends_with(0).json();
    let silenced = answer["silenced"].as_array().expect("is a list");
    assert!(
        silenced.iter().all(|one| one["reason"].as_str().is_some_and(|reason| reason.len() > 10)),
        "{silenced:?}"
    );
}
