//! Files of a deployment for its readers: by path below the root of a repository, never out of it, and
//! within limits. Access to a disk or a commit belongs in the implementations of [`Files`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use super::error::{DeploymentError, FileTrouble, finding};
use super::interpolation::Budget;
use crate::base::yaml::tree::{Location, Node, YamlDocuments, tagged_documents};
use crate::model::inventory::InventoryFinding;

/// Maximum number of files of a deployment.
const FILES: usize = 4000;
/// Maximum total bytes of these files.
const BYTES: usize = 64 << 20;

/// Type of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// File.
    File,
    /// Directory.
    Directory,
}

/// Files of a repository, by their paths from its root, with `/` between directories. The root is the
/// empty path.
pub trait DeploymentFileSet {
    /// Returns the type of a path, or `None` if nothing exists there.
    ///
    /// # Errors
    /// Fails when the type cannot be determined, or the path must not be accessed.
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble>;

    /// Returns the text of a file.
    ///
    /// # Errors
    /// Fails when the file cannot be read, is too long, or is not text.
    fn text(&self, path: &str) -> Result<String, FileTrouble>;

    /// Returns the sorted names in a directory.
    ///
    /// # Errors
    /// Fails when the directory cannot be read.
    fn names(&self, directory: &str) -> Result<Vec<String>, FileTrouble>;

    /// Returns the name of a path for messages.
    fn label(&self, path: &str) -> String;

    /// Returns the absolute path of a directory, as a program that is started there sees it.
    fn working_directory(&self, directory: &str) -> String;
}

/// Files within limits.
pub(super) struct FileReader<'a> {
    files: &'a dyn DeploymentFileSet,
    count: Cell<usize>,
    bytes: Cell<usize>,
    budget: Rc<Budget>,
    lost: Cell<bool>,
    /// Files that other files name.
    referred: RefCell<BTreeSet<String>>,
}

impl<'a> FileReader<'a> {
    pub(super) fn new(files: &'a dyn DeploymentFileSet) -> Self {
        Self {
            files,
            count: Cell::new(0),
            bytes: Cell::new(0),
            budget: Rc::default(),
            lost: Cell::new(false),
            referred: RefCell::default(),
        }
    }

    /// Records that an unread file may contain the component's container.
    pub(super) fn lose(&self) {
        self.lost.set(true);
    }

    pub(super) fn has_lost(&self) -> bool {
        self.lost.get()
    }

    /// Records that another file names a file.
    pub(super) fn refer_to(&self, path: &str) {
        self.referred.borrow_mut().insert(path.to_owned());
    }

    pub(super) fn is_referred_to(&self, path: &str) -> bool {
        self.referred.borrow().contains(path)
    }

    pub(super) fn label(&self, path: &str) -> String {
        self.files.label(path)
    }

    pub(super) fn working_directory(&self, directory: &str) -> String {
        self.files.working_directory(directory)
    }

    /// Returns the limit on interpolated text, shared by these files.
    pub(super) fn budget(&self) -> Rc<Budget> {
        Rc::clone(&self.budget)
    }

    pub(super) fn kind(&self, path: &str) -> Result<Option<FileKind>, DeploymentError> {
        Ok(self.files.kind(path)?)
    }

    pub(super) fn is_file(&self, path: &str) -> Result<bool, DeploymentError> {
        Ok(self.kind(path)? == Some(FileKind::File))
    }

    pub(super) fn names(&self, directory: &str) -> Result<Vec<String>, DeploymentError> {
        self.one_more(directory)?;
        Ok(self.files.names(directory)?)
    }

    pub(super) fn text(&self, path: &str) -> Result<String, DeploymentError> {
        self.one_more(path)?;
        let text = self.files.text(path)?;
        self.bytes.set(self.bytes.get().saturating_add(text.len()));
        if self.bytes.get() > BYTES {
            return Err(DeploymentError::TooMuch { file: self.label(path) });
        }
        Ok(text)
    }

    pub(super) fn documents(&self, path: &str) -> Result<Vec<Node>, DeploymentError> {
        Ok(self.tagged(path)?.nodes)
    }

