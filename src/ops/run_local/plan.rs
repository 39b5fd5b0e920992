//! What a local run will start, worked out before anything is started: pure, given the inventory,
//! the templates and the user's wishes.

use std::collections::BTreeMap;

use crate::model::environment::{Environment, Wishes};
use crate::model::guard::{self, Finding};
use crate::model::identity::{Role, RunId};
use crate::model::inventory::{Component, Parameters};
use crate::model::service::{ServiceTemplate, Surroundings};
use crate::ops::deployment;
use crate::ops::env::{check_complete, resolve};
use crate::ops::needs::{self, Need};
use crate::ops::rules::Rules;
use crate::ops::tools::Tools;

use super::unit::{Image, Unit, build_plan, component_unit, init_units, service_unit};
use super::{Network, Request, RunError, work};

/// Everything that a run starts.
#[derive(Debug)]
pub struct RunPlan {
    /// Names the run.
    pub run: RunId,
    /// The units, each after all that it needs.
    pub units: Vec<Unit>,
    /// Whether the units are processes of this machine, and no containers.
    pub native: bool,
    /// What they may reach.
    pub network: Network,
    /// Whether they go on in the background.
    pub detach: bool,
    /// In a few words, the environment of each component that was asked for.
    pub summaries: Vec<String>,
    /// What the guard would refuse, did the user not allow it.
    pub findings: Vec<Finding>,
    /// Variables that must have exactly these values in what is started.
    pub locked: BTreeMap<String, String>,
}

impl RunPlan {
    /// All units, those that are started first first.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter()
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

    /// Whether changes to sources are to take effect.
    #[must_use]
    pub fn is_worked_on(&self) -> bool {
        self.units().any(|unit| unit.work.reload.is_some())
    }

    /// Whether this machine is to reach ports.
    #[must_use]
    pub fn publishes(&self) -> bool {
        self.units().any(|unit| !unit.work.publish.is_empty())
    }

    /// The reference of the component that what the units share belongs to.
    #[must_use]
    pub fn first(&self) -> &str {
        self.wanted().next().map_or("", |unit| &unit.of)
    }

    /// What those who were asked for reach within the run, as the end of a sentence.
    #[must_use]
    pub fn reach(&self) -> String {
        let lasting = self.units().filter(|unit| !unit.wanted && !unit.once);
        let others = lasting.map(|unit| unit.name.as_str());
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
    rules: &'a Rules,
    around: Surroundings<'a>,
    /// What is started, each after all that it needs.
    found: Vec<Found>,
    /// What is meant by each name: the reference of a component, or nothing for a backing service.
    known: BTreeMap<String, Option<String>>,
    /// The environment of each component, in a few words.
    summaries: BTreeMap<String, String>,
    /// What the guard has found.
    findings: Vec<Finding>,
}

/// One thing that is started.
enum Found {
    /// A component, as its entry and its deployment say that it is run.
    Component(Box<Unit>, Box<Component>),
    /// A backing service for a component, with what each who needs it asks of it.
    Service(Box<ServiceTemplate>, String, Vec<Parameters>),
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
    if native && request.keep_services {
        return Err(RunError::KeepNative.into());
    }
    let host = if native { "127.0.0.1" } else { "" };
    let around = Surroundings { host, program: &tools.program, ground: &rules.ground, rules: &rules.secrets };
    let mut draft = Draft {
        tools,
        request,
        rules,
        around,
        found: Vec::new(),
        known: BTreeMap::new(),
        summaries: BTreeMap::new(),
        findings: Vec::new(),
    };
    let is_group = request.components.len() > 1;
    for component in &request.components {
        if !component.is_runnable() && request.image.is_none() {
            let (component, place) = (component.name().to_owned(), component.written.place(""));
            return Err(RunError::NotRunnable { component, place }.into());
        }
        draft.add(component, &component.reference.to_string())?;
    }
    let first = request.components.first().map_or("", |component| component.name());
    draft.findings.extend(rules.guard.command(first, &request.args, "after `--`"));
    guard::judge(&draft.findings, &request.allow, tools.inventory)?;
    let summaries = request.components.iter().map(|component| {
        let summary = draft.summaries.get(component.name()).cloned().unwrap_or_default();
        if is_group { format!("{}: {summary}", component.name()) } else { summary }
    });
    let summaries = summaries.collect();
    let locked = tools.inventory.production.environment.clone();
    let findings = std::mem::take(&mut draft.findings);
    let (network, detach) = (request.network, request.detach);
    Ok(RunPlan { run, units: draft.settle(native)?, native, network, detach, summaries, findings, locked })
}

impl<'a> Draft<'a> {
    /// Adds a component after what it needs, and what that needs in turn; each once. `of` is the
    /// one of those that are asked for that this is for.
    fn add(&mut self, component: &'a Component, of: &str) -> anyhow::Result<()> {
        if !self.is_new(component.name(), Some(component))? {
            return Ok(());
        }
        let (tools, request) = (self.tools, self.request);
        let is_wanted = request.components.iter().any(|one| one.reference == component.reference);
        let wishes = if is_wanted { work::wishes(request, component)? } else { Wishes::default() };
        let deployed = deployment::for_run(tools, component)?;
        let mut resolved =
            resolve(component, tools.inventory, tools.assets, self.around, deployed.as_ref(), wishes)?;
        self.inspect(component, &mut resolved.environment);
        check_complete(component, &resolved.environment)?;
        self.summaries.insert(component.name().to_owned(), resolved.environment.summary());
        let whole =
            deployment::completed_for_run(tools, component, deployed.as_ref(), &resolved.environment)?;
        let mut unit = component_unit(&whole, &resolved.environment, tools.image_tag, tools.memory);
        unit.work.build = build_plan(component, tools, request.merge_request.filter(|_| is_wanted));
        if is_wanted {
            unit.wanted = true;
            if let Some(image) = &request.image {
                unit.image = Image::Named(image.clone());
            }
        } else {
            (unit.role, unit.of) = (Role::Service, of.to_owned());
        }
        for need in resolved.needs {
            match need {
                Need::Service(asked) => {
                    unit.needs.push(asked.template.name().to_owned());
                    self.add_service(asked.template, asked.parameters, of)?;
                }
                Need::Component(other) => {
                    unit.needs.push(other.name().to_owned());
                    self.add(other, of)?;
                }
            }
        }
        unit.needs.dedup();
        self.found.push(Found::Component(Box::new(unit), Box::new(whole)));
        Ok(())
    }

