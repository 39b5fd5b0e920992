//! Small kustomizations as people write them, and as nobody should: a base, an overlay and a component,
//! with all that may change a variable.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// A value as it is written in YAML, in which odd ones are rare.
fn value() -> impl Strategy<Value = &'static str> {
    let plain = vec![
        "a",
        "b c",
        "'1'",
        "\"x\"",
        "it's",
        "'it''s'",
        "\"\\\"q\\\"\"",
        "é",
        "'010'",
        "'yes'",
        "\"\"",
        "tRue",
        "1.2.3",
    ];
    // Texts to kustomize, and something else to many who read YAML.
    let typed = vec![
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "N",
        "2024-01-01",
        "2024-1-1",
        "2024-01-01 10:00:00",
        "2024-01-01T10:00:00.5+02:00",
        "2024-02-30",
        "1:30",
        "0o8",
        "1e400",
    ];
    let made = vec![
        "'$(A)'",
        "'$$(A)'",
        "'x$(B)y$(A)'",
        "'$$$(C)'",
        "'$(V)'",
        "'$(W)$(V)x'",
        "'$(NONE) $A ${A} $'",
        "'$$é$'",
        "'$é'",
        "'a,b,c'",
        "PLACEHOLDER",
    ];
    let odd = vec!["1", "010", "True", "1.10", "null", "~", "0x1F", "1_000", "0o10", ".inf", "[a]"];
    prop_oneof![40 => select(plain), 30 => select(made), 12 => select(typed), 1 => select(odd)]
}

/// The version of a Deployment, which is rarely left out.
fn version(end: &'static str) -> impl Strategy<Value = String> {
    weighted(0.97, Just(()))
        .prop_map(move |is| is.map(|()| format!("apiVersion: apps/v1{end}")).unwrap_or_default())
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["A", "B", "C", "D", "dotted.name"])
}

/// An item of `env`.
fn variable() -> impl Strategy<Value = String> {
    let from = select(vec![
        "configMapKeyRef: {name: cfg, key: k1}",
        "configMapKeyRef: {name: cfg, key: none, optional: true}",
        "configMapKeyRef: {name: plain, key: p1}",
        "secretKeyRef: {name: sec, key: s1}",
        "fieldRef: {fieldPath: metadata.name}",
    ]);
    prop_oneof![
        6 => (name(), value()).prop_map(|(name, value)| format!("{{name: {name}, value: {value}}}")),
        2 => (name(), from).prop_map(|(name, from)| format!("{{name: {name}, valueFrom: {{{from}}}}}")),
        1 => name().prop_map(|name| format!("{{name: {name}}}")),
    ]
}

/// Variables, of each name at most one.
fn variables() -> impl Strategy<Value = String> {
    vec(variable(), 0..5).prop_map(|mut all| {
        let name = |one: &String| one.split([',', '}']).next().unwrap_or_default().to_owned();
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|one| seen.insert(name(one)));
        all.join(", ")
    })
}

fn deployment() -> impl Strategy<Value = String> {
    let from = select(vec![
        "",
        "envFrom: [{configMapRef: {name: cfg}}], ",
        "envFrom: [{prefix: P_, configMapRef: {name: cfg}}, {configMapRef: {name: plain}}], ",
        "envFrom: [{secretRef: {name: sec}}, {configMapRef: {name: cfg}}], ",
    ]);
    let head = version("\n");
    (head, from, variables()).prop_map(|(head, from, variables)| {
        format!(
            "{head}kind: Deployment\nmetadata: {{name: web, labels: {{app: web, tier: front}}}}\nspec: {{template: {{spec: {{containers: [{{name: web, image: 'r/x:1', {from}env: [{variables}]}}]}}}}}}\n"
        )
    })
}

fn generator(
    kind: &'static str,
    name: &'static str,
    behavior: &'static str,
) -> impl Strategy<Value = String> {
    let literal = (
        prop_oneof![4 => Just("k1"), 4 => select(vec!["k2", "A", "s1"])],
        select(vec![
            "g",
            "'q'",
            "\\\"q",
            "x=y",
            " z ",
            "",
            "$(A)",
            "PLACEHOLDER",
            "yes",
            "010",
            "2024-01-01",
            "~",
        ]),
    );
    let more = select(vec![
        "",
        "",
        ", envs: [more.env]",
        ", envs: [more.env]",
        ", options: {disableNameSuffixHash: true}",
        ", options: {disableNameSuffixHash: true}",
        ", files: [file=more.env]",
        ", files: [file=more.env]",
        ", namespace: other",
    ]);
    (vec(literal, 0..4), more, weighted(0.05, Just(()))).prop_map(move |(mut literals, more, repeats)| {
        // The same key twice is refused.
        let mut seen = std::collections::BTreeSet::new();
        literals.retain(|(key, _)| seen.insert(*key) || repeats.is_some());
        let literals: Vec<String> =
            literals.iter().map(|(key, value)| format!("\"{key}={value}\"")).collect();
        format!("{kind}:\n- {{name: {name}{behavior}, literals: [{}]{more}}}\n", literals.join(", "))
    })
}

