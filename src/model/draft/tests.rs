//! Tests of drafts: facts from build files, Compose files and documents, and the text of an entry.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::yaml::tree;
use crate::model::inventory::{Inventory, InventoryDocument, Secrecy};

#[test]
fn build_file_facts_follow_stages_arguments_and_health_checks() {
    let text = "ARG PORT=8000\nFROM golang AS build\nEXPOSE 1\nCMD [\"x\"]\nFROM nginx:1 AS base\nEXPOSE 53/udp ${PORT} 81\n\
                FROM base\nENV A=1 B=\"two words\"\nEXPOSE 81\nHEALTHCHECK --interval=1s CMD curl -f \\\n  http://localhost:81/health?x=1 || exit 1\n\
                CMD exec run $PORT\n";
    let facts = BuildFileFacts::read(text);
    assert_eq!((facts.base.as_str(), facts.ports.as_slice()), ("nginx:1", [8000, 81].as_slice()));
    assert_eq!(facts.command, ["sh", "-c", "exec run $PORT"]);
    assert_eq!(facts.health, Some(("/health".to_owned(), 81)));
    assert_eq!(facts.environment["B"], "two words");
    let entry = BuildFileFacts::read("FROM x\nENTRYPOINT [\"a\"]\nCMD [\"b\"]\n");
    assert!(entry.has_command && entry.command.is_empty());
}

#[test]
fn compose_facts_tell_builds_images_ports_and_needs() {
    let text = "services:\n  web:\n    build: {context: ./web, dockerfile: Dev.Dockerfile, target: dev}\n    ports: ['127.0.0.1:${P:-8080}:80', {target: 81, published: '8181'}, '9000-9001', 53:53/udp]\n    depends_on: {db: {condition: x}, cache: {}}\n  db:\n    image: ${DB_IMAGE:-postgres:16}\n  cache: {image: 'redis:7', profiles: [x]}\n  api: {build: api}\n";
    let document = tree::documents("c", text).expect("reads").remove(0);
    let services = ComposeFacts::read(document, "").services;
    let web = &services[0];
    assert_eq!(web.build, Some(("./web".to_owned(), Some("Dev.Dockerfile".to_owned()))));
    let ports = [(80, Some(8080)), (81, Some(8181))];
    assert_eq!((web.target.as_deref(), web.ports.as_slice()), (Some("dev"), ports.as_slice()));
    assert_eq!((web.needs.join(" "), web.line), ("db cache".to_owned(), 2));
    assert_eq!(services[1].image.as_deref(), Some("postgres:16"));
    assert_eq!(services[3].build, Some(("api".to_owned(), None)));
}

#[test]
fn compose_facts_take_variables_from_the_environment_file() {
    let dotenv = "# defaults\nTAG=16\nDB=postgres:${TAG}\nexport EMPTY=\nQUOTED='a$TAG'\nnot a line\n";
    let image = |text: &str| {
        let text = format!("services: {{x: {{image: '{text}'}}}}");
        let document = tree::documents("c", &text).expect("reads").remove(0);
        ComposeFacts::read(document, dotenv).services[0].image.clone().expect("has one")
    };
    for (text, expected) in [
        ("$DB", "postgres:16"),
        ("x:${TAG:-1}", "x:16"),
        ("${EMPTY-y}x${EMPTY:-:2}", "x:2"),
        ("${NONE:-${DB}}", "postgres:16"),
        ("${TAG:+with-${TAG}}", "with-16"),
        ("$NONE/x:${TAG}${NONE_EITHER}", "${NONE}/x:16${NONE_EITHER}"),
        ("${NONE:?must be set}", "${NONE:?must be set}"),
        ("$$x", "$x"),
        ("$QUOTED", "a$TAG"),
    ] {
        assert_eq!(image(text), expected, "{text}");
    }
}

