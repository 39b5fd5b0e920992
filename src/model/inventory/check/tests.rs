//! Tests of the rules, each with the place of its finding.

use proptest::prelude::*;

use super::*;
use crate::base::yaml::Position;
use crate::model::inventory::{Inventory, InventoryDocument};
use crate::model::reference::Reference;

/// An entry that breaks no rule.
const GOOD: &str = "description: A., people: [infra], documentation: [{label: x, url: y}]";

fn inventory(text: &str) -> Inventory {
    let head = InventoryDocument { file: "i.yaml".into(), text: text.to_owned().into(), reference: None };
    Inventory::read("here", vec![head]).expect("reads")
}

fn shown(findings: &[CheckFinding]) -> Vec<String> {
    let show = |one: &CheckFinding| {
        let (at, rule) = (one.position, one.rule.name());
        format!("{}:{}: {rule}: {}: {}", at.line, at.column, one.message, one.fix)
    };
    findings.iter().map(show).collect()
}

fn found(text: &str) -> Vec<String> {
    shown(&check(&inventory(text)).findings)
}

#[test]
fn rules_are_in_the_order_of_their_declaration() {
    for (index, (rule, name, ..)) in Rule::ALL.iter().enumerate() {
        assert_eq!((*rule as usize, Rule::of_name(name)), (index, Some(*rule)), "{name}");
    }
}

/// Most findings of a large inventory are of this kind, such as a missing owner.
#[test]
fn a_finding_about_a_whole_file_does_not_walk_through_it() {
    let one = |name: &str| InventoryDocument {
        file: format!("c/{name}.yaml"),
        text: "# A comment.\ndescription: A.\n".into(),
        reference: Some(Reference::new("c", name)),
    };
    let read = Inventory::read("here", vec![one("a"), one("b")]).expect("reads");
    let (checked, walked) = crate::base::yaml::count::during(|| check(&read));
    let rules: Vec<&str> = checked.findings.iter().map(|one| one.rule.name()).collect();
    assert_eq!(rules, ["no-owner", "no-documentation", "no-owner", "no-documentation"]);
    assert!(checked.findings.iter().all(|one| one.position == Position { line: 1, column: 1 }));
    assert_eq!(walked, 0);
}

#[test]
fn check_names_the_rules_of_reading() {
    let text = format!(
        "repos: {{tools: https://x.test/tools}}
components:
- {{name: a, category: c, {GOOD}, sources: [{{repo: tolls}}, {{repo: tools}}], kinb: x, hosts: ['a b']}}
- {{name: b, category: c, {GOOD}, xyz: 1, run: {{needs: [rediss, a, nothing-like-it]}}}}
"
    );
    let mut inventory = inventory(&text);
    inventory.check_needs(&["redis".to_owned()]);
    inventory.note_unread("/i/a b".into(), "it is not read");
    let checked = check(&inventory);
    let keys = "`name`, `category`, `description`";
    let shown = shown(&checked.findings);
    assert_eq!(
        shown[0],
        "1:1: unread-file: it is not read: rename it, move it out of the inventory, or give it entries"
    );
    assert_eq!(shown[1], "3:108: unknown-repository: there is no repository `tolls`: write `tools`");
    assert_eq!(shown[2], "3:138: unknown-key: the key `kinb` is unknown: write `kind`");
    assert!(shown[3].starts_with("3:155: invalid-host: `a b` is no host: write a name"), "{shown:#?}");
    assert!(
        shown[4].starts_with("4:97: unknown-key: the key `xyz` is unknown: remove it; the keys there are")
            && shown[4].contains(keys),
        "{shown:#?}"
    );
    assert_eq!(
        shown[5],
        "4:119: unknown-need: there is no backing service or component `rediss`: write `redis`"
    );
    assert!(
        shown[6].starts_with("4:127: unknown-need: `a` cannot be started for another: give"),
        "{shown:#?}"
    );
    assert!(
        shown[7].ends_with("`nothing-like-it`: `cki list services` shows the backing services"),
        "{shown:#?}"
    );
    assert_eq!(shown.len(), 8, "{shown:#?}");
    let entries: Vec<Option<String>> =
        checked.findings.iter().map(|one| one.component.as_ref().map(ToString::to_string)).collect();
    assert_eq!(entries[0], None);
    assert_eq!((entries[2].as_deref(), entries[4].as_deref()), (Some("c/a"), Some("c/b")));
}

