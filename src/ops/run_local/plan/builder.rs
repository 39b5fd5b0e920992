//! A draft of a plan: components and their dependencies are added one after the other, and each unit is
//! completed when all are known. The finished plan is in the module above.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::aliases;
use super::dev;
use super::input::PlanInput;
use super::publish;
use super::service;
use super::units::{build_plan, component_unit, init_units, service_unit};
use crate::model::environment::EnvOverrides;
use crate::model::guard::GuardFinding;
use crate::model::identity::{Role, service_reference};
use crate::model::inventory::{Component, Parameters};
use crate::model::probe::ReadinessProbe;
use crate::model::reference::Reference;
use crate::model::service::ServiceTemplate;
use crate::ops::env::{EnvError, ResolvedEnvironment, check_complete, resolve_loaded};
use crate::ops::run_local::RunError;
use crate::ops::runtime::start::unit::{Image, Unit};
use crate::ops::shared::dependencies::RunDependency;
use crate::ops::shared::deployment::{DeployedComponents, init_component, with_deployment_defaults};
use crate::ops::shared::services::at;

/// A plan in the making, with its inputs.
pub(super) struct PlanBuilder<'a> {
    input: &'a PlanInput<'a>,
    /// Units, each after its dependencies.
    found: Vec<FoundUnit>,
    /// The requested components.
    requested: HashSet<&'a Reference>,
    /// The meaning of each name.
    known: HashMap<String, Meant>,
    /// The environment of each component, and that which a requested service provides, in a few words.
    pub(super) summaries: BTreeMap<String, String>,
    /// Findings of the guard.
    pub(super) findings: Vec<GuardFinding>,
    /// Warnings for the user.
    pub(super) warnings: Vec<String>,
}

/// One thing to start.
enum FoundUnit {
    /// A component: its unit, the component with the settings of its deployment, and its init containers.
    Component(Box<Unit>, Box<Component>, Vec<Unit>),
    /// A backing service.
    Service(Box<FoundService>),
}

/// A backing service, for components or for itself.
struct FoundService {
    template: ServiceTemplate,
    /// The reference of the first dependent.
    dependent: String,
    /// The parameters of each request.
    asked: Vec<Parameters>,
    /// The user named it.
    requested: bool,
}

/// The meaning of a name.
#[derive(Clone, PartialEq)]
enum Meant {
    Component(Reference),
    /// A backing service, with its index in `found`.
    Service(usize),
}

/// A component whose dependencies are being added.
struct VisitedUnit<'a> {
    component: &'a Component,
    unit: Unit,
    /// The component with the settings of its deployment.
    whole: Component,
    deployed: Option<&'a DeployedComponents>,
    overrides: EnvOverrides,
    /// Dependencies that are not added yet.
    needs: std::vec::IntoIter<RunDependency<'a>>,
}

