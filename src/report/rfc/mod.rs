//! Reports of `cki rfc`, one file per subcommand.

pub mod check;
pub mod list;
pub mod new;
pub mod show;
