//! The dependencies of a component: backing services from `templates/services`, and other components.

use std::collections::BTreeMap;

use crate::base::assets::Assets;
use crate::base::text;
use crate::model::environment::ServiceBinding;
use crate::model::inventory::{self, Component, Inventory, Parameters};
use crate::model::reference::is_name;
use crate::model::service::{ServiceTemplate, ServiceTemplateError, TemplateContext};
use crate::ops::shared::need_error::NeedError;
use crate::ops::shared::services::{self, at};

/// One dependency.
#[derive(Debug, Clone)]
pub enum RunDependency<'a> {
    /// A backing service.
    Service(Box<ServiceRequest>),
    /// Another component.
    Component(&'a Component),
}

/// A backing service, as one component asks for it.
#[derive(Debug, Clone)]
pub struct ServiceRequest {
    /// Its template.
    pub template: ServiceTemplate,
    /// The parameters of the request.
    pub parameters: Parameters,
    /// The resources that it provides for them.
    pub provided: Vec<ServiceBinding>,
}

/// The loaded templates of backing services.
#[derive(Debug, Default)]
pub struct ServiceTemplates {
    /// The names of all templates, loaded or not.
    names: Vec<String>,
    loaded: BTreeMap<String, ServiceTemplate>,
}

impl ServiceTemplates {
    /// Loads the templates that components need directly, and those of other services by their names.
    ///
    /// # Errors
    /// Fails when a template cannot be read or is invalid.
    pub fn load<'a>(
        assets: &Assets,
        inventory: &Inventory,
        components: impl IntoIterator<Item = &'a Component>,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, NeedError> {
        let mut templates = Self { names: services::names(assets)?, loaded: BTreeMap::new() };
        let needs = components.into_iter().flat_map(|one| one.run.iter().flat_map(|run| &run.needs));
        let needed = needs.map(|need| need.name.as_str()).chain(others);
        for name in needed.filter(|name| is_name(name)) {
            if !templates.loaded.contains_key(name)
                && let Some(template) = services::template(assets, inventory, name)?
            {
                templates.loaded.insert(name.to_owned(), template);
            }
        }
        Ok(templates)
    }

    /// Returns the loaded template of a backing service.
    ///
    /// # Errors
    /// Fails when there is none.
    pub fn get(&self, name: &str) -> Result<&ServiceTemplate, NeedError> {
        self.loaded.get(name).ok_or_else(|| NeedError::NoService(name.to_owned()))
    }
}

/// Returns the dependencies of a component, in the order of its entry.
///
/// # Errors
/// Fails when a name is unknown or a template is invalid.
pub fn of<'a>(
    component: &Component,
    inventory: &'a Inventory,
    templates: &ServiceTemplates,
    ctx: TemplateContext<'_>,
) -> Result<Vec<RunDependency<'a>>, NeedError> {
    let needs = component.run.iter().flat_map(|run| &run.needs);
    needs.enumerate().map(|(index, need)| one(component, (index, need), inventory, templates, ctx)).collect()
}

fn one<'a>(
    component: &Component,
    (index, need): (usize, &inventory::NeedDecl),
    inventory: &'a Inventory,
    templates: &ServiceTemplates,
    ctx: TemplateContext<'_>,
) -> Result<RunDependency<'a>, NeedError> {
    let place = || component.source_map.place(&format!("run.needs.{index}"));
    let (name, asked) = (need.name.as_str(), &need.parameters);
    if let Some(template) = templates.loaded.get(name) {
        let parameters = template.parameters(asked, &place())?;
        let provided = template.provided(at(ctx, name), &parameters)?;
        let template = template.clone();
        return Ok(RunDependency::Service(Box::new(ServiceRequest { template, parameters, provided })));
    }
    if let Some(other) = inventory.get_by_name(name) {
        if let Some(parameter) = asked.keys().next() {
            return Err(ServiceTemplateError::Parameter {
                place: place(),
                service: name.to_owned(),
                parameter: parameter.clone(),
                nearest: Vec::new(),
            }
            .into());
        }
        return Ok(RunDependency::Component(other));
    }
    let names = templates.names.iter().map(String::as_str);
    let names = names.chain(inventory.components.iter().map(Component::name));
    Err(NeedError::Unknown {
        place: place(),
        component: component.name().to_owned(),
        need: name.to_owned(),
        nearest: text::nearest(name, names).into_iter().map(str::to_owned).collect(),
    })
}
