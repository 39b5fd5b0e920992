//! The handwritten description of the inventory: its examples parse as files of an inventory, and it describes
//! every key.

use std::path::Path;

use cki::model::environment::{GeneratorContext, ProductionRules, SecretRules};
use cki::model::inventory::check::Rule;
use cki::model::inventory::{Inventory, InventoryDocument, schema};
use cki::model::reference::Reference;
use cki::model::rfc::RfcRule;
use cki::model::rule::Severity;
use cki::model::service::{ServiceTemplate, TemplateContext};
use regex::Regex;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the project")
}

fn description() -> String {
    read("docs/reference/inventory.md")
}

/// The examples: the path in their first line, and all of them.
pub(super) fn examples() -> Vec<(String, String)> {
    let text = description();
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks
        .map(|block| {
            let path =
                block.lines().next().and_then(|line| line.strip_prefix("# ")).expect("begins with a path");
            (path.to_owned(), block.to_owned())
        })
        .collect()
}

fn document((path, text): &(String, String)) -> InventoryDocument {
    let reference = path.strip_suffix(".yaml").and_then(Reference::parse);
    InventoryDocument { file: path.clone(), text: text.clone().into(), reference }
}

#[test]
fn compiled_inventory_is_up_to_date() {
    let compiled = cki::ops::shared::inventory::compile().expect("is YAML");
    super::golden("templates/inventory.compiled", &compiled);
    // What is read of it is what is read of the files, to the last value.
    let directory = cki::ops::shared::inventory::load(&cki::model::inventory::InventorySources::of_path(
        Path::new("templates/inventory"),
    ))
    .expect("loads");
    let carried = cki::ops::shared::inventory::load(&Default::default()).expect("loads");
    assert_eq!(directory.components.len(), carried.components.len());
    for (one, other) in directory.components.iter().zip(&carried.components) {
        let of = |component: &cki::model::inventory::Component| {
            let part = component.clone();
            let place = part.source_map.place("sources.0.repo");
            let text = format!("{component:?}");
            let text = text.split(", source_map: ").next().expect("has a part before it").to_owned();
            (text, place.replace("templates/inventory/", "").replace("built in: ", ""))
        };
        assert_eq!(of(one), of(other));
    }
    // No text is parsed: these would all be errors.
    let document = |name: &str| InventoryDocument {
        file: name.to_owned(),
        text: "[".into(),
        reference: name.strip_suffix(".yaml").and_then(Reference::parse),
    };
    let documents = cki::base::yaml::compiled(&compiled).into_iter();
    let documents = documents.map(|(name, compiled)| (document(name), Some(compiled))).collect();
    let unparsed = Inventory::read_compiled("here", documents).expect("nothing is parsed");
    assert_eq!(unparsed.components.len(), carried.components.len());
}

#[test]
fn inventory_examples_have_no_findings() {
    let examples = examples();
    let is_of_directory = |path: &str| path == "inventory.yaml" || path.starts_with("service/");
    let directory: Vec<InventoryDocument> =
        examples.iter().filter(|(path, _)| is_of_directory(path)).map(document).collect();
    assert_eq!(directory.len(), 2);
    let inventory = Inventory::read("the directory", directory).expect("can be read");
    assert_eq!(inventory.findings(9), []);
    let herder = inventory.find("pipeline-herder").expect("is there");
    assert_eq!(herder.stage.as_ref().and_then(|stage| stage.bot.as_deref()), Some("cki-ci-bot"));
    let one: Vec<InventoryDocument> =
        examples.iter().filter(|(path, _)| path == "one-file.yaml").map(document).collect();
    let inventory = Inventory::read("the file", one).expect("can be read");
    assert_eq!(inventory.findings(9), []);
    assert_eq!(inventory.components.len(), 2);
}

