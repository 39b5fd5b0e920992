//! What a local run will start, worked out before anything is started: pure, given the inventory,
//! the templates and the user's wishes.

use std::collections::BTreeMap;

use crate::model::environment::{SecretRules, Wishes};
use crate::model::identity::{Role, RunId};
use crate::model::inventory::Component;
use crate::model::service::Surroundings;
use crate::ops::env::{check_complete, resolve};
use crate::ops::needs::Need;
use crate::ops::tools::Tools;

use super::unit::{Image, NativeCommand, Unit, build_plan, component_unit, service_unit};
use super::{Network, Request, RunError};

/// Everything that a run starts.
#[derive(Debug)]
pub struct RunPlan {
    /// Names the run.
    pub run: RunId,
    /// The units: each step in parallel, one after the other, when what it needs is ready.
    pub steps: Vec<Vec<Unit>>,
    /// Whether the units are processes of this machine, and no containers.
    pub native: bool,
    /// What they may reach.
    pub network: Network,
    /// Whether this machine is to reach the ports of what was asked for.
    pub publish: bool,
    /// Whether they go on in the background.
    pub detach: bool,
    /// In a few words, the environment of each component that was asked for.
    pub summaries: Vec<String>,
    /// Variables that must have exactly these values in what is started.
    pub locked: BTreeMap<String, String>,
}

impl RunPlan {
    /// All units, those that are started first first.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.steps.iter().flatten()
    }

    /// The components that were asked for.
    pub fn wanted(&self) -> impl Iterator<Item = &Unit> {
        self.units().filter(|unit| unit.wanted)
    }

    /// Whether several components were asked for.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.wanted().count() > 1
    }

    /// Whether another unit needs this one.
    #[must_use]
    pub fn is_needed(&self, unit: &Unit) -> bool {
        self.units().any(|other| other.needs.contains(&unit.name))
    }

    /// The reference of the component that what the units share belongs to.
    #[must_use]
    pub fn first(&self) -> &str {
        self.wanted().next().map_or("", |unit| &unit.of)
    }

    /// What those who were asked for reach within the run, as the end of a sentence.
    #[must_use]
    pub fn reach(&self) -> String {
        let others = self.units().filter(|unit| !unit.wanted).map(|unit| unit.name.as_str());
        let (who, each) =
            if self.is_group() { ("they reach", Some("each other")) } else { ("it reaches", None) };
        let names: Vec<&str> = each.into_iter().chain(others).collect();
        if names.is_empty() { format!("{who} nothing") } else { format!("{who} {}", names.join(", ")) }
    }
}

/// What the plan of some components rests on.
struct Draft<'a> {
    tools: &'a Tools<'a>,
    request: &'a Request<'a>,
    around: Surroundings<'a>,
    steps: Vec<Vec<Unit>>,
    /// How deep each unit is needed.
    seen: BTreeMap<String, usize>,
}

/// Works out a run.
///
/// # Errors
/// When the inventory does not say enough, or the environment is refused or incomplete.
pub fn plan(
    tools: &Tools<'_>,
    request: &Request<'_>,
    rules: &SecretRules,
    native: bool,
    run: RunId,
) -> anyhow::Result<RunPlan> {
    let seed = tools.workspace.seed();
    let host = if native { "127.0.0.1" } else { "" };
    let around = Surroundings { host, program: &tools.program, seed: &seed, rules };
    let mut draft = Draft { tools, request, around, steps: Vec::new(), seen: BTreeMap::new() };
    let mut summaries = Vec::new();
    let is_group = request.components.len() > 1;
    for component in &request.components {
        if !component.is_runnable() && request.image.is_none() {
            let (component, place) = (component.name().to_owned(), component.written.place(""));
            return Err(RunError::NotRunnable { component, place }.into());
        }
        let summary = draft.add(component, &component.reference.to_string(), 0)?;
        let of = if is_group { format!("{}: ", component.name()) } else { String::new() };
        summaries.push(format!("{of}{summary}"));
    }
    let locked = tools.inventory.production.environment.clone();
    let (network, publish, detach) = (request.network, request.publish, request.detach);
    Ok(RunPlan { run, steps: draft.steps, native, network, publish, detach, summaries, locked })
}

