//! The dependencies of a component: backing services from `templates/services`, and other components.

use std::collections::BTreeMap;

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::text;
use crate::model::environment::ServiceBinding;
use crate::model::inventory::{self, Component, Inventory, Parameters};
use crate::model::reference::is_name;
use crate::model::service::{ServiceTemplate, ServiceTemplateError, TemplateContext};

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
    /// Loads the templates that components need directly.
    ///
    /// # Errors
    /// Fails when a template cannot be read or is invalid.
    pub fn load<'a>(
        assets: &Assets,
        components: impl IntoIterator<Item = &'a Component>,
    ) -> Result<Self, NeedError> {
        let names = assets.names("services")?;
        let names = names.iter().map(|name| name.trim_end_matches(".yaml").to_owned()).collect();
        let mut templates = Self { names, loaded: BTreeMap::new() };
        for component in components {
            let needs = component.run.iter().flat_map(|run| &run.needs);
            for name in needs.map(|need| need.name.as_str()).filter(|name| is_name(name)) {
                if templates.loaded.contains_key(name) {
                    continue;
                }
                if let Some(asset) = assets.text(&format!("services/{name}.yaml"))? {
                    let template = ServiceTemplate::read(name, &asset.origin, &asset.text)?;
                    templates.loaded.insert(name.to_owned(), template);
                }
            }
        }
        Ok(templates)
    }
}

/// An error of resolving a dependency.
#[derive(Debug, thiserror::Error)]
pub enum NeedError {
    /// The name is neither a backing service nor a component.
    #[error("{place}: `{component}` needs `{need}`, which is neither a backing service nor a component")]
    Unknown {
        /// `file:line`.
        place: String,
        /// Name of the dependent component.
        component: String,
        /// Name of the dependency.
        need: String,
        /// The nearest names.
        nearest: Vec<String>,
    },
    /// A template cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A template is invalid.
    #[error(transparent)]
    Service(#[from] ServiceTemplateError),
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
        let mut template = template.clone();
        if let Some(image) = inventory.services.get(name).and_then(|choice| choice.image.as_deref()) {
            template.set_image(image);
        }
        let parameters = template.parameters(asked, &place())?;
        let provided = template.provided(at(ctx, name), &parameters)?;
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

/// Returns the surroundings of a service: its host is its own name, unless all services have one address.
pub(in crate::ops) fn at<'a>(ctx: TemplateContext<'a>, name: &'a str) -> TemplateContext<'a> {
    let host = if ctx.host.is_empty() { name } else { ctx.host };
    TemplateContext { host, ..ctx }
}
