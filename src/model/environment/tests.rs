//! Tests of the environment's rules with small tables.

use std::borrow::Cow;
use std::sync::Arc;

use super::*;
use crate::base::assets;
use crate::base::secret::Secret;
use crate::base::x509::TestPki;
use crate::model::inventory::{Inventory, InventoryDocument};

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
    let head = InventoryDocument { file: "i.yaml".into(), text: Cow::Borrowed(TABLE), reference: None };
    Inventory::read("here", vec![head]).expect("reads")
}

fn rules() -> SecretRules {
    let text = assets::embedded_text("placeholder-secrets.yaml").expect("is built in");
    SecretRules::read("placeholder-secrets.yaml", text).expect("are valid")
}

fn resolve(overrides: EnvOverrides, seed: &str) -> Result<Environment, EnvironmentError> {
    let inventory = inventory();
    let provided = ServiceBinding {
        name: "BUS_PASSWORD".into(),
        value: Secret::new("from-the-bus"),
        secret: true,
        service: "bus".into(),
        place: "services/bus.yaml".into(),
    };
    Environment::resolve(&Inputs {
        component: &inventory.components[0],
        inventory: &inventory,
        deployed: None,
        provided: vec![provided],
        secrets: &rules(),
        context: GeneratorContext::of(seed),
        overrides,
    })
}

fn flag(name: &str, value: &str) -> (String, Secret, ValueOrigin) {
    (name.to_owned(), Secret::new(value), ValueOrigin::Flag)
}

#[test]
fn environment_prefers_higher_layers() {
    let overrides = EnvOverrides {
        set: vec![flag("LEVEL", "INFO"), flag("EXTRA", "1")],
        unset: vec!["PORT".into()],
        ..EnvOverrides::default()
    };
    let environment = resolve(overrides, "w").expect("resolves");
    let seen: Vec<(&str, Option<&str>, &str)> = environment
        .variables
        .iter()
        .filter(|v| !matches!(v.origin, ValueOrigin::Placeholder { .. }))
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
    let lacking: Vec<&str> = environment.missing_required().iter().map(|v| v.name.as_str()).collect();
    assert_eq!(lacking, ["OTHER_URL", "URL"]);
    assert_eq!(environment.summary(), "6 variables: 1 from bus, 2 placeholder secrets, 2 yours, 1 locked");
}

#[test]
fn environment_refuses_override_of_locked_variable() {
    let claim =
        EnvOverrides { set: vec![flag("IS_PRODUCTION", "true")], unset: vec![], ..EnvOverrides::default() };
    let error = resolve(claim, "w").expect_err("is refused").to_string();
    assert!(error.contains("`IS_PRODUCTION` must be `false`") && error.contains("i.yaml:1"), "{error}");
    let unset = EnvOverrides { set: vec![], unset: vec!["IS_PRODUCTION".into()], ..EnvOverrides::default() };
    assert!(matches!(resolve(unset, "w"), Err(EnvironmentError::Locked { .. })));
    let same =
        EnvOverrides { set: vec![flag("IS_PRODUCTION", "false")], unset: vec![], ..EnvOverrides::default() };
    assert!(resolve(same, "w").is_ok());
}

#[test]
fn placeholder_secrets_are_stable_and_differ_between_workspaces() {
    let value = |seed: &str, name: &str| {
        let environment = resolve(EnvOverrides::default(), seed).expect("resolves");
        let variable = environment.variables.iter().find(|v| v.name == name).cloned().expect("is there");
        variable.value.expect("has a value").expose().to_owned()
    };
    assert_eq!(value("a", "GITLAB_TOKEN"), value("a", "GITLAB_TOKEN"));
    assert_ne!(value("a", "GITLAB_TOKEN"), value("b", "GITLAB_TOKEN"));
    assert!(value("a", "GITLAB_TOKEN").starts_with("glpat-"));
    assert!(value("a", "SENTRY_DSN").starts_with("https://"));
    assert!(value("a", "SENTRY_DSN").contains(".invalid"));
}

#[test]
fn one_secret_has_one_placeholder_however_it_is_encoded() {
    let text = assets::embedded_text("placeholder-secrets.yaml").expect("is built in");
    let rules = SecretRules::read("p.yaml", text).expect("reads").with_names(secret_part::tests::names());
    let literal = ["mssql://sa:P%40ssw0rd%21@mssql/x", "sqlcmd -S mssql -P P@ssw0rd!"].map(str::to_owned);
    let made = rules.placeholders(&[], &literal, &GeneratorContext::of("seed")).expect("makes");
    let secrets: Vec<&str> = made.iter().map(|(secret, _)| secret.as_str()).collect();
    assert_eq!(secrets, ["P%40ssw0rd%21", "P@ssw0rd!"]);
    assert_eq!(made[0].1.expose(), made[1].1.expose());
}

