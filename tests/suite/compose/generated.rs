//! Compose projects that proptest makes up: services with values of odd forms, and faults in them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Project;
use super::chosen::{choose, chosen};

/// Values as they may stand behind a key in YAML, without line ends.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[-+]?[0-9]{1,3}",
        2 => "[-+.]?[0-9oxbeE_.]{1,6}",
        1 => prop::sample::select(vec!["False", "TRUE", "true", "yes", "no", "On", "~", "null", "", ".inf", "-.Inf", ".nan", "1e21", "1.10", "010", "0x1F", "1:30", "'010'", "\"1e3\"", "!!str 010", "'null'", "''", "y", "N", "OFF", "1_000", "0o10", "190:20:30", "2024-01-01", "2024-1-1T1:2:3.50+02:00", "2024-02-30"]).prop_map(str::to_owned),
        4 => template().prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        1 => template().prop_map(|text| format!("{text:?}")),
        1 => prop::sample::select(vec!["!!bool True", "!!int '010'", "!!float 1", "!!float 16777217", "!!binary aGVsbG8=", "!!binary JHtBfQ==", "!!null ''", "!own no", "!!omap 010", "&x 1.0"]).prop_map(str::to_owned),
    ]
}

/// A key of `environment`.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![60 => name(), 1 => prop::sample::select(vec!["'1'", "yes", "!!str 2"]).prop_map(str::to_owned)]
}

/// A text with variables in it.
fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z /.:,]{0,4}",
        3 => prop::sample::select(vec!["$A", "${A}", "${B:-b}", "${NO:-d}", "${NO-d}", "${E:-d}", "${E-d}", "${A:+x}", "${NO:+x}", "${E+x}", "${E:+x}", "${A:?e}", "${NO:-${A}}", "${NO:-${B:-c}}/${A}", "$$", "$$A", "${A}}", "${A:-}}", "${COMPOSE_PROJECT_NAME}", "${COMPOSE_PROJECT_NAME:-n}", "${COMPOSE_PROJECT_NAME+x}", "${PWD}", "${PWD:-d}/x", "$PWD"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["$", "$1", "$-", "^a$|b", "$(x)", "${NO:-{}}", "#", " # c", "=", "é", "\\", "it's", "\""]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["A", "B", "K", "L", "M", "a.b", "my-flag", "X1"]).prop_map(str::to_owned)
}

/// A line of an environment file.
fn line() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        4 => template().prop_map(|text| text.replace(['"', '\''], "")),
        2 => template().prop_map(|text| format!("'{}'", text.replace(['\'', '\\'], ""))),
        2 => template().prop_map(|text| format!("\"{}\"", text.replace(['"', '\\'], ""))),
        1 => prop::sample::select(vec!["\"a\\nb\" # c", "'two\nlines'", "\"\\$A\\t\\\\\"", "'it\\'s'", "x # y", "x#y", "# z", "\"\\0101\"", ""]).prop_map(str::to_owned),
    ];
    let sign = prop::sample::select(vec!["=", "=", "=", " = ", ": "]);
    let end = prop::sample::select(vec!["\n", "\n", "\r\n", "\n\n# c\n"]);
    let start = prop::sample::select(vec!["", "", "export ", "  "]);
    (start, name(), sign, value, end)
        .prop_map(|(start, name, sign, value, end)| format!("{start}{name}{sign}{value}{end}"))
}

fn lines() -> impl Strategy<Value = String> {
    (prop::bool::weighted(0.1), prop::collection::vec(line(), 0..5))
        .prop_map(|(mark, lines)| format!("{}{}", if mark { "\u{feff}" } else { "" }, lines.concat()))
}

