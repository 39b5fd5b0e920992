//! The way back of a component: what runs in production and what it could become; the lasting way, a merge request that
//! reverts a commit; and the temporary one, another image. Reading what runs where is up to `ops::status`, and merging to
//! people.

mod deployed;
mod error;
mod find;
mod image;
mod image_error;
mod image_plan;
mod outcome;
mod revert;
mod revert_plan;
mod rights;

pub use deployed::{DeployedCommit, deployed};
pub use error::RollbackError;
pub use image::{ImageSystems, RollbackRecord, change_image, record_text};
pub use image_error::ImageError;
pub use image_plan::{ImageChoice, ImagePlan, ImageRequest, plan_image};
pub use outcome::{
    FoundRevert, RevertChoice, RevertOutcome, RevertPlan, RevertRequest, RevertSteps, RevertWork,
};
pub use revert::revert;
pub use revert_plan::plan_revert;
pub use rights::check_rights;
