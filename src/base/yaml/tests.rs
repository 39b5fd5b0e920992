//! Tests of parsing: positions, errors, limits, and equal results of the simple and the full parser.

use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Deserialize)]
struct Sample {
    name: String,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    port: Option<u16>,
}

const SAMPLE: &str = "name: a\nitems:\n  - port: 1\n  - prot: 2\ncolour: red\n";

#[test]
fn parse_reports_position_of_unknown_keys() {
    let (sample, unknown) = parse::<Sample>("x.yaml", SAMPLE).expect("parses");
    assert_eq!((sample.name.as_str(), sample.items.len(), sample.items[0].port), ("a", 2, Some(1)));
    let places: Vec<_> = unknown.iter().map(|one| (one.path.as_str(), position(SAMPLE, &one.path))).collect();
    let at = |line, column| Some(Position { line, column });
    assert_eq!(places, [("items.1.prot", at(4, 5)), ("colour", at(5, 1))]);
    assert_eq!((unknown[0].key.as_str(), unknown[0].known), ("prot", &["port"][..]));
    assert_eq!(unknown[1].known, ["name", "items"]);
}

#[test]
fn parse_errors_name_file_line_and_column() {
    let error = parse::<Sample>("x.yaml", "name: a\nitems:\n  - port: http\n").expect_err("is no number");
    assert!(error.to_string().starts_with("x.yaml:3:11: "), "{error}");
    let error = parse::<Sample>("x.yaml", "name: a\nname: b\n").expect_err("is a duplicate");
    assert!(error.to_string().starts_with("x.yaml:2:1: duplicate"), "{error}");
}

#[test]
fn parse_refuses_alias_bombs_and_deep_nesting() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(parse::<serde_json::Value>("x", &bomb).is_err());
    assert!(parse::<serde_json::Value>("x", &"[".repeat(100_000)).is_err());
}

#[test]
fn parse_reads_comments_only_as_empty_mapping() {
    let (value, _) = parse::<serde_json::Map<String, serde_json::Value>>("x", "# nothing\n").expect("parses");
    assert!(value.is_empty());
}

/// Entry with every kind of field.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only the keys of these types are asked for, never their values")]
struct Entry {
    name: Option<String>,
    a: Option<u16>,
    #[serde(default)]
    b: bool,
    #[serde(default)]
    list: Vec<String>,
    #[serde(default)]
    inner: Vec<Inner>,
    #[serde(default)]
    map: BTreeMap<String, String>,
    value: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "only the keys of these types are asked for, never their values")]
struct Inner {
    key: String,
    port: Option<u32>,
    below: Option<Box<Inner>>,
}

