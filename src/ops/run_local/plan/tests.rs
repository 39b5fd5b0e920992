//! Tests of plans, from an inventory and the request of a user.

use super::*;
use crate::base::secret::Secret;
use crate::base::yaml;
use crate::model::environment::ValueOrigin;
use crate::model::identity::Role;
use crate::model::inventory::{self, Inventory, InventoryDocument};
use crate::ops::env::EnvError;
use crate::ops::run_local::load::load;
use crate::ops::run_local::request::RunRequest;
use crate::ops::runtime::start::unit::Image;
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::run_policy::{RunPolicy, SecretStorage};

const SAMPLE: &str = "\
components:
  - {name: web, category: service, image: example.org/web, run: {command: [web], once: [web, --one, '{args}'], needs: [redis, api, nightly]}}
  - {name: api, category: service, image: 'example.org/api:7', run: {command: [api], needs: [redis, postgres], init: [[migrate, up], [seed]]}}
  - {name: nightly, category: cronjob, kind: cronjob, image: x, run: {command: [n]}}
  - {name: only-once, category: tool, image: x, run: {once: [o, '{args}']}}
";

fn main(plan: &RunPlan) -> &Unit {
    plan.requested().next().expect("somebody is wanted")
}

fn run(name: &str, once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
    group(&[name], once, args)
}

fn group(names: &[&str], once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
    planned(SAMPLE, names, once, args)
}

fn planned(text: &str, names: &[&str], once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
    changed(text, names, once, args, |_| {})
}

fn changed(
    text: &str,
    names: &[&str],
    once: bool,
    args: &[&str],
    change: impl FnOnce(&mut RunRequest<'_>),
) -> anyhow::Result<RunPlan> {
    let head = InventoryDocument { file: "i.yaml".into(), text: text.to_owned().into(), reference: None };
    let inventory = Inventory::read("here", vec![head]).expect("reads");
    let (assets, workspace) = (
        crate::base::assets::Assets::default(),
        crate::ops::shared::workspace::Workspace::new("/w", crate::host::Env::default()),
    );
    let env = crate::host::Env::default();
    let http = std::sync::Arc::new(crate::base::http::HttpClient::default());
    let git = crate::systems::git::Git::new(http, crate::systems::git::Logins::default(), env.clone());
    let ctx = OpContext {
        inventory: &inventory,
        inventory_id: String::new(),
        assets: &assets,
        workspace: &workspace,
        git: &git,
        env: &env,
        owner: crate::base::process_ref::ProcessRef {
            pid: 1,
            started: 1,
            boot: "b".into(),
            place: String::new(),
        },
        program: "/cki".into(),
        merge_request_ref: "refs/merge-requests/{n}/head",
        image_tag: "latest",
        offline: true,
        ready_timeout: std::time::Duration::from_secs(1),
        stop_grace: std::time::Duration::from_secs(1),
        memory: inventory::Memory::default(),
        events: crate::model::event::Events::silent(),
        stop: crate::host::signals::Shutdown::new(),
    };
    let (services, components): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| name.starts_with(inventory::SERVICE));
    let components: Result<Vec<_>, _> = components.iter().map(|name| inventory.find(name)).collect();
    let mut request = RunRequest {
        components: components?,
        services: services.iter().filter_map(|name| name.strip_prefix(inventory::SERVICE)).collect(),
        once,
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        ..RunRequest::of(&inventory.components[0])
    };
    change(&mut request);
    let state = tempfile::tempdir()?;
    let state = crate::host::Env::new([("XDG_STATE_HOME", state.path())]);
    let rules = RunPolicy::load(&assets, &inventory, &state, &workspace, SecretStorage::Create)?;
    let input = load(&ctx, &request, &rules, false, RunId::new(b"r"))?;
    plan(&input).plan
}

fn order(plan: &RunPlan) -> Vec<(&str, String)> {
    plan.units().map(|unit| (unit.name.as_str(), unit.needs.join(" "))).collect()
}

