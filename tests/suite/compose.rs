//! Compose projects as `cki` reads them, compared with `docker-compose config`: the
//! same, or a finding that names the place. Projects are made up by proptest: services with values of
//! odd forms, environment files, several Compose files, `extends`, `include`, `!reset`, interpolation.
//! `CKI_TEST_CASES` says how many; each has several services, which are compared at once.

mod chosen;
pub(crate) mod printed;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cki::model::deployment::expansion::render;
use cki::model::deployment::{
    self, Deployment, DeploymentFileSet, DeploymentItem, EnvVarSource, FileKind, FileTrouble,
};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

use crate::support;
use chosen::{choose, chosen};

/// Files in memory, written to a directory for Compose.
#[derive(Debug, Clone, Default)]
struct Project {
    files: BTreeMap<String, String>,
    /// Its Compose files, in order.
    named: Vec<String>,
    /// Directory where Compose looks for its files itself, in place of named ones.
    start: Option<&'static str>,
    services: BTreeSet<String>,
}

impl DeploymentFileSet for Project {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        let below = format!("{path}/");
        Ok(match self.files.contains_key(path) {
            true => Some(FileKind::File),
            false if path.is_empty() || self.files.keys().any(|key| key.starts_with(&below)) => {
                Some(FileKind::Directory)
            }
            false => None,
        })
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        let missing = || FileTrouble { path: path.to_owned(), why: "it is not there".to_owned() };
        self.files.get(path).cloned().ok_or_else(missing)
    }

    fn names(&self, directory: &str) -> Result<Vec<String>, FileTrouble> {
        let below = format!("{directory}/");
        let inside = self.files.keys().filter_map(|path| path.strip_prefix(&below));
        Ok(inside.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn label(&self, path: &str) -> String {
        path.to_owned()
    }

    fn working_directory(&self, directory: &str) -> String {
        format!("{ROOT}/{directory}")
    }
}

/// Stands for the directory with the files of a project.
const ROOT: &str = "/root-of-project";

impl Project {
    fn read(&self, service: &str) -> Result<Deployment, deployment::DeploymentError> {
        let paths: Vec<&str> = match self.start {
            Some(directory) => vec![directory],
            None => self.named.iter().map(String::as_str).collect(),
        };
        let items: Vec<DeploymentItem<'_>> = paths
            .into_iter()
            .map(|path| DeploymentItem { files: self, path, container: Some(service), place: "i:1" })
            .collect();
        deployment::read(service, &items)
    }

    /// Returns the services that Compose reads, or its refusal.
    fn config(&self, program: &str) -> Result<Value, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in &self.files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("is below")).expect("makes directories");
            std::fs::write(path, text).expect("writes");
        }
        let mut command = Command::new(program);
        command.env_clear().env("HOME", directory.path()).current_dir(directory.path());
        // Compose looks for variables in the `.env` of the working directory, too.
        let home = directory.path().join(self.start.unwrap_or("p"));
        command.current_dir(&home);
        for file in self.named.iter().filter(|_| self.start.is_none()) {
            command.arg("-f").arg(directory.path().join(file));
        }
        // Naming a service enables its profiles.
        let output = command
            .args(["--profile", "*", "config", "--format", "json"])
            .output()
            .expect("runs docker-compose");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).expect("is UTF-8");
        let text = text.replace(&directory.path().display().to_string(), ROOT);
        let mut config: Value = serde_json::from_str(&text).expect("is JSON");
        Ok(config["services"].take())
    }
}

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

