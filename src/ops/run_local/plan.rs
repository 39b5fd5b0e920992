//! What a local run will start, worked out before anything is started: pure, given the inventory,
//! the templates and the user's wishes.

use std::collections::BTreeMap;

use crate::model::environment::{Environment, SecretRules, Wishes};
use crate::model::identity::{Role, RunId};
use crate::model::inventory::{Component, Parameters};
use crate::model::service::{ServiceTemplate, Surroundings};
use crate::ops::env::{check_complete, resolve};
use crate::ops::needs::{self, Need};
use crate::ops::tools::Tools;

use super::unit::{Image, Unit, component_unit, init_units, service_unit};
use super::{Request, RunError};

/// Everything that a run starts.
#[derive(Debug)]
pub struct RunPlan {
    /// Names the run.
    pub run: RunId,
    /// What must be ready before the component starts, each after all that it needs itself.
    pub others: Vec<Unit>,
    /// The component.
    pub main: Unit,
    /// Whether it does its work and ends.
    pub once: bool,
    /// In a few words, its environment.
    pub summary: String,
    /// Variables that must have exactly these values in what is started.
    pub locked: BTreeMap<String, String>,
}

impl RunPlan {
    /// All units, those that are started first first.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.others.iter().chain([&self.main])
    }

    /// The names of what the component finds when it runs.
    #[must_use]
    pub fn needed(&self) -> String {
        let lasting = self.others.iter().filter(|unit| !unit.once);
        lasting.map(|unit| unit.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What the plan of one component rests on.
struct Draft<'a> {
    tools: &'a Tools<'a>,
    around: Surroundings<'a>,
    found: Vec<Found>,
    /// What is meant by each name: the reference of a component, or nothing for a backing service.
    known: BTreeMap<String, Option<String>>,
}

/// One thing that is needed, in the order in which it can be started.
enum Found {
    /// A component, or one of its own commands.
    Unit(Box<Unit>),
    /// A backing service, with what each who needs it asks of it.
    Service(Box<ServiceTemplate>, Vec<Parameters>),
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
    let component = request.component;
    let once = request.once || component.is_one_shot();
    let mut draft = Draft { tools, around, found: Vec::new(), known: BTreeMap::new() };
    draft.is_new(component.name(), Some(component))?;
    let (environment, after) = draft.add_needs(component, request.wishes.clone())?;
    let mut main = component_unit(component, &environment, tools.image_tag);
    main.set_command(command(component, once, &request.args)?, component);
    (main.after, main.once) = (after, once);
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
    draft.add_init(&mut main, component);
    let others = draft.settle()?;
    Ok(RunPlan {
        run,
        others,
        main,
        once,
        summary: environment.summary(),
        locked: tools.inventory.production.environment.clone(),
    })
}

impl Draft<'_> {
    /// Adds what a component needs, and what that needs in turn; each once. Gives the component's
    /// environment, and the names of what it must wait for.
    fn add_needs(
        &mut self,
        component: &Component,
        wishes: Wishes,
    ) -> anyhow::Result<(Environment, Vec<String>)> {
        let tools = self.tools;
        let resolved = resolve(component, tools.inventory, tools.assets, self.around, wishes)?;
        check_complete(component, &resolved.environment)?;
        let mut after = Vec::new();
        for need in resolved.needs {
            match need {
                Need::Service(asked) => {
                    after.push(asked.template.name().to_owned());
                    self.add_service(asked.template, asked.parameters)?;
                }
                Need::Component(other) => {
                    after.push(other.name().to_owned());
                    self.add_component(other)?;
                }
            }
        }
        Ok((resolved.environment, after))
    }

    fn add_component(&mut self, component: &Component) -> anyhow::Result<()> {
        if !self.is_new(component.name(), Some(component))? {
            return Ok(());
        }
        let (environment, after) = self.add_needs(component, Wishes::default())?;
        let mut unit = component_unit(component, &environment, self.tools.image_tag);
        (unit.role, unit.after) = (Role::Service, after);
        if unit.once || unit.command.is_none() {
            unit.set_command(command(component, unit.once, &[])?, component);
        }
        self.add_init(&mut unit, component);
        self.found.push(Found::Unit(Box::new(unit)));
        Ok(())
    }

    /// Adds the commands that a component runs before it starts.
    fn add_init(&mut self, unit: &mut Unit, component: &Component) {
        let commands = component.run.as_ref().map_or(&[][..], |run| &run.init);
        let units = init_units(unit, commands);
        unit.after.extend(units.last().map(|last| last.name.clone()));
        self.found.extend(units.into_iter().map(|unit| Found::Unit(Box::new(unit))));
    }

    fn add_service(&mut self, template: ServiceTemplate, asked: Parameters) -> Result<(), RunError> {
        let name = template.name().to_owned();
        if self.is_new(&name, None)? {
            self.found.push(Found::Service(Box::new(template), vec![asked]));
            return Ok(());
        }
        for found in &mut self.found {
            if let Found::Service(known, all) = found
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

    /// Backing services are filled in last, when all that is asked of them is known.
    fn settle(self) -> anyhow::Result<Vec<Unit>> {
        let around = self.around;
        let settle = |found| match found {
            Found::Unit(unit) => Ok(*unit),
            Found::Service(template, asked) => {
                let service = template.fill(needs::at(around, template.name()), &asked)?;
                Ok(service_unit(service))
            }
        };
        self.found.into_iter().map(settle).collect()
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
  - {name: web, category: service, image: example.org/web, run: {command: [web], once: [web, --one, '{args}'], needs: [redis, api, nightly]}}
  - {name: api, category: service, image: 'example.org/api:7', run: {command: [api], needs: [redis, postgres], init: [[migrate, up], [seed]]}}
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
        let rules = needs::secret_rules(&assets)?;
        plan(&tools, &request, &rules, false, RunId::new(b"r"))
    }

    #[test]
    fn what_is_needed_starts_first_and_once() {
        let plan = run("web", false, &[]).expect("plans");
        let after: Vec<(&str, String)> =
            plan.units().map(|unit| (unit.name.as_str(), unit.after.join(" "))).collect();
        let expected = [
            ("redis", ""),
            ("postgres", ""),
            ("api-init", "redis postgres"),
            ("api-init-2", "redis postgres api-init"),
            ("api", "redis postgres api-init-2"),
            ("nightly", ""),
            ("web", "redis api nightly"),
        ];
        assert_eq!(after, expected.map(|(name, after)| (name, after.to_owned())));
        assert_eq!(plan.needed(), "redis, postgres, api");
        assert_eq!(plan.main.image, Image::Named("example.org/web:latest".into()));
        assert_eq!(plan.others[4].image, Image::Named("example.org/api:7".into()));
        assert!(!plan.once);
        let api = &plan.others[4];
        assert!(
            api.environment.iter().any(|(name, value)| name == "REDIS_HOST" && value.expose() == "redis")
        );
        assert!(api.secret.contains(&"POSTGRES_PASSWORD".to_owned()));
        let init = &plan.others[2];
        assert!(init.once && init.is_component && init.image == api.image);
        assert_eq!(init.command, Some(vec!["migrate".to_owned(), "up".to_owned()]));
        assert_eq!(init.environment.len(), api.environment.len());
        let nightly = plan.others.last().expect("is there");
        assert!(nightly.once && !api.once);
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
