//! Catalogs of Backstage as sources of an inventory, and exports that Backstage's own schemas accept.

use std::path::Path;
use std::process::Command;

use crate::support;
use crate::support::cli::Cli;
use crate::support::repository::Repositories;

const COMPONENT: &str = "
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: herder, description: Retries jobs.}
spec: {type: service, lifecycle: production, owner: infra, dependsOn: ['resource:mq']}
";

const LOCATION: &str = "
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: all}
spec:
  targets: [./parts/deep/more/mq.yaml, ./catalog-info.yaml, ../outside.yaml, none.yaml, 'https://example.com/x.yaml']
";

const RESOURCE: &str = "
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: mq}
spec: {type: queue, owner: infra}
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: back}
spec: {target: ../../../catalog-info.yaml}
";

fn catalog() -> Cli {
    let cli = Cli::new();
    cli.write("outside.yaml", COMPONENT);
    cli.write("catalog/catalog-info.yaml", &format!("{COMPONENT}---{LOCATION}"));
    cli.write("catalog/parts/deep/more/mq.yaml", RESOURCE);
    cli
}

#[test]
fn list_reads_a_catalog_with_its_locations() {
    let cli = catalog();
    let listed = cli.run("list --inventory catalog -o name").ends_with(0);
    assert_eq!(listed.stdout, "mq\nherder\n", "{listed}");
    assert_eq!(listed.stderr, "", "{listed}");
    let shown = cli.run("show herder --inventory catalog -o json").ends_with(0).json();
    assert_eq!(shown["reference"], "service/herder");
    assert_eq!(shown["dependencies"][0]["target"], "resource/mq");
    let checked = cli.run("inventory check --inventory catalog").ends_with(1);
    for part in [
        "catalog/catalog-info.yaml:2:1",
        "`spec.lifecycle` of `component:default/herder` has no place in the inventory",
        "`../outside.yaml` is outside of this source",
        "`none.yaml` does not exist",
        "`https://example.com/x.yaml` is outside of this source",
    ] {
        assert!(checked.stdout.contains(part), "{part}: {checked}");
    }
    // A layer on top says what a catalog cannot.
    cli.write("own/service/herder.yaml", "run: {command: [x]}\nimage: y\n");
    cli.write(
        "own/inventory.yaml",
        "title: Own\nignore: [{rule: no-place, reason: Backstage knows more.}]\n",
    );
    let shown = cli.run("show herder --inventory catalog --inventory own -o json").ends_with(0).json();
    assert!(
        shown["origins"]["description"]["place"]
            .as_str()
            .is_some_and(|at| at.ends_with("catalog-info.yaml:4"))
    );
    assert!(
        shown["origins"]["image"]["place"].as_str().is_some_and(|at| at.ends_with("herder.yaml:2")),
        "{shown}"
    );
    let checked = cli.run("inventory check --inventory catalog --inventory own");
    assert!(!checked.stdout.contains("no place in the inventory"), "{checked}");
    // A file alone follows no location.
    let listed = cli.run("list --inventory catalog/catalog-info.yaml -o name").ends_with(0);
    assert_eq!(listed.stdout, "herder\n");
}

#[test]
fn a_catalog_in_a_repository_is_a_source() {
    let cli = Cli::new();
    let served = Repositories::new(&cli);
    let first = format!("{COMPONENT}---{LOCATION}");
    served.commit(
        "i",
        &[
            ("a/catalog-info.yaml", &first),
            ("a/parts/deep/more/mq.yaml", RESOURCE),
            ("outside.yaml", COMPONENT),
        ],
    );
    let listed = cli.run("list --inventory {served}/i.git:a -o name").ends_with(0);
    assert_eq!(listed.stdout, "mq\nherder\n", "{listed}");
    let listed = cli.run("list --inventory {served}/i.git:a/catalog-info.yaml -o name").ends_with(0);
    assert_eq!(listed.stdout, "herder\n");
}

#[test]
fn trust_covers_each_file_of_a_catalog() {
    let cli = catalog();
    cli.write("cki.toml", "inventory = 'catalog'\n");
    let untrusting = |line: &str| cli.call(line).untrusting().end();
    untrusting("trust").ends_with(0);
    assert!(untrusting("trust -n").stderr.contains("is trusted."));
    cli.write("catalog/parts/deep/more/mq.yaml", &RESOURCE.replace("queue", "database"));
    assert!(untrusting("trust -n").stderr.contains("its files have changed"));
}

