//! What should be known of a clone that is worked with: that it is at a merge request, and what it lacks
//! of what its commit names. Each with the command that changes it.

use std::path::Path;

use crate::base::text::{plural, safe_line};
use crate::model::event::Events;
use crate::systems::git::{Checkout, missing};

/// The most paths in one message.
const NAMED: usize = 3;

/// The merge request that is checked out.
#[must_use]
pub fn merge_request(checkout: &Checkout) -> Option<u64> {
    checkout.branch.as_deref()?.strip_prefix("mr-")?.parse().ok()
}

/// Tells that a clone is at a merge request, and how to go back.
pub fn tell_merge_request(path: &Path, checkout: &Checkout, events: &Events) {
    if let Some(number) = merge_request(checkout) {
        let back = checkout.default_branch.as_deref().unwrap_or("-");
        events.warn(format!(
            "`{}` is at merge request !{number}; `{}` goes back.",
            safe_line(&path.display().to_string()),
            command(path, &["switch", back])
        ));
    }
}

/// Tells that the files of a clone are those of two commits.
pub fn tell_half_updated(path: &Path, component: &str, checkout: &Checkout, events: &Events) {
    if checkout.half_updated {
        events.warn(format!(
            "`{}` is half updated: `cki` was killed at it. `cki clone {}` finishes that.",
            safe_line(&path.display().to_string()),
            safe_line(component)
        ));
    }
}

/// Tells what a clone lacks.
pub fn tell_missing(path: &Path, events: &Events) {
    // What cannot be read fails where it is used.
    let Ok(found) = missing(path) else { return };
    let told = [
        (found.submodules, "submodule", "not fetched", &["submodule", "update", "--init", "--recursive"][..]),
        (found.files, "file", "kept by Git LFS and not fetched", &["lfs", "pull"][..]),
    ];
    for (paths, noun, what, arguments) in told.into_iter().filter(|(paths, ..)| !paths.is_empty()) {
        let shown = paths.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if paths.len() > NAMED { ", …" } else { "" };
        events.warn(format!(
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
