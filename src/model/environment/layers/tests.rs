//! Tests of the layers with a small deployment.

use crate::base::assets::embedded_text;
use crate::base::secret::Secret;
use crate::model::deployment::expansion::{self, Segment};
use crate::model::deployment::{DeployedContainer, DeploymentPart, EnvEntry, EnvVarSource};
use crate::model::environment::production_value::LONGEST;
use crate::model::environment::{
    DeploymentInput, EnvOverrides, Environment, GeneratorContext, Inputs, ProductionRules, SecretNames,
    SecretRules, ServiceBinding, ValueOrigin, Variable,
};
use crate::model::inventory::{Inventory, InventoryDocument};

const TABLE: &str = "\
production: {environment: {IS_PRODUCTION: \"false\"}}
components:
  - name: web
    category: service
    environment:
      - {name: LEVEL, default: WARN}
      - {name: KEPT, default: here}
      - {name: LOGIN, secret: true}
      - {name: LACKING, required: true}
      - {name: DB_PASSWORD, description: nobody says whether it is secret}
      - {name: TOKEN_NAMES, secret: false}
      - {name: KEPT_PASSWORD, secret: keep}
";

fn given(name: &str, value: EnvVarSource) -> EnvEntry {
    EnvEntry { name: name.to_owned(), place: format!("d.yaml:{name}"), value, parts: Vec::new(), draft: None }
}

fn text(name: &str, value: &str) -> EnvEntry {
    let earlier = |name: &str| ["HOST", "API_TOKEN", "BIG"].contains(&name);
    given(name, EnvVarSource::Text(expansion::pieces(value, &earlier)))
}

/// Returns the environment of a deployment: name, value, origin, rule, and value in production.
fn resolved(variables: Vec<EnvEntry>, overrides: EnvOverrides) -> Vec<(String, Variable)> {
    let head = InventoryDocument { file: "i.yaml".into(), text: TABLE.into(), reference: None };
    let inventory = Inventory::read("here", vec![head]).expect("reads");
    let container = DeployedContainer {
        label: "Deployment/web, container web".to_owned(),
        place: "d.yaml:1".to_owned(),
        hostnames: Vec::new(),
        image: None,
        command: Vec::new(),
        args: Vec::new(),
        workdir: None,
        ports: Vec::new(),
        ready: None,
        variables,
        clears_entrypoint: false,
        interpolated: Vec::new(),
        init: Vec::new(),
    };
    let rules = embedded_text("production-values.yaml").expect("is built in");
    let rules = ProductionRules::read("p", rules).expect("are valid");
    let secrets = embedded_text("placeholder-secrets.yaml").expect("is built in");
    let names = embedded_text("secret-names.yaml").expect("is built in");
    let names = SecretNames::read("n", names).expect("are valid");
    let names_production = |text: &str| text.contains("prod.example.org");
    let provided = ServiceBinding {
        name: "BUS".into(),
        value: Secret::new("bus"),
        secret: false,
        service: "rabbitmq".into(),
        place: "services/rabbitmq.yaml".into(),
    };
    let environment = Environment::resolve(&Inputs {
        component: &inventory.components[0],
        inventory: &inventory,
        deployed: Some(DeploymentInput {
            container: &container,
            rules: &rules,
            names_production: &names_production,
            is_credential: &|_, value| value.contains("glpat-"),
        }),
        provided: vec![provided],
        secrets: &SecretRules::read("r", secrets).expect("are valid").with_names(names),
        context: GeneratorContext::of("w"),
        overrides,
    });
    let variables = environment.expect("resolves").variables;
    variables.into_iter().map(|variable| (variable.name.clone(), variable)).collect()
}

fn find<'a>(all: &'a [(String, Variable)], name: &str) -> &'a Variable {
    &all.iter().find(|(known, _)| known == name).expect("is there").1
}

fn value<'a>(all: &'a [(String, Variable)], name: &str) -> Option<&'a str> {
    find(all, name).value.as_ref().map(Secret::expose)
}