/// Resolves a table with all inputs for placeholders.
fn made(table: &'static str, overrides: EnvOverrides, services: &[(&str, &[(&str, &str)])]) -> Environment {
    let head = InventoryDocument { file: "i.yaml".into(), text: Cow::Borrowed(table), reference: None };
    let inventory = Inventory::read("here", vec![head]).expect("reads");
    let now = std::time::SystemTime::now();
    let material = TestPki::new(&[], now, now + std::time::Duration::from_secs(60)).expect("makes");
    let facts = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let context = GeneratorContext {
        stored: LazySeed::of("seed", Some(Arc::new(material))),
        hosts: Arc::new(["gitlab.com".to_owned(), "git.test".to_owned()]),
        services: Arc::new(services.iter().map(|(name, pairs)| ((*name).into(), facts(pairs))).collect()),
        ..GeneratorContext::default()
    };
    Environment::resolve(&Inputs {
        component: &inventory.components[0],
        inventory: &inventory,
        deployed: None,
        provided: Vec::new(),
        secrets: &rules(),
        context,
        overrides,
    })
    .expect("resolves")
}

fn value<'a>(environment: &'a Environment, name: &str) -> &'a str {
    let variable = environment.variables.iter().find(|variable| variable.name == name);
    variable.and_then(|variable| variable.value.as_ref()).map_or("–", Secret::expose)
}

fn set_override(name: &str, value: &str) -> EnvOverrides {
    EnvOverrides {
        set: vec![(name.into(), Secret::new(value), ValueOrigin::Flag)],
        unset: Vec::new(),
        ..EnvOverrides::default()
    }
}

