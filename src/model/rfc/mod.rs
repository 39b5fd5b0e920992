//! Requests for comments of a group: their numbers, documents, rules and merge requests. Reading clones and servers
//! belongs in `ops::rfc`.

mod check;
mod claim;
mod document;
mod error;
mod links;
mod name;
mod process;
mod rule;

pub use check::{CheckedDocument, RfcFinding, check};
pub use claim::{FeedbackWindow, RfcClaim, RfcState};
pub use document::{RfcDocument, RfcLink, RfcSection};
pub use error::RfcProcessError;
pub use links::{LinkTarget, link_target};
pub use name::RfcName;
pub use process::RfcProcess;
pub use rule::RfcRule;