/// Checks that the simple parser returns the same as the full parser, or nothing. Returns whether it
/// returned a document.
fn same<T: DeserializeOwned + fmt::Debug>(text: &str) -> bool {
    let Some(simple) = parse_simple::<T>(text) else { return false };
    let whole = parse_whole::<T>("f", text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    assert_eq!(format!("{simple:?}"), format!("{whole:?}"), "{text}");
    true
}

#[test]
fn fast_parser_reads_common_styles() {
    for text in [
        "name: a b\n",
        "---\n# first\nname: 'it''s' # why\n\nlist:\n- a\n- \"b: c\"\nb: true\na: 80\n",
        "inner:\n  - key: a\n    port: 5\n    below:\n      key: b\n  - {key: c, below: {key: 'd', port: 6}}\nmap: {a: b, c.d: 'e'}\n",
        "name: one\n  two\n  three # four\nlist: [a, 'b', c-d]\nvalue: {x: [1, {y: z}], t: yes please}\n",
        "map:\n  a: 1.5\n  b: ~x\n",
        "name:\nlist: []\n",
        "# by a program\n---\nlist: [-m, --all, -1]\ninner:\n-\n  key: a\n- key: https://a.b/c\n",
        "name: |\n  a\n   b\n\n  # no comment\n\n# a comment\nlist:\n- >-\n  a\n  b\n\n  c\nvalue: {a: , b: }\n",
        "list: [\n  \"a\",\n  # why\n  'b',\n  ]\nmap: {a: b,\n  'c d': \"e\n    f\n\n    g\"}\n",
        "name: \"a\\tb\\u00e9\\\\\\\"\"\nlist:\n- https://a.b/c\n",
        "name:\n  some words\n  and more\nlist:\n  -\n    'a'\n",
        "{\"name\":\"a\",\n\"list\": [\"b\"],\n  \"map\": {\n\"c\": \"d\"\n}}\n",
        "name: a\r\nlist:\r\n  - >\r\n    b\r\n    c\r\nmap: {a: b,\r\n  c: d}\r\n",
        "value:\n- - a\n  - - b\n- c: d\n  e: f\n",
    ] {
        assert!(same::<Entry>(text), "{text}");
    }
}

#[test]
fn parsers_agree_on_embedded_files() {
    let mut simple = 0;
    for (path, content) in
        ["inventory", "services", "demo"].into_iter().flat_map(crate::base::assets::embedded_tree)
    {
        if path.extension().is_some_and(|one| one == "yaml") {
            let text = std::str::from_utf8(content).expect("is text");
            simple += usize::from(same::<serde_json::Value>(text));
        }
    }
    assert!(simple > 20, "{simple}");
}

#[test]
fn compiled_documents_round_trip() {
    let text = "a: [1, '2', {b: ~, 'c\nd': \"e\\nf\"}, [], {}]\ng: |\n  h\n  i\n";
    let node = tree::documents("f", text).expect("parses").remove(0);
    let written = compile(&[("one", node.clone()), ("two", node)]);
    let read = compiled(&written);
    assert_eq!(read.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["one", "two"]);
    let text = "a: [1, '2', {b: x, c: \"e\\nf\"}, [], {}]\n";
    let node = tree::documents("f", text).expect("parses").remove(0);
    let written = compile(&[("one", node)]);
    let value: serde_json::Value = compiled(&written)[0].1.typed().expect("is typed");
    assert_eq!(value, serde_json::json!({"a": [1, "2", {"b": "x", "c": "e\nf"}, [], {}]}));
    for wrong in ["x", "p9 a\n", "p1 a", "d1 a\np1 ab\n", "d1 a\np1 \u{e9}\n"] {
        assert!(compiled(wrong).is_empty(), "{wrong}");
    }
}

#[test]
fn parse_reads_large_documents() {
    let mut text = "list:\n".to_owned();
    text.push_str(&"- >\n  a\n".repeat(300_000));
    let (entry, _) = parse::<Entry>("f", &text).expect("is read");
    assert_eq!(entry.list.len(), 300_000);
}

/// Generates scalars, valid and invalid.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}( [a-z#:]{1,3}){0,2}",
        "['\"]?[-a-cny~0-9_.:#,é{}\\[\\]|>&*!%@ ']{0,6}['\"]?",
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("08".to_owned()),
        "[0-9]{1,6}",
        "(1_0|0x1f|1e3|\\+1|-1|\\.5|Yes|NO|on|Infinity|\\.inf|<<|=)",
    ]
}

fn flow() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(", "))),
            proptest::collection::vec(("(key|port|a|below|x)", inner), 0..3).prop_map(|all| {
                let all: Vec<String> =
                    all.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", all.join(", "))
            }),
        ]
    })
}

/// Generates a value in any style that is valid after `key:` or `-` at an indentation, with the space
/// before it and the end of its last line.
fn value(indent: usize) -> BoxedStrategy<String> {
    let inside = " ".repeat(indent + 2);
    let text = "[a-z0-9#:'\\-]{1,5}( [a-z0-9#:\"-]{1,4}){0,2}";
    let line = prop_oneof![8 => text.prop_map(|line| line), 2 => Just(String::new()), 1 => "[ ]{1,3}[a-z]?"];
    let lines = proptest::collection::vec(line, 1..5);
    let quote = prop_oneof![Just("'"), Just("\"")];
    let escape = prop_oneof![
        6 => Just(""), 1 => Just("\\n"), 1 => Just("\\u00e9"), 1 => Just("\\\""), 1 => Just("''"), 1 => Just("\\ ")
    ];
    let header = "[|>][-+]?( #c)?";
    let (below, in_quotes, after) = (inside.clone(), inside.clone(), inside.clone());
    prop_oneof![
        3 => flow().prop_map(|flow| format!(" {flow}\n")),
        1 => Just("\n".to_owned()),
        2 => flow().prop_map(move |flow| format!("\n{after}{flow}\n")),
        3 => flow().prop_map(move |flow| format!(" {}\n", flow.replace([','], &format!(",\n{below}")))),
        3 => (header, lines.clone(), "\n{0,2}( {0,3}#c\n)?").prop_map(move |(header, lines, end)| {
            let lines: String = lines.iter().map(|line| match line.as_str() {
                "" => "\n".to_owned(),
                line => format!("{inside}{line}\n"),
            }).collect();
            format!(" {header}\n{lines}{end}")
        }),
        3 => (quote, lines, escape).prop_map(move |(quote, lines, escape)| {
            format!(" {quote}{}{escape}{quote}\n", lines.join(&format!("\n{in_quotes}")))
        }),
    ]
    .boxed()
}