#[test]
fn template_examples_are_valid() {
    let examples = examples();
    let (file, text) = examples.iter().find(|(path, _)| path.ends_with("secrets.yaml")).expect("is there");
    let rules = SecretRules::read(file, text).expect("can be read");
    let context = GeneratorContext::of("seed");
    let made = rules.make("RETRIES", Some("int"), &context).expect("a rule fits");
    let (value, rule) = (made.value, made.rule);
    assert_eq!((value.expose().len(), rule.as_str()), (9, "number"));
    let (file, text) = examples.iter().find(|(path, _)| path.ends_with("values.yaml")).expect("is there");
    let values = ProductionRules::read(file, text).expect("can be read");
    let made = values.replace("API_URL", "https://a.example.org:1/x", &|text| text.contains("a.example"));
    let made = made.expect("works").expect("a rule fits");
    assert_eq!(made.value, "https://api-url.reference.invalid:1/x");
    let (file, text) =
        examples.iter().find(|(path, _)| path.starts_with("templates/services/")).expect("is there");
    let around = TemplateContext { host: "broker", program: "/cki", context: &context, rules: &rules };
    let template = ServiceTemplate::read("broker", file, text).expect("can be read");
    let asked = [("virtual_host".to_owned(), "cki".into())].into();
    let asked = template.parameters(&asked, file).expect("are known");
    let provided = template.provided(around, &asked).expect("works");
    let value =
        |name: &str| provided.iter().find(|given| given.name == name).map(|given| given.value.expose());
    assert_eq!(value("RABBITMQ_HOST"), Some("broker"));
    assert_eq!(value("RABBITMQ_VIRTUAL_HOST"), Some("cki"));
    let service = template.fill(around, &[asked]).expect("works");
    assert_eq!(service.setup, [["rabbitmqctl", "add_vhost", "cki"]]);
    assert!(service.native.is_some());
}

#[test]
fn inventory_reference_lists_every_rule_of_the_check() {
    let text = description();
    let section = text.split("\n## Check\n").nth(1).expect("has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |(_, name, severity, meaning): &(Rule, &str, Severity, &str)| {
        format!("| `{name}` | {} | {meaning} |", severity.name())
    };
    assert_eq!(rows, Rule::ALL.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn inventory_reference_lists_every_rule_about_requests_for_comments() {
    let text = description();
    let section = text.split("\n## Requests for comments\n").nth(1).expect("has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows: Vec<&str> =
        section.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 4).collect();
    let row = |(_, name, severity, meaning): &(RfcRule, &str, Severity, &str)| {
        format!("| `{name}` | {} | {meaning} |", severity.name())
    };
    assert_eq!(rows, RfcRule::ALL.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn inventory_reference_describes_every_key() {
    let text = description();
    let field = Regex::new(r"(?m)^    (?:pub(?:\(super\))? )?([a-z_]+): ").expect("is valid");
    let renamed = Regex::new(r#"rename = "([a-z_]+)"\)\]\s*(?:pub )?[a-z_]+:"#).expect("is valid");
    let skipped = Regex::new(r"#\[serde\(skip\)\]\s*(?:pub )?[a-z_]+:").expect("is valid");
    let mut keys: Vec<(String, &str)> = Vec::new();
    for definition in schema()["definitions"].as_object().expect("is a mapping").values() {
        let names = definition["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned());
        keys.extend(names.map(|key| (key, "the schema")));
    }
    for file in [
        "src/model/service/mod.rs",
        "src/model/environment/production.rs",
        "src/model/environment/placeholder_secret.rs",
    ] {
        let source = read(file);
        // Only what is read from YAML.
        for part in source.split("Deserialize)]").skip(1) {
            let body = part.split("\n}").next().unwrap_or_default();
            let body = skipped.replace_all(body, "");
            let body = renamed.replace_all(&body, "$1:");
            keys.extend(field.captures_iter(&body).map(|found| (found[1].to_owned(), file)));
        }
    }
    for (key, place) in &keys {
        let told = Regex::new(&format!(r"\b{key}\b")).expect("is valid");
        let in_code = text.split('`').skip(1).step_by(2).any(|code| told.is_match(code));
        assert!(in_code, "docs/reference/inventory.md says nothing of `{key}` ({place})");
    }
    let count = keys.len();
    assert!(count > 50, "only {count} keys were found in the source");
}