const ENV: &str = "spec: {template: {spec: {containers: [{name: web, env: ";

/// An item of `patches`.
fn patch() -> impl Strategy<Value = String> {
    let target = select(vec![
        "{kind: Deployment}",
        "{kind: Deploy.*}",
        "{group: apps, version: v1, kind: Deployment, name: web}",
        "{group: other, kind: Deployment}",
        "{labelSelector: 'app in (web, db),tier!=back'}",
        "{labelSelector: 'app=db'}",
        "{name: base-.*}",
        "{name: we}",
        "{namespace: default, kind: Deployment}",
    ]);
    let path = prop_oneof![
        8 => select(vec!["0/value", "0", "-1/value"]),
        1 => select(vec!["1", "1/value", "-", "7/value", "0/value/x", "0/other"]),
    ];
    let operation = prop_oneof![
        (select(vec!["replace", "add", "test"]), path.clone(), value())
            .prop_map(|(op, path, value)| {
                let value = if path.ends_with("value") { value.to_owned() } else { format!("{{name: N, value: {value}}}") };
                format!("{{op: {op}, path: /spec/template/spec/containers/0/env/{path}, value: {value}}}")
            }),
        path.prop_map(|path| format!("{{op: remove, path: /spec/template/spec/containers/0/env/{path}}}")),
        Just("{op: add, path: /metadata/annotations/x, value: y}".to_owned()),
        Just("{op: replace, path: /spec/template/spec/absent, value: y}".to_owned()),
        Just("{op: copy, from: /spec/template/spec/containers/0/env/0, path: /spec/template/spec/containers/0/env/-}".to_owned()),
        Just("{op: move, from: /spec/template/spec/containers/0/env/0, path: /spec/template/spec/containers/0/env/1}".to_owned()),
    ];
    let json = (target.clone(), vec(operation, 1..3)).prop_map(|(target, operations)| {
        let lines: String = operations.iter().map(|one| format!("    - {one}\n")).collect();
        format!("- target: {target}\n  patch: |-\n{lines}")
    });
    let list = prop_oneof![
        4 => variables().prop_map(|all| format!("[{all}]")),
        1 => name().prop_map(|name| format!("[{{name: {name}, $patch: delete}}]")),
        1 => variables().prop_map(|all| format!("[{{$patch: replace}}, {all}]")),
        1 => Just("null".to_owned()),
        1 => name().prop_map(|name| format!("[{{name: {name}, value: null, valueFrom: {{fieldRef: {{fieldPath: f}}}}}}]")),
    ];
    let head = version("\n    ");
    let merged = (weighted(0.4, target), head, list).prop_map(|(target, head, list)| {
        let target = target.map(|target| format!("  target: {target}\n")).unwrap_or_default();
        format!("- patch: |-\n    {head}kind: Deployment\n    metadata: {{name: web}}\n    {ENV}{list}}}]}}}}}}\n{target}")
    });
    prop_oneof![json, merged]
}

fn replacement() -> impl Strategy<Value = String> {
    let source = select(vec![
        "{kind: ConfigMap, name: plain, fieldPath: data.p1}",
        "{kind: ConfigMap, name: plain, fieldPath: data.p2, options: {delimiter: ':', index: 1}}",
        "{kind: Deployment, name: web}",
        "{kind: ConfigMap, name: cfg, fieldPath: data.k1}",
    ]);
    let path = select(vec![
        "*.value",
        "*.name",
        "[name=A].value",
        "[name=B].value",
        "0.value",
        "*.value",
        "[name=C].value",
    ]);
    let options = select(vec![
        "",
        ", options: {create: true}",
        ", options: {delimiter: ',', index: 1}",
        ", options: {delimiter: ',', index: -1}",
    ]);
    let select_of =
        select(vec!["{kind: Deployment}", "{name: web}", "{kind: Deployment}, reject: [{name: web}]"]);
    (source, select_of, path, options).prop_map(|(source, select_of, path, options)| {
        format!("- source: {source}\n  targets: [{{select: {select_of}, fieldPaths: ['spec.template.spec.containers.[name=web].env.{path}']{options}}}]\n")
    })
}

