//! Tests of catalogs of Backstage: what becomes of entities, and what comes back from an export.

use proptest::prelude::*;

use super::unplaced::UnplacedKind;
use super::{entities, export, map_entities};
use crate::model::inventory::{Inventory, InventoryDocument, LayerContent, merge_layers};

const CATALOG: &str = "
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: herder
  description: Retries jobs.
  tags: [python]
  annotations: {backstage.io/source-location: 'url:https://gitlab.com/g/p/-/tree/main/a/b/', x.io/y: z}
  links:
    - {url: 'https://example.com/docs', title: Docs}
    - {url: 'https://example.com/board', type: dashboard}
spec:
  type: service
  lifecycle: production
  owner: group:infra
  system: pipeline
  providesApis: [hook]
  consumesApis: [default/other, absent]
  dependsOn: [resource:mq, component:team/tool]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: hook}
spec: {type: openapi, lifecycle: production, owner: infra, definition: x}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: other}
spec: {type: grpc, lifecycle: production, owner: user:default/jane, definition: x}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: mq}
spec: {type: queue, owner: unknown, dependencyOf: [component:team/tool]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: tool, namespace: team}
spec: {type: 'no name!', lifecycle: experimental, owner: infra}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: pipeline}
spec: {owner: infra, domain: ci}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: infra}
spec: {type: team, profile: {displayName: Infrastructure}, children: [], members: [jane, joe]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jane}
spec: {memberOf: [infra]}
---
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: x}
---
apiVersion: backstage.io/v1beta1
kind: Robot
metadata: {name: x}
";

/// Reads a catalog, and returns the messages of what has no place.
fn read(text: &str) -> (Inventory, Vec<String>) {
    let mut unplaced = Vec::new();
    let found = entities("c.yaml", text, &mut unplaced).expect("is YAML");
    let mapped = map_entities(found, unplaced);
    let lost = mapped.unplaced.iter().map(|one| format!("{}: {}", one.spot.line(), one.message)).collect();
    let layer = LayerContent { layer: 0, documents: mapped.documents };
    (Inventory::of_parts("c.yaml", merge_layers(vec![layer])).expect("is an inventory"), lost)
}

/// Returns what both formats have of each entry.
fn shown(inventory: &Inventory) -> Vec<String> {
    let each = inventory.components.iter().map(|one| {
        let links = |links: &[crate::model::inventory::Link]| {
            links
                .iter()
                .map(|link| format!("{}={}", link.label, link.url.as_deref().unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let mut dependencies: Vec<String> =
            one.dependencies.iter().map(|one| format!("{} {}", one.verb, one.target)).collect();
        dependencies.sort();
        let sources: Vec<String> = one
            .sources
            .iter()
            .map(|one| format!("{} {:?}", inventory.repo_url(&one.repo).unwrap_or_default(), one.path))
            .collect();
        format!(
            "{} {:?} {:?} {:?} {:?} {:?} {dependencies:?} {sources:?}",
            one.reference,
            one.kind,
            one.description,
            one.people,
            links(&one.documentation),
            links(&one.monitoring),
        )
    });
    each.collect()
}

#[test]
fn entities_become_entries_with_their_relations() {
    let (inventory, lost) = read(CATALOG);
    let find = |name: &str| {
        let all = shown(&inventory);
        all.iter().find(|one| one.starts_with(name)).unwrap_or_else(|| panic!("{name}: {all:#?}")).clone()
    };
    assert_eq!(
        find("service/herder"),
        "service/herder Some(\"service\") Some(\"Retries jobs.\") [\"infra\"] \
         [\"Docs=https://example.com/docs\"] [\"https://example.com/board=https://example.com/board\"] \
         [\"consumes api/absent\", \"consumes api/other\", \"part-of system/pipeline\", \
         \"uses component/team.tool\", \"uses resource/mq\"] [\"https://gitlab.com/g/p Some(\\\"a/b\\\")\"]"
    );
    assert!(find("api/hook").contains("[\"provided-by service/herder\"]"));
    assert!(find("component/team.tool").contains("[\"uses resource/mq\"]"));
    assert!(find("resource/mq").contains("Some(\"queue\") None []"));
    assert!(find("people/infra").contains("Some(\"Infrastructure\")"));
    assert!(find("people/jane").contains("Some(\"person\") None [] [] [] [\"part-of people/infra\"]"));
    assert_eq!(inventory.components.len(), 8);
    let place = inventory.find("herder").expect("is there").source_map.spot("description");
    assert_eq!(place, "c.yaml:6:16");
    for part in [
        "`metadata.annotations.x.io/y`, `metadata.tags` and `spec.lifecycle` of `component:default/herder` have no place",
        "`spec.definition` and `spec.lifecycle` of `api:default/hook` have no place",
        "`members` of `group:default/infra` names nothing that has an entry",
        "the kind of `robot:default/x` has no place",
        "this document is no entity of Backstage",
    ] {
        assert!(lost.iter().any(|one| one.contains(part)), "{part}: {lost:#?}");
    }
}

const CLASHES: &str = "
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: infra}
spec: {memberOf: [infra]}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: infra}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: db}
spec: {type: resource, owner: user:infra, dependsOn: [resource:db, component:a/b, component:a.b]}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: db}
spec: {type: database, owner: infra}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: b, namespace: a}
spec: {type: service, owner: infra}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: a.b}
spec: {type: service, owner: infra}
";