#[test]
fn check_finds_references_without_entries() {
    let text = format!(
        "components:
- {{name: web, category: c, {GOOD}, infrastructure: claud, dependencies: [{{verb: v, target: c/dbb}}]}}
- {{name: db, category: c, {GOOD}, dependencies: [{{verb: v, target: x/y}}, {{verb: v, target: c/web}}]}}
- {{name: cloud, category: infrastructure, description: C.}}
"
    );
    assert_eq!(
        found(&text),
        [
            "2:99: missing-infrastructure: there is no entry `infrastructure/claud`: write `cloud`, or add an entry \
             `infrastructure/claud`",
            "2:147: missing-target: there is no entry `c/dbb`: write `c/db`, or add an entry `c/dbb`",
            "3:123: missing-target: there is no entry `x/y`: add an entry `x/y`, or correct the reference",
        ]
    );
    // Persons have entries only in an inventory that has such a category.
    let with_people = format!("{text}- {{name: infr, category: people}}\n");
    let persons: Vec<String> =
        found(&with_people).into_iter().filter(|one| one.contains("missing-person")).collect();
    assert_eq!(
        persons[0],
        "2:54: missing-person: there is no entry `people/infra`: write `infr`, or add an entry `people/infra`"
    );
    assert_eq!(persons.len(), 2);
}

#[test]
fn check_shows_each_group_of_a_cycle_once() {
    let entry = |name: &str, more: &str| format!("- {{name: {name}, category: c, {GOOD}, {more}}}\n");
    let to = |name: &str| format!("{{verb: v, target: c/{name}}}");
    let text = [
        "components:\n".to_owned(),
        entry("a", &format!("dependencies: [{}, {}]", to("e"), to("b"))),
        entry("b", &format!("dependencies: [{}, {}]", to("c"), to("a"))),
        entry("c", &format!("dependencies: [{}]", to("a"))),
        entry("d", &format!("dependencies: [{}]", to("d"))),
        entry("e", "description2: x"),
    ]
    .concat();
    let found: Vec<String> = found(&text).into_iter().filter(|one| one.contains("cycle")).collect();
    assert_eq!(
        found,
        [
            "2:146: dependency-cycle: entries depend on each other: `c/a` → `c/b` → `c/a`: remove one of these \
             dependencies, or turn it around",
            "5:122: dependency-cycle: entries depend on each other: `c/d` → `c/d`: remove one of these dependencies, or \
             turn it around",
        ]
    );
    let mut long = "components:\n".to_owned();
    for at in 0..30 {
        long += &entry(
            &format!("n{at:02}"),
            &format!("dependencies: [{}]", to(&format!("n{:02}", (at + 1) % 30))),
        );
    }
    let found = self::found(&long);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("`c/n09` → … 20 more … → `c/n00`: remove"), "{found:?}");
}

#[test]
fn check_places_a_cycle_at_infrastructure_or_need() {
    let text = format!(
        "components:
- {{name: cloud, category: infrastructure, description: C., dependencies: [{{verb: v, target: c/a}}]}}
- {{name: a, category: c, {GOOD}, infrastructure: cloud}}
- {{name: x, category: c, {GOOD}, image: i, build: {{repo: '/x'}}, run: {{needs: [z]}}}}
- {{name: z, category: c, {GOOD}, image: i, build: {{repo: '/x'}}, dependencies: [{{verb: v, target: c/x}}]}}
"
    );
    let found = found(&text);
    assert!(
        found[0]
            .starts_with("2:85: dependency-cycle: entries depend on each other: `infrastructure/cloud` → "),
        "{found:#?}"
    );
    assert!(found[1].starts_with("4:142: dependency-cycle"), "{found:#?}");
    assert_eq!(found.len(), 2, "{found:#?}");
    let from_entry = text.replace("- {name: cloud", "- {name: zero, category: c}\n- {name: cloud");
    let found = self::found(&from_entry);
    let at_infrastructure =
        |one: &String| one.starts_with("4:97: dependency-cycle: entries depend on each other: `c/a` → ");
    assert!(found.iter().any(at_infrastructure), "{found:#?}");
}

