//! What a component needs before it can start: backing services from `templates/services`, and
//! other components.

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::text;
use crate::model::inventory::{Component, Inventory};
use crate::model::service::{Service, ServiceError, ServiceTemplate, Surroundings};

/// One thing that is needed.
#[derive(Debug, Clone)]
pub enum Need<'a> {
    /// A backing service.
    Service(Box<Service>),
    /// Another component.
    Component(&'a Component),
}

/// What is needed cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NeedError {
    /// Neither a backing service nor a component.
    #[error("{place}: `{component}` needs `{need}`, which is neither a backing service nor a component")]
    Unknown {
        /// `file:line`.
        place: String,
        /// Who needs it.
        component: String,
        /// What is needed.
        need: String,
        /// The nearest names.
        nearest: Vec<String>,
    },
    /// A template cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A template does not work.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What a component needs, in the order in which it says so.
///
/// # Errors
/// When something is unknown or a template does not work.
pub fn of<'a>(
    component: &Component,
    inventory: &'a Inventory,
    assets: &Assets,
    around: Surroundings<'_>,
) -> Result<Vec<Need<'a>>, NeedError> {
    let needs = component.run.iter().flat_map(|run| &run.needs);
    needs.map(|need| one(component, need, inventory, assets, around)).collect()
}

fn one<'a>(
    component: &Component,
    need: &str,
    inventory: &'a Inventory,
    assets: &Assets,
    around: Surroundings<'_>,
) -> Result<Need<'a>, NeedError> {
    let safe = crate::model::reference::is_name(need);
    if let Some(asset) = safe.then(|| assets.text(&format!("services/{need}.yaml"))).transpose()?.flatten() {
        let template = ServiceTemplate::read(need, &asset.origin, &asset.text)?;
        let host = if around.host.is_empty() { need } else { around.host };
        return Ok(Need::Service(Box::new(template.fill(Surroundings { host, ..around })?)));
    }
    if let Ok(other) = inventory.find_exactly(need) {
        return Ok(Need::Component(other));
    }
    let services = assets.names("services")?;
    let names = services.iter().map(|name| name.trim_end_matches(".yaml"));
    let names = names.chain(inventory.components.iter().map(Component::name));
    Err(NeedError::Unknown {
        place: component.written.place("run.needs"),
        component: component.name().to_owned(),
        need: need.to_owned(),
        nearest: text::nearest(need, names).into_iter().map(str::to_owned).collect(),
    })
}
