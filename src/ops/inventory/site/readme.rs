//! The README of a component, from the local clone of one of its repositories. Its display is in `report`.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::files::FileError;
use crate::base::source_dir::SourceDir;
use crate::model::inventory::{Component, Inventory};
use crate::ops::shared::readme;
use crate::ops::shared::workspace::Workspace;

/// Maximum length of a README that is shown, in bytes; the rest is left out.
const LONGEST: usize = 256 << 10;

/// A README.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readme {
    /// Repository, by its name in the inventory.
    pub repo: String,
    /// Path in the repository.
    pub path: String,
    /// Text, at most the first 256 KiB.
    pub text: String,
    /// The text ends before the end of the file.
    pub is_cut: bool,
}

impl Readme {
    /// Returns whether it is written in Markdown.
    #[must_use]
    pub fn is_markdown(&self) -> bool {
        let path = self.path.to_ascii_lowercase();
        path.ends_with(".md") || path.ends_with(".markdown")
    }
}

/// The READMEs of an inventory; each directory is read once.
pub(super) struct Readmes<'a> {
    inventory: &'a Inventory,
    workspace: &'a Workspace,
    clones: HashMap<&'a str, Option<SourceDir>>,
    /// By repository, and by directory or file in it.
    read: HashMap<(&'a str, PathBuf), Option<Arc<Readme>>>,
    unread: Vec<String>,
}

impl<'a> Readmes<'a> {
    pub(super) fn new(inventory: &'a Inventory, workspace: &'a Workspace) -> Self {
        Self { inventory, workspace, clones: HashMap::new(), read: HashMap::new(), unread: Vec::new() }
    }

    /// Returns the failures.
    pub(super) fn into_unread(self) -> Vec<String> {
        self.unread
    }

    /// Returns the README of a component: one that its documentation names, else that of a path of its sources, else
    /// that of a repository.
    pub(super) fn of(&mut self, component: &'a Component) -> Option<Arc<Readme>> {
        let named = component.documentation.iter().filter_map(|link| {
            let path = Path::new(link.path.as_deref()?);
            readme::is_readme(path).then_some((link.repo.as_deref()?, path))
        });
        let mut places = named.chain(readme::places(component));
        places.find_map(|(repo, path)| self.at(repo, path))
    }

    fn at(&mut self, repo: &'a str, path: &Path) -> Option<Arc<Readme>> {
        let key = (repo, path.to_path_buf());
        if let Some(known) = self.read.get(&key) {
            return known.clone();
        }
        let (inventory, workspace) = (self.inventory, self.workspace);
        let clone = self.clones.entry(repo).or_insert_with(|| {
            let directory = workspace.location(inventory, repo).found().ok().flatten()?;
            SourceDir::new(directory).ok()
        });
        let found = match clone.as_ref().map(|clone| read(clone, path)) {
            Some(Ok(found)) => found.map(|(path, text, is_cut)| {
                Arc::new(Readme { repo: repo.to_owned(), path: path.display().to_string(), text, is_cut })
            }),
            Some(Err(error)) => {
                self.unread.push(error.to_string());
                None
            }
            None => None,
        };
        self.read.insert(key, found.clone());
        found
    }
}

/// Reads the README at a path of a clone: that of a directory, or the file itself if it is one. Returns its path, its
/// text, and whether that is cut.
fn read(clone: &SourceDir, path: &Path) -> Result<Option<(PathBuf, String, bool)>, FileError> {
    let Some(file) = readme::find(clone, path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    let opened = clone.open(&file)?;
    let all = opened.take(LONGEST as u64 + 1).read_to_end(&mut bytes);
    all.map_err(|source| FileError::new("read", clone.path().join(&file), source))?;
    let is_cut = bytes.len() > LONGEST;
    if is_cut {
        let end = bytes[..LONGEST].iter().rposition(|byte| *byte == b'\n').unwrap_or(LONGEST);
        bytes.truncate(end);
    }
    Ok(Some((file, String::from_utf8_lossy(&bytes).into_owned(), is_cut)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Env;
    use crate::model::inventory::InventoryDocument;

    #[test]
    fn readmes_come_from_clones_the_nearest_first() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("makes");
            std::fs::write(path, text).expect("writes");
        };
        write("tools/README.md", "root");
        write("tools/readme.txt", "worse");
        write("tools/a/ReadMe.md", "of a");
        write("tools/docs/README.b.md", "of b");
        write("long/README.md", &"line\n".repeat(LONGEST / 4));
        write("token", "secret");
        std::os::unix::fs::symlink("../../token", directory.path().join("tools/docs/README.md"))
            .expect("links");
        let inventory = "\
components:
  - {name: a, category: tool, sources: [{repo: tools, path: a}]}
  - {name: b, category: tool, sources: [{repo: tools, path: a}], documentation: [{label: x, repo: tools, path: docs/README.b.md}]}
  - {name: c, category: tool, sources: [{repo: tools, path: c/main.py}]}
  - {name: d, category: tool, sources: [{repo: gone}]}
  - {name: e, category: tool, sources: [{repo: long}]}
  - {name: f, category: tool, documentation: [{label: x, repo: tools, path: docs/README.md}]}
";
        let document = InventoryDocument { file: "x.yaml".into(), text: inventory.into(), reference: None };
        let inventory = Inventory::read("x", vec![document]).expect("reads");
        let workspace = Workspace::new(directory.path(), Env::new([("HOME", directory.path())]));
        let mut readmes = Readmes::new(&inventory, &workspace);
        let found: Vec<_> = inventory.components.iter().map(|one| readmes.of(one)).collect();
        let texts: Vec<_> = found[..4].iter().map(|one| one.as_ref().map(|one| one.text.as_str())).collect();
        assert_eq!(texts, [Some("of a"), Some("of b"), Some("root"), None]);
        let long = found[4].as_ref().expect("is there");
        assert!(long.is_cut && long.text.len() <= LONGEST && long.text.ends_with("line"));
        assert_eq!(found[5], None, "a link leads out of the clone");
        assert!(readmes.into_unread()[0].contains("leads out of the clone"));
    }
}