#[test]
fn with_entry_adds_or_replaces_one_item_and_keeps_the_rest() {
    let entry = "name: n\ncategory: c\n";
    let with = |text: &str, at| with_entry("i.yaml", text, entry, at).map_err(|error| error.to_string());
    for (before, at, after, line) in [
        ("version: 1\n", None, "version: 1\ncomponents:\n  - name: n\n    category: c\n", 3),
        ("components:\n", None, "components:\n  - name: n\n    category: c\n", 2),
        (
            "components:\n- name: a\n# end",
            None,
            "components:\n- name: a\n- name: n\n  category: c\n# end\n",
            3,
        ),
        (
            "components:\n    - name: a\n    - name: b\n\n# next\nrepos: {}\n",
            Some(0),
            "components:\n    - name: n\n      category: c\n    - name: b\n\n# next\nrepos: {}\n",
            2,
        ),
        (
            "components:\n  - name: a\n  - name: b\n\ntitle: T\n",
            Some(1),
            "components:\n  - name: a\n  - name: n\n    category: c\n\ntitle: T\n",
            3,
        ),
    ] {
        assert_eq!(with(before, at), Ok((after.to_owned(), line)), "{before}");
    }
    let error = with("components: [{name: a}]\n", None).expect_err("is in one line");
    assert!(error.starts_with("i.yaml:1: `components` is not a list"), "{error}");
    with("a: [\n", None).expect_err("is no YAML");
}

#[test]
fn documented_variables_are_the_first_cells_of_rows() {
    let text = "| Variable | Meaning |\n|---|---|\n| `APP_PORT` | `8080` | The port to listen on |\n| **TOKEN** | secret |\n| other | x |\n| ID | short |\n";
    let found = documented_variables(text);
    assert_eq!((found[0].name.as_str(), found[0].line), ("APP_PORT", 3));
    assert_eq!((found.len(), found[1].name.as_str(), found[1].required), (2, "TOKEN", None));
}

#[test]
fn documented_variables_follow_the_headings_of_their_table() {
    let text = "| Name | Required | Default value | Secret | Description |\n|---|:-:|---|---|---|\n\
                | `API_URL` | yes | | no | Where the API is |\n\
                | `LEVEL` | no | `info` | | How much to log |\n\
                | `SECRET_THING` | ✔ | - | ✅ | Its key |\n\
                | `HOSTS` | optional | the name of the machine | | Hosts |\n\n\
                | Variable | Optional | Default |\n|---|---|---|\n| `OTHER` | no | \"a b\" |\n| `LAST` | yes | required |\n";
    let found: Vec<String> = documented_variables(text)
        .iter()
        .map(|one| {
            let DocumentedVariable { name, required, default, secret, description, .. } = one;
            format!("{name} {required:?} {default:?} {secret:?} {description}")
        })
        .collect();
    assert_eq!(
        found,
        [
            "API_URL Some(true) None Some(false) Where the API is",
            "LEVEL Some(false) Some(\"info\") None How much to log",
            "SECRET_THING Some(true) None Some(true) Its key",
            "HOSTS Some(false) None None Hosts",
            "OTHER Some(true) Some(\"a b\") None ",
            "LAST Some(false) None None ",
        ]
    );
}