#[test]
fn deployment_layer_overrides_declarations_only() {
    let variables = vec![
        text("LEVEL", "DEBUG"),
        text("IS_PRODUCTION", "true"),
        text("BUS", "bus.prod.example.org"),
        text("MINE", "theirs"),
        given("LACKING", EnvVarSource::Unknown("why".into())),
    ];
    let set = vec![("MINE".to_owned(), Secret::new("mine"), ValueOrigin::Flag)];
    let all = resolved(variables, EnvOverrides { set, unset: vec![], ..EnvOverrides::default() });
    let seen = |name: &str| (value(&all, name), find(&all, name).origin.id());
    assert_eq!(seen("LEVEL"), (Some("DEBUG"), "deployment"));
    assert_eq!(seen("KEPT"), (Some("here"), "default"));
    assert_eq!(seen("IS_PRODUCTION"), (Some("false"), "locked"));
    assert_eq!(seen("BUS"), (Some("bus"), "service"));
    assert_eq!(find(&all, "BUS").replaced_by.as_deref(), Some("backing service rabbitmq"));
    assert_eq!(seen("MINE"), (Some("mine"), "flag"));
    assert_eq!(seen("LACKING"), (None, "missing"));
    let there = find(&all, "IS_PRODUCTION").production.as_ref().expect("is known");
    assert_eq!(there.value.written().map(Secret::expose), Some("true"));
}

#[test]
fn deployment_layer_replaces_production_hosts() {
    let variables = vec![
        text("HOST", "api.prod.example.org"),
        text("URL", "https://$(HOST)/v1"),
        text("PARTS", "https://api.prod.$(DOMAIN)example.org/x"),
        given("SPACE", EnvVarSource::Field("metadata.namespace".into())),
    ];
    let all = resolved(variables.clone(), EnvOverrides::default());
    assert_eq!(value(&all, "HOST"), Some("host.reference.invalid"));
    assert_eq!(find(&all, "HOST").replaced_by.as_deref(), Some("host"));
    // Values made of it follow, also when the user sets it.
    assert_eq!(value(&all, "URL"), Some("https://host.reference.invalid/v1"));
    assert_eq!(
        (value(&all, "SPACE"), find(&all, "SPACE").replaced_by.as_deref()),
        (Some("local"), Some("namespace"))
    );
    let set = vec![("HOST".to_owned(), Secret::new("localhost"), ValueOrigin::Flag)];
    let all = resolved(variables, EnvOverrides { set, unset: vec![], ..EnvOverrides::default() });
    assert_eq!(value(&all, "URL"), Some("https://localhost/v1"));
}

#[test]
fn deployment_layer_takes_no_secrets() {
    let variables = vec![
        given("API_TOKEN", EnvVarSource::Secret { secret: "login".into(), key: "token".into() }),
        text("URL", "https://user:$(API_TOKEN)@localhost/"),
        text("LOGIN", "hunter2"),
        text("OTHER_PASSWORD", "hunter2"),
        text("DB_PASSWORD", "hunter2"),
        text("TOKEN_NAMES", "those of the bots"),
        text("AUTH_ENABLED", "true"),
    ];
    let all = resolved(variables, EnvOverrides::default());
    for name in ["API_TOKEN", "LOGIN", "OTHER_PASSWORD", "DB_PASSWORD"] {
        let variable = find(&all, name);
        assert!(variable.secret && variable.origin.id() == "placeholder-secret", "{name}");
        assert!(value(&all, name).is_some_and(|value| value.contains("reference")), "{name}");
    }
    let token = value(&all, "API_TOKEN").expect("has one");
    assert_eq!(value(&all, "URL"), Some(format!("https://user:{token}@localhost/").as_str()));
    assert!(find(&all, "URL").secret, "it holds one");
    assert_eq!((value(&all, "AUTH_ENABLED"), find(&all, "AUTH_ENABLED").secret), (Some("true"), false));
    let names = find(&all, "TOKEN_NAMES");
    assert_eq!((value(&all, "TOKEN_NAMES"), names.secret), (Some("those of the bots"), false));
}