#[test]
fn plan_rejects_ambiguous_unit_names() {
    let text = "components:\n- {name: a, category: x, image: i, run: {needs: [x/redis, b]}}\n\
                    - {name: b, category: x, image: i, run: {needs: [redis]}}\n- {name: redis, category: x, image: i}\n";
    let error = planned(text, &["a"], false, &[]).expect_err("two are called `redis`");
    assert_eq!(error.to_string(), "two different dependencies have the name `redis`");
}

#[test]
fn plan_names_who_needs_a_component_that_lacks_a_variable() {
    let text = "components:\n- {name: web, category: x, image: i, run: {needs: [api]}}\n\
                - {name: api, category: x, image: i, environment: [{name: URL, required: true}]}\n";
    let dependents = |names: &[&str]| {
        let error = planned(text, names, false, &[]).expect_err("lacks a variable");
        match error.downcast_ref() {
            Some(EnvError::Lacking { component, dependents, .. }) => format!("{component} {dependents:?}"),
            _ => error.to_string(),
        }
    };
    assert_eq!(dependents(&["web"]), "api [\"web\"]");
    assert_eq!(dependents(&["web", "api"]), "api []");
}

#[test]
fn plan_starts_dependencies_first_and_once() {
    let plan = run("web", false, &[]).expect("plans");
    assert_eq!(
        order(&plan),
        [
            ("redis", ""),
            ("postgres", ""),
            ("api-init", "redis postgres"),
            ("api-init-2", "redis postgres api-init"),
            ("api", "redis postgres api-init-2"),
            ("nightly", ""),
            ("web", "redis api nightly"),
        ]
        .map(|(name, needs)| (name, needs.to_owned()))
    );
    assert_eq!(plan.reach().to_string(), "it reaches redis, postgres, api");
    let web = &plan.units[6];
    assert_eq!(web.image, Image::Named("example.org/web:latest".into()));
    assert!(web.requested && !web.one_shot && !plan.is_needed(web));
    let api = &plan.units[4];
    assert_eq!(api.image, Image::Named("example.org/api:7".into()));
    assert!(api.environment.iter().any(|(name, value)| name == "REDIS_HOST" && value.expose() == "redis"));
    assert!(api.secret.contains(&"POSTGRES_PASSWORD".to_owned()));
    let init = &plan.units[2];
    assert!(init.one_shot && init.is_component && init.image == api.image && !api.one_shot);
    assert_eq!(init.command, Some(vec!["migrate".to_owned(), "up".to_owned()]));
    assert_eq!(init.environment.len(), api.environment.len());
    assert!(plan.units[5].one_shot, "a job that is needed does its work");
}

#[test]
fn plan_starts_requested_dependency_once() {
    for names in [["web", "api"], ["api", "web"]] {
        let plan = group(&names, true, &[]).expect("plans");
        let find = |name: &str| plan.units().find(|unit| unit.name == name).expect("is planned");
        let (api, web) = (find("api"), find("web"));
        assert_eq!(plan.units().filter(|unit| unit.name == "api").count(), 1);
        assert!(api.requested && !api.one_shot && plan.is_needed(api));
        assert!(web.requested && web.one_shot && !plan.is_needed(web));
        assert_eq!((api.role, api.component.as_str()), (Role::Component, "service/api"));
        assert!(plan.is_group() && plan.summaries.len() == 2);
    }
}

#[test]
fn plan_inserts_arguments_into_command() {
    let command = |name: &str, once: bool, args: &[&str]| {
        let plan = run(name, once, args);
        plan.map(|plan| main(&plan).command.clone().unwrap_or_default().join(" "))
    };
    assert_eq!(command("web", false, &[]).expect("plans"), "web");
    assert_eq!(command("web", true, &["a", "b"]).expect("plans"), "web --one a b");
    assert_eq!(command("nightly", false, &["x"]).expect("plans"), "n x");
    assert!(main(&run("nightly", false, &[]).expect("plans")).one_shot);
    assert!(command("only-once", false, &[]).is_err());
    assert_eq!(command("only-once", true, &["v"]).expect("plans"), "o v");
}

