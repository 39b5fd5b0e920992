//! The rules of the environment, tried on small tables.

use std::borrow::Cow;

use super::*;
use crate::base::assets;
use crate::model::inventory::{Document, Inventory};

const TABLE: &str = "\
production: {environment: {IS_PRODUCTION: \"false\"}}
components:
  - name: notifier
    category: service
    environment:
      - {name: LEVEL, default: WARN}
      - {name: PORT, type: int, default: 8000}
      - {name: URL, type: url, required: true}
      - {name: OTHER_URL, required: true}
      - {name: BUS_PASSWORD, secret: true, required: true}
      - {name: GITLAB_TOKEN, secret: true, required: true}
      - {name: SENTRY_DSN, type: url, secret: true}
";

fn inventory() -> Inventory {
    let head = Document { file: "i.yaml".into(), text: Cow::Borrowed(TABLE), reference: None };
    Inventory::read("here", vec![head]).expect("reads")
}

fn rules() -> SecretRules {
    let text = assets::embedded_text("reference-secrets.yaml").expect("is built in");
    SecretRules::read("reference-secrets.yaml", text).expect("are valid")
}

fn resolve(wishes: Wishes, seed: &str) -> Result<Environment, EnvironmentError> {
    let inventory = inventory();
    let provided = Provided {
        name: "BUS_PASSWORD".into(),
        value: Secret::new("from-the-bus"),
        secret: true,
        service: "bus".into(),
        place: "services/bus.yaml".into(),
    };
    Environment::resolve(Inputs {
        component: &inventory.components[0],
        inventory: &inventory,
        deployed: None,
        provided: vec![provided],
        secrets: &rules(),
        seed,
        wishes,
    })
}

fn flag(name: &str, value: &str) -> (String, Secret, Origin) {
    (name.to_owned(), Secret::new(value), Origin::Flag)
}

#[test]
fn each_layer_wins_over_those_below() {
    let wishes = Wishes { set: vec![flag("LEVEL", "INFO"), flag("EXTRA", "1")], unset: vec!["PORT".into()] };
    let environment = resolve(wishes, "w").expect("resolves");
    let seen: Vec<(&str, Option<&str>, &str)> = environment
        .variables
        .iter()
        .filter(|v| !matches!(v.origin, Origin::Reference { .. }))
        .map(|v| (v.name.as_str(), v.value.as_ref().map(Secret::expose), v.origin.id()))
        .collect();
    assert_eq!(
        seen,
        [
            ("BUS_PASSWORD", Some("from-the-bus"), "service"),
            ("EXTRA", Some("1"), "flag"),
            ("IS_PRODUCTION", Some("false"), "locked"),
            ("LEVEL", Some("INFO"), "flag"),
            ("OTHER_URL", None, "missing"),
            ("PORT", None, "unset"),
            ("URL", None, "missing"),
        ]
    );
    let lacking: Vec<&str> = environment.lacking().iter().map(|v| v.name.as_str()).collect();
    assert_eq!(lacking, ["OTHER_URL", "URL"]);
    assert_eq!(environment.summary(), "6 variables: 1 from bus, 2 reference secrets, 2 yours, 1 locked");
}

#[test]
fn production_cannot_be_claimed() {
    let claim = Wishes { set: vec![flag("IS_PRODUCTION", "true")], unset: vec![] };
    let error = resolve(claim, "w").expect_err("is refused").to_string();
    assert!(error.contains("`IS_PRODUCTION` must be `false`") && error.contains("i.yaml:1"), "{error}");
    let unset = Wishes { set: vec![], unset: vec!["IS_PRODUCTION".into()] };
    assert!(matches!(resolve(unset, "w"), Err(EnvironmentError::Locked { .. })));
    let same = Wishes { set: vec![flag("IS_PRODUCTION", "false")], unset: vec![] };
    assert!(resolve(same, "w").is_ok());
}

#[test]
fn reference_secrets_are_stable_and_differ_between_workspaces() {
    let value = |seed: &str, name: &str| {
        let environment = resolve(Wishes::default(), seed).expect("resolves");
        let variable = environment.variables.iter().find(|v| v.name == name).cloned().expect("is there");
        variable.value.expect("has a value").expose().to_owned()
    };
    assert_eq!(value("a", "GITLAB_TOKEN"), value("a", "GITLAB_TOKEN"));
    assert_ne!(value("a", "GITLAB_TOKEN"), value("b", "GITLAB_TOKEN"));
    assert!(value("a", "GITLAB_TOKEN").starts_with("glpat-"));
    assert!(value("a", "SENTRY_DSN").starts_with("https://"));
    assert!(value("a", "SENTRY_DSN").contains(".invalid"));
}
