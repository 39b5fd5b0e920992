//! Hints and exit codes of errors of environments: values, placeholder secrets, backing services, and the refusals of a
//! run.

use super::diagnosis::{Diagnosis, at, did_you_mean, hint, plain};
use super::systems::of_file;
use crate::base::exit::Exit;
use crate::model::environment::{EnvironmentError, RuleError};
use crate::model::guard::PolicyViolation;
use crate::model::service::ServiceTemplateError;
use crate::ops::env::EnvError;
use crate::ops::shared::need_error::NeedError;
use crate::ops::shared::run_policy::RunPolicyError;
use crate::ops::shared::workspace_secrets::KeepError;

/// Hint that shows the backing services.
pub(super) const SERVICES: &str = "`cki list services` shows them all.";

pub(super) fn of_env(error: &EnvError) -> Diagnosis {
    match error {
        EnvError::Lacking { component, variables, dependents } => {
            let flags: Vec<String> = variables.iter().map(|(name, _)| format!("-e {name}=…")).collect();
            let place = variables.first().map(|(_, place)| place.as_str()).unwrap_or_default();
            let (flags, default) = (flags.join(" "), at(place));
            if dependents.is_empty() {
                return hint(Exit::Invalid, format!("give `{flags}`, or a default at {default}."));
            }
            // `-e` reaches the components that are named.
            let names = dependents.join(" ");
            hint(
                Exit::Invalid,
                format!(
                    "name `{component}`, too: `cki run-local {names} {component} {flags}`; or give a default at {default}."
                ),
            )
        }
        EnvError::Assignment { place, .. } if place.starts_with("--env") => {
            hint(Exit::Usage, "write `-e NAME=VALUE`, or export the variable.")
        }
        EnvError::Assignment { .. } => hint(Exit::Invalid, "write `NAME=VALUE`; `#` begins a comment."),
        EnvError::Need(inner) => of_need(inner),
        EnvError::Environment(inner) => of_environment(inner),
        EnvError::File(inner) => of_file(inner),
    }
}

pub(super) fn of_environment(error: &EnvironmentError) -> Diagnosis {
    match error {
        EnvironmentError::Locked { name, .. } => hint(
            Exit::Refused,
            format!("leave `{name}` out: a local run never claims production, and nothing overrides that."),
        ),
        EnvironmentError::LikeLocked { name, .. } => hint(
            Exit::Refused,
            format!(
                "leave `{name}` out, with `--unset {name}` if a deployment has it: many programs ignore the case of names."
            ),
        ),
        EnvironmentError::Rule(inner) => of_rule(inner),
    }
}

pub(super) fn of_need(error: &NeedError) -> Diagnosis {
    match error {
        NeedError::Unknown { nearest, .. } => {
            hint(Exit::Invalid, did_you_mean(nearest, "a backing service is a file in `templates/services`."))
        }
        NeedError::Service(ServiceTemplateError::Parameter { nearest, .. }) => hint(
            Exit::Invalid,
            did_you_mean(nearest, "`parameters` in the service's template names what can be asked of it."),
        ),
        NeedError::NoService(_) => hint(Exit::NotFound, SERVICES),
        NeedError::File(_) | NeedError::Service(_) => plain(Exit::Invalid),
    }
}

pub(super) fn of_refusal(error: &PolicyViolation) -> Diagnosis {
    match error {
        PolicyViolation::Values { names, .. } if names.is_empty() => {
            hint(Exit::Refused, "nothing was started; the inventory fixes such a value, and must be changed.")
        }
        PolicyViolation::Values { names, .. } => {
            let flags: Vec<String> = names.iter().map(|name| format!("--allow {name}")).collect();
            let flags = flags.join(" ");
            hint(
                Exit::Refused,
                format!(
                    "nothing was started; give other values, or allow these in this run only: `{flags}`."
                ),
            )
        }
        PolicyViolation::Locked { .. } => {
            hint(Exit::Refused, "nothing was started: a local run never claims production.")
        }
        PolicyViolation::Unlocked { .. } | PolicyViolation::More(_) => {
            hint(Exit::Refused, "nothing was started.")
        }
        PolicyViolation::Replaced { variable, .. } => hint(
            Exit::Refused,
            format!(
                "nothing was started; leave `{variable}` out of the command: a shell may read it as `${variable}`, and do nothing else with it."
            ),
        ),
        PolicyViolation::LikeLocked { variable, .. } => hint(
            Exit::Refused,
            format!(
                "nothing was started; leave `{variable}` out of the image: many programs ignore the case of names."
            ),
        ),
        PolicyViolation::Name(_) => plain(Exit::Usage),
    }
}

pub(super) fn of_rules(error: &RunPolicyError) -> Diagnosis {
    match error {
        RunPolicyError::File(inner) => of_file(inner),
        RunPolicyError::Secrets(inner) => of_rule(inner),
        RunPolicyError::Credentials(_) => plain(Exit::Invalid),
    }
}

fn of_rule(error: &RuleError) -> Diagnosis {
    let RuleError::Keep(cause) = error else { return plain(Exit::Invalid) };
    match cause.downcast_ref::<KeepError>() {
        Some(KeepError::File(_)) => hint(
            Exit::Invalid,
            "set `XDG_STATE_HOME` to a directory that you can write to; placeholders of secrets are stored there.",
        ),
        Some(KeepError::NoDirectory) => hint(Exit::Invalid, "set `XDG_STATE_HOME` to a directory of yours."),
        Some(KeepError::Damaged(_)) => {
            hint(Exit::Invalid, "remove it, and new placeholder secrets are made.")
        }
        Some(KeepError::X509(_)) | None => plain(Exit::Invalid),
    }
}
