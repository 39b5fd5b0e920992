//! Tests of reading an inventory: findings, refusals, and work that grows no faster than the number of
//! entries.

use std::borrow::Cow;

use proptest::prelude::*;

use super::index::count;
use super::*;

fn read(text: &'static str) -> Result<Inventory, InventoryError> {
    let head =
        InventoryDocument { file: "inventory.yaml".into(), text: Cow::Borrowed(text), reference: None };
    Inventory::read("here", vec![head])
}

const SAMPLE: &str = "\
version: 1
title: Sample
categories: [{id: service, title: Services, kind: service}, {id: cronjob, kind: cronjob}]
repos: {tools: 'https://example.org/tools'}
components:
  - {name: b-two, category: service, sources: [{repo: toosl}]}
  - name: a_one
    category: service
    descripton: oops
    dependencies: [{verb: writes, target: service/b-two, inferred: true}]
  - {name: nightly, category: cronjob}
";

#[test]
fn inventory_sorts_entries_and_locates_findings() {
    let inventory = read(SAMPLE).expect("reads");
    let names: Vec<String> = inventory.components.iter().map(|c| c.reference.to_string()).collect();
    assert_eq!(names, ["service/a_one", "service/b-two", "cronjob/nightly"]);
    assert!(inventory.components[2].is_one_shot());
    let findings: Vec<String> = inventory.findings(9).iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "inventory.yaml:9:5: the key `components.1.descripton` is unknown; did you mean `description`?",
            "inventory.yaml:6:49: there is no repository `toosl`; did you mean `tools`?",
        ]
    );
    let b = Reference::new("service", "b-two");
    assert_eq!(inventory.dependents(&b).map(|(c, _)| c.name()).collect::<Vec<_>>(), ["a_one"]);
}

#[test]
fn find_matches_exact_then_partial_names() {
    let inventory = read(SAMPLE).expect("reads");
    for query in ["a_one", "service/a_one", "a-one", "one", "A_ONE"] {
        assert_eq!(inventory.find(query).expect(query).name(), "a_one");
    }
    assert!(matches!(inventory.find("service"), Err(LookupError::Ambiguous { .. })));
    let wrong = inventory.find("nigthly").expect_err("is mistyped");
    assert!(matches!(wrong, LookupError::Unknown { nearest, .. } if nearest == ["nightly"]));
}

#[test]
fn find_entry_prefers_components_and_whole_names() {
    let text = "
components:
  - {name: redis, category: storage, image: x}
  - {name: s3-mirror, category: service, image: x}
";
    let mut inventory = read(text).expect("reads");
    inventory.backing_services = ["postgres", "redis", "s3"].map(str::to_owned).to_vec();
    let found = |query: &str| match inventory.find_entry(query) {
        Ok(NamedEntry::Component(component)) => component.reference.to_string(),
        Ok(NamedEntry::Service(name)) => format!("service:{name}"),
        Err(error) => error.to_string(),
    };
    for (query, entry) in [
        ("redis", "storage/redis"),
        ("service:redis", "service:redis"),
        ("services/redis", "service:redis"),
        ("s3", "service:s3"),
        ("S3", "service:s3"),
        ("s3-m", "service/s3-mirror"),
        ("postgres", "service:postgres"),
        ("service/postgres", "service:postgres"),
        ("service:s3-mirror", "there is no backing service `s3-mirror`"),
        ("postgrs", "there is no component or backing service `postgrs` in the inventory (untitled, here)"),
    ] {
        assert_eq!(found(query), entry, "{query}");
    }
    let names = [inventory.service_query("redis"), inventory.service_query("postgres")];
    assert_eq!(names, ["service:redis", "postgres"]);
    let near = |error: LookupError| match error {
        LookupError::Unknown { nearest, .. } | LookupError::UnknownService { nearest, .. } => nearest,
        other => panic!("{other:?}"),
    };
    assert_eq!(near(inventory.find_entry("postgrs").expect_err("is mistyped")), ["postgres"]);
    assert_eq!(near(inventory.find_entry("service:rdis").expect_err("is mistyped")), ["service:redis"]);
    assert_eq!(
        inventory.find("postgres").expect_err("is no component"),
        LookupError::IsService { query: "postgres".into(), service: "postgres".into() }
    );
    assert_eq!(inventory.find("s3").expect("is a part").name(), "s3-mirror");
}