#[test]
fn catalogs_that_are_wrong_name_the_place() {
    let cli = Cli::new();
    for (text, code, why) in [
        ("apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a\n", 4, "c.yaml:"),
        (
            "apiVersion: backstage.io/v1\nkind: Component\nmetadata: {name: a}\n---\napiVersion: backstage.io/v1\nkind: Component\nmetadata: {name: a}\n",
            4,
            "is defined twice",
        ),
        (
            "apiVersion: backstage.io/v1\nkind: Component\nmetadata: {name: ../a}\n---\napiVersion: backstage.io/v1\nkind: System\nmetadata: {name: s}\n",
            0,
            "",
        ),
        (
            "apiVersion: backstage.io/v1\nkind: Component\nmetadata: {}\n---\napiVersion: backstage.io/v1\nkind: System\nmetadata: {name: s}\n",
            0,
            "",
        ),
        (
            "apiVersion: backstage.io/v1\nkind: Component\nmetadata: [a]\nspec: 3\n---\napiVersion: backstage.io/v1\nkind: System\nmetadata: {name: s}\n",
            0,
            "",
        ),
    ] {
        cli.write("c.yaml", text);
        let listed = cli.run("list --inventory c.yaml").ends_with(code);
        assert!(listed.stderr.contains(why) && !listed.stdout.contains("../a"), "{text}: {listed}");
    }
    let checked = cli.run("inventory check --inventory c.yaml").ends_with(1);
    assert!(checked.stdout.contains("has no `metadata.name`, so it is not read"), "{checked}");
}

#[test]
fn export_writes_a_file_that_reads_back() {
    let cli = Cli::new();
    let exported = cli.run("inventory export --format backstage").ends_with(0);
    assert!(exported.stderr.contains("Backstage has no place for `build` ("), "{exported}");
    let written = cli.run("inventory export --format backstage --file catalog-info.yaml").ends_with(0);
    assert!(written.stdout.is_empty() && written.stderr.contains("Wrote 44 components to"), "{written}");
    let text = std::fs::read_to_string(cli.project().join("catalog-info.yaml")).expect("is there");
    assert_eq!(text, exported.stdout);
    let names = |line: &str| {
        let mut names: Vec<String> = cli.run(line).ends_with(0).stdout.lines().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(
        names("list --inventory catalog-info.yaml -o name"),
        names("list --inventory default -o name")
    );
    let again = cli.run("inventory export --format backstage --inventory catalog-info.yaml").ends_with(0);
    let sorted = |text: &str| {
        let mut entities: Vec<String> = text.split("---\n").map(str::to_owned).collect();
        entities.sort();
        entities
    };
    // Verbs and references come back; what is inferred does not.
    assert_eq!(sorted(&again.stdout), sorted(&text));
    cli.run("inventory export").ends_with(2);
    cli.run("inventory export --format backstage --file none/there/x.yaml")
        .ends_with(3)
        .says("create it first");
    cli.run("inventory export --format backstage --file /proc/none/x").fails();
}

/// The schemas that `@backstage/catalog-model` publishes.
#[test]
#[ignore = "needs CKI_TEST_PYTHON (bash tests/run)"]
fn export_writes_what_the_published_schemas_accept() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/backstage");
    let program = "
import json, pathlib, sys, jsonschema
schemas = {}
for path in pathlib.Path(sys.argv[1]).glob('*.json'):
    schema = json.load(path.open())
    schemas[schema['$id']] = schema
kinds = {key.lower(): schema for key, schema in schemas.items()}
errors = []
for entity in json.load(open(sys.argv[2])):
    schema = kinds[(entity['kind'] + 'V1alpha1').lower()]
    jsonschema.Draft7Validator.check_schema(schema)
    resolver = jsonschema.RefResolver('', schema, store=schemas)
    validator = jsonschema.Draft7Validator(schema, resolver=resolver)
    errors += [entity['metadata'].get('name', '') + ': ' + error.message for error in validator.iter_errors(entity)]
sys.exit('\\n'.join(errors) or 0)
";
    let cli = catalog();
    cli.write(
        "more.yaml",
        "components:
  - {name: hook, category: api, people: [infra], dependencies: [{verb: provided-by, target: service/herder}]}
  - {name: pipeline, category: system, dependencies: [{verb: part-of, target: domain/ci}]}
  - {name: ci, category: domain, people: [infra, jane]}
  - {name: infra, category: people}
  - {name: jane, category: people, kind: person, dependencies: [{verb: part-of, target: people/infra}]}
  - {name: herder, category: cronjob, documentation: [{label: Docs, url: 'https://example.com'}]}
",
    );
    let validate = |text: &str| {
        let documents: Vec<serde_json::Value> = text
            .split("---\n")
            .filter(|document| !document.is_empty())
            .map(|document| cki::base::yaml::parse("x", document).expect("is YAML").0)
            .collect();
        let file = cli.directory().join("entities.json");
        std::fs::write(&file, serde_json::to_string(&documents).expect("is JSON")).expect("writes");
        let output = Command::new(support::python())
            .args(["-W", "ignore", "-c", program])
            .args([&fixtures, &file])
            .output()
            .expect("starts");
        (output.status.success(), documents.len(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (sources, count) in [("--inventory default", 44), ("--inventory catalog --inventory more.yaml", 8)] {
        let text = cli.run(&format!("inventory export --format backstage {sources}")).ends_with(0).stdout;
        let (is_valid, found, errors) = validate(&text);
        assert!(is_valid, "{errors}");
        assert_eq!(found, count);
        // The schemas reject something.
        assert!(!validate(&text.replace("owner:", "possessor:")).0);
    }
}
