//! Tests of service templates: the built-in ones and small samples.

use serde_json::json;

use super::*;
use crate::base::assets;
use crate::model::environment::{GeneratorContext, SecretRules};

fn rules() -> SecretRules {
    let text = assets::embedded_text("placeholder-secrets.yaml").expect("is built in");
    SecretRules::read("r", text).expect("are valid")
}

fn built_in(name: &str) -> ServiceTemplate {
    let text = assets::embedded_text(&format!("services/{name}.yaml")).expect("is built in");
    ServiceTemplate::read(name, name, text).expect("reads")
}

fn asked(value: Value) -> Parameters {
    serde_json::from_value(value).expect("is a mapping")
}

#[test]
fn built_in_services_render_and_share_login() {
    let (rules, context) = (rules(), GeneratorContext::of("s"));
    let ctx = TemplateContext { host: "bus", program: "/cki", context: &context, rules: &rules };
    let names = assets::Assets::default().names("services").expect("lists");
    assert!(names.contains(&"rabbitmq.yaml".to_owned()));
    for name in names {
        let template = built_in(name.trim_end_matches(".yaml"));
        let parameters = template.parameters(&Parameters::new(), "f").expect(&name);
        let provided = template.provided(ctx, &parameters).expect(&name);
        let service = template.fill(ctx, &[parameters.clone(), parameters]).expect(&name);
        assert!(service.ready.is_some() && !provided.is_empty(), "{name}");
    }
    let template = built_in("rabbitmq");
    let own = template.parameters(&Parameters::new(), "f").expect("has defaults");
    let provided = template.provided(ctx, &own).expect("provides");
    let given = provided.iter().find(|p| p.name == "RABBITMQ_PASSWORD").expect("is provided");
    assert!(given.secret);
    let service = template.fill(ctx, &[own]).expect("fills in");
    assert!(service.environment.iter().any(|(_, value)| *value == given.value));
    assert!(service.files.iter().any(|file| file.content.expose().contains(given.value.expose())));
}

#[test]
fn rabbitmq_template_merges_all_requests() {
    let (rules, context) = (rules(), GeneratorContext::of("s"));
    let ctx = TemplateContext { host: "rabbitmq", program: "/cki", context: &context, rules: &rules };
    let template = built_in("rabbitmq");
    let first = asked(json!({
        "virtual_host": "cki",
        "exchanges": ["plain", {"name": "hooks", "type": "fanout", "durable": false}],
        "queues": [{"name": "a \"queue\"", "bind": [{"exchange": "hooks", "routing_key": "#"}]}, "other"],
    }));
    let needs = [first, Parameters::new()].map(|one| template.parameters(&one, "f").expect("is known"));
    let provided = template.provided(ctx, &needs[0]).expect("provides");
    let host = provided.iter().find(|p| p.name == "RABBITMQ_VIRTUAL_HOST").expect("is provided");
    assert_eq!(host.value.expose(), "cki");
    let service = template.fill(ctx, &needs).expect("fills in");
    let file = service.files.iter().find(|file| file.path.ends_with(".json")).expect("has definitions");
    let definitions: Value = serde_json::from_str(file.content.expose()).expect("is JSON");
    assert_eq!(definitions["vhosts"], json!([{"name": "cki"}, {"name": "/"}]));
    let names = |key: &str| -> Vec<String> {
        let list = definitions[key].as_array().expect("is a list");
        list.iter().map(|one| format!("{} {}", one["vhost"], one["name"])).collect()
    };
    assert_eq!(names("exchanges"), [r#""cki" "plain""#, r#""cki" "hooks""#]);
    assert_eq!(names("queues"), [r#""cki" "a \"queue\"""#, r#""cki" "other""#]);
    assert_eq!(definitions["exchanges"][1]["type"], "fanout");
    assert_eq!(definitions["exchanges"][1]["durable"], false);
    assert_eq!(definitions["bindings"][0]["destination"], "a \"queue\"");
    assert_eq!(definitions["bindings"][0]["routing_key"], "#");
}

#[test]
fn requests_to_a_service_have_a_limit() {
    let (rules, context) = (rules(), GeneratorContext::of("s"));
    let ctx = TemplateContext { host: "x", program: "/cki", context: &context, rules: &rules };
    let text = "image: x\nparameters: {name: a}\nready: {tcp: 1}\nprovides: {A: {value: '{{ name }}'}}\n";
    let template = ServiceTemplate::read("x", "f.yaml", text).expect("reads");
    let provided = template.provided(ctx, &asked(json!({"name": "n".repeat(200_000)}))).expect("is short");
    assert_eq!(provided[0].value.expose().len(), 200_000);
    let long = template.provided(ctx, &asked(json!({"name": "n".repeat(300_000)})));
    let error = long.expect_err("is long").to_string();
    assert_eq!(error, "f.yaml: all requests together have more than 262144 bytes");
}

#[test]
fn service_parameters_are_checked_by_name_and_type() {
    let text = "image: x\nparameters: {names: [], one: a, any: null}\nready: {tcp: 1}\n";
    let template = ServiceTemplate::read("x", "f", text).expect("reads");
    let ask =
        |value: Value| template.parameters(&asked(value), "i.yaml:7").map_err(|error| error.to_string());
    assert_eq!(
        ask(json!({"names": ["b"], "any": 3})).expect("is known"),
        asked(json!({"names": ["b"], "one": "a", "any": 3}))
    );
    assert_eq!(ask(json!({"nmaes": []})), Err("i.yaml:7: `x` has no parameter `nmaes`".to_owned()));
    assert_eq!(
        ask(json!({"names": "b"})),
        Err("i.yaml:7: the parameter `names` of `x` must be a list".to_owned())
    );
}

#[test]
fn service_setup_runs_once_per_request() {
    let (rules, context) = (rules(), GeneratorContext::of("s"));
    let ctx = TemplateContext { host: "x", program: "/cki", context: &context, rules: &rules };
    let text = "
image: x
parameters: {name: a, more: []}
command: [serve, '{{ needs | map(attribute=\"name\") | list }}', 'for {{ needs | length }}']
setup:
  - {run: [make, '{{ name }}', '{{ more }}']}
  - {run: [other], when: 'name != needs[0].name'}
";
    let template = ServiceTemplate::read("x", "f", text).expect("reads");
    let needs: Vec<Parameters> = [json!({}), json!({}), json!({"name": "; rm -rf /", "more": ["1", "2"]})]
        .into_iter()
        .map(|one| template.parameters(&asked(one), "f").expect("is known"))
        .collect();
    let service = template.fill(ctx, &needs).expect("fills in");
    assert_eq!(service.command, ["serve", "a", "a", "; rm -rf /", "for 3"]);
    assert_eq!(
        service.setup,
        [vec!["make", "a"], vec!["make", "; rm -rf /", "1", "2"], vec!["other"]],
        "a parameter is one argument, whatever is in it"
    );
}