#[test]
fn unknown_key_suggestion_is_valid_at_that_path() {
    let text = "\
components:
  - category: service
    name: web
    file: x
    prots: [1]
    deployment: [{repo: 'https://r/r', file: compose.yaml}, {repo: 'https://r/r', pth: x}]
    run: {needs: [{redis: {memory: 1}}], reedy: {tpc: 1, tcp: 5}, command: [a], ready: {tcp: 5, prt: 5}}
repoz: {}
";
    let inventory = read(text).expect("reads");
    let messages: Vec<String> = inventory.findings(20).into_iter().map(|one| one.message).collect();
    assert_eq!(
        messages,
        [
            "the key `components.0.file` is unknown; the keys there are `name`, `category`, `description`, `kind`, `infrastructure`, `people`, `documentation` and 11 others",
            "the key `components.0.prots` is unknown; the keys there are `name`, `category`, `description`, `kind`, `infrastructure`, `people`, `documentation` and 11 others",
            "the key `components.0.deployment.0.file` is unknown; the keys there are `repo`, `path` and `container`",
            "the key `components.0.deployment.1.pth` is unknown; did you mean `path`?",
            "the key `components.0.run.reedy` is unknown; did you mean `ready`?",
            "the key `components.0.run.ready.prt` is unknown; did you mean `port`?",
            "the key `repoz` is unknown; did you mean `repos`?",
        ]
    );
}

/// Returns the entries of one file that need each other in a chain, or each all earlier ones.
fn grown(count: usize, needs: impl Fn(usize) -> Vec<String>) -> String {
    let mut text = "repos: {r: 'https://example.org/r'}\ncomponents:\n".to_owned();
    for at in 0..count {
        let needs = needs(at).join(", ");
        text.push_str(&format!(
            "- {{name: c{at}, category: g{}, hosts: [h{at}.test], run: {{command: [x], needs: [{needs}]}}}}\n",
            at % 100
        ));
    }
    text
}

fn read_text(text: String) -> Result<Inventory, InventoryError> {
    Inventory::read(
        "h",
        vec![InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None }],
    )
}

#[test]
fn inventory_rejects_misspelt_rules_against_production() {
    for (text, said) in [
        ("production: {variables: {X: '1'}}", "1:14: the key `production.variables` is unknown"),
        ("production: {enviroment: {X: '1'}}", "did you mean `environment`?"),
        ("prodution: {environment: {X: '1'}}", "did you mean `production`?"),
        ("categories: [{id: a, productoin: x.example}]", "did you mean `production`?"),
    ] {
        let error = read(text).expect_err(text).to_string();
        assert!(error.contains(said) && error.contains("against production"), "{error}");
    }
    assert!(read("colour: red").is_ok(), "any other key is a finding");
}

#[test]
fn lookups_are_linear_in_entries() {
    let looked_at = |count: usize| {
        let text =
            grown(count, |at| vec!["redis".to_owned(), format!("c{}", at / 2), format!("c{}", at / 3)]);
        // The first entry needs itself.
        let text = text.replacen("needs: [redis, c0, c0]", "needs: []", 1);
        let (inventory, reading) = count::during(|| read_text(text).expect("reads"));
        let (_, finding) = count::during(|| {
            for one in &inventory.components {
                assert_eq!(inventory.find(one.name()).map(Component::name), Ok(one.name()));
                assert!(inventory.find(&one.reference.to_string()).is_ok());
                assert!(inventory.get_by_name(one.name()).is_some());
                assert!(inventory.get(&one.reference).is_some());
            }
        });
        reading + finding
    };
    let (small, large) = (looked_at(500), looked_at(4000));
    // Sorting and binary search take a few more steps per entry.
    assert!(large < small * 12, "{small} for 500, {large} for 4000");
}

#[test]
fn needs_are_each_checked_once() {
    let all_before = grown(40, |at| (0..at).map(|before| format!("c{before}")).collect());
    let (result, looked_at) = count::during(|| read_text(all_before));
    assert!(result.is_ok());
    assert!(looked_at < 40 * 41 * 4, "{looked_at}");
}

