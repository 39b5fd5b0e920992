//! Imports of a source, which lead to the definitions in other files. Reading those files belongs in
//! `ops`.

use std::path::{Path, PathBuf};

/// Maximum nesting of modules.
const DEEPEST: usize = 16;

/// An imported module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// Path in the form of the source: `a.b`, `..a`, `./settings.sh`.
    pub path: String,
}

impl Import {
    /// Returns the first part of its name, if it is not relative.
    #[must_use]
    pub fn package(&self) -> Option<&str> {
        let first = self.path.split('.').next()?;
        (!first.is_empty() && !self.path.contains('/')).then_some(first)
    }
}

/// Returns the possible files of an imported module, below the root of a repository; `from` is the
/// importing file, also below the root.
#[must_use]
pub fn candidates(import: &Import, from: &Path) -> Vec<PathBuf> {
    let path = &import.path;
    if path.contains('/') {
        return Vec::new();
    }
    let dots = path.bytes().take_while(|byte| *byte == b'.').count();
    let parts: Vec<&str> = path[dots..].split('.').filter(|part| !part.is_empty()).collect();
    let is_name = |part: &&str| part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !parts.iter().all(is_name) || parts.len() + dots > DEEPEST {
        return Vec::new();
    }
    let mut roots = Vec::new();
    if dots > 0 {
        let Some(directory) = from.ancestors().nth(dots) else { return Vec::new() };
        roots.push(directory.to_path_buf());
    } else {
        roots.extend([PathBuf::new(), PathBuf::from("src")]);
        // A script finds files in its own directory.
        roots.extend(
            from.parent().filter(|directory| !directory.as_os_str().is_empty()).map(Path::to_path_buf),
        );
    }
    let mut found = Vec::new();
    for root in roots {
        // `from a.b import c`: `c` may be a module, or a name in `a.b`.
        for length in [parts.len(), parts.len().saturating_sub(1)] {
            if length == 0 && dots == 0 {
                continue;
            }
            let module: PathBuf = parts[..length].iter().fold(root.clone(), |path, part| path.join(part));
            if length > 0 {
                found.push(module.with_extension("py"));
            }
            found.push(module.join("__init__.py"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, from: &str) -> Vec<String> {
        let import = Import { path: path.to_owned() };
        candidates(&import, Path::new(from)).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn import_candidates_follow_python_rules() {
        assert!(of("a.b.c", "x.py").contains(&"a/b/c.py".to_owned()));
        assert!(of("a.b.c", "x.py").contains(&"a/b/__init__.py".to_owned()));
        assert!(of("a.b", "p/x.py").contains(&"src/a/b.py".to_owned()));
        assert!(of("tools", "bin/x.py").contains(&"bin/tools.py".to_owned()));
        assert_eq!(of(".x", "p/q/y.py")[..2], ["p/q/x.py", "p/q/x/__init__.py"]);
        assert!(of("..x.y", "p/q/y.py").contains(&"p/x/y.py".to_owned()));
        assert!(of("....x", "p/y.py").is_empty(), "above the root");
        assert!(of("../x", "y.sh").is_empty());
    }
}