    /// Notes what a component must not be given.
    fn inspect(&mut self, component: &Component, environment: &mut Environment) {
        let (guard, name) = (&self.rules.guard, component.name());
        let mut findings = guard.inspect(name, environment);
        if let Some(run) = &component.run {
            let init = run.init.iter().map(|command| ("run.init", command));
            for (key, command) in
                [("run.command", &run.command), ("run.once", &run.once)].into_iter().chain(init)
            {
                findings.extend(guard.command(name, command, &component.written.place(key)));
            }
        }
        self.findings.extend(findings);
    }

    fn add_service(
        &mut self,
        template: ServiceTemplate,
        asked: Parameters,
        of: &str,
    ) -> Result<(), RunError> {
        let name = template.name().to_owned();
        if self.is_new(&name, None)? {
            self.found.push(Found::Service(Box::new(template), of.to_owned(), vec![asked]));
            return Ok(());
        }
        for found in &mut self.found {
            if let Found::Service(known, _, all) = found
                && known.name() == name
                && !all.contains(&asked)
            {
                all.push(asked);
                break;
            }
        }
        Ok(())
    }

    /// Whether nothing of this name is among what is started. A name means one thing only.
    fn is_new(&mut self, name: &str, component: Option<&Component>) -> Result<bool, RunError> {
        let meant = component.map(|component| component.reference.to_string());
        match self.known.get(name) {
            None => {
                self.known.insert(name.to_owned(), meant);
                Ok(true)
            }
            Some(known) if *known == meant => Ok(false),
            Some(_) => Err(RunError::SameName { name: name.to_owned() }),
        }
    }