#[test]
fn check_expects_facts_of_own_entries_only() {
    let text = "categories: [{id: service, kind: service}, {id: partner, production: true}]
components:
- {name: a, category: service}
- {name: b, category: service, build: {repo: '/b'}, people: [g], description: B.}
- {name: c, category: storage, description: C.}
- {name: d, category: partner, kind: service}
- {name: e, category: external}
- {name: f, category: infrastructure, description: F.}
- {name: g, category: people}
";
    let rules = |line: usize| -> Vec<&str> {
        let checked = check(&inventory(text)).findings;
        checked.iter().filter(|one| one.position.line == line).map(|one| one.rule.name()).collect()
    };
    assert_eq!(rules(3), ["no-description", "no-owner", "no-source", "no-documentation"]);
    assert_eq!(rules(4), ["no-documentation"]);
    assert_eq!(rules(5), ["no-owner", "no-documentation"]);
    assert_eq!((rules(6), rules(7)), (vec!["no-description"], vec!["no-description"]));
    assert_eq!((rules(8), rules(9)), (vec![], vec![]));
}

#[test]
fn check_finds_names_that_are_alike_and_unused_repositories() {
    let text = format!(
        "repos:
  used: https://x.test/used
  linked: https://x.test/linked
  idle: https://x.test/idle
components:
- {{name: web-api, category: c, {GOOD}, sources: [{{repo: used}}]}}
- {{name: Web_API, category: d, {GOOD}}}
- {{category: e, name: web-api, {GOOD}, monitoring: [{{label: x, repo: linked, path: y}}]}}
"
    );
    assert_eq!(
        found(&text),
        [
            "4:3: unused-repository: no entry uses the repository `idle`: name it in `sources`, `build`, `deployment` or \
             `documentation` of an entry, or remove it",
            "7:4: duplicate-name: the name `Web_API` is hard to tell from that of `c/web-api`: rename one of them, so that \
             the name alone says which is meant",
            "8:17: duplicate-name: the name `web-api` is also that of `c/web-api`: rename one of them, so that the name \
             alone says which is meant",
        ]
    );
}

#[test]
fn ignore_silences_with_a_reason() {
    let text = "ignore:
- {rule: no-documentation, reason: Not yet.}
- {rule: no-source, reason: Bought., component: c/b}
- {rule: no-owner, component: c/b}
- {rule: no-onwer, reason: A typo.}
- {rule: no-description, reason: Nothing to silence.}
components:
- name: a
  category: c
  kind: service
  description: A.
  ignore:
  - {rule: no-owner, reason: Everybody.}
  - {rule: no-owner, reason: Twice.}
  - {rule: unused-ignore, reason: Never.}
- {name: b, category: c, kind: service, description: B., people: [x]}
";
    let checked = check(&inventory(text));
    assert_eq!(
        shown(&checked.findings),
        [
            "4:3: no-reason: the `ignore` of `no-owner` has no reason, so it silences nothing: say in `reason` why the \
             finding is accepted",
            "5:4: unknown-rule: there is no rule `no-onwer`: write `no-owner`",
            "6:3: unused-ignore: no finding of `no-description` is left to silence here: remove it",
            "8:3: no-source: `c/a` has no source: name the repository of its code in `sources`",
            "14:5: unused-ignore: no finding of `no-owner` is left to silence here: remove it",
            "15:5: unused-ignore: no finding of `unused-ignore` is left to silence here: remove it",
        ]
    );
    let silenced: Vec<(&str, &str)> =
        checked.silenced.iter().map(|one| (one.finding.rule.name(), one.reason.as_str())).collect();
    assert_eq!(
        silenced,
        [
            ("no-owner", "Everybody."),
            ("no-documentation", "Not yet."),
            ("no-source", "Bought."),
            ("no-documentation", "Not yet."),
        ]
    );
}