/// Returns components of one file that need each other in a chain, beginning with `c0`.
fn chain(count: usize) -> String {
    let entry = |at: usize| {
        let need = if at + 1 < count { format!("c{}", at + 1) } else { String::new() };
        format!(
            "- name: c{at}\n  category: x\n  image: i\n  environment:\n  - {{name: A, default: b}}\n  \
             run: {{command: [a], needs: [{need}], init: [[b]], ready: {{tcp: 80}}}}\n"
        )
    };
    format!(
        "components:\n{}production: {{environment: {{X: y}}}}\n",
        (0..count).map(entry).collect::<String>()
    )
}

/// Counts the entries looked at and the nodes of the text that a function visits.
fn steps<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let ((result, entries), nodes) = yaml::count::during(|| inventory::count::during(work));
    (result, entries + nodes)
}

#[test]
fn plan_is_linear_in_chain_length() {
    let planned = |count: usize| {
        let (plan, steps) = steps(|| planned(&chain(count), &["c0"], false, &[]).expect("plans"));
        assert_eq!(plan.units.len(), 2 * count);
        assert!(plan.units().all(|unit| plan.is_needed(unit) == (unit.name != "c0")));
        steps
    };
    let (small, large) = (planned(1000), planned(10_000));
    assert!(large < small * 12, "{small} for 1000, {large} for 10000");
}

#[test]
fn plan_is_linear_in_requested_components() {
    let planned = |count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!("x/c{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        steps(|| planned(&chain(count), &names, false, &[]).expect("plans")).1
    };
    let (small, large) = (planned(200), planned(2000));
    assert!(large < small * 12, "{small} for 200, {large} for 2000");
}

#[test]
fn plan_of_one_entry_visits_no_other() {
    let planned = |count: usize| {
        let name = format!("c{}", count - 1);
        yaml::count::during(|| planned(&chain(count), &[&name], false, &[]).expect("plans")).1
    };
    let (small, large) = (planned(10), planned(5000));
    assert!(small > 0 && large == small, "{small} for 10, {large} for 5000");
}

/// Plans a backing service on its own.
fn service(name: &str, change: impl FnOnce(&mut RunRequest<'_>)) -> anyhow::Result<RunPlan> {
    changed(
        "production: {environment: {IS_PRODUCTION: 'false'}, hosts: [prod.example]}\ncomponents: [{name: a, category: b}]\n",
        &[name],
        false,
        &[],
        change,
    )
}

fn set(request: &mut RunRequest<'_>, name: &str, value: &str) {
    request.overrides.set.push((name.to_owned(), Secret::new(value), ValueOrigin::Flag));
}

#[test]
fn requested_service_is_a_unit_of_its_own() {
    let plan = service("service:postgres", |_| {}).expect("plans");
    let [unit] = plan.units.as_slice() else { panic!("{:?}", order(&plan)) };
    assert_eq!((unit.name.as_str(), unit.component.as_str()), ("postgres", "services/postgres"));
    assert!(unit.requested && !unit.is_component && unit.role == Role::Service);
    let published: Vec<u16> = unit.dev.publish.iter().map(|one| one.port).collect();
    assert_eq!((published, plan.first()), (vec![5432], "services/postgres"));
    assert_eq!(plan.summaries, ["6 variables for its clients: `cki env postgres`"]);
    assert!(!plan.is_awaited(unit), "it is not set up");
    let plan = service("service:s3", |_| {}).expect("plans");
    assert!(plan.is_awaited(main(&plan)) && !main(&plan).setup.is_empty(), "its bucket is made first");
}

#[test]
fn requested_service_takes_image_arguments_and_variables() {
    let plan = service("service:postgres", |request| {
        request.image = Some("postgres:16".to_owned());
        request.args = vec!["-c".to_owned(), "log_statement=all".to_owned()];
        set(request, "POSTGRES_USER", "me");
        set(request, "MORE", "x");
        request.overrides.unset = vec!["POSTGRES_DB".to_owned()];
    });
    let plan = plan.expect("plans");
    let unit = main(&plan);
    assert_eq!(unit.image, Image::Named("postgres:16".to_owned()));
    assert_eq!(unit.command.as_deref(), Some(&["-c".to_owned(), "log_statement=all".to_owned()][..]));
    let value = |name: &str| {
        let found = unit.environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.expose())
    };
    assert_eq!((value("POSTGRES_USER"), value("MORE"), value("POSTGRES_DB")), (Some("me"), Some("x"), None));
    let plan = service("service:http", |request| {
        request.args = vec!["more".to_owned()];
        set(request, "MORE", "x");
    });
    let plan = plan.expect("plans");
    let native = main(&plan).native.as_ref().expect("runs without a container");
    assert_eq!(native.command, ["/cki", "mock-service", "http", "more"]);
    let environment = native.environment.as_ref().expect("has its own");
    assert!(environment.iter().any(|(name, value)| name == "MORE" && value.expose() == "x"));
}