/// The fields of a service, as lines of a flow mapping's entries.
fn fields(has_image: bool) -> impl Strategy<Value = Vec<String>> {
    let map = prop::collection::btree_map(key(), scalar(), 0..4)
        .prop_map(|map| map.into_iter().map(|(k, v)| format!("      {k}: {v}\n")).collect::<String>())
        .prop_map(|text| {
            if text.is_empty() {
                "    environment: {}\n".to_owned()
            } else {
                format!("    environment:\n{text}")
            }
        });
    let list =
        prop::collection::btree_map(name(), prop::option::weighted(0.9, template()), 1..4).prop_map(|map| {
            let item = |(k, v): (String, Option<String>)| {
                let text = v.map_or_else(|| k.clone(), |v| format!("{k}={v}"));
                format!("      - '{}'\n", text.replace('\'', "''"))
            };
            format!("    environment:\n{}", map.into_iter().map(item).collect::<String>())
        });
    let tagged = prop::sample::select(vec![
        "    environment: !reset null\n",
        "    environment: !override {K: only}\n",
        "    environment: {A: !reset null, L: l}\n",
        "    command: !reset null\n",
        "    command: null\n",
    ])
    .prop_map(str::to_owned);
    let environment = prop_oneof![4 => map, 3 => list, 1 => tagged, 1 => Just(String::new())];
    let files = prop::collection::vec(
        prop::sample::select(vec![
            "a.env",
            "./b.env",
            "../c/c.env",
            "{path: a.env}",
            "{path: none.env, required: false}",
            "{path: b.env, format: raw}",
            "${A:+a.env}",
        ]),
        0..3,
    );
    let files = (files, any::<bool>()).prop_map(|(files, single)| match (files.as_slice(), single) {
        ([], _) => String::new(),
        ([one], true) if !one.starts_with('{') => format!("    env_file: '{one}'\n"),
        (all, _) => {
            all.iter().collect::<BTreeSet<_>>().into_iter().fold("    env_file:\n".to_owned(), |text, one| {
                if one.starts_with('{') {
                    format!("{text}      - {one}\n")
                } else {
                    format!("{text}      - '{one}'\n")
                }
            })
        }
    });
    let command = prop_oneof![
        3 => Just(String::new()),
        2 => "[a-z '\"\\\\|;&$#=]{0,10}".prop_map(|line| format!("    command: '{}'\n", line.replace('\'', "''"))),
        1 => prop::collection::vec(template(), 0..3).prop_map(|words| {
            let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "''"))).collect();
            format!("    entrypoint: [{}]\n", words.join(", "))
        }),
    ];
    let ports = prop::sample::select(vec![
        "",
        "",
        "    ports: ['3000-3002', '8080:80/tcp', '53:53/udp']\n",
        "    ports: [{target: 443, published: '1'}, '127.0.0.1::81']\n",
        "    ports: [3000, '9000-9001:90-91']\n    expose: ['7', 8]\n",
        "    ports: [{target: 53, protocol: udp}, '${NO:-7070}']\n",
    ]);
    let image = if has_image {
        Just("    image: 'x:${A}'\n".to_owned()).boxed()
    } else {
        Just(String::new()).boxed()
    };
    let more = prop::sample::select(vec![
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "    privileged: 'true'\n    scale: '2'\n",
        "    depends_on: []\n    volumes: ['./x:/x', '/y']\n    networks: [default]\n",
        "    models: [my-model]\n",
        "    models: {my-model: {model_var: A, endpoint_var: B}}\n",
    ]);
    (image, environment, files, command, ports, more).prop_map(
        |(image, environment, files, command, ports, more)| {
            vec![image, environment, files, command, ports.to_owned(), more.to_owned()]
        },
    )
}

/// A Compose file: `services` by name.
fn file(names: &'static [&'static str], has_image: bool) -> impl Strategy<Value = Vec<(String, String)>> {
    let service = fields(has_image).prop_map(|fields| fields.concat());
    let extends = prop::sample::select(vec![
        "",
        "",
        "    extends: first\n",
        "    extends: {service: base, file: ../c/base.yaml}\n",
    ]);
    let profiles = prop::sample::select(vec!["", "", "", "    profiles: [debug]\n"]);
    let service = (service, profiles).prop_map(|(service, profiles)| format!("{service}{profiles}"));
    prop::collection::vec((service, extends), names.len()).prop_map(move |services| {
        let named = names.iter().zip(services);
        named
            .map(|(name, (text, extends))| {
                let extends = if has_image && *name != "first" { extends } else { "" };
                ((*name).to_owned(), format!("{text}{extends}"))
            })
            .collect()
    })
}

fn rendered(services: &[(String, String)]) -> String {
    let body = |text: &str| if text.is_empty() { " {}\n".to_owned() } else { format!("\n{text}") };
    let services: String = services.iter().map(|(name, text)| format!("  {name}:{}", body(text))).collect();
    format!("services:\n{services}")
}

/// The name of a project.
fn project_name() -> impl Strategy<Value = &'static str> {
    let names = ["", "", "name: n1\n", "name: 'P.${A:-x}'\n", "name: ''\n", "name: '-${NO}_a'\n"];
    prop::sample::select(names.to_vec())
}

/// Models of a file.
const MODELS: &str = "models: {my-model: {model: ai/m}}\n";

