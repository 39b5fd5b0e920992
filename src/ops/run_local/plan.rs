//! What a local run will start, worked out before anything is started: pure, given the inventory,
//! the templates and the user's wishes.

use std::collections::BTreeMap;

use crate::model::environment::{Environment, Wishes};
use crate::model::guard::{self, Finding};
use crate::model::identity::{Role, RunId};
use crate::model::inventory::Component;
use crate::model::service::Surroundings;
use crate::ops::env::{check_complete, resolve};
use crate::ops::needs::Need;
use crate::ops::rules::Rules;
use crate::ops::tools::Tools;

use super::unit::{Image, NativeCommand, Unit, component_unit, service_unit};
use super::{Request, RunError};

/// Everything that a run starts.
#[derive(Debug)]
pub struct RunPlan {
    /// Names the run.
    pub run: RunId,
    /// What must be ready before the component starts: each step in parallel, one after the other.
    pub steps: Vec<Vec<Unit>>,
    /// The component.
    pub main: Unit,
    /// Whether it does its work and ends.
    pub once: bool,
    /// In a few words, its environment.
    pub summary: String,
    /// What the guard would refuse, did the user not allow it.
    pub findings: Vec<Finding>,
    /// Variables that must have exactly these values in what is started.
    pub locked: BTreeMap<String, String>,
}

impl RunPlan {
    /// All units, those that are started first first.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.steps.iter().flatten().chain([&self.main])
    }

    /// The names of what the component needs.
    #[must_use]
    pub fn needed(&self) -> String {
        let names: Vec<&str> = self.steps.iter().flatten().map(|unit| unit.name.as_str()).collect();
        names.join(", ")
    }
}

/// What the plan of one component rests on.
struct Draft<'a> {
    tools: &'a Tools<'a>,
    rules: &'a Rules,
    around: Surroundings<'a>,
    steps: Vec<Vec<Unit>>,
    /// How deep each unit is needed.
    seen: BTreeMap<String, usize>,
    /// What the guard has found.
    findings: Vec<Finding>,
}

/// Works out a run.
///
/// # Errors
/// When the inventory does not say enough, or the environment is refused or incomplete.
pub fn plan(
    tools: &Tools<'_>,
    request: &Request<'_>,
    rules: &Rules,
    native: bool,
    run: RunId,
) -> anyhow::Result<RunPlan> {
    let host = if native { "127.0.0.1" } else { "" };
    let around = Surroundings { host, program: &tools.program, ground: &rules.ground, rules: &rules.secrets };
    let component = request.component;
    let once = request.once || component.is_one_shot();
    let mut draft =
        Draft { tools, rules, around, steps: Vec::new(), seen: BTreeMap::new(), findings: Vec::new() };
    let environment = draft.add_needs(component, request.wishes.clone(), 0)?;
    draft.findings.extend(rules.guard.command(component.name(), &request.args, "after `--`"));
    guard::judge(&draft.findings, &request.allow, tools.inventory)?;
    let mut main = component_unit(component, &environment, tools.image_tag);
    main.command = command(component, once, &request.args)?;
    main.native = main.command.clone().map(|command| NativeCommand {
        command,
        environment: None,
        repo: component.repos().first().map(|repo| (*repo).to_owned()),
    });
    if let Some(image) = &request.image {
        main.image = Image::Named(image.clone());
    }
    if !component.is_runnable() && request.image.is_none() {
        return Err(RunError::NotRunnable {
            component: component.name().to_owned(),
            place: component.written.place(""),
        }
        .into());
    }
    Ok(RunPlan {
        run,
        steps: draft.steps,
        main,
        once,
        summary: environment.summary(),
        findings: draft.findings,
        locked: tools.inventory.production.environment.clone(),
    })
}

impl Draft<'_> {
    /// Adds what a component needs, and what that needs in turn; each once. `depth` counts from the
    /// component that is run.
    fn add_needs(
        &mut self,
        component: &Component,
        wishes: Wishes,
        depth: usize,
    ) -> anyhow::Result<Environment> {
        let tools = self.tools;
        let resolved = resolve(component, tools.inventory, tools.assets, self.around, wishes)?;
        self.inspect(component, &resolved.environment);
        check_complete(component, &resolved.environment)?;
        for need in resolved.needs {
            let unit = match need {
                Need::Service(service) => service_unit(*service),
                Need::Component(other) => {
                    let environment = self.add_needs(other, Wishes::default(), depth + 1)?;
                    let mut unit = component_unit(other, &environment, tools.image_tag);
                    unit.role = Role::Service;
                    unit
                }
            };
            self.put(unit, depth);
        }
        Ok(resolved.environment)
    }

    /// Notes what a component must not be given.
    fn inspect(&mut self, component: &Component, environment: &Environment) {
        let (guard, name) = (&self.rules.guard, component.name());
        let mut findings = guard.environment(name, environment);
        if let Some(run) = &component.run {
            findings.extend(guard.command(name, &run.command, &component.written.place("run.command")));
            findings.extend(guard.command(name, &run.once, &component.written.place("run.once")));
        }
        findings.retain(|finding| !self.findings.contains(finding));
        self.findings.extend(findings);
    }

    /// What is needed deeper down is started earlier; what is needed at several depths, at the
    /// deepest.
    fn put(&mut self, unit: Unit, depth: usize) {
        if self.seen.get(&unit.name).is_some_and(|known| *known >= depth) {
            return;
        }
        if self.seen.insert(unit.name.clone(), depth).is_some() {
            self.steps.iter_mut().for_each(|step| step.retain(|known| known.name != unit.name));
        }
        while self.steps.len() <= depth {
            self.steps.insert(0, Vec::new());
        }
        let step = self.steps.len() - 1 - depth;
        self.steps[step].push(unit);
    }
}