/// A list below a key, if it has any items.
fn list(key: &str, items: &[String]) -> String {
    if items.is_empty() { String::new() } else { format!("{key}:\n{}", items.concat()) }
}

/// Generates the settings of a kustomization other than its resources.
fn settings() -> impl Strategy<Value = String> {
    let one = select(vec![
        "namePrefix: base-\n",
        "nameSuffix: -v2\n",
        "namespace: other\n",
        "commonLabels: {tier: back}\n",
        "labels: [{pairs: {app: db}}]\n",
        "images: [{name: r/x, newTag: '2'}]\n",
        "replicas: [{name: web, count: 2}]\n",
        "generatorOptions: {disableNameSuffixHash: true}\n",
        "vars: [{name: V, objref: {kind: ConfigMap, apiVersion: v1, name: plain}, fieldref: {fieldpath: data.p1}}]\n",
        "vars: [{name: W, objref: {kind: Deployment, apiVersion: apps/v1, name: web}}]\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
    ]);
    let refused = select(vec![
        "apiVersion: kustomize.config.k8s.io/v1\n",
        "kind: Other\n",
        "kind: Component\napiVersion: kustomize.config.k8s.io/v1beta1\n",
        "images: [{name: r/x, newTag: 2}]\n",
        "images: [{name: r/x, newTag: yes}]\n",
        "commonLabels: {tier: 1}\n",
        "commonAnnotations: {1: a}\n",
        "labels: [{pairs: {app: true}}]\n",
        "namePrefix: 5\n",
        "namespace: no\n",
        "replicas: [{name: web, count: '2'}]\n",
        "generatorOptions: {disableNameSuffixHash: 'true'}\n",
        "configMapGenerator: [{name: x, literals: [5]}]\n",
        "configMapGenerator: [{name: x, envs: [../base/more.env]}]\n",
        "patches: [{path: ../part/patch.yaml}]\n",
        "other: 1\n",
    ]);
    let one = prop_oneof![150 => one, 1 => refused];
    vec(one, 0..3).prop_map(|mut all| {
        all.sort_unstable();
        all.dedup();
        all.concat()
    })
}

/// The files of a kustomization in `over`.
pub(super) fn kustomization() -> impl Strategy<Value = BTreeMap<String, String>> {
    let base = (
        deployment(),
        generator("configMapGenerator", "cfg", ""),
        generator("secretGenerator", "sec", ""),
        settings(),
        vec(patch(), 0..2),
    );
    let over = (
        settings(),
        vec(patch(), 0..3),
        vec(replacement(), 0..2),
        weighted(0.4, generator("configMapGenerator", "cfg", ", behavior: merge")),
        weighted(0.3, patch()),
        weighted(0.015, select(vec!["over/kustomization.yml", "base/Kustomization"])),
    );
    let data = select(vec!["one", "one", "yes", "N", "2024-01-01", "2024-1-1 1:2:3", "1:30", "True", "010"]);
    (base, over, data).prop_map(|((deployment, configuration, secret, base, base_patches), (over, patches, replacements, merged, part, second), data)| {
        let base = format!(
            "resources: [web.yaml, plain.yaml]\n{configuration}{secret}{base}{}",
            list("patches", &base_patches)
        );
        let component = part.as_ref().map(|_| "components: [../part]\n").unwrap_or_default();
        let over = format!(
            "resources: [../base]\n{component}{}{over}{}{}",
            merged.unwrap_or_default(),
            list("patches", &patches),
            list("replacements", &replacements)
        );
        let part = format!(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n{}",
            list("patches", &part.into_iter().collect::<Vec<_>>())
        );
        let plain = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: plain}}\ndata: {{p1: {data}, p2: 'x:y:z', A: from}}\n");
        let more = "# comment\nE=1 # no comment\n  F=\"q\" \nG=\n";
        [
            ("base/kustomization.yaml", base.as_str()),
            ("base/web.yaml", deployment.as_str()),
            ("base/plain.yaml", plain.as_str()),
            ("base/more.env", more),
            ("over/kustomization.yaml", over.as_str()),
            ("over/more.env", more),
            ("part/kustomization.yaml", part.as_str()),
            ("part/patch.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {x: y}}\n"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into_iter()
        .chain(second.map(|path| (path.to_owned(), "resources: []\n".to_owned())))
        .collect()
    })
}