#[test]
fn requested_service_passes_the_guard() {
    let refused = |change: fn(&mut RunRequest<'_>)| {
        service("service:redis", change).expect_err("is refused").to_string()
    };
    let said = refused(|request| set(request, "UPSTREAM_URL", "http://prod.example/"));
    assert!(said.starts_with("`UPSTREAM_URL` of `redis` (--env) names `prod.example`"), "{said}");
    let said = refused(|request| request.args = vec!["--replicaof".into(), "prod.example".into()]);
    assert!(said.starts_with("the command of `redis` (after `--`) names `prod.example`"), "{said}");
    for change in [
        (|request| set(request, "IS_PRODUCTION", "true")) as fn(&mut RunRequest<'_>),
        |request| set(request, "is_production", "true"),
        |request| request.overrides.unset.push("IS_PRODUCTION".to_owned()),
    ] {
        let said = refused(change);
        assert!(said.to_lowercase().contains("is_production"), "{said}");
    }
    let allowed = service("service:redis", |request| {
        set(request, "UPSTREAM_URL", "http://prod.example/");
        request.allow = vec!["UPSTREAM_URL".to_owned()];
    });
    assert!(allowed.is_ok());
    let kept = service("service:redis", |request| request.keep_services = true);
    assert!(kept.expect_err("is refused").to_string().contains("`--keep-services`"));
}

#[test]
fn group_of_component_and_its_service_has_the_service_once() {
    let plan = group(&["api", "service:postgres"], false, &[]).expect("plans");
    let requested: Vec<&str> = plan.requested().map(|unit| unit.name.as_str()).collect();
    assert_eq!(requested, ["postgres", "api"]);
    assert!(plan.is_group());
    let error = group(&["api", "service:api"], false, &[]).expect_err("is none").to_string();
    assert_eq!(error, "there is no backing service `api`");
}

#[test]
fn plan_refuses_commands_that_replace_locked_variables() {
    let refused = |run: &str, debug: bool| {
        let text = format!(
            "production: {{environment: {{IS_PRODUCTION: 'false'}}}}\n\
             components: [{{name: a, category: service, image: x, run: {{{run}}}}}]\n"
        );
        let plan = changed(&text, &["a"], false, &[], |request| {
            request.debug_port = debug.then_some(5);
        });
        plan.err().map(|error| error.to_string())
    };
    for (unit, run, debug) in [
        ("a", "command: [env, 'IS_PRODUCTION=true', env]", false),
        ("a-init", "command: [a], init: [[sh, -c, 'unset IS_PRODUCTION; x']]", false),
        ("a", "command: [a], ready: {exec: [sh, -c, 'IS_PRODUCTION=true env']}", false),
        ("a", "command: [a], debug: {port: 5, command: [sh, -c, 'read IS_PRODUCTION']}", true),
    ] {
        let said = format!("a command of `{unit}` sets or unsets `IS_PRODUCTION`, which must be `false`");
        assert_eq!(refused(run, debug), Some(said), "{run}");
    }
    let reads = "command: [sh, -c, 'exec a --safe=$IS_PRODUCTION'], ready: {exec: [printenv, IS_PRODUCTION]}";
    assert_eq!(refused(reads, false), None);
}
