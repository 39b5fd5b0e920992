//! `cki rfc`: requests for comments in the clone of their repository and in the open merge requests of its project. The
//! rules are in `model::rfc`.

mod check;
mod claims;
mod error;
mod list;
mod new;
mod project;
mod shelf;

pub use check::{RfcCheckOutcome, check};
pub use claims::{OpenClaims, ServerAnswer, ask};
pub use error::RfcError;
pub use list::{RfcListing, RfcRow, list};
pub use new::{NewRfc, NumberCheck, create, plan};
pub use project::{RfcProject, project};
pub use shelf::{LocalRfc, RfcShelf};