    /// What could not be known before all was found: who is needed by others, and so does what it
    /// always does whatever is asked of this run, and all that is asked of each backing service.
    fn settle(self, native: bool) -> anyhow::Result<Vec<Unit>> {
        let Self { tools, request, around, found, .. } = self;
        let needed: Vec<String> = found
            .iter()
            .filter_map(
                |one| if let Found::Component(unit, _) = one { Some(unit.needs.clone()) } else { None },
            )
            .flatten()
            .collect();
        let mut units = Vec::new();
        for one in found {
            match one {
                Found::Service(template, of, asked) => {
                    let service = template.fill(needs::at(around, template.name()), &asked)?;
                    units.push(Unit { kept: request.keep_services, ..service_unit(service, &of) });
                }
                Found::Component(mut unit, component) => {
                    let is_asked = unit.wanted && !needed.contains(&unit.name);
                    unit.once = component.is_one_shot() || (is_asked && request.once);
                    let args = if is_asked { request.args.as_slice() } else { &[] };
                    unit.set_command(command(&component, unit.once, args)?, &component);
                    let init = init_units(&unit, &component);
                    if unit.wanted {
                        work::plan(tools, request, &component, native, &mut unit)?;
                    }
                    unit.needs.extend(init.last().map(|last| last.name.clone()));
                    units.extend(init);
                    units.push(*unit);
                }
            }
        }
        Ok(units)
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
        if args.is_empty() && !run.image_args.is_empty() {
            return Ok(Some(run.image_args.clone()));
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
  - {name: web, category: service, image: example.org/web, run: {command: [web], once: [web, --one, '{args}'], needs: [redis, api, nightly]}}
  - {name: api, category: service, image: 'example.org/api:7', run: {command: [api], needs: [redis, postgres], init: [[migrate, up], [seed]]}}
  - {name: nightly, category: cronjob, kind: cronjob, image: x, run: {command: [n]}}
  - {name: only-once, category: tool, image: x, run: {once: [o, '{args}']}}
";

    fn main(plan: &RunPlan) -> &Unit {
        plan.wanted().next().expect("somebody is wanted")
    }

    fn run(name: &str, once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
        group(&[name], once, args)
    }

    fn group(names: &[&str], once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
        planned(SAMPLE, names, once, args)
    }

    fn planned(text: &str, names: &[&str], once: bool, args: &[&str]) -> anyhow::Result<RunPlan> {
        let head = Document { file: "i.yaml".into(), text: text.to_owned().into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
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
            memory: crate::model::inventory::Memory::default(),
            events: crate::model::event::Events::silent(),
            stop: crate::host::signals::Stop::new(),
        };
        let components: Result<Vec<_>, _> = names.iter().map(|name| inventory.find(name)).collect();
        let components = components?;
        let mut request = Request::of(components[0]);
        request.components = components;
        request.once = once;
        request.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let state = tempfile::tempdir()?;
        let state = crate::host::Env::new([("XDG_STATE_HOME", state.path())]);
        let rules = Rules::load(&assets, &inventory, &state, &workspace)?;
        plan(&tools, &request, &rules, false, RunId::new(b"r"))
    }

    fn order(plan: &RunPlan) -> Vec<(&str, String)> {
        plan.units().map(|unit| (unit.name.as_str(), unit.needs.join(" "))).collect()
    }

    #[test]
    fn one_name_means_one_thing() {
        let text = "components:\n- {name: a, category: x, image: i, run: {needs: [x/redis, b]}}\n\
                    - {name: b, category: x, image: i, run: {needs: [redis]}}\n- {name: redis, category: x, image: i}\n";
        let error = planned(text, &["a"], false, &[]).expect_err("two are called `redis`");
        assert_eq!(error.to_string(), "two different things that are needed have the name `redis`");
    }

    #[test]
    fn what_is_needed_starts_first_and_once() {
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
        assert_eq!(plan.reach(), "it reaches redis, postgres, api");
        let web = &plan.units[6];
        assert_eq!(web.image, Image::Named("example.org/web:latest".into()));
        assert!(web.wanted && !web.once && !plan.is_needed(web));
        let api = &plan.units[4];
        assert_eq!(api.image, Image::Named("example.org/api:7".into()));
        assert!(
            api.environment.iter().any(|(name, value)| name == "REDIS_HOST" && value.expose() == "redis")
        );
        assert!(api.secret.contains(&"POSTGRES_PASSWORD".to_owned()));
        let init = &plan.units[2];
        assert!(init.once && init.is_component && init.image == api.image && !api.once);
        assert_eq!(init.command, Some(vec!["migrate".to_owned(), "up".to_owned()]));
        assert_eq!(init.environment.len(), api.environment.len());
        assert!(plan.units[5].once, "a job that is needed does its work");
    }

    #[test]
    fn who_is_wanted_and_needed_starts_once_and_as_it_is_needed() {
        for names in [["web", "api"], ["api", "web"]] {
            let plan = group(&names, true, &[]).expect("plans");
            let find = |name: &str| plan.units().find(|unit| unit.name == name).expect("is planned");
            let (api, web) = (find("api"), find("web"));
            assert_eq!(plan.units().filter(|unit| unit.name == "api").count(), 1);
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
