//! Reports on the progress of a staging: as text, as JSON, as a page that anybody may read, as Markdown for a comment; the
//! list of stagings, logs of jobs, and cancellations. The report of the request itself is in `report::stage`.

mod cancel;
mod list;
mod logs;
mod markdown;
mod page;
mod release;
mod status;
mod timeline;
mod view;
mod watched;
mod words;

pub use cancel::{print_cancel_plan, print_canceled};
pub use list::print_list;
pub use logs::print_logs;
pub use markdown::markdown;
pub use page::{PageError, ReportTemplates, page};
pub(in crate::report) use release::{FailedContainerView, failed_view, print_failed_containers};
pub use status::print_status;
pub use watched::{all_done, print_watched};
pub(in crate::report) use words::{paint, symbol};
