//! The difference of two texts in the form that `git apply` and `patch` read. It needs no repository.

use std::path::Path;

use git2::{DiffOptions, Patch};

/// Returns the difference of a file; the path is the one in its headers. Texts that libgit2 cannot compare have none.
#[must_use]
pub fn unified_diff(path: &Path, before: &str, after: &str) -> String {
    let mut options = DiffOptions::new();
    options.force_text(true);
    let (old, new) = (before.as_bytes(), after.as_bytes());
    let patch = Patch::from_buffers(old, Some(path), new, Some(path), Some(&mut options));
    let text = patch.and_then(|mut patch| Ok(String::from_utf8_lossy(&patch.to_buf()?).into_owned()));
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unified_diff_has_headers_and_context() {
        let diff = unified_diff(Path::new("a/b.yaml"), "a\nb\nc\n", "a\nB\nc\n");
        let lines: Vec<&str> = diff.lines().filter(|line| !line.starts_with("index")).collect();
        let head =
            ["diff --git a/a/b.yaml b/a/b.yaml", "--- a/a/b.yaml", "+++ b/a/b.yaml", "@@ -1,3 +1,3 @@"];
        assert_eq!(lines, [&head[..], &[" a", "-b", "+B", " c"]].concat());
        assert_eq!(unified_diff(Path::new("a"), "a\n", "a\n").lines().count(), 0);
    }
}
