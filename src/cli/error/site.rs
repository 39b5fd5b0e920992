//! Exit codes and hints of `cki inventory site`.

use super::diagnosis::{Diagnosis, hint};
use super::systems::of_file;
use crate::base::exit::Exit;
use crate::ops::inventory::site::SiteDirectoryError;
use crate::report::site::SiteError;

pub(super) fn of_site_directory(error: &SiteDirectoryError) -> Diagnosis {
    match error {
        SiteDirectoryError::Other(_) => {
            hint(Exit::Refused, "name a new directory, as in `cki inventory site public`.")
        }
        SiteDirectoryError::Added { directory, file } => hint(
            Exit::Refused,
            format!("move `{}` away, or name another directory.", directory.join(file).display()),
        ),
        SiteDirectoryError::Unsuitable { .. } => {
            hint(Exit::Refused, "name a new directory, as in `cki inventory site public`.")
        }
        SiteDirectoryError::File(error) => of_file(error),
    }
}

pub(super) fn of_site(error: &SiteError) -> Diagnosis {
    match error {
        SiteError::Template { .. } => hint(
            Exit::Invalid,
            "mend the file below the directory of the setting `templates`, or remove it to use the built-in one.",
        ),
        SiteError::File(error) => of_file(error),
    }
}
