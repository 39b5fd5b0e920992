//! Tests of the forms with texts that are hard to quote.

use super::*;
use crate::base::secret::Secret;
use crate::base::yaml;
use crate::model::container::Limits;
use crate::model::identity::{Role, RunId};
use crate::ops::runtime::start::scope::Network;
use crate::ops::runtime::start::unit::{DevOptions, Image, Unit, production_hosts};

fn unit(name: &str, environment: &[(&str, &str)], secret: &[&str]) -> Unit {
    Unit {
        name: name.to_owned(),
        aliases: Vec::new(),
        role: Role::Component,
        is_component: true,
        keeps_entrypoint: false,
        requested: true,
        one_shot: true,
        component: format!("job/{name}"),
        needs: Vec::new(),
        image: Image::Named("example.org/x:1".into()),
        command: Some(vec!["sh".into(), "-c".into(), "echo $(date) ${HOME} 'it''s' pw-123456".into()]),
        native: None,
        environment: environment.iter().map(|(n, v)| ((*n).to_owned(), Secret::new(*v))).collect(),
        secret: secret.iter().map(|name| (*name).to_owned()).collect(),
        workdir: None,
        ports: vec![8000],
        http_ports: Vec::new(),
        host_ports: Vec::new(),
        files: Vec::new(),
        ready: None,
        setup: Vec::new(),
        volumes: vec!["/data".into()],
        retained: false,
        limits: Limits::default(),
        hidden: Vec::new(),
        dev: DevOptions::default(),
    }
}

fn plan(units: Vec<Unit>) -> RunPlan {
    RunPlan {
        run: RunId::new(b"r"),
        units,
        native: false,
        network: Network::Isolated,
        detach: false,
        summaries: Vec::new(),
        findings: Vec::new(),
        production: Default::default(),
        needed: Default::default(),
    }
}

fn sample() -> RunPlan {
    plan(vec![
        unit("a", &[("HARD", "a$b \"c\"\nd: 'e' #f"), ("NO", "no"), ("TOKEN", "pw-123456")], &["TOKEN"]),
        unit("b", &[("URL", "x://u:pw-123456@h"), ("TOKEN", "other-secret")], &["TOKEN"]),
    ])
}

#[test]
fn export_omits_secrets_unless_requested() {
    for form in [ExportFormat::Compose, ExportFormat::Kube] {
        let hidden = text(&sample(), form, false);
        assert!(!hidden.contains("pw-123456") && !hidden.contains("other-secret"), "{hidden}");
        // Two secrets with the same name stay separate.
        assert!(hidden.contains("# 2 secrets must be in the environment"), "{hidden}");
        assert!(hidden.contains("#   B_TOKEN TOKEN\n"), "{hidden}");
        let shown = text(&sample(), form, true);
        assert!(shown.contains("x://u:pw-123456@h") && shown.contains("other-secret"), "{shown}");
        assert!(!shown.contains("B_TOKEN"), "{shown}");
    }
}

#[test]
fn compose_export_preserves_values() {
    let mut plan = sample();
    plan.units[0].aliases = vec!["alpha".to_owned()];
    let text = text(&plan, ExportFormat::Compose, false);
    let (file, _) = yaml::parse::<serde_json::Value>("compose.yaml", &text).expect("is YAML");
    let a = &file["services"]["a"];
    assert_eq!(a["environment"]["HARD"], "a$$b \"c\"\nd: 'e' #f");
    assert_eq!(a["environment"]["NO"], "no", "is a text and no truth value");
    assert_eq!(a["networks"]["run"]["aliases"][0], "alpha");
    assert_eq!(file["services"]["b"]["networks"][0], "run");
    assert_eq!(a["command"][2], "echo $$(date) $${HOME} 'it''s' ${TOKEN:?}");
    assert_eq!(a["entrypoint"], serde_json::json!([]));
    assert_eq!(file["networks"]["run"]["internal"], true);
    assert_eq!(file["services"]["b"]["environment"]["URL"], "x://u:${TOKEN:?}@h");
    // The labels must not look like a run of `cki`.
    assert!(!text.contains("cki.run"), "{text}");
}

#[test]
fn export_blocks_production_hosts() {
    let text_of = "production: {hosts: [prod.test, 'bücher.test']}\n".to_owned();
    let head = crate::model::inventory::InventoryDocument {
        file: "i.yaml".into(),
        text: text_of.into(),
        reference: None,
    };
    let inventory = crate::model::inventory::Inventory::read("here", vec![head]).expect("reads");
    let mut open = sample();
    open.network = Network::Internet;
    open.production = production_hosts(&open.units, &inventory);
    let compose = text(&open, ExportFormat::Compose, false);
    for name in ["prod.test", "prod.test.", "bücher.test", "xn--bcher-kva.test."] {
        assert_eq!(compose.matches(&format!("- {name}:255.255.255.255\n")).count(), 2, "{name}: {compose}");
    }
    let kube = text(&open, ExportFormat::Kube, false);
    assert!(kube.contains("hostAliases:") && kube.contains("xn--bcher-kva.test"), "{kube}");
    open.network = Network::Isolated;
    for form in [ExportFormat::Compose, ExportFormat::Kube] {
        assert!(!text(&open, form, false).contains("prod.test"), "a closed network needs none");
    }
}