#[test]
fn entities_that_claim_one_name_become_entries_of_their_own() {
    let (inventory, mut lost) = read(CLASHES);
    // Nothing of it has no place, `spec.lifecycle` included.
    lost.retain(|one| !one.ends_with("lacks `spec.lifecycle`, which Backstage requires"));
    assert_eq!(lost, Vec::<String>::new());
    let all = shown(&inventory);
    let names: Vec<&str> = all.iter().map(|one| one.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(
        names,
        [
            "people/infra",
            "people/infra.user",
            "resource/db",
            "resource/db.component",
            "service/a.b",
            "service/a.b.component"
        ]
    );
    assert!(all[1].contains("[\"part-of people/infra\"]"), "{all:#?}");
    assert!(all[3].contains("[\"infra.user\"]"), "{all:#?}");
    let needs = "[\"uses resource/db\", \"uses service/a.b\", \"uses service/a.b.component\"]";
    assert!(all[3].contains(needs), "{all:#?}");
    // The order of the documents does not matter, and an export keeps the names.
    let documents: Vec<&str> = CLASHES.split("---").collect();
    let turned = documents.into_iter().rev().collect::<Vec<_>>().join("\n---\n");
    assert_eq!(shown(&read(&turned).0), all);
    assert_eq!(shown(&read(&exported(&inventory)).0), all);
}

#[test]
fn what_backstage_refuses_is_a_fault() {
    let mut unplaced = Vec::new();
    let text = "
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: end-, annotations: [x, y], links: {url: x}, tags: python}
spec: {type: service, owner: a b, dependsOn: [mq, 'a:b:c', {x: y}, 'resource:mq'], consumesApis: api, system: [s]}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: s, namespace: Team_A, annotations: {a: {b: c}, d: 5}}
spec: 3
";
    let found = entities("c.yaml", text, &mut unplaced).expect("is YAML");
    let faults: Vec<String> = map_entities(found, unplaced)
        .unplaced
        .iter()
        .filter(|one| one.kind == UnplacedKind::Fault)
        .map(|one| format!("{}: {}", one.spot.position.line, one.message))
        .collect();
    for part in [
        "4: the name of `component:default/end-` is not one of Backstage",
        "4: `metadata.annotations` of `component:default/end-` is a list, and has to be a mapping",
        "4: `metadata.links` of `component:default/end-` is a mapping, and has to be a list",
        "4: `metadata.tags` of `component:default/end-` is a text, and has to be a list",
        "5: `spec.consumesApis` of `component:default/end-` is a text, and has to be a list",
        "5: `mq` in `dependsOn` of `component:default/end-` lacks its kind: write `component:mq`",
        "5: `a:b:c` in `dependsOn` of `component:default/end-` names no entity: the form is `KIND:[NAMESPACE/]NAME`",
        "5: `dependsOn` of `component:default/end-` has to name entities",
        "5: `a b` in `owner` of `component:default/end-` names no entity: the form is `[KIND:][NAMESPACE/]NAME`",
        "5: `spec.system` of `component:default/end-` is a list, and has to be a text",
        "5: `component:default/end-` lacks `spec.lifecycle`, which Backstage requires",
        "9: the namespace of `system:Team_A/s` is not one of Backstage",
        "9: the annotation `a` of `system:Team_A/s` has to be a text",
        "10: `spec` of `system:Team_A/s` is a text, and has to be a mapping",
    ] {
        assert!(faults.iter().any(|one| one.starts_with(part)), "{part}: {faults:#?}");
    }
    assert_eq!(faults.len(), 14, "{faults:#?}");
}

