//! Operations of `cki inventory`, one file per subcommand. Loading an inventory is in `shared`.

pub mod check;
pub mod drift;
pub mod fix;
pub mod links;
pub mod new;
mod new_error;
mod new_needs;
mod new_place;
pub mod site;
pub mod sync;
