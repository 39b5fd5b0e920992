//! Releases: the Kubernetes objects that `cki stage --via kubernetes` applies for a merge request, made of the
//! component's deployment files by the rules of the inventory. Pure; `systems::kubectl` applies them.

mod config_map;
mod container;
mod error;
mod inspect;
mod labels;
mod names;
mod pod;
mod release;
mod releasing;
mod remains;
mod request;
mod rollout;
mod rules;
mod service;
#[cfg(test)]
mod tests;
mod variables;
mod volumes;

pub use error::ReleaseError;
pub use inspect::release_findings;
pub use labels::{
    COMPONENT, EXPIRES_AT, HEAD, IMAGE, MANAGED_BY, MERGE_REQUEST, PROJECT, PROJECT_PATH, RELEASE,
    RELEASED_KINDS, TEMPLATE, project_digest,
};
pub use names::release_name;
pub use release::{Release, release};
pub use remains::{ReleaseRemains, RemainingObject, remains};
pub use request::ReleaseRequest;
pub use rollout::{PodTrouble, Rollout, pod_troubles, rollout};
pub use rules::{RuleFault, StagingRules};