    /// Returns the documents of a file with the tags of their nodes.
    pub(super) fn tagged(&self, path: &str) -> Result<YamlDocuments, DeploymentError> {
        let text = self.text(path)?;
        Ok(tagged_documents(&self.label(path), &text)?)
    }

    fn one_more(&self, path: &str) -> Result<(), DeploymentError> {
        self.count.set(self.count.get() + 1);
        if self.count.get() > FILES {
            return Err(DeploymentError::TooMuch { file: self.label(path) });
        }
        Ok(())
    }
}

/// Returns the directory of a file.
pub(super) fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Returns the last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Resolves a path in a file of `directory` to one from the root of the repository; returns `None` if it
/// leads out.
pub(super) fn resolved(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Resolves a path like [`resolved`]; the error contains the position of the path.
pub(super) fn path_at(directory: &str, path: &str, spot: &Location) -> Result<String, DeploymentError> {
    resolved(directory, path)
        .ok_or_else(|| DeploymentError::Outside { place: spot.line(), path: path.to_owned() })
}

/// Adds a finding about a file that is not below the directory of the kustomization that names it.
pub(super) fn note_outside(
    directory: &str,
    file: &str,
    spot: &Location,
    findings: &mut Vec<InventoryFinding>,
) {
    let is_below =
        directory.is_empty() || file.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    if !is_below {
        let message = format!(
            "kustomize refuses the file `{file}`, which is outside of the directory of the kustomization, unless it runs with `--load-restrictor LoadRestrictionsNone`"
        );
        findings.push(finding(spot, message));
    }
}

#[cfg(test)]
pub(in crate::model) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Files in memory.
    #[derive(Default)]
    pub(in crate::model) struct FileCache(pub(in crate::model) BTreeMap<String, String>);

    impl FileCache {
        pub(in crate::model) fn of(files: &[(&str, &str)]) -> Self {
            Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
        }
    }

    impl DeploymentFileSet for FileCache {
        fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
            let below = format!("{path}/");
            Ok(match self.0.contains_key(path) {
                true => Some(FileKind::File),
                false if path.is_empty() || self.0.keys().any(|key| key.starts_with(&below)) => {
                    Some(FileKind::Directory)
                }
                false => None,
            })
        }

        fn text(&self, path: &str) -> Result<String, FileTrouble> {
            let missing = || FileTrouble { path: path.to_owned(), why: "it is not there".to_owned() };
            self.0.get(path).cloned().ok_or_else(missing)
        }

        fn names(&self, directory: &str) -> Result<Vec<String>, FileTrouble> {
            let below = if directory.is_empty() { String::new() } else { format!("{directory}/") };
            let inside = self.0.keys().filter_map(|key| key.strip_prefix(&below));
            let mut names: Vec<String> =
                inside.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()).collect();
            names.dedup();
            Ok(names)
        }

        fn label(&self, path: &str) -> String {
            path.to_owned()
        }

        fn working_directory(&self, directory: &str) -> String {
            format!("/clone/{directory}")
        }
    }

    #[test]
    fn resolved_rejects_paths_outside_root() {
        assert_eq!(resolved("a/b", "../c/./d.yaml").as_deref(), Some("a/c/d.yaml"));
        assert_eq!(resolved("", ".").as_deref(), Some(""));
        for wrong in ["../../../x", "/etc/passwd", "..\\x", "a\0"] {
            assert_eq!(resolved("a/b", wrong), None, "{wrong}");
        }
        assert_eq!((directory_of("a/b/c"), directory_of("c"), name_of("a/b")), ("a/b", "", "b"));
    }

    #[test]
    fn file_reader_enforces_read_budget() {
        let files = FileCache::of(&[("a", "x: 1")]);
        let reader = FileReader::new(&files);
        let error = (0..10_000).find_map(|_| reader.text("a").err()).expect("ends");
        assert!(matches!(error, DeploymentError::TooMuch { .. }), "{error}");
    }
}

/// One deployment file or directory to read.
#[derive(Clone, Copy)]
pub struct DeploymentItem<'a> {
    /// Files of the repository.
    pub files: &'a dyn DeploymentFileSet,
    /// File or directory in the repository.
    pub path: &'a str,
    /// Container of the component: `container`, or `workload/container`.
    pub container: Option<&'a str>,
    /// Position in the inventory: `file:line`.
    pub place: &'a str,
}
