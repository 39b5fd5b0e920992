//! Values of the deployment that are made of other variables, once those have their local values, and
//! replacement of values that name production. The values themselves belong in [`super::deployed`].

use super::draft::Draft;
use crate::base::secret::Secret;
use crate::model::deployment::EnvVarSource;
use crate::model::deployment::expansion::Segment;
use crate::model::environment::error::EnvironmentError;
use crate::model::environment::inputs::Inputs;
use crate::model::environment::production_value::{ProductionInfo, ProductionValue, expanded};
use crate::model::environment::secret_detection::holds_password;
use crate::model::environment::variable::ValueOrigin;

/// Resolves the references of the deployment's values with the local values of other variables, and replaces
/// parts that name production.
pub(super) fn resolve(mut draft: Draft, inputs: &Inputs<'_>) -> Result<Draft, EnvironmentError> {
    let Some(deployed) = inputs.deployed else { return Ok(draft) };
    let Draft { variables, texts, .. } = &mut draft;
    let names = inputs.secrets.names();
    for given in &deployed.container.variables {
        let ((Some(pieces), _) | (None, EnvVarSource::Text(pieces))) = (texts.get(&given.name), &given.value)
        else {
            continue;
        };
        let parts = || {
            pieces.iter().filter_map(|piece| match piece {
                Segment::Variable(name) => variables.get(name),
                Segment::Text(_) => None,
            })
        };
        let tainted = parts().any(|part| part.secret);
        let own = parts().any(|part| part.secret && part.own);
        let local = expanded(pieces, &|name| variables.get(name)?.value.as_ref().map(Secret::expose));
        let Some(variable) = variables.get_mut(&given.name) else { continue };
        variable.secret |= tainted;
        variable.own |= own && matches!(variable.origin, ValueOrigin::Deployment { .. });
        let was_production = match &variable.production {
            Some(ProductionInfo { value: ProductionValue::Written(value), .. }) => {
                (deployed.names_production)(value.expose())
            }
            _ => false,
        };
        match (&variable.origin, local) {
            (ValueOrigin::Service { service, .. }, _) if was_production => {
                variable.replaced_by = Some(format!("backing service {service}"));
            }
            (ValueOrigin::Deployment { place }, None) => {
                variable.origin = ValueOrigin::Missing { place: place.clone() };
                variable.value = None;
            }
            (ValueOrigin::Deployment { place }, Some(local)) if (deployed.names_production)(&local) => {
                match deployed.rules.replace(&given.name, &local, deployed.names_production)? {
                    Some(made) => {
                        variable.parts.clear();
                        variable.value = Some(Secret::new(made.value));
                        variable.replaced_by = Some(made.rule);
                    }
                    None => {
                        variable.origin = ValueOrigin::Missing { place: place.clone() };
                        variable.value = None;
                        variable.replaced_by = Some("no rule fits".to_owned());
                    }
                }
            }
            (ValueOrigin::Deployment { .. }, Some(local)) => {
                variable.secret |= !variable.parts.is_empty() || holds_password(&local, names);
                variable.value = Some(Secret::new(local));
            }
            _ => {}
        }
    }
    Ok(draft)
}