#[test]
fn check_retains_findings_of_chosen_entries() {
    let mut checked =
        check(&inventory("repos: {x: /x}\ncomponents: [{name: a, category: c}, {name: b, category: c}]"));
    checked.retain(|reference| *reference == Reference::new("c", "b"));
    assert!(checked.findings.len() == 3 && checked.findings.iter().all(|one| one.message.contains("`c/b`")));
}

/// Values for the keys of a random inventory: valid, wrong and strange ones.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "a",
            "b",
            "c",
            "people",
            "infrastructure",
            "a/b",
            "c/a",
            "no-owner",
            "x.y"
        ])
        .prop_map(str::to_owned),
        "[a-c]{1,3}",
        "\\PC{0,8}",
    ]
}

proptest! {
    #[test]
    fn check_takes_any_inventory_and_its_places_are_in_the_files(
        names in prop::collection::vec(("[a-c_-]{1,2}", "(a|b|people|infrastructure|external)"), 0..8),
        words in prop::collection::vec(word(), 24),
        is_block in any::<bool>(),
    ) {
        let quoted = |at: usize| serde_json::Value::from(words[at % words.len()].as_str());
        let mut entries = std::collections::BTreeSet::new();
        let mut list = Vec::new();
        for (at, (name, category)) in names.iter().enumerate() {
            let name = format!("n{name}");
            if !entries.insert((name.clone(), category.clone())) {
                continue;
            }
            let target = names.get((at * 5 + 1) % names.len()).map(|(name, category)| format!("{category}/n{name}"));
            list.push(serde_json::json!({
                "name": name, "category": category, "infrastructure": quoted(at), "people": [quoted(at + 1)],
                "dependencies": [{"verb": quoted(at + 2), "target": target}, {"verb": "v", "target": "a/zz"}],
                "sources": [{"repo": quoted(at + 3)}], "hosts": [quoted(at + 4)], "unknown": quoted(at + 5),
                "ignore": [{"rule": quoted(at + 6), "reason": quoted(at + 7)}, {"rule": "no-source"}],
            }));
        }
        let head = serde_json::json!({
            "ignore": [{"rule": quoted(20), "reason": quoted(21)}], "repos": {"tools": quoted(22)}, "components": list,
        });
        let text = if is_block { crate::base::yaml::to_string(&head) } else { head.to_string() };
        let document = InventoryDocument { file: "i.yaml".into(), text: text.clone().into(), reference: None };
        let inventory = Inventory::read("here", vec![document]);
        prop_assert!(inventory.is_ok(), "{:?}\n{text}", inventory.err());
        let Ok(inventory) = inventory else { return Ok(()) };
        let checked = check(&inventory);
        let silenced = checked.silenced.iter().map(|one| &one.finding);
        let lines: Vec<&str> = text.split('\n').collect();
        for one in checked.findings.iter().chain(silenced) {
            let line = lines.get(one.position.line - 1);
            let width = line.map(|line| line.chars().count());
            prop_assert!(width.is_some_and(|width| (1..=width + 1).contains(&one.position.column)), "{one:?}\n{text}");
        }
        prop_assert!(checked.findings.is_sorted_by_key(|one| (one.position, one.rule)));
    }
}

#[test]
fn check_finds_items_that_a_list_has_twice() {
    let text = format!(
        "components:
- name: a
  category: c
  description: A.
  people: [infra, infra]
  documentation: [{{label: x, url: y}}, {{label: z, url: y}}]
  environment: [{{name: X}}, {{name: Y}}, {{name: X, default: b}}]
  dependencies: [{{verb: uses, target: c/b}}, {{verb: reads, target: c/b}}, {{verb: uses, target: c/b}}]
  run: {{needs: [redis, redis, {{mq: {{v: 1}}}}, {{mq: {{v: 2}}}}]}}
- {{name: b, category: c, {GOOD}}}
"
    );
    assert_eq!(
        found(&text),
        [
            "5:19: duplicate-item: `people` has `infra` twice: as items 1 and 2: remove one of the two",
            "6:39: duplicate-item: `documentation` has `y` twice: as items 1 and 2: remove one of the two",
            "7:39: duplicate-item: `environment` has `X` twice: as items 1 and 3: remove one of the two",
            "8:73: duplicate-item: `dependencies` has `uses c/b` twice: as items 1 and 3: remove one of the two",
            "9:24: duplicate-item: `run.needs` has `redis` twice: as items 1 and 2: remove one of the two",
        ]
    );
}

