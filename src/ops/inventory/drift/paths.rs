//! Paths in a repository.

use std::path::{Component as Part, Path};

/// Returns a path in a repository without `.`, as it is in a listing; `None` if it leads out.
pub(super) fn plain(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Part::Normal(name) => parts.push(name.to_str()?),
            Part::CurDir => {}
            Part::ParentDir => drop(parts.pop()?),
            Part::RootDir | Part::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}