impl<'a> PlanBuilder<'a> {
    pub(super) fn new(input: &'a PlanInput<'a>) -> Self {
        Self {
            input,
            found: Vec::new(),
            requested: input.request.components.iter().map(|one| &one.reference).collect(),
            known: HashMap::new(),
            summaries: BTreeMap::new(),
            findings: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds a component after its direct and indirect dependencies, each once. `of` is the requested
    /// component that needs it. A chain of dependencies may be as long as the inventory, so this uses a
    /// list instead of recursion.
    pub(super) fn add(&mut self, component: &'a Component, dependent: &str) -> anyhow::Result<()> {
        let mut open: Vec<VisitedUnit<'a>> = self.enter(component, dependent)?.into_iter().collect();
        while let Some(top) = open.last_mut() {
            match top.needs.next() {
                Some(RunDependency::Service(asked)) => {
                    top.unit.needs.push(asked.template.name().to_owned());
                    self.add_service(asked.template, asked.parameters, dependent)?;
                }
                Some(RunDependency::Component(other)) => {
                    top.unit.needs.push(other.name().to_owned());
                    open.extend(self.enter(other, dependent)?);
                }
                None => {
                    if let Some(done) = open.pop() {
                        self.leave(done)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Begins to add a component, unless it is there already.
    fn enter(
        &mut self,
        component: &'a Component,
        dependent: &str,
    ) -> anyhow::Result<Option<VisitedUnit<'a>>> {
        if !self.is_new(component)? {
            return Ok(None);
        }
        let input = self.input;
        let PlanInput { request, policy, .. } = *input;
        let is_wanted = self.requested.contains(&component.reference);
        let overrides = if is_wanted { dev::overrides(request, component)? } else { EnvOverrides::default() };
        let deployed = input.deployments.get(&component.reference);
        let mut resolved = self.resolve(component, deployed, &overrides)?;
        self.findings.extend(policy.guard.inspect(component.name(), &mut resolved.environment));
        let complete = check_complete(component, &resolved.environment);
        complete.map_err(|error| if is_wanted { error } else { error.of_dependency(&request.components) })?;
        self.summaries.insert(component.name().to_owned(), resolved.environment.summary());
        let environment = &resolved.environment;
        let whole = with_deployment_defaults(component, deployed, environment, policy, &mut self.warnings)?;
        self.inspect(component, &whole, deployed);
        let mut unit = component_unit(&whole, environment, input.image_tag, input.memory);
        unit.aliases = deployed.map(|deployed| deployed.container.hostnames.clone()).unwrap_or_default();
        unit.dev.build = build_plan(component, input, request.merge_request.filter(|_| is_wanted));
        if is_wanted {
            unit.requested = true;
            if let Some(image) = &request.image {
                unit.image = Image::Named(image.clone());
            }
        } else {
            (unit.role, unit.component) = (Role::Service, dependent.to_owned());
        }
        let needs = resolved.needs.into_iter();
        Ok(Some(VisitedUnit { component, unit, whole, deployed, overrides, needs }))
    }

    fn resolve(
        &self,
        component: &Component,
        deployed: Option<&DeployedComponents>,
        overrides: &EnvOverrides,
    ) -> Result<ResolvedEnvironment<'a>, EnvError> {
        let PlanInput { inventory, templates, .. } = self.input;
        resolve_loaded(component, inventory, templates, self.input.ctx(), deployed, overrides.clone())
    }

    /// Adds a component after all its dependencies.
    fn leave(&mut self, entered: VisitedUnit<'a>) -> anyhow::Result<()> {
        let VisitedUnit { component, mut unit, whole, deployed, overrides, needs: _ } = entered;
        unit.needs.dedup();
        let has_own = whole.run.as_ref().is_some_and(|run| !run.init.is_empty());
        let initial = match deployed {
            Some(deployed) if !has_own => self.initial(component, &unit, deployed, &overrides)?,
            _ => Vec::new(),
        };
        self.found.push(FoundUnit::Component(Box::new(unit), Box::new(whole), initial));
        Ok(())
    }

    /// Collects findings in the commands and the readiness probe of a component, from its entry and its
    /// deployment.
    fn inspect(&mut self, component: &Component, whole: &Component, deployed: Option<&DeployedComponents>) {
        let (guard, name) = (&self.input.policy.guard, component.name());
        let Some(run) = &whole.run else { return };
        let is_own =
            component.run.as_ref().is_some_and(|own| !own.command.is_empty() || !own.once.is_empty());
        let place = |key: &str| match deployed {
            Some(deployed) if !is_own => deployed.container.place.clone(),
            _ => component.source_map.place(key),
        };
        for (key, command) in
            [("run.command", &run.command), ("run.once", &run.once), ("run.command", &run.image_args)]
        {
            self.findings.extend(guard.command(name, command, &place(key)));
        }
        let debugger = component.run.as_ref().and_then(|run| run.debug.as_ref());
        if let Some(debugger) = debugger.filter(|_| self.input.request.debug_port.is_some()) {
            let place = component.source_map.place("run.debug.command");
            self.findings.extend(guard.command(name, &debugger.command, &place));
        }
        for command in &run.init {
            self.findings.extend(guard.command(name, command, &component.source_map.place("run.init")));
        }
        let asked = match &run.ready {
            Some(ReadinessProbe::Exec(words)) => words.as_slice(),
            Some(ReadinessProbe::Http { path, .. }) => std::slice::from_ref(path),
            Some(ReadinessProbe::Tcp(_) | ReadinessProbe::Log(_)) | None => return,
        };
        let has_own = component.run.as_ref().is_some_and(|own| own.ready.is_some());
        let place = match deployed {
            Some(deployed) if !has_own => deployed.container.place.clone(),
            _ => component.source_map.place("run.ready"),
        };
        self.findings.extend(guard.command(name, asked, &place));
    }

    /// Returns the init containers of a component's deployment, unless its entry has init commands. The
    /// variables are those of the component, except for the ones from the deployment.
    fn initial(
        &mut self,
        component: &'a Component,
        unit: &Unit,
        deployed: &DeployedComponents,
        overrides: &EnvOverrides,
    ) -> anyhow::Result<Vec<Unit>> {
        let input = self.input;
        let mut units = Vec::new();
        for before in deployed.init() {
            let made = init_component(component, deployed, &before);
            let mut resolved = self.resolve(&made, Some(&before), overrides)?;
            let environment = &mut resolved.environment;
            self.findings.extend(input.policy.guard.inspect(component.name(), environment));
            let (policy, warnings) = (input.policy, &mut self.warnings);
            let whole = with_deployment_defaults(&made, Some(&before), environment, policy, warnings)?;
            self.inspect(&made, &whole, Some(&before));
            let mut one = component_unit(&whole, &resolved.environment, input.image_tag, input.memory);
            let shares_image = before.container.shares_image(&deployed.container);
            let lacks = match shares_image {
                false => Some("it has an image of its own"),
                true => one.native.is_none().then_some("its command is the one of its image"),
            };
            if let Some(why) = lacks.filter(|_| input.native) {
                self.warnings.push(format!(
                    "{}: {} is not run: {why}, and no container is used.",
                    before.container.place, before.container.label
                ));
                continue;
            }
            if shares_image {
                one.image = unit.image.clone();
            }
            one.dev.build.clone_from(&unit.dev.build);
            units.push(one);
        }
        Ok(units)
    }

    fn add_service(
        &mut self,
        template: ServiceTemplate,
        asked: Parameters,
        dependent: &str,
    ) -> Result<(), RunError> {
        let name = template.name();
        match self.known.get(name) {
            None => {
                self.known.insert(name.to_owned(), Meant::Service(self.found.len()));
                let (dependent, asked) = (dependent.to_owned(), vec![asked]);
                let service = FoundService { template, dependent, asked, requested: false };
                self.found.push(FoundUnit::Service(Box::new(service)));
            }
            Some(Meant::Component(_)) => return Err(RunError::SameName { name: name.to_owned() }),
            Some(Meant::Service(at)) => {
                if let Some(FoundUnit::Service(service)) = self.found.get_mut(*at) {
                    service.asked.push(asked);
                }
            }
        }
        Ok(())
    }

    /// Adds a backing service that the user named, after all components. One that no component needs has the
    /// default parameters of its template.
    pub(super) fn request_service(&mut self, name: &str) -> anyhow::Result<()> {
        let template = self.input.templates.get(name)?;
        if !matches!(self.known.get(name), Some(Meant::Service(_))) {
            let asked = template.parameters(&Parameters::new(), template.file())?;
            self.add_service(template.clone(), asked, &service_reference(name))?;
        }
        self.summaries.insert(name.to_owned(), service::summary(template, self.input.inventory));
        let same = self.found.iter_mut().filter_map(|one| match one {
            FoundUnit::Service(service) if service.template.name() == name => Some(service),
            _ => None,
        });
        same.for_each(|service| service.requested = true);
        Ok(())
    }

    /// Completes a backing service with the requests of all its dependents.
    fn service_unit(&mut self, found: FoundService) -> anyhow::Result<Unit> {
        let FoundService { template, dependent, asked, requested } = found;
        // A request that several dependents share is made once.
        let mut seen = HashSet::new();
        let asked: Vec<Parameters> = asked.into_iter().filter(|one| seen.insert(one.clone())).collect();
        let filled = template.fill(at(self.input.ctx(), template.name()), &asked)?;
        let mut unit = service_unit(filled, &dependent);
        unit.retained = self.input.request.keep_services;
        if requested {
            self.findings.extend(service::request(self.input, &mut unit, template.file())?);
        }
        Ok(unit)
    }

    /// Returns whether a component is not yet part of the plan. Fails if its name has another meaning.
    fn is_new(&mut self, component: &Component) -> Result<bool, RunError> {
        match self.known.get(component.name()) {
            None => {
                let meant = Meant::Component(component.reference.clone());
                self.known.insert(component.name().to_owned(), meant);
                Ok(true)
            }
            Some(Meant::Component(known)) if *known == component.reference => Ok(false),
            Some(_) => Err(RunError::SameName { name: component.name().to_owned() }),
        }
    }

    /// Completes the units with facts that need the whole plan: a component that others need runs its
    /// usual command whatever the request, and a backing service gets the requests of all its dependents.
    pub(super) fn settle(&mut self) -> anyhow::Result<Vec<Unit>> {
        let (input, found) = (self.input, std::mem::take(&mut self.found));
        let request = input.request;
        let needed: HashSet<String> = found
            .iter()
            .filter_map(|one| {
                if let FoundUnit::Component(unit, ..) = one { Some(unit.needs.clone()) } else { None }
            })
            .flatten()
            .collect();
        let mut units = Vec::new();
        for one in found {
            match one {
                FoundUnit::Service(found) => units.push(self.service_unit(*found)?),
                FoundUnit::Component(mut unit, component, initial) => {
                    let is_asked = unit.requested && !needed.contains(&unit.name);
                    unit.one_shot = component.is_one_shot() || (is_asked && request.once);
                    let args = if is_asked { request.args.as_slice() } else { &[] };
                    unit.set_command(command(&component, unit.one_shot, args)?, &component);
                    let init = init_units(&unit, &component, initial);
                    if unit.requested {
                        dev::plan(input, &component, &mut unit, &mut self.warnings)?;
                    }
                    unit.needs.extend(init.last().map(|last| last.name.clone()));
                    units.extend(init);
                    units.push(*unit);
                }
            }
        }
        aliases::plan(input, &mut units, &mut self.warnings);
        publish::plan(request, &mut units, &mut self.warnings)?;
        Ok(units)
    }
}

/// Returns the command to run; `None` for the image's own.
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
