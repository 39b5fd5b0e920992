//! The way back: texts of reverts and of their records, and the times in which a team does not change production. Pure;
//! sending is up to `ops::rollback`.

mod comment;
mod quiet_times;

pub use comment::{RevertMarker, revert_title, text};
pub use quiet_times::{QuietTimes, QuietTimesError};