#[test]
fn deployment_layer_hides_production_secrets() {
    let mut made = text("MODE", "hunter2");
    made.parts = vec![DeploymentPart { name: "A_PASSWORD".to_owned(), range: 0..7, known: true }];
    let variables = vec![
        text("DATABASE_URL", "postgres://u:hunter2@db.prod.example.org/x"),
        text("API_TOKEN", "hunter2"),
        text("URL", "https://prod.example.org/?key=$(API_TOKEN)"),
        text("LINK", "see glpat-0123456789abcdef0123, prod.example.org"),
        text("HERE", "postgres://u:hunter2@localhost/x"),
        text("PLAIN", "https://api.prod.example.org:443/v1"),
        made,
    ];
    let all = resolved(variables, EnvOverrides::default());
    let hidden = |name: &str| find(&all, name).production.as_ref().expect("is known").secret;
    for name in ["DATABASE_URL", "API_TOKEN", "URL", "LINK", "HERE", "MODE"] {
        assert!(hidden(name), "{name}");
    }
    assert!(!hidden("PLAIN"));
    assert_eq!(value(&all, "DATABASE_URL"), Some("postgres://database-url.reference.invalid/x"));
    assert!(!find(&all, "DATABASE_URL").secret, "the local value is none");
    assert!(find(&all, "HERE").secret, "it is the same here");
    assert!(value(&all, "MODE").is_some_and(|value| value.contains("reference")));
}

#[test]
fn deployment_layer_masks_a_value_alike_here_and_in_production() {
    // `TOKEN_NAMES` is declared to be no secret; its value is made of one.
    let mut open = text("TOKEN_NAMES", "hunter2");
    open.parts = vec![DeploymentPart { name: "A_PASSWORD".to_owned(), range: 0..7, known: true }];
    let all = resolved(
        vec![open, text("X_KEY", "sunny-words"), text("PLAIN", "words"), text("KEPT_PASSWORD", "changethis")],
        EnvOverrides::default(),
    );
    for (name, expected) in
        [("TOKEN_NAMES", true), ("X_KEY", true), ("KEPT_PASSWORD", true), ("PLAIN", false)]
    {
        let variable = find(&all, name);
        let known = variable.production.as_ref().expect("is known");
        assert_eq!((variable.secret, known.secret, variable.own), (expected, expected, expected), "{name}");
    }
    let values = ["TOKEN_NAMES", "X_KEY", "KEPT_PASSWORD"].map(|name| value(&all, name));
    assert_eq!(values, [Some("hunter2"), Some("sunny-words"), Some("changethis")]);
}

#[test]
fn values_derived_from_user_secret_are_secret() {
    let secret = EnvVarSource::Secret { secret: "login".into(), key: "token".into() };
    let variables = vec![
        text("HOST", "localhost"),
        given("API_TOKEN", secret),
        text("URL", "https://u:$(API_TOKEN)@$(HOST)/"),
        given("AGAIN", EnvVarSource::Text(vec![Segment::Variable("URL".into())])),
        text("PLAIN", "https://$(HOST)/"),
    ];
    let own = |set: &[(&str, &str)]| {
        let set = set.iter().map(|(n, v)| ((*n).to_owned(), Secret::new(*v), ValueOrigin::Flag)).collect();
        let all = resolved(variables.clone(), EnvOverrides { set, unset: vec![], ..EnvOverrides::default() });
        let own = all.iter().filter(|(_, variable)| variable.secret && variable.own);
        own.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(own(&[("API_TOKEN", "real")]), ["AGAIN", "API_TOKEN", "URL"]);
    assert!(own(&[("HOST", "127.0.0.1")]).is_empty(), "it is made of a placeholder secret");
    assert_eq!(own(&[("API_TOKEN", "real"), ("URL", "x")]), ["AGAIN", "API_TOKEN", "URL"]);
}

#[test]
fn deployment_layer_drops_oversized_expansions() {
    let mut variables = vec![text("BIG", &"x".repeat(LONGEST))];
    variables.push(given("BIGGER", EnvVarSource::Text(vec![Segment::Variable("BIG".into()); 2])));
    let all = resolved(variables, EnvOverrides::default());
    assert_eq!(value(&all, "BIG").map(str::len), Some(LONGEST));
    assert_eq!(value(&all, "BIGGER"), None);
}