#[test]
fn first_sentence_skips_titles_badges_and_code() {
    for (text, expected) in [
        (
            "# Title\n\n[![badge](x)](y)\n\nA service that [says](https://x)\n[hello][h]. It is small.\n",
            "A service that says hello.",
        ),
        (
            "Title\n=====\n\n```sh\ncode that is not prose at all\n```\n* an item of a list, long enough\n\n`x` is a web page\nof two lines\n",
            "x is a web page of two lines",
        ),
        (
            "[![a](b)](c) ![d](e)\nThe shop, e.g. for books, sells. More.\n",
            "The shop, e.g. for books, sells.",
        ),
        (
            "[Docs](a) | [Chat](b) | [Issues](c)\n\nA service that sells books.\n",
            "A service that sells books.",
        ),
        (
            "To run it, use these commands:\n\n    x\n\nA service that sells books.\n",
            "A service that sells books.",
        ),
        ("which is then used by the others\n\nA service that sells books.\n", "A service that sells books."),
        (
            "The service has these parts\n- one\n- two\n\nA service that sells books!\n",
            "A service that sells books!",
        ),
        (
            "1. Install the tools first.\n2. Run.\n\nA service that sells books.\n",
            "A service that sells books.",
        ),
    ] {
        assert_eq!(first_sentence(text).as_deref(), Some(expected), "{text}");
    }
    let marked = first_sentence("Click **Use this _template_** at `the top` &amp; wait<br> a bit.\n");
    assert_eq!(marked.as_deref(), Some("Click Use this template at the top & wait a bit."));
    assert_eq!(first_sentence("[![a](b)](c)\n\n[Only](a) [some](b) [links](c) [there](d):\n"), None);
    assert_eq!(first_sentence("# Only a title\n<p>html</p>\n"), None);
}

#[test]
fn build_file_tells_the_directory_of_the_sources() {
    let workdir = |text: &str| BuildFileFacts::read(text).workdir;
    assert_eq!(workdir("FROM x\nWORKDIR /app\nCOPY requirements.txt .\nCOPY . .\n").as_deref(), Some("/app"));
    assert_eq!(
        workdir("FROM x\nWORKDIR /srv\nWORKDIR web\nADD --chown=1:1 ./ ./src/\n").as_deref(),
        Some("/srv/web/src")
    );
    assert_eq!(workdir("FROM x AS b\nWORKDIR /b\nCOPY . .\nFROM y\nCOPY --from=b /b/x /x\n"), None);
    assert_eq!(workdir("FROM x\nCOPY . .\n"), None);
}

proptest! {
    #[test]
    fn readers_accept_any_text(text in "(FROM |EXPOSE |CMD |ENV |\\$|\\{|:-|\\}|\\||`|=|http://localhost:|[A-Z0-9 \n\\\\\"]|\\PC){0,60}") {
        let _ = (BuildFileFacts::read(&text), documented_variables(&text), first_sentence(&text));
        if let Ok(documents) = tree::documents("x", &text) {
            documents.into_iter().for_each(|document| drop(ComposeFacts::read(document, &text)));
        }
    }

    #[test]
    fn inventory_text_holds_any_text_as_it_is(words in proptest::collection::vec("[^\\p{C}\\s]([^\\p{C}]{0,18}[^\\p{C}\\s])?", 3)) {
        let component = DraftedComponent {
            name: "a".to_owned(),
            description: Some(words[0].clone()),
            environment: vec![DraftedVariable {
                name: "A".to_owned(),
                description: Some(words[1].clone()),
                default: Some(words[2].clone()),
                required: true,
                secret: Some(Secrecy::Kept),
            }],
            command: vec![words[2].clone()],
            ports: vec![DraftedPort { number: 80, is_http: true, host: Some(8080) }],
            ..DraftedComponent::default()
        };
        let text = inventory_text("repo", ".", "s.json", &BTreeMap::new(), &[component]);
        let document = InventoryDocument { file: "/x/i.yaml".to_owned(), text: text.into(), reference: None };
        let read = Inventory::read("/x/i.yaml", vec![document]).expect("reads");
        let one = &read.components[0];
        prop_assert_eq!(one.description.as_deref(), Some(words[0].as_str()));
        prop_assert_eq!(one.environment[0].default.as_deref(), Some(words[2].as_str()));
        let port = one.run.as_ref().expect("runs").ports[0];
        prop_assert_eq!((port.number, port.host, port.is_http), (80, Some(8080), true));
        prop_assert_eq!(one.environment[0].description.as_deref(), Some(words[1].as_str()));
        prop_assert_eq!(&one.run.as_ref().expect("runs").command[0], &words[2]);
        prop_assert_eq!(read.repos["repo"].as_str(), "/x");
    }
}
