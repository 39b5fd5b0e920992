//! The places where the README of a component is looked for, in clones and on the web. Reading it is up to the
//! callers.

use std::path::{Path, PathBuf};

use crate::base::files::FileError;
use crate::base::source_dir::SourceDir;
use crate::model::inventory::Component;

/// Names of a README, the best first.
pub const NAMES: [&str; 5] = ["README.md", "README.markdown", "README.rst", "README.txt", "README"];
/// Beginning of the name of a README, in lower case.
const README: &str = "readme";

/// Returns the directories or files, each with its repository, that may have the README of a component: the paths of
/// its sources, then the roots of its repositories.
#[must_use]
pub fn places(component: &Component) -> Vec<(&str, &Path)> {
    let sources = component.sources.iter();
    let paths = sources.filter_map(|one| Some((one.repo.as_str(), Path::new(one.path.as_deref()?))));
    let roots = component.repos().into_iter().map(|repo| (repo, Path::new("")));
    paths.chain(roots).collect()
}

/// Returns the paths that the README of a directory of a repository may have, the best first.
pub fn paths(directory: &Path) -> impl Iterator<Item = PathBuf> {
    NAMES.into_iter().map(|name| directory.join(name))
}

/// Returns whether a path names a README.
#[must_use]
pub fn is_readme(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().to_ascii_lowercase().starts_with(README))
}

/// Returns the path of the README at a path of a clone: that of a directory, or the file itself if it is one.
///
/// # Errors
/// Fails if the path leads out of the clone.
pub fn find(clone: &SourceDir, path: &Path) -> Result<Option<PathBuf>, FileError> {
    let Ok(names) = clone.names(path) else {
        let is_there = is_readme(path) && clone.locate(path)?.is_some();
        return Ok(is_there.then(|| path.to_path_buf()));
    };
    let is = |name: &std::ffi::OsString, wanted: &str| name.to_string_lossy().eq_ignore_ascii_case(wanted);
    let best = NAMES.iter().find_map(|wanted| names.iter().find(|name| is(name, wanted)));
    Ok(best.map(|best| path.join(best)))
}