#[test]
fn token_map_generates_variables_it_names() {
    const TABLE: &str = "\
components: [{name: a, category: x, environment: [{name: GITLAB_TOKENS, type: json, required: true}]}]";
    let environment = made(TABLE, EnvOverrides::default(), &[]);
    assert_eq!(value(&environment, "GITLAB_TOKENS"), r#"{"gitlab.com": "GITLAB_TOKEN"}"#);
    assert!(value(&environment, "GITLAB_TOKEN").starts_with("glpat-cki-reference-"));
    let variable = |name: &str| environment.variables.iter().find(|v| v.name == name).expect("is there");
    assert!(!variable("GITLAB_TOKENS").secret && variable("GITLAB_TOKEN").secret);
    assert_eq!(variable("GITLAB_TOKEN").origin.place(), Some("i.yaml:1"));
    let own =
        made(TABLE, set_override("GITLAB_TOKENS", r#"{"a.test": "A_TOKEN", "b.test": "no name"}"#), &[]);
    assert!(value(&own, "A_TOKEN").starts_with("cki-reference-a-token-"));
    assert_eq!(own.variables.len(), 2);
    let mut overrides = set_override("A_TOKEN", "mine");
    overrides.set.extend(set_override("GITLAB_TOKENS", r#"{"a.test": "A_TOKEN"}"#).set);
    assert_eq!(value(&made(TABLE, overrides, &[]), "A_TOKEN"), "mine");
    let broken = made(TABLE, set_override("GITLAB_TOKENS", "{"), &[]);
    assert_eq!(broken.variables.len(), 1);
}

#[test]
fn path_variables_get_generated_files() {
    const TABLE: &str = "\
components:
  - name: a
    category: x
    environment:
      - {name: RABBITMQ_CAFILE, type: path, required: true}
      - {name: RABBITMQ_CERTFILE, type: path, required: true}
      - {name: OTHER_CAFILE, type: path}
      - {name: GOOGLE_APPLICATION_CREDENTIALS, secret: true}
      - {name: LICENCE, type: path, secret: true}
";
    let environment = made(TABLE, EnvOverrides::default(), &[]);
    assert_eq!(value(&environment, "RABBITMQ_CAFILE"), "/run/secrets/cki-reference/ca.pem");
    assert_eq!(value(&environment, "OTHER_CAFILE"), "–", "nobody needs it");
    let content = |name: &str| {
        let path = value(&environment, name);
        let file = environment.files.iter().find(|file| file.path == path).expect("has a file");
        file.content.expose()
    };
    assert_eq!(content("RABBITMQ_CAFILE").matches("BEGIN CERTIFICATE").count(), 1);
    let both = content("RABBITMQ_CERTFILE");
    assert!(both.contains("-END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"), "{both}");
    let account: serde_json::Value =
        serde_json::from_str(content("GOOGLE_APPLICATION_CREDENTIALS")).expect("is JSON");
    assert_eq!(account["type"], "service_account");
    assert!(account["private_key"].as_str().expect("is text").starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(content("LICENCE").starts_with("cki-reference-licence-"));
    assert_eq!(environment.files.len(), 4);
    let hidden: Vec<Secret> = environment.files.iter().flat_map(hidden_parts).collect();
    assert!(hidden.iter().all(|part| part.expose().len() >= 8 && !part.expose().contains("-----")));
    for name in ["RABBITMQ_CERTFILE", "GOOGLE_APPLICATION_CREDENTIALS", "LICENCE"] {
        assert!(hidden.iter().any(|part| content(name).contains(part.expose())), "{name}");
    }
    assert!(!hidden.iter().any(|part| content("RABBITMQ_CAFILE").contains(part.expose())), "is public");
    let own = made(TABLE, set_override("RABBITMQ_CAFILE", "/etc/ca.pem"), &[]);
    assert_eq!(own.files.len(), 3, "nobody names it any more");
}

#[test]
fn bucket_variables_point_at_service_of_run() {
    const TABLE: &str = "\
components:
  - name: a
    category: x
    environment:
      - {name: BUCKET_SOFTWARE, secret: true}
      - {name: BUCKET_PIPE, type: url, required: true}
      - {name: AWS_ACCESS_KEY_ID, secret: true}
      - {name: APP_DB_URL, secret: true}
";
    let alone = made(TABLE, EnvOverrides::default(), &[]);
    let fields: Vec<&str> = value(&alone, "BUCKET_SOFTWARE").split('|').collect();
    assert_eq!(fields.len(), 5, "{fields:?}");
    assert_eq!(
        (fields[0], fields[3], fields[4]),
        ("http://s3.reference.invalid:9000", "reference", "bucket_software/")
    );
    assert_eq!(fields[1], value(&alone, "AWS_ACCESS_KEY_ID"));
    assert_eq!(value(&alone, "BUCKET_PIPE"), "http://s3.reference.invalid:9000/reference/bucket_pipe/");
    assert!(value(&alone, "BUCKET_PIPE_AWS_ACCESS_KEY_ID").starts_with("CKIAREFERENCE"));
    assert!(value(&alone, "BUCKET_PIPE_AWS_SECRET_ACCESS_KEY").starts_with("cki/reference/"));
    assert!(value(&alone, "APP_DB_URL").contains("@database.reference.invalid:5432/"));
    let s3 = [
        ("host", "s3"),
        ("AWS_ENDPOINT_URL", "http://s3:8333"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ("S3_BUCKET", "cki"),
    ];
    let postgres = [("DATABASE_URL", "postgresql://cki:p@postgres:5432/cki")];
    let with = made(TABLE, EnvOverrides::default(), &[("s3", &s3), ("postgres", &postgres)]);
    assert_eq!(value(&with, "BUCKET_SOFTWARE"), "http://s3:8333|key|hidden|cki|bucket_software/");
    assert_eq!(value(&with, "BUCKET_PIPE"), "http://s3:8333/cki/bucket_pipe/");
    assert_eq!(value(&with, "BUCKET_PIPE_AWS_SECRET_ACCESS_KEY"), "hidden");
    assert_eq!(value(&with, "APP_DB_URL"), "postgresql://cki:p@postgres:5432/cki");
}

#[test]
fn secret_rules_report_location_of_errors() {
    let make = |rules: &str| {
        let rules = SecretRules::read("r.yaml", rules).expect("reads");
        rules.make("A", None, &GeneratorContext::of("s")).expect_err("is wrong").to_string()
    };
    let outside = make("rules: [{rule: x, value: /etc/passwd, file: y}]");
    assert!(outside.contains("must be a path in `/run/secrets/cki-reference`"), "{outside}");
    let deeper = make("rules: [{rule: x, value: '{{ directory }}/../y', file: y}]");
    assert!(deeper.contains("must be a path"), "{deeper}");
    assert!(make("rules: [{rule: x, value: '{{ ca_certificate() }}'}]").contains("rule `x` cannot be made"));
    assert!(make("rules: [{rule: x, value: \"{{ secret('A') }}\"}]").contains("rule `x` cannot be made"));
    for endless in ["alnum", "digits", "hex"] {
        let rules = format!("rules: [{{rule: x, value: '{{{{ {endless}(2000000000) }}}}'}}]");
        assert!(make(&rules).contains("rule `x` cannot be made"), "{endless}");
    }
    assert!(make("rules: []").contains("no rule makes a value for `A`"));
}
