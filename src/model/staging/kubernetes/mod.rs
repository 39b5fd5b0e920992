//! Releases: the Kubernetes objects that `cki stage --via kubernetes` applies for a merge request, made of the
//! component's deployment files by the rules of the inventory. Pure; `systems::kubectl` applies them.

mod addresses;
mod borrowed;
mod config_map;
mod container;
mod course;
mod error;
mod image_commit;
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
mod security;
mod service;
#[cfg(test)]
mod tests;
mod variables;
mod volumes;

pub use addresses::{ADDRESS_KINDS, release_addresses};
pub use borrowed::BorrowedObject;
pub use course::{
    ReleaseEvent, ReleaseObjects, ReleaseSpan, ReleaseStep, SpanState, pods_of_template, template_digest_of,
};
pub use error::ReleaseError;
pub use image_commit::ImageCommit;
pub use inspect::release_findings;
pub use labels::{
    COMPONENT, EXPIRES_AT, HEAD, IMAGE, IMAGE_COMMIT, MANAGED_BY, MERGE_REQUEST, PROJECT, PROJECT_PATH,
    RELEASE, RELEASED_KINDS, REQUESTED_AT, REQUESTED_BY, TEMPLATE, project_digest,
};
pub use names::release_name;
pub use release::{Release, release};
pub use releasing::{pod_selector, template};
pub use remains::{ReleaseRemains, RemainingObject, remains};
pub use request::ReleaseRequest;
pub use rollout::{PodTrouble, Rollout, pod_troubles, rollout};
pub use rules::{RuleFault, StagingRules};
