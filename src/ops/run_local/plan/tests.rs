//! Tests of plans, from an inventory and the request of a user.

use super::*;
use crate::base::yaml;
use crate::model::identity::Role;
use crate::model::inventory::{self, Inventory, InventoryDocument};
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
    let components: Result<Vec<_>, _> = names.iter().map(|name| inventory.find(name)).collect();
    let components = components?;
    let mut request = RunRequest::of(components[0]);
    request.components = components;
    request.once = once;
    request.args = args.iter().map(|arg| (*arg).to_owned()).collect();
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
