//! The files of a deployment as its readers ask for them: by path below the root of a repository,
//! never out of it, and no more than a deployment can need. Where the files are, on disk or in a
//! commit, is for whoever implements [`Files`].

use std::cell::Cell;
use std::rc::Rc;

use super::error::{DeploymentError, FileTrouble};
use super::interpolation::Budget;
use crate::base::yaml::tree::{Node, Spot, Tags, tagged_documents};

/// So many files are enough for a deployment.
const FILES: usize = 4000;
/// So many bytes are enough for all of them.
const BYTES: usize = 64 << 20;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// The files of a repository, by their paths from its root on, with `/` between folders. The root
/// is the empty path.
pub trait Files {
    /// What is at a path, if anything is.
    ///
    /// # Errors
    /// When that cannot be found out, or must not.
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble>;

    /// The text of a file.
    ///
    /// # Errors
    /// When it cannot be read, is too long, or is no text.
    fn text(&self, path: &str) -> Result<String, FileTrouble>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// When it cannot be read.
    fn names(&self, folder: &str) -> Result<Vec<String>, FileTrouble>;

    /// What a path is called in messages.
    fn label(&self, path: &str) -> String;
}

/// Files within bounds.
pub(super) struct Reader<'a> {
    files: &'a dyn Files,
    count: Cell<usize>,
    bytes: Cell<usize>,
    budget: Rc<Budget>,
    lost: Cell<bool>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            count: Cell::new(0),
            bytes: Cell::new(0),
            budget: Rc::default(),
            lost: Cell::new(false),
        }
    }

    /// Remembers that something is not read that may have the container that is looked for.
    pub(super) fn lose(&self) {
        self.lost.set(true);
    }

    pub(super) fn has_lost(&self) -> bool {
        self.lost.get()
    }

    pub(super) fn label(&self, path: &str) -> String {
        self.files.label(path)
    }

    /// What may be put into the texts of these files.
    pub(super) fn budget(&self) -> Rc<Budget> {
        Rc::clone(&self.budget)
    }

    pub(super) fn kind(&self, path: &str) -> Result<Option<FileKind>, DeploymentError> {
        Ok(self.files.kind(path)?)
    }

    pub(super) fn is_file(&self, path: &str) -> Result<bool, DeploymentError> {
        Ok(self.kind(path)? == Some(FileKind::File))
    }

    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, DeploymentError> {
        self.one_more(folder)?;
        Ok(self.files.names(folder)?)
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
        Ok(self.tagged(path)?.0)
    }

    /// The documents of a file with the tags of their nodes.
    pub(super) fn tagged(&self, path: &str) -> Result<(Vec<Node>, Tags), DeploymentError> {
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

/// The folder that a file is in.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path, as a file in `folder` writes it, from the root of the repository on; `None` if it leads
/// out.
pub(super) fn resolved(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
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

/// The same, with the place that names it in the error.
pub(super) fn path_at(folder: &str, path: &str, spot: &Spot) -> Result<String, DeploymentError> {
    resolved(folder, path)
        .ok_or_else(|| DeploymentError::Outside { place: spot.line(), path: path.to_owned() })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Files in memory.
    #[derive(Default)]
    pub(in crate::model::deployment) struct Memory(pub(in crate::model::deployment) BTreeMap<String, String>);

    impl Memory {
        pub(in crate::model::deployment) fn of(files: &[(&str, &str)]) -> Self {
            Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
        }
    }

    impl Files for Memory {
        fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
            let below = format!("{path}/");
            Ok(match self.0.contains_key(path) {
                true => Some(FileKind::File),
                false if path.is_empty() || self.0.keys().any(|key| key.starts_with(&below)) => {
                    Some(FileKind::Folder)
                }
                false => None,
            })
        }

        fn text(&self, path: &str) -> Result<String, FileTrouble> {
            let missing = || FileTrouble { path: path.to_owned(), why: "it is not there".to_owned() };
            self.0.get(path).cloned().ok_or_else(missing)
        }

        fn names(&self, folder: &str) -> Result<Vec<String>, FileTrouble> {
            let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
            let inside = self.0.keys().filter_map(|key| key.strip_prefix(&below));
            let mut names: Vec<String> =
                inside.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned()).collect();
            names.dedup();
            Ok(names)
        }

        fn label(&self, path: &str) -> String {
            path.to_owned()
        }
    }

    #[test]
    fn no_path_leads_out() {
        assert_eq!(resolved("a/b", "../c/./d.yaml").as_deref(), Some("a/c/d.yaml"));
        assert_eq!(resolved("", ".").as_deref(), Some(""));
        for wrong in ["../../../x", "/etc/passwd", "..\\x", "a\0"] {
            assert_eq!(resolved("a/b", wrong), None, "{wrong}");
        }
        assert_eq!((folder_of("a/b/c"), folder_of("c"), name_of("a/b")), ("a/b", "", "b"));
    }

    #[test]
    fn no_more_is_read_than_a_deployment_can_need() {
        let files = Memory::of(&[("a", "x: 1")]);
        let reader = Reader::new(&files);
        let error = (0..10_000).find_map(|_| reader.text("a").err()).expect("ends");
        assert!(matches!(error, DeploymentError::TooMuch { .. }), "{error}");
    }
}

/// One thing to read.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// The repository's files.
    pub files: &'a dyn Files,
    /// A file or folder in it.
    pub path: &'a str,
    /// The container that is meant: `container`, or `workload/container`.
    pub container: Option<&'a str>,
    /// Where the inventory says so: `file:line`.
    pub place: &'a str,
}