fn project() -> impl Strategy<Value = Project> {
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

/// Returns the differences without a finding that names them.
fn difference(project: &Project, services: &Value) -> Option<String> {
    project.services.iter().find_map(|name| {
        let read = match project.read(name) {
            Ok(read) => read,
            Err(error) => return Some(format!("{name} cannot be read: {error}")),
        };
        let there = &services[name];
        let findings: Vec<String> = read.findings.iter().map(ToString::to_string).collect();
        // Compose doubles the `$` in what it prints.
        let plain = |text: &str| text.replace("$$", "$");
        let mut wanted: BTreeMap<String, Option<String>> = BTreeMap::new();
        if let Some(environment) = there["environment"].as_object() {
            wanted.extend(environment.iter().map(|(name, value)| (name.clone(), value.as_str().map(plain))));
        }
        // Compose sets those of models when it starts a service.
        for (name, settings) in there["models"].as_object().into_iter().flatten() {
            let variable = settings["model_var"].as_str().map(str::to_owned);
            let variable =
                variable.unwrap_or_else(|| format!("{}_MODEL", name.to_uppercase().replace('-', "_")));
            wanted.insert(variable, Some("ai/m".to_owned()));
        }
        let mut got: BTreeMap<String, Option<String>> = BTreeMap::new();
        for given in &read.container.variables {
            let value = match &given.value {
                EnvVarSource::Text(pieces) => Some(render(pieces, &|_| None)),
                _ => None,
            };
            if value.is_none() && wanted.get(&given.name).is_none_or(Option::is_some) {
                let is_named = findings
                    .iter()
                    .any(|finding| finding.contains(&given.place) && finding.contains(&given.name));
                if !is_named {
                    return Some(format!(
                        "{name}: `{}` has no value, and nothing says so: {findings:#?}",
                        given.name
                    ));
                }
                wanted.remove(&given.name);
                continue;
            }
            got.insert(given.name.clone(), value);
        }
        if got != wanted {
            return Some(format!("{name}: variables {got:#?} and not {wanted:#?}; {findings:#?}"));
        }
        let words = |key: &str| -> Vec<String> {
            there[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(plain).collect()
        };
        let own = |words: &[Vec<deployment::expansion::Segment>]| -> Vec<String> {
            words.iter().map(|word| render(word, &|_| None)).collect()
        };
        for (key, own) in
            [("entrypoint", own(&read.container.command)), ("command", own(&read.container.args))]
        {
            if own != words(key) && !findings.iter().any(|finding| finding.contains(key)) {
                return Some(format!("{name}: {key} {own:?} and not {:?}; {findings:#?}", words(key)));
            }
        }
        let ports = there["ports"].as_array().into_iter().flatten();
        let tcp = ports.filter(|port| port["protocol"] == "tcp").filter_map(|port| port["target"].as_u64());
        let exposed =
            there["expose"].as_array().into_iter().flatten().filter_map(|one| one.as_str()?.parse().ok());
        let wanted: BTreeSet<u64> = tcp.chain(exposed).collect();
        let own: BTreeSet<u64> = read.container.ports.iter().map(|port| u64::from(port.number)).collect();
        if own != wanted {
            return Some(format!("{name}: ports {own:?} and not {wanted:?}; {findings:#?}"));
        }
        let image = there["image"].as_str().map(plain);
        let is_named = findings.iter().any(|finding| finding.contains("`image`"));
        (read.container.image != image && !is_named)
            .then(|| format!("{name}: image {:?} and not {image:?}", read.container.image))
    })
}

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn compose_projects_match_docker_compose_or_report_a_finding() {
    let program = support::compose();
    let cases = support::cases().unwrap_or(180);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let (compared, refused) = (Cell::new(0_u32), Cell::new(0_u32));
    let outcome = support::runner(config).run(&project(), |project| {
        // What Compose refuses is read without a panic; the next test looks at the findings.
        let Ok(services) = project.config(&program) else {
            refused.set(refused.get() + 1);
            for name in &project.services {
                let _ = project.read(name);
            }
            return Ok(());
        };
        compared.set(compared.get() + 1);
        match difference(&project, &services) {
            Some(different) => Err(TestCaseError::fail(different)),
            None => Ok(()),
        }
    });
    if let Err(error) = outcome {
        panic!("after {} projects: {error}", compared.get());
    }
    let (compared, refused) = (compared.get(), refused.get());
    assert!(compared * 6 > cases, "of {cases} projects, Compose refused {refused}");
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
fn faulty() -> impl Strategy<Value = Project> {
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

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn compose_projects_that_docker_compose_refuses_have_a_finding() {
    let program = support::compose();
    let cases = support::cases().unwrap_or(180);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let refused = Cell::new(0_u32);
    let outcome = support::runner(config).run(&faulty(), |project| {
        let Err(why) = project.config(&program) else { return Ok(()) };
        refused.set(refused.get() + 1);
        let has_place = |text: &str| {
            text.split_once(".yaml:").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_named = project.services.iter().any(|name| match project.read(name) {
            Ok(read) => read.findings.iter().any(|finding| has_place(&finding.to_string())),
            Err(error) => {
                let causes =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
                causes.into_iter().any(|error| has_place(&error.to_string()))
            }
        });
        match is_named {
            true => Ok(()),
            false => Err(TestCaseError::fail(format!("nothing is found, and Compose says: {why}"))),
        }
    });
    if let Err(error) = outcome {
        panic!("after {} projects: {error}", refused.get());
    }
    assert!(refused.get() * 3 > cases, "of {cases} projects, Compose refused {}", refused.get());
}

#[test]
#[ignore = "needs CKI_TEST_COMPOSE (bash tests/run)"]
fn compose_profiles_select_the_services_that_compose_starts() {
    let program = support::compose();
    let two = "services:\n  one: {image: a, profiles: [p, q]}\n  two: {image: b}\n";
    let both = "services:\n  one: {image: a, profiles: [p]}\n  two: {image: b, profiles: ['${A:-q}']}\n";
    for (text, env) in [
        (two, ""),
        (two, "COMPOSE_PROFILES=other\n"),
        (two, "COMPOSE_PROFILES=other,q\n"),
        (both, "COMPOSE_PROFILES=q\n"),
        (both, "COMPOSE_PROFILES=p\n"),
        (both, "COMPOSE_PROFILES=*\n"),
        (both, "A=p\nCOMPOSE_PROFILES=p\n"),
        (both, "A=z\nCOMPOSE_PROFILES=z\n"),
    ] {
        let files = [("p/compose.yaml", text), ("p/.env", env)];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        let project = Project { files, named: vec!["p/compose.yaml".to_owned()], ..Project::default() };
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in &project.files {
            std::fs::create_dir_all(directory.path().join("p")).expect("makes");
            std::fs::write(directory.path().join(path), text).expect("writes");
        }
        let mut command = Command::new(&program);
        command.env_clear().env("HOME", directory.path()).current_dir(directory.path().join("p"));
        let output = command.args(["config", "--services"]).output().expect("runs docker-compose");
        let started = String::from_utf8_lossy(&output.stdout).into_owned();
        let started: Vec<&str> = started.split_whitespace().collect();
        let item =
            |container| [DeploymentItem { files: &project, path: "p/compose.yaml", container, place: "i:1" }];
        // A component of another name has the only service that Compose starts, if it is the only one.
        let read = deployment::read("other", &item(None));
        match started.as_slice() {
            [one] => {
                let image = read.expect(env).container.image;
                assert_eq!(image.as_deref(), Some(if *one == "one" { "a" } else { "b" }), "{env}");
            }
            _ => assert!(read.is_err(), "{text}{env}: {started:?}"),
        }
        // A named one counts in spite of its profiles, as in `docker-compose up one`.
        let image = deployment::read("other", &item(Some("one"))).expect(env).container.image;
        assert_eq!(image.as_deref(), Some("a"), "{env}");
    }
}
