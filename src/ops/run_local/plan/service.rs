//! The effect of a user's request on the unit of a backing service that the user named. Units of all services are made
//! in `units`.

use super::input::PlanInput;
use crate::base::secret::Secret;
use crate::base::text::plural;
use crate::model::environment::{EnvOverrides, EnvironmentError, check_locks};
use crate::model::guard::{GuardFinding, Reason};
use crate::model::identity::service_reference;
use crate::model::inventory::Inventory;
use crate::model::service::ServiceTemplate;
use crate::ops::runtime::start::unit::{Image, Unit};

/// Returns what a service provides, in a few words, and the command that shows it.
pub(super) fn summary(template: &ServiceTemplate, inventory: &Inventory) -> String {
    let count = plural(template.provides().count(), "variable");
    format!("{count} for its clients: `cki env {}`", inventory.service_query(template.name()))
}

/// Applies the request to the unit of a service, whose template is at `place`, and returns the findings of the guard
/// in its environment.
///
/// # Errors
/// Fails when the user changes a locked variable.
pub(super) fn request(
    input: &PlanInput<'_>,
    unit: &mut Unit,
    place: &str,
) -> Result<Vec<GuardFinding>, EnvironmentError> {
    let PlanInput { request, policy, inventory, native, .. } = *input;
    check_locks(&request.overrides, inventory)?;
    unit.requested = true;
    unit.component = service_reference(&unit.name);
    if let Some(image) = &request.image {
        unit.image = Image::Named(image.clone());
    }
    if !request.args.is_empty() {
        // Its image's entry point gets them: a service has no command of its own unless its template says so.
        unit.command.get_or_insert_default().extend(request.args.iter().cloned());
        unit.native.iter_mut().for_each(|native| native.command.extend(request.args.iter().cloned()));
    }
    apply(&request.overrides, &mut unit.environment);
    let own = unit.native.as_mut().and_then(|native| native.environment.as_mut());
    if let Some(environment) = own {
        apply(&request.overrides, environment);
    }
    let is_own = |name: &str| request.overrides.set.iter().rev().find(|(other, ..)| other == name);
    let used = unit.native.as_ref().filter(|_| native).and_then(|native| native.environment.as_ref());
    let (mut findings, mut secret) = (Vec::new(), Vec::new());
    for (name, value) in used.unwrap_or(&unit.environment) {
        let reasons = policy.guard.reasons(Some(name), value.expose());
        let is_credential = reasons.iter().any(|reason| matches!(reason, Reason::Credential { .. }));
        if is_credential || policy.guard.is_secret(name, value.expose()) {
            secret.push(name.clone());
        }
        let source = is_own(name).map_or_else(|| place.to_owned(), |(.., origin)| origin.reason());
        findings.extend(GuardFinding::new(&unit.name, name, &source, reasons));
    }
    secret.retain(|name| !unit.secret.contains(name));
    unit.secret.extend(secret);
    Ok(findings)
}

/// Applies the user's changes to an environment.
fn apply(overrides: &EnvOverrides, environment: &mut Vec<(String, Secret)>) {
    environment.retain(|(name, _)| !overrides.unset.contains(name));
    for (name, value, _) in &overrides.set {
        match environment.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value.clone(),
            None => environment.push((name.clone(), value.clone())),
        }
    }
}