/// The command to run; `None` for the image's own.
fn command(component: &Component, once: bool, args: &[String]) -> Result<Option<Vec<String>>, RunError> {
    let Some(run) = &component.run else {
        return if args.is_empty() { Ok(None) } else { Ok(Some(args.to_vec())) };
    };
    let chosen = if once && !run.once.is_empty() { &run.once } else { &run.command };
    if chosen.is_empty() {
        if !run.once.is_empty() {
            return Err(RunError::OnceOnly { component: component.name().to_owned() });
        }
        return if args.is_empty() { Ok(None) } else { Ok(Some(args.to_vec())) };
    }
    let mut command = Vec::new();
    let mut placed = false;
    for item in chosen {
        if item == "{args}" {
            command.extend(args.iter().cloned());
            placed = true;
        } else {
            command.push(item.clone());
        }
    }
    if !placed {
        command.extend(args.iter().cloned());
    }
    Ok(Some(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::{Document, Inventory};

    const SAMPLE: &str = "\
components:
  - {name: web, category: service, image: example.org/web, run: {command: [web], once: [web, --one, '{args}'], needs: [redis, api]}}
  - {name: api, category: service, image: 'example.org/api:7', run: {command: [api], needs: [redis, postgres]}}
  - {name: nightly, category: cronjob, kind: cronjob, image: x, run: {command: [n]}}
  - {name: only-once, category: tool, image: x, run: {once: [o, '{args}']}}
";

    fn inventory() -> Inventory {
        let head = Document { file: "i.yaml".into(), text: SAMPLE.into(), reference: None };
        Inventory::read("here", vec![head]).expect("reads")
    }

    fn run(name: &str, once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
        let inventory = inventory();
        let (assets, workspace) =
            (crate::base::assets::Assets::default(), crate::ops::workspace::Workspace::new("/w"));
        let env = crate::host::Env::default();
        let http = std::sync::Arc::new(crate::base::http::Http::default());
        let git = crate::systems::git::Git::new(http, crate::systems::git::Logins::default(), env.clone());
        let tools = Tools {
            inventory: &inventory,
            assets: &assets,
            workspace: &workspace,
            git: &git,
            env: &env,
            owner: crate::base::owner::Owner { pid: 1, started: 1, boot: "b".into() },
            program: "/cki".into(),
            merge_request_ref: "refs/merge-requests/{n}/head",
            image_tag: "latest",
            offline: true,
            ready_timeout: std::time::Duration::from_secs(1),
            stop_grace: std::time::Duration::from_secs(1),
            events: crate::model::event::Events::silent(),
            stop: crate::host::signals::Stop::new(),
        };
        let mut request = Request::of(inventory.find(name)?);
        request.once = once;
        request.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let state = tempfile::tempdir()?;
        let state = crate::host::Env::new([("XDG_STATE_HOME", state.path())]);
        let rules = Rules::load(&assets, &inventory, &state, &workspace)?;
        plan(&tools, &request, &rules, false, RunId::new(b"r"))
    }

    #[test]
    fn what_is_needed_starts_first_and_once() {
        let plan = run("web", false, &[]).expect("plans");
        let names: Vec<Vec<&str>> =
            plan.steps.iter().map(|step| step.iter().map(|unit| unit.name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["redis", "postgres"], vec!["api"]]);
        assert_eq!(plan.main.image, Image::Named("example.org/web:latest".into()));
        assert_eq!(plan.steps[1][0].image, Image::Named("example.org/api:7".into()));
        assert!(!plan.once);
        let api = &plan.steps[1][0];
        assert!(
            api.environment.iter().any(|(name, value)| name == "REDIS_HOST" && value.expose() == "redis")
        );
        assert!(api.secret.contains(&"POSTGRES_PASSWORD".to_owned()));
    }

    #[test]
    fn commands_take_arguments_in_their_place() {
        let command = |name: &str, once: bool, args: &[&str]| {
            run(name, once, args).map(|plan| plan.main.command.unwrap_or_default().join(" "))
        };
        assert_eq!(command("web", false, &[]).expect("plans"), "web");
        assert_eq!(command("web", true, &["a", "b"]).expect("plans"), "web --one a b");
        assert_eq!(command("nightly", false, &["x"]).expect("plans"), "n x");
        assert!(run("nightly", false, &[]).expect("plans").once);
        assert!(command("only-once", false, &[]).is_err());
        assert_eq!(command("only-once", true, &["v"]).expect("plans"), "o v");
    }
}