/// Returns an export as text.
fn exported(inventory: &Inventory) -> String {
    let catalog = export(inventory);
    assert_eq!(catalog.skipped, []);
    catalog.entities.iter().map(|one| format!("---\n{}", crate::base::yaml::to_string(one))).collect()
}

#[test]
fn export_of_a_catalog_reads_back_alike() {
    let (inventory, _) = read(CATALOG);
    let text = exported(&inventory);
    let (again, _) = read(&text);
    assert_eq!(shown(&again), shown(&inventory), "{text}");
}

/// Generates an inventory of which Backstage can carry everything.
fn inventories() -> impl Strategy<Value = String> {
    let categories = prop::sample::select(vec!["service", "cronjob", "infrastructure", "tool", "storage"]);
    let reference = (categories, "[a-e]").prop_map(|(category, name)| (category, name));
    let entry = (
        reference.clone(),
        prop::collection::vec(("[a-z,% é]{0,5}[a-z]", reference), 0..3),
        prop::option::of("[a-zé: #]{1,9}[a-z]"),
        prop::collection::vec("[a-f]{1,3}", 0..3),
    );
    prop::collection::vec(entry, 1..7).prop_map(|entries| {
        let mut seen = std::collections::BTreeSet::new();
        let entries = entries.into_iter().filter(|((category, name), ..)| seen.insert((*category, name.clone())));
        let entries: Vec<serde_json::Value> = entries
            .map(|((category, name), dependencies, description, mut people)| {
                people.dedup();
                let mut targets = std::collections::BTreeSet::new();
                let dependencies: Vec<_> = dependencies
                    .into_iter()
                    .filter(|(verb, (category, name))| targets.insert((verb.clone(), *category, name.clone())))
                    .map(|(verb, (category, name))| serde_json::json!({"verb": verb, "target": format!("{category}/{name}")}))
                    .collect();
                serde_json::json!({
                    "name": name, "category": category, "kind": category, "description": description,
                    "people": people, "dependencies": dependencies,
                    "sources": [{"repo": format!("https://example.com/{name}"), "path": "a/b"}],
                    "monitoring": [{"label": "board", "url": "https://example.com/b"}],
                })
            })
            .collect();
        serde_json::json!({"components": entries}).to_string()
    })
}

proptest! {
    #[test]
    fn export_reads_back_alike(text in inventories()) {
        let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("i.yaml", vec![head]).expect("is valid");
        let exported = exported(&inventory);
        let mut entries = shown(&inventory);
        let mut again = shown(&read(&exported).0);
        entries.sort();
        again.sort();
        prop_assert_eq!(again, entries, "{}", exported);
    }

    #[test]
    fn entities_never_panic(text in "(apiVersion: backstage.io/v1\nkind: (Component|Location|Group)\n)?(metadata: \\{name: [a-z/.é]{0,4}\\}\n)?(spec: [\\[\\]{}a-z:, ]{0,20}\n)?(---\n)?[-a-z:{} \n]{0,30}") {
        let mut unplaced = Vec::new();
        if let Ok(found) = entities("f", &text, &mut unplaced) {
            let _ = map_entities(found, unplaced);
        }
    }
}
