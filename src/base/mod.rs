//! Floor 0: code for any command-line program. A module that knows a noun of `cki` (component, engine,
//! merge request, …) belongs higher; the exit code of a component in
//! `exit` is the exception.

#[cfg(test)]
pub(crate) mod allocated;
pub mod assets;
pub mod background;
pub mod clock;
pub mod digest;
pub mod dotenv;
pub mod exit;
pub mod file_error;
pub mod file_snapshot;
pub mod file_stamp;
mod file_write;
pub mod files;
pub mod html;
pub mod http;
pub mod layered_layout;
pub mod listed_files;
pub mod packed;
pub mod process_ref;
pub mod redact;
pub mod relative_path;
pub mod retry;
pub mod secret;
pub mod share;
pub mod source_dir;
pub mod template;
pub mod text;
pub mod timestamp;
pub mod tree_snapshot;
pub mod variable;
pub mod x509;
pub mod yaml;