/// A project.
pub(super) fn project() -> impl Strategy<Value = Project> {
    let base = file(&["first", "web", "api"], true);
    let over = prop::option::weighted(0.5, file(&["web", "api"], false));
    let common = file(&["base"], true);
    let included = prop::option::weighted(0.3, file(&["extra"], true));
    let env = prop::collection::vec(lines(), 6);
    let project_names = [project_name(), project_name(), project_name()];
    (base, over, common, included, env, project_names, chosen()).prop_map(
        |(base, over, common, included, env, called, way)| {
            let mut project = Project::default();
            let mut put = |path: &str, text: String| project.files.insert(path.to_owned(), text);
            let mut main = format!("{}{MODELS}{}", called[0], rendered(&base));
            let mut services: BTreeSet<String> = base.iter().map(|(name, _)| name.clone()).collect();
            if let Some(included) = &included {
                main.push_str("include: [../i/included.yaml]\n");
                put("i/included.yaml", format!("{}{MODELS}{}", called[1], rendered(included)));
                put("i/.env", "A=inner\nQ=inner\n".to_owned());
                put("i/a.env", "IN=$A\n".to_owned());
                put("i/b.env", "IN=b\n".to_owned());
                services.insert("extra".to_owned());
            }
            put("p/compose.yaml", main);
            put("c/base.yaml", rendered(&common));
            let mut named = vec!["p/compose.yaml".to_owned()];
            if let Some(over) = over {
                put("o/over.yaml", format!("{}{}", called[2], rendered(&over)));
                named.push("o/over.yaml".to_owned());
            }
            put("p/.env", format!("A=va\nE=\n{}", env[0]));
            for (path, text) in
                ["p/a.env", "p/b.env", "c/c.env", "c/a.env", "c/b.env"].into_iter().zip(&env[1..])
            {
                put(path, text.clone());
            }
            choose(Project { named, services, ..project }, way)
        },
    )
}

/// Faults for which Compose refuses a project, each with what it replaces in a file: a text, or nothing at its end.
fn fault() -> impl Strategy<Value = (&'static str, &'static str)> {
    let value = |value| ("image: 'x:${A}'", value);
    prop::sample::select(vec![
        value("image: 5"),
        value("image: true"),
        value("image: ''"),
        value("working_dir: x"),
        value("image: x\n    working_dir: 1.5"),
        value("image: x\n    user: 1000"),
        value("image: x\n    hostname: false"),
        value("image: x\n    privileged: abc"),
        value("image: x\n    stop_signal: 9"),
        value("image: x\n    profiles: [1]"),
        value("image: x\n    labels: {1: a}"),
        value("image: x\n    labels: [1]"),
        value("image: x\n    labels: {a: !!bool yes}"),
        value("image: x\n    labels: {a: !!int 1.5}"),
        value("image: x\n    labels: {a: !!binary '*'}"),
        value("image: x\n    labels: {a: !!null b}"),
        value("image: x\n    x-a: {~: b}"),
        value("image: x\n    labels: {<<: {a: b}, <<: {c: d}}"),
        value("image: x\n    healthcheck: {test: 1}"),
        value("image: x\n    healthcheck: {test: [CMD, 1]}"),
        value("image: x\n    healthcheck: {interval: 5, test: a}"),
        value("image: x\n    depends_on: [nothing]"),
        value("image: x\n    links: [nothing]"),
        value("image: x\n    networks: [nothing]"),
        value("image: x\n    volumes: ['nothing:/x']"),
        value("image: x\n    secrets: [nothing]"),
        value("image: x\n    configs: [{source: nothing}]"),
        value("image: x\n    models: [nothing]"),
        value("image: x\n    network_mode: host\n    networks: [default]"),
        value("image: x\n    nothing: 1"),
        value("image: x\n    build: 5"),
        ("services:", "version: 3.8\nservices:"),
        ("services:", "networks: {n: {driver: 1}}\nservices:"),
        ("services:", "secrets: {s: {file: 1}}\nservices:"),
        ("services:", "x-a: {1: b}\nservices:"),
        ("services:", "include: [1]\nservices:"),
        ("services:", "---\n---\nservices:"),
        ("", "---\n"),
        ("", "---\n[]\n"),
        ("", "---\nnull\n"),
        ("", "---\nx-a: {2024-01-01: b}\n"),
    ])
}

/// A project with a fault in one of its files.
pub(super) fn faulty() -> impl Strategy<Value = Project> {
    let file =
        prop::sample::select(vec!["p/compose.yaml", "p/compose.yaml", "c/base.yaml", "i/included.yaml"]);
    (project(), fault(), file).prop_map(|(mut project, (part, put), file)| {
        if let Some(text) = project.files.get_mut(file) {
            *text = match part {
                "" => format!("{text}{put}"),
                _ => text.replacen(part, put, 1),
            };
        }
        project
    })
}