/// Generates a block collection below an indentation.
fn block(indent: usize, depth: u32) -> BoxedStrategy<String> {
    let inner = |indent: usize| {
        if depth == 0 {
            return value(indent);
        }
        let below = block(indent + 2, depth - 1).prop_map(|lines| format!("\n{lines}"));
        prop_oneof![2 => value(indent), 1 => below].boxed()
    };
    let key = "(name|a|b|list|inner|map|value|key|port|below|'x y'|\"value\"|c/d)";
    let comment = prop_oneof![9 => Just(""), 1 => Just("# c\n"), 1 => Just("\n")];
    let mapping = proptest::collection::vec((comment, key, inner(indent)), 1..4).prop_map(move |all| {
        let lines = all
            .into_iter()
            .map(|(comment, key, value)| format!("{comment}{}{key}:{value}", " ".repeat(indent)));
        lines.collect()
    });
    let list = proptest::collection::vec(inner(indent), 1..4).prop_map(move |all| {
        all.into_iter().map(|value| format!("{}-{value}", " ".repeat(indent))).collect()
    });
    prop_oneof![3 => mapping, 1 => list].boxed()
}

/// Generates documents in all styles, most of them valid.
fn documents() -> impl Strategy<Value = String> {
    let ends = prop_oneof![4 => Just("\n"), 1 => Just("\r\n")];
    let start = prop_oneof![8 => Just(""), 1 => Just("---\n"), 1 => Just("# c\n---\n"), 1 => Just("{")];
    (start, block(0, 2), ends, any::<bool>()).prop_map(|(start, text, ends, whole)| {
        let text = format!("{start}{text}").replace('\n', ends);
        if whole { text } else { text.trim_end().to_owned() }
    })
}