#[test]
fn check_never_suggests_the_entry_itself() {
    let text = format!(
        "components:
- {{name: web, category: c, {GOOD}, dependencies: [{{verb: uses, target: c/wbe}}], run: {{needs: [wep]}}}}
"
    );
    let mut inventory = inventory(&text);
    inventory.check_needs(&["redis".to_owned()]);
    let shown = shown(&check(&inventory).findings);
    assert!(shown[0].ends_with("add an entry `c/wbe`, or correct the reference"), "{shown:#?}");
    assert!(shown[1].ends_with("`cki list services` shows the backing services"), "{shown:#?}");
}

#[test]
fn check_finds_real_credentials_in_defaults() {
    let text = format!(
        "components:
- {{name: a, category: c, {GOOD}, environment: [{{name: X, default: b}}, {{name: T, default: glpat-abcdefghijklmnopqrst}}]}}
- {{name: b, category: c, {GOOD}, ignore: [{{rule: secret-default, reason: x}}]}}
"
    );
    let rules = crate::base::assets::embedded_text("credentials.yaml").expect("is built in");
    let credentials = crate::model::guard::Credentials::read("c.yaml", rules).expect("are valid");
    let further = FurtherFacts { credentials: Some(&credentials), ..FurtherFacts::default() };
    let inventory = inventory(&text);
    let shown_all = shown(&check_with(&inventory, further).findings);
    assert!(
        shown_all[0].contains(
            "secret-default: the default of `T` looks like a real credential: GitLab token: remove it"
        ),
        "{shown_all:#?}"
    );
    assert!(!shown_all[0].contains("glpat"), "{shown_all:#?}");
    assert!(shown_all[1].contains("unused-ignore"), "{shown_all:#?}");
    // Without the rules, an `ignore` of it may have a use.
    assert_eq!(shown(&check(&inventory).findings), Vec::<String>::new());
}

#[test]
fn check_finds_removals_of_nothing() {
    use crate::model::inventory::{LayerContent, LayerDocument, merge_layers};
    let document = |name: &str, text: &str| {
        let file = format!("{name}.yaml");
        let reference = Some(Reference::new("c", name.trim_start_matches("up-")));
        LayerDocument::Text(InventoryDocument { file, text: text.to_owned().into(), reference })
    };
    let low = vec![document(
        "a",
        "description: A.\npeople: [x]\nkind:\ndocumentation: [{label: x, url: y}]\nenvironment: [{name: OLD}]\n",
    )];
    let up = vec![
        document(
            "up-a",
            "environment: {OLD: null, ODL: null}\nimage: null\nrun: {memory: null}\nkind: null\n",
        ),
        document("up-b", "null\n"),
    ];
    let layers = [low, up].into_iter().zip(0..).map(|(documents, layer)| LayerContent { layer, documents });
    let inventory = Inventory::of_parts("here", merge_layers(layers.collect())).expect("reads");
    let shown = shown(&check(&inventory).findings);
    let removals: Vec<&str> = shown
        .iter()
        .filter_map(|one| one.split_once(" void-removal: "))
        .map(|(_, one)| one.split(',').next().unwrap_or_default())
        .collect();
    assert_eq!(
        removals,
        [
            "`null` removes `environment.ODL` of `c/a`",
            "`null` removes `image` of `c/a`",
            "`null` removes `run.memory` of `c/a`",
            "`null` removes `kind` of `c/a`",
            "`null` removes `c/b`",
        ],
        "{shown:#?}"
    );
}
