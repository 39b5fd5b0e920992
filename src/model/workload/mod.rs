//! Workloads as a cluster reports them: their images, since when they run, their health, the images that they ran before, and
//! patches that take them back. Pure rules over JSON; reading and patching a cluster is up to `systems::kubectl`, and making
//! objects of a release to `model::staging::kubernetes`.

mod change;
mod history;
mod pods;
mod read;
mod stream;

pub use change::{DEPLOYMENT_CONFIGS, ImageChange, ROLLBACK, retag, set_image};
pub use history::{earlier_images, revision_kinds};
pub use pods::{digest_of, is_digest};
pub use read::{RunningContainer, Workload, belongs_to, workloads};
pub use stream::{IMAGE_STREAMS, StreamTag, digests_of_tag, has_digest, stream_tag};
