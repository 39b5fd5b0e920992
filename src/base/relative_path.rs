//! Relative paths as links in documents write them. Files are in `files`.

/// Returns the path that a relative path leads to from the directory of a file; `None` outside of the repository. With a
/// slash at its beginning, it leads from the top.
#[must_use]
pub fn joined(file: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = match relative.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => file.split('/').collect(),
    };
    if !relative.starts_with('/') {
        parts.pop();
    }
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_path_stays_in_the_repository() {
        assert_eq!(joined("docs/README.md", "../a/./b.md").as_deref(), Some("a/b.md"));
        assert_eq!(joined("docs/README.md", "/c").as_deref(), Some("c"));
        assert_eq!(joined("README.md", "../x"), None);
    }
}
