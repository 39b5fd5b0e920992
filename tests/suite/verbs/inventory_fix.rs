//! Tests of `cki inventory check --fix`.

use insta::assert_snapshot;

use crate::support::cli::Cli;

const INVENTORY: &str = "\
# Our system.
title: Sample
components:
  - name: worker   # the worker
    category: external
    descripton: 'It''s one.'
    dependencies:
      - {verb: calls, target: external/aipserver}
      - {verb: calls, target: external/web2}
  - {name: apiserver, category: external, description: An API.}
  - {name: web1, category: external, description: A site.}
";

#[test]
fn inventory_check_fix_mends_what_has_one_right_answer() {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    let file = cli.project().join("inventory.yaml");
    let text = || std::fs::read_to_string(&file).expect("is there");
    assert_snapshot!(cli.run("inventory check --fix --dry-run"), @"
    diff --git a/tmp/cki-TESTID/project/inventory.yaml b/tmp/cki-TESTID/project/inventory.yaml
    index bec2e45..aef7dfd 100644
    --- a/tmp/cki-TESTID/project/inventory.yaml
    +++ b/tmp/cki-TESTID/project/inventory.yaml
    @@ -3,9 +3,9 @@ title: Sample
     components:
       - name: worker   # the worker
         category: external
    -    descripton: 'It''s one.'
    +    description: 'It''s one.'
         dependencies:
    -      - {verb: calls, target: external/aipserver}
    +      - {verb: calls, target: external/apiserver}
           - {verb: calls, target: external/web2}
       - {name: apiserver, category: external, description: An API.}
       - {name: web1, category: external, description: A site.}
    --- stderr
    3 errors · 1 warning · 2 fixes to write · 3 entries · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 1
    ");
    assert_eq!(text(), INVENTORY);
    assert_snapshot!(cli.call("inventory check --fix --color never").terminal(80).end(), @"
    inventory.yaml:9:23: missing-target: there is no entry `external/web2`
        fix: write `external/web1`, or add an entry `external/web2`
    --- stderr
    inventory.yaml:6:5: fixed unknown-key: `descripton` → `description`
    inventory.yaml:8:23: fixed missing-target: `external/aipserver` → `external/apiserver`
    1 error · 2 fixed · 3 entries · inventory: Sample, /tmp/cki-TESTID/project/inventory.yaml
    --- exit 1
    ");
    let mended = INVENTORY.replace("descripton", "description").replace("aipserver", "apiserver");
    assert_eq!(text(), mended);
    // Nothing is left to mend, and a reference that may be meant stays.
    let answer = cli.run("inventory check --fix -o json").ends_with(1).json();
    assert_eq!(answer["fixes"].as_array().map(Vec::len), Some(0));
    assert_eq!(text(), mended);
}

#[test]
fn inventory_check_fix_reports_json_and_refuses_what_it_cannot_do() {
    let cli = Cli::new();
    cli.inventory(INVENTORY);
    let answer = cli.run("inventory check --fix -n -o json worker").ends_with(1).json();
    let first = &answer["fixes"][0];
    assert_snapshot!(cli.redact(&format!("{first:#}")), @r#"
    {
      "state": "proposed",
      "from": "descripton",
      "to": "description",
      "reason": null,
      "finding": {
        "rule": "unknown-key",
        "severity": "error",
        "component": "external/worker",
        "file": "/tmp/cki-TESTID/project/inventory.yaml",
        "line": 6,
        "column": 5,
        "message": "the key `descripton` is unknown",
        "fix": "write `description`"
      }
    }
    "#);
    assert!(
        answer["diff"].as_str().is_some_and(|diff| diff.contains("+    description: 'It''s one.'")),
        "{answer}"
    );
    assert_snapshot!(cli.run("inventory check --fix -n -o sarif"), @"
    --- stderr
    error: `-o sarif` has no place for the diff of `--dry-run`.
    hint: `cki inventory check --help` shows its usage.
    --- exit 2
    ");
    cli.run("inventory check -n").ends_with(2).says("--fix");
    let answer = cli.run("inventory check --fix -o json worker").ends_with(1).json();
    assert_eq!(answer["fixes"][0]["state"], "fixed");
    assert_eq!(answer["findings"].as_array().map(Vec::len), Some(1), "{answer}");
}
