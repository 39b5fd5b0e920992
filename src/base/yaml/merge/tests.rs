//! Tests of the merge of trees: single rules, and its laws on generated trees.

use super::*;
use crate::base::yaml::tree;
use proptest::prelude::*;

const RULES: MergeRules = MergeRules {
    keyed: &[
        ("items", ItemKey::Fields(&["name"])),
        ("pairs", ItemKey::Fields(&["verb", "target"])),
        ("hosts", ItemKey::Text),
    ],
    whole: &["probe"],
};

fn layer(file: &str, text: &str) -> LayeredNode {
    let node = tree::documents(file, text).expect("parses").remove(0);
    LayeredNode::of(node, &RULES).expect("is a layer")
}

/// Returns a tree as text, each value with the file that set it.
fn shown(node: Option<&Node>) -> String {
    let Some(node) = node else { return "nothing".to_owned() };
    match &node.value {
        NodeValue::Scalar { text, .. } => format!("{text}@{}", node.spot.file),
        NodeValue::List(items) => {
            format!("[{}]", items.iter().map(|item| shown(Some(item))).collect::<Vec<_>>().join(" "))
        }
        NodeValue::Map(entries) => {
            let entry = |one: &MapEntry| format!("{}={}", one.key, shown(Some(&one.node)));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
    }
}

fn merged(layers: &[(&str, &str)]) -> Result<String, MergeConflict> {
    let layers = layers.iter().map(|(file, text)| layer(file, text));
    let all = layers.map(Ok).reduce(|lower, upper| lower?.with(upper?)).expect("has one")?;
    Ok(shown(all.finish().as_ref()))
}

#[test]
fn layers_merge_by_key_and_null_removes() {
    for (lower, upper, result) in [
        ("{a: 1, b: {c: 2, d: 3}}", "{b: {c: 4}, e: 5}", "{a=1@x b={c=4@y d=3@x} e=5@y}"),
        ("{a: 1, b: 2}", "{a: null, c: ~}", "{b=2@x}"),
        ("{a: [1, 2]}", "{a: [3]}", "{a=[3@y]}"),
        ("{probe: {tcp: 1}}", "{probe: {log: up}}", "{probe={log=up@y}}"),
        (
            "{items: [{name: a, v: 1}, {name: b}]}",
            "{items: [{name: b, v: 2}, {name: c}]}",
            "{items=[{name=a@x v=1@x} {name=b@y v=2@y} {name=c@y}]}",
        ),
        ("{items: [{name: a}, {name: b}]}", "{items: {a: null, b: {v: 1}}}", "{items=[{name=b@y v=1@y}]}"),
        (
            "{pairs: [{verb: reads, target: t}, {verb: writes, target: t}]}",
            "{pairs: {reads t: null, lists u: {}}}",
            "{pairs=[{verb=writes@x target=t@x} {verb=lists@y target=u@y}]}",
        ),
        ("{hosts: [a, b]}", "{hosts: [b, c]}", "{hosts=[a@x b@y c@y]}"),
        ("{hosts: [a, b]}", "{hosts: {a: null}}", "{hosts=[b@x]}"),
        (
            "{items: [{name: a}, {name: a}]}",
            "{items: [{name: a, v: 1}]}",
            "{items=[{name=a@y v=1@y} {name=a@x}]}",
        ),
    ] {
        assert_eq!(merged(&[("x", lower), ("y", upper)]).expect(upper), result);
    }
}

#[test]
fn removal_hides_the_layers_below_it_alone() {
    let layers = [("x", "{a: {b: 1, c: 2}}"), ("y", "{a: null}"), ("z", "{a: {b: 3}}")];
    assert_eq!(merged(&layers).expect("merges"), "{a={b=3@z}}");
    let late = layer("y", "{a: null}").with(layer("z", "{a: {b: 3}}")).expect("merges");
    let all = layer("x", "{a: {b: 1, c: 2}}").with(late).expect("merges");
    assert_eq!(shown(all.finish().as_ref()), "{a={b=3@z}}");
}

#[test]
fn contradiction_names_both_places() {
    for (lower, upper, error) in [
        ("{a: {b: 1}}", "a: [1]", "y:1:4: `a` is a list here, and a mapping at x:1:5"),
        ("{a: {b: 1}}", "a: {b: {c: 1}}", "y:1:8: `a.b` is a mapping here, and a single value at x:1:9"),
        ("[1]", "a: 1", "y:1:1: this file is a mapping here, and a list at x:1:1"),
    ] {
        let found = merged(&[("x", lower), ("y", upper)]).expect_err(upper).to_string();
        assert_eq!(found, error);
    }
    let node = tree::documents("x", "hosts: {a: 1}").expect("parses").remove(0);
    assert!(LayeredNode::of(node, &RULES).is_err());
}

/// Generates layers whose nodes at one path are of one kind, since others contradict each other.
fn layers() -> impl Strategy<Value = String> {
    let scalar = || prop::sample::select(vec!["1", "two", "null", "'null'"]);
    let map = prop::collection::btree_map("[bc]", scalar(), 0..3);
    let map = map.prop_map(|map| {
        let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        format!("{{{}}}", entries.join(", "))
    });
    let item = ("[mn]", scalar()).prop_map(|(name, value)| format!("{{name: {name}, v: {value}}}"));
    let list = prop::collection::vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
    let by_key = prop::collection::btree_map("[mn]", prop::sample::select(vec!["null", "{v: 9}"]), 0..3);
    let by_key = by_key.prop_map(|map| {
        let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        format!("{{{}}}", entries.join(", "))
    });
    let nothing = || Just("null".to_owned());
    let fields = (
        prop::option::of(scalar()),
        prop::option::of(prop_oneof![4 => map.boxed(), 1 => nothing().boxed()]),
        prop::option::of(prop_oneof![3 => list.boxed(), 2 => by_key.boxed(), 1 => nothing().boxed()]),
    );
    fields.prop_map(|(a, map, items)| {
        let a = a.map(|a| format!("a: {a}"));
        let map = map.map(|map| format!("map: {map}"));
        let items = items.map(|items| format!("items: {items}"));
        format!("{{{}}}", [a, map, items].into_iter().flatten().collect::<Vec<_>>().join(", "))
    })
}

proptest! {
    #[test]
    fn merge_is_associative_and_empty_layers_change_nothing(a in layers(), b in layers(), c in layers()) {
        let (x, y, z) = (layer("x", &a), layer("y", &b), layer("z", &c));
        let left = x.clone().with(y.clone()).expect("merges").with(z.clone()).expect("merges");
        let right = x.clone().with(y.with(z).expect("merges")).expect("merges");
        prop_assert_eq!(shown(left.finish().as_ref()), shown(right.finish().as_ref()));
        let alone = shown(x.clone().finish().as_ref());
        let above = x.clone().with(layer("e", "{}")).expect("merges");
        prop_assert_eq!(shown(above.finish().as_ref()), alone.clone());
        let below = layer("e", "{}").with(x).expect("merges");
        prop_assert_eq!(shown(below.finish().as_ref()), alone);
    }

    #[test]
    fn each_value_is_of_the_last_layer_that_set_it(all in prop::collection::vec(layers(), 1..5)) {
        let names: Vec<String> = (0..all.len()).map(|at| at.to_string()).collect();
        let layers: Vec<(&str, &str)> =
            names.iter().zip(&all).map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let trees = layers.iter().map(|(file, text)| layer(file, text)).map(Ok::<_, MergeConflict>);
        let merged = trees.reduce(|lower, upper| lower?.with(upper?)).expect("has one").expect("merges").finish();
        let node = |text: &str| tree::documents("f", text).expect("parses").remove(0);
        // The last layer that names `a` decides, by a value or by null.
        let last = layers.iter().rev().find_map(|(file, text)| {
            let found = node(text);
            let entry = found.entries().iter().find(|entry| entry.key == "a")?;
            Some(entry.node.text().map(|text| format!("{text}@{file}")))
        });
        let found = merged.as_ref().and_then(|node| node.get("a")).map(|node| shown(Some(node)));
        prop_assert_eq!(found, last.flatten());
    }
}
