//! Notes about a clone: that it is at a merge request, and which submodules or large files are missing.
//! Each note has the command that changes it.

use std::path::Path;

use crate::base::text::{plural, safe_line};
use crate::model::event::Events;
use crate::systems::git::{Checkout, missing};

/// Maximum number of paths in one message.
const NAMED: usize = 3;

/// Returns the merge request that is checked out.
#[must_use]
pub fn merge_request(checkout: &Checkout) -> Option<u64> {
    checkout.branch.as_deref()?.strip_prefix("mr-")?.parse().ok()
}

/// Reports that a clone is at a merge request, and the command to go back.
pub fn tell_merge_request(path: &Path, checkout: &Checkout, events: &Events) {
    if let Some(number) = merge_request(checkout) {
        let back = checkout.default_branch.as_deref().unwrap_or("-");
        events.warn_once(format!(
            "`{}` is at merge request !{number}; `{}` goes back.",
            safe_line(&path.display().to_string()),
            command(path, &["switch", back])
        ));
    }
}

/// Reports that the files of a clone are a mix of two commits.
pub fn tell_half_updated(path: &Path, component: &str, checkout: &Checkout, events: &Events) {
    if checkout.half_updated {
        events.warn_once(format!(
            "`{}` is half updated: `cki` was killed at it. `cki clone {}` finishes that.",
            safe_line(&path.display().to_string()),
            safe_line(component)
        ));
    }
}

/// Reports missing parts of a clone.
pub fn tell_missing(path: &Path, events: &Events) {
    // An unreadable clone fails where it is used.
    let Ok(found) = missing(path) else { return };
    let told = [
        (found.submodules, "submodule", "not fetched", &["submodule", "update", "--init", "--recursive"][..]),
        (found.files, "file", "stored by Git LFS and not fetched", &["lfs", "pull"][..]),
    ];
    for (paths, noun, what, arguments) in told.into_iter().filter(|(paths, ..)| !paths.is_empty()) {
        let shown = paths.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if paths.len() > NAMED { ", …" } else { "" };
        events.warn_once(format!(
            "`{}` has {} {what} ({}{more}); `{}` fetches {}.",
            safe_line(&path.display().to_string()),
            plural(paths.len(), noun),
            safe_line(&shown),
            command(path, arguments),
            if paths.len() == 1 { "it" } else { "them" }
        ));
    }
}

fn command(path: &Path, arguments: &[&str]) -> String {
    let path = path.display().to_string();
    shell_words::join(["git", "-C", &path].into_iter().chain(arguments.iter().copied()))
}