impl Draft<'_> {
    /// Adds a component with what it needs, and what that needs in turn; each once. `depth` counts
    /// from the components that are asked for, `of` is the one of them that this is for. Gives its
    /// environment in a few words.
    fn add(&mut self, component: &Component, of: &str, depth: usize) -> anyhow::Result<String> {
        let (tools, request) = (self.tools, self.request);
        let is_wanted = request.components.iter().any(|one| one.reference == component.reference);
        let wishes = if is_wanted { request.wishes.clone() } else { Wishes::default() };
        let resolved = resolve(component, tools.inventory, tools.assets, self.around, wishes)?;
        check_complete(component, &resolved.environment)?;
        let mut unit = component_unit(component, &resolved.environment, tools.image_tag);
        unit.build = build_plan(component, tools, request.merge_request.filter(|_| is_wanted));
        if is_wanted {
            unit.wanted = true;
            if let Some(image) = &request.image {
                unit.image = Image::Named(image.clone());
            }
        } else {
            (unit.role, unit.of) = (Role::Service, of.to_owned());
        }
        if depth == 0 {
            unit.once = request.once || component.is_one_shot();
            unit.command = command(component, unit.once, &request.args)?;
            let repo = component.repos().first().map(|repo| (*repo).to_owned());
            let native = unit.command.clone();
            unit.native = native.map(|command| NativeCommand { command, environment: None, repo });
        }
        for need in resolved.needs {
            match need {
                Need::Service(service) => {
                    unit.needs.push(service.name.clone());
                    self.put(service_unit(*service, of), depth + 1);
                }
                Need::Component(other) => {
                    unit.needs.push(other.name().to_owned());
                    self.add(other, of, depth + 1)?;
                }
            }
        }
        self.put(unit, depth);
        Ok(resolved.environment.summary())
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

    fn main(plan: &RunPlan) -> &Unit {
        plan.wanted().next().expect("somebody is wanted")
    }

    fn run(name: &str, once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
        group(&[name], once, args)
    }

    fn group(names: &[&str], once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
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
        let components: Result<Vec<_>, _> = names.iter().map(|name| inventory.find(name)).collect();
        let components = components?;
        let mut request = Request::of(components[0]);
        request.components = components;
        request.once = once;
        request.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let rules = crate::ops::needs::secret_rules(&assets)?;
        plan(&tools, &request, &rules, false, RunId::new(b"r"))
    }

    #[test]
    fn what_is_needed_starts_first_and_once() {
        let plan = run("web", false, &[]).expect("plans");
        let names: Vec<Vec<&str>> =
            plan.steps.iter().map(|step| step.iter().map(|unit| unit.name.as_str()).collect()).collect();
        assert_eq!(names, [vec!["redis", "postgres"], vec!["api"], vec!["web"]]);
        let web = &plan.steps[2][0];
        assert_eq!(web.needs, ["redis", "api"]);
        assert_eq!(web.image, Image::Named("example.org/web:latest".into()));
        assert_eq!(plan.steps[1][0].image, Image::Named("example.org/api:7".into()));
        assert!(web.wanted && !web.once && !plan.is_needed(web));
        let api = &plan.steps[1][0];
        assert!(
            api.environment.iter().any(|(name, value)| name == "REDIS_HOST" && value.expose() == "redis")
        );
        assert!(api.secret.contains(&"POSTGRES_PASSWORD".to_owned()));
    }

    #[test]
    fn who_is_wanted_and_needed_starts_once_and_as_it_is_needed() {
        for names in [["web", "api"], ["api", "web"]] {
            let plan = group(&names, true, &[]).expect("plans");
            let steps: Vec<Vec<&str>> =
                plan.steps.iter().map(|step| step.iter().map(|unit| unit.name.as_str()).collect()).collect();
            assert_eq!(steps, [vec!["redis", "postgres"], vec!["api"], vec!["web"]]);
            let (api, web) = (&plan.steps[1][0], &plan.steps[2][0]);
            assert!(api.wanted && !api.once && plan.is_needed(api));
            assert!(web.wanted && web.once && !plan.is_needed(web));
            assert_eq!((api.role, api.of.as_str()), (Role::Component, "service/api"));
            assert!(plan.is_group() && plan.summaries.len() == 2);
        }
    }

    #[test]
    fn commands_take_arguments_in_their_place() {
        let command = |name: &str, once: bool, args: &[&str]| {
            let plan = run(name, once, args);
            plan.map(|plan| main(&plan).command.clone().unwrap_or_default().join(" "))
        };
        assert_eq!(command("web", false, &[]).expect("plans"), "web");
        assert_eq!(command("web", true, &["a", "b"]).expect("plans"), "web --one a b");
        assert_eq!(command("nightly", false, &["x"]).expect("plans"), "n x");
        assert!(main(&run("nightly", false, &[]).expect("plans")).once);
        assert!(command("only-once", false, &[]).is_err());
        assert_eq!(command("only-once", true, &["v"]).expect("plans"), "o v");
    }
}