/// Generates lines of entries, a few of them invalid.
fn lines() -> impl Strategy<Value = String> {
    let line = (
        prop_oneof![8 => Just(0), 3 => 0usize..7],
        prop_oneof![Just(""), Just(""), Just("- "), Just("-  ")],
        "(name|a|b|list|inner|map|value|key|port|below|c-d|true|null|x y)?",
        prop_oneof![8 => Just(": "), 3 => Just(":"), 1 => Just(""), 1 => Just(":  ")],
        prop_oneof![3 => flow(), 1 => Just(String::new())],
        prop_oneof![6 => Just(""), 1 => Just(" # c"), 1 => Just("\n\n"), 1 => Just("\n# c"), 1 => Just(" ")],
    );
    proptest::collection::vec(line, 0..7).prop_map(|lines| {
        let line = |(indent, dash, key, colon, value, end): (usize, &str, String, &str, String, &str)| {
            format!("{}{dash}{key}{colon}{value}{end}\n", " ".repeat(indent))
        };
        lines.into_iter().map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn parsers_agree_on_generated_documents(text in lines()) {
        same::<Entry>(&text);
        same::<serde_json::Value>(&text);
        same::<BTreeMap<String, Option<String>>>(&text);
    }

    #[test]
    fn fast_parser_agrees_or_defers_for_all_styles(text in documents()) {
        same::<Entry>(&text);
        same::<serde_json::Value>(&text);
    }

    #[test]
    fn positions_match_full_walk_for_generated_entries(text in lines(), flow in flow()) {
        for text in [text, format!("a: b\ncomponents: [{flow}, {flow}]\nz: {flow}\n")] {
            let places = Places::new("list");
            let others = Places::new("components");
            for (path, at) in from_the_top(&text) {
                prop_assert_eq!(places.position(&text, &path), Some(at), "{} of\n{}", &path, &text);
                prop_assert_eq!(others.position(&text, &path), Some(at), "{} of\n{}", &path, &text);
            }
        }
    }

    #[test]
    fn fast_parser_agrees_or_defers_for_any_text(text in "[-a-c0:{}\\[\\],&*<!|>?'\"#~\n \t%@é\\\\\r]{0,40}") {
        same::<serde_json::Value>(&text);
        same::<Entry>(&text);
    }
}

/// Returns the positions of all nodes of a text, found by one walk from the top.
fn from_the_top(text: &str) -> Vec<(String, Position)> {
    let Ok(nodes) = tree::documents("f", text) else { return Vec::new() };
    let mut todo: Vec<(String, &tree::Node)> =
        nodes.iter().take(1).map(|node| (String::new(), node)).collect();
    let mut paths = Vec::new();
    while let Some((path, node)) = todo.pop() {
        let join = |part: &str| if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
        for (at, item) in node.items().iter().enumerate() {
            todo.push((join(&at.to_string()), item));
        }
        for entry in node.entries() {
            todo.push((join(&entry.key), &entry.node));
        }
        paths.push(path);
    }
    // A document without a long list is walked from the top.
    let whole = Places::new("\0");
    paths.into_iter().filter_map(|path| Some((path.clone(), whole.position(text, &path)?))).collect()
}

#[test]
fn positions_match_full_walk_for_sample_entries() {
    for text in [
        "a: 1\ncomponents:\n- name: x\n  run: {a: [b, c]}\n\n# c\n-   name: y\n    list:\n    - 1\n    - k: v\nz:\n  y: 1\n",
        "---\ncomponents:\n  - {name: x, a: {b: c}}\n  - name: y\n    a: b\n",
        "components: [{name: x, a: [1, 2]}, {name: 'y', é: {b: ü, c: 1}}, z]\nafter: {b: 1}\n",
        "components:\n- &a\n  name: x\n  v: |\n    - name: no\n- <<: *a\n  b: *a\n-\n  name: z\n- # why\n  name: q\n  r: 1\n",
        "components:\n- !!map {a: b}\n- !x\n  a: b\n- &y {a: b}\n- ? a\n  : b\n  c: d\n- \"a\": b\n  'c d': {e.f: g}\n",
        "components: {a: {b: c}}\n",
        "{components: [{a: b,\n c: d}, {e: f}], z: 1}\n",
        "components: [:,0, a: {b: c},\n:,\nd: [e], f :]\n",
        "b: {c: d}\n",
    ] {
        let places = Places::new("components");
        let expected = from_the_top(text);
        for (path, at) in &expected {
            assert_eq!(places.position(text, path), Some(*at), "{path} of\n{text}");
        }
        assert!(expected.len() > 1, "{text}");
        for none in ["components.0.none", "components.99", "none", "components.x"] {
            assert_eq!(places.position(text, none), None, "{none} of\n{text}");
        }
    }
}

#[test]
fn position_near_end_is_found_from_its_entry() {
    for form in [
        "- name: cNUMBER\n  environment:\n  - {name: A}\n",
        "- {name: cNUMBER, environment: [{name: A}]}\n",
        "- name: \"c\\x41NUMBER\"\n  environment: [{name: A}]\n",
    ] {
        let walked = |count: usize, asked: usize| {
            let entries: String = (0..count).map(|at| form.replace("NUMBER", &at.to_string())).collect();
            let text = format!("components:\n{entries}production: {{environment: {{X: y}}}}\n");
            let places = Places::new("components");
            let find = |at: usize| {
                assert!(places.position(&text, &format!("components.{at}.environment.0")).is_some());
                assert!(places.position(&text, "production.environment.X").is_some());
            };
            count::during(|| (count - asked..count).for_each(find)).1
        };
        let once = walked(1000, 1);
        // Simple YAML is not walked through at all, and any other text once.
        assert!(once < if form.contains('\\') { 20_000 } else { 60 }, "{once}: {form}");
        assert!(walked(1000, 1000) - once < 1000 * 20, "{form}");
    }
}
