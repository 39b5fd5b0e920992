//! Tests of drafts: facts from build files, Compose files and documents, and the text of an entry.

use proptest::prelude::*;

use super::*;
use crate::base::yaml::tree;
use crate::model::inventory::{Inventory, InventoryDocument};

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
    let text = "services:\n  web:\n    build: {context: ./web, dockerfile: Dev.Dockerfile, target: dev}\n    ports: ['127.0.0.1:${P:-8080}:80', {target: 81}, '9000-9001', 53:53/udp]\n    depends_on: {db: {condition: x}, cache: {}}\n  db:\n    image: ${DB_IMAGE:-postgres:16}\n  cache: {image: 'redis:7', profiles: [x]}\n  api: {build: api}\n";
    let document = tree::documents("c", text).expect("reads").remove(0);
    let services = ComposeFacts::read(&document).services;
    let web = &services[0];
    assert_eq!(web.build, Some(("./web".to_owned(), Some("Dev.Dockerfile".to_owned()))));
    assert_eq!((web.target.as_deref(), web.ports.as_slice()), (Some("dev"), [80, 81].as_slice()));
    assert_eq!((web.needs.join(" "), web.line), ("db cache".to_owned(), 2));
    assert_eq!(services[1].image.as_deref(), Some("postgres:16"));
    assert_eq!(services[3].build, Some(("api".to_owned(), None)));
}

#[test]
fn documented_variables_are_the_first_cells_of_rows() {
    let text = "| Variable | Meaning |\n|---|---|\n| `APP_PORT` | `8080` | The port to listen on |\n| **TOKEN** | secret |\n| other | x |\n| ID | short |\n";
    let found = documented_variables(text);
    assert_eq!(found[0], ("APP_PORT".to_owned(), 3, "The port to listen on".to_owned()));
    assert_eq!((found.len(), found[1].0.as_str()), (2, "TOKEN"));
}

proptest! {
    #[test]
    fn readers_accept_any_text(text in "(FROM |EXPOSE |CMD |ENV |\\$|\\{|:-|\\}|\\||`|=|http://localhost:|[A-Z0-9 \n\\\\\"]|\\PC){0,60}") {
        let _ = (BuildFileFacts::read(&text), documented_variables(&text));
        if let Ok(documents) = tree::documents("x", &text) {
            documents.iter().for_each(|document| drop(ComposeFacts::read(document)));
        }
    }

    #[test]
    fn inventory_text_holds_any_text_as_it_is(words in proptest::collection::vec("[^\\p{C}\\s]([^\\p{C}]{0,18}[^\\p{C}\\s])?", 3)) {
        let component = DraftedComponent {
            name: "a".to_owned(),
            description: Some(words[0].clone()),
            environment: vec![DraftedVariable { name: "A".to_owned(), description: Some(words[1].clone()) }],
            command: vec![words[2].clone()],
            ports: vec![(80, true)],
            ..DraftedComponent::default()
        };
        let text = inventory_text("repo", ".", &[component]);
        let document = InventoryDocument { file: "/x/i.yaml".to_owned(), text: text.into(), reference: None };
        let read = Inventory::read("/x/i.yaml", vec![document]).expect("reads");
        let one = &read.components[0];
        prop_assert_eq!(one.description.as_deref(), Some(words[0].as_str()));
        prop_assert_eq!(one.environment[0].description.as_deref(), Some(words[1].as_str()));
        prop_assert_eq!(&one.run.as_ref().expect("runs").command[0], &words[2]);
        prop_assert_eq!(read.repos["repo"].as_str(), "/x");
    }
}