#[test]
fn long_dependency_cycle_is_one_line() {
    let chain = |last: &str| {
        grown(3000, |at| if at == 2999 { vec![last.to_owned()] } else { vec![format!("c{}", at + 1)] })
    };
    assert!(read_text(chain("redis")).is_ok());
    let error = read_text(chain("c0")).expect_err("is a cycle").to_string();
    assert!(error.starts_with("i.yaml:3:") && error.contains("`g0/c0`, `g1/c1`"), "{error}");
    assert!(error.contains("and 2993 others need each other"), "{error}");
}

#[test]
fn inventory_reports_first_error_and_counts_rest() {
    let document = |at: usize| InventoryDocument {
        file: format!("x/a{at}.yaml"),
        text: "sources: 7".into(),
        reference: Reference::parse(&format!("x/a{at}")),
    };
    let error = Inventory::read("h", (0..1000).map(document).collect()).expect_err("is wrong");
    assert_eq!(error.to_string(), "x/a0.yaml:1:10: expected a list (and 999 more errors)");
    let twice = "components: [{name: a, category: x}, {name: a, category: x}, {name: a, category: x}]";
    let error = read(twice).expect_err("is there twice").to_string();
    assert!(error.ends_with("inventory.yaml:1:14 (and 1 more error)"), "{error}");
}

#[test]
fn inventory_rejects_duplicates_cycles_and_bad_types() {
    let twice = "components: [{name: a, category: x}, {name: a, category: x}]";
    assert!(matches!(read(twice), Err(InventoryError::Twice { .. })));
    let cycle = "components:\n- {name: a, category: x, run: {command: [a], needs: [b]}}\n- {name: b, category: x, run: {command: [b], needs: [x/a]}}\n";
    assert_eq!(
        read(cycle).expect_err("is a cycle").to_string(),
        "inventory.yaml:2:46: `x/a` and `x/b` need each other, so none of them can start first"
    );
    let error = read("title: x\ncategories: 7\n").expect_err("is no list").to_string();
    assert!(error.starts_with("inventory.yaml:2:13: "), "{error}");
    assert!(matches!(read("version: 2"), Err(InventoryError::Version { version: 2, .. })));
}

/// Returns damaged inventories: the sample with pieces removed, moved, doubled and inserted.
fn nearly() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "components:",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "\n",
        "\n  ",
        "&a ",
        "*a",
        "<<: *a",
        "!!map ",
        "!x ",
        "null",
        "~",
        "'",
        "\"",
        "#",
        "|\n",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\t",
        "\u{feff}",
        "é\u{301}",
        "name",
        "category",
        "run: {needs: [a, b]}",
        "environment: [{name: A, secret: 1}]",
        "environment: [{name: A, secret: keep}]",
        "version: 2",
        "needs: [{redis: {}}]",
        "repos: {'../x': y}",
        "production: {hosts: ['*']}",
        "1e999",
        "0x_1",
        "2026-01-01",
    ];
    let change = (
        any::<prop::sample::Index>(),
        0_usize..40,
        any::<prop::sample::Index>(),
        prop::sample::select(PIECES),
    );
    prop::collection::vec(change, 0..5).prop_map(|changes| {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (at, length, to, piece) in changes {
            let at = at.index(text.len() + 1);
            let taken: Vec<char> = text.drain(at..text.len().min(at + length)).collect();
            let to = to.index(text.len() + 1);
            let put: Vec<char> = match length % 3 {
                0 => piece.chars().collect(),
                1 => taken,
                _ => taken.iter().chain(&taken).copied().collect(),
            };
            text.splice(to..to, put);
        }
        text.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn inventory_read_never_panics_and_locates_findings(text in nearly()) {
        let lines = text.split('\n').count();
        let head = InventoryDocument { file: "inventory.yaml".into(), text: Cow::Owned(text.clone()), reference: None };
        match Inventory::read("here", vec![head]) {
            Ok(inventory) => {
                for finding in inventory.findings(usize::MAX) {
                    let at = finding.position.ok_or_else(|| TestCaseError::fail(format!("{finding} in\n{text}")))?;
                    prop_assert!((1..=lines).contains(&at.line) && at.column > 0, "{}\n{}", finding, text);
                }
                for component in &inventory.components {
                    prop_assert!(inventory.get(&component.reference).is_some());
                    let _ = inventory.find(component.name());
                }
            }
            Err(error) => prop_assert!(error.to_string().contains("inventory.yaml"), "{}", error),
        }
    }
}
