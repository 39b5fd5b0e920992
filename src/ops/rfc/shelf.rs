//! The requests for comments in the clone of their repository: from its working tree, or of a directory that is not
//! checked out, from its newest commit. Merge requests are in `claims`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::RfcError;
use crate::base::files::FileError;
use crate::base::source_dir::{SourceDir, SourceKind};
use crate::model::inventory::Inventory;
use crate::model::rfc::{RfcDocument, RfcName, RfcProcess};
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::{Branches, CommitId, Tree};

/// Maximum bytes of a document.
const LONGEST: u64 = 1 << 20;
/// Maximum number of names in the directory.
const MOST: usize = 5000;
/// Document in a directory of its own.
const INDEX: &str = "index.md";

/// The requests for comments of a clone.
#[derive(Debug)]
pub struct RfcShelf {
    /// The process of the group.
    pub process: RfcProcess,
    /// Directory of the clone.
    pub clone: PathBuf,
    /// Documents, sorted by number and path.
    pub documents: Vec<LocalRfc>,
    /// The clone has the directory of documents.
    pub has_directory: bool,
    /// Branch from which new work starts, with its newest commit; `None` without commits.
    pub base: Option<(String, CommitId)>,
    /// Numbers on branches of the clone, each with a branch.
    pub on_branches: BTreeMap<u32, String>,
    /// Numbers on the base.
    pub on_base: BTreeSet<u32>,
    branches: Option<Branches>,
}

/// A request for comments in a clone.
#[derive(Debug)]
pub struct LocalRfc {
    /// Number in its name; `None` if that has no valid one.
    pub number: Option<u32>,
    /// Path in the repository.
    pub path: String,
    /// File, or where it would be: of a file that is not checked out, git has the text.
    pub file: PathBuf,
    /// The document, or the reason why it cannot be read.
    pub content: Result<RfcDocument, String>,
    /// It is on the base.
    pub is_on_base: bool,
}

/// Source of documents.
enum DocumentSource {
    Files(SourceDir),
    Commit(Tree),
}

impl RfcShelf {
    /// Reads the documents of the clone.
    ///
    /// # Errors
    /// Fails if the inventory names no repository of documents, or the clone is missing or unreadable.
    pub fn open(inventory: &Inventory, workspace: &Workspace) -> Result<Self, RfcError> {
        let process = RfcProcess::of(inventory)?;
        let Some(clone) = workspace.location(inventory, &process.repo).found()? else {
            return Err(RfcError::NotCloned { repo: process.repo });
        };
        Self::read(process, clone)
    }

    fn read(process: RfcProcess, clone: PathBuf) -> Result<Self, RfcError> {
        let files = SourceDir::new(&clone)?;
        let directory = process.directory.clone();
        let is_there = files.kind(Path::new(&directory))? == Some(SourceKind::Directory);
        let source = match is_there {
            true => Some(DocumentSource::Files(files)),
            // A repository without files, or one of which this directory is not checked out.
            false => Tree::open(&clone, "HEAD").ok().flatten().map(DocumentSource::Commit),
        };
        let mut names = match &source {
            Some(DocumentSource::Files(files)) => {
                let names = files.names(Path::new(&directory))?;
                names.into_iter().filter_map(|name| name.into_string().ok()).collect()
            }
            Some(DocumentSource::Commit(tree)) => tree.names(&directory)?,
            None => Vec::new(),
        };
        let has_directory = is_there || !names.is_empty();
        names.truncate(MOST);
        let branches = Branches::open(&clone).ok().flatten();
        let base = branches.as_ref().map(Branches::base).transpose()?.flatten();
        let based: BTreeSet<String> = match (&branches, &base) {
            (Some(branches), Some((_, commit))) => {
                branches.names_at(*commit, &directory)?.into_iter().collect()
            }
            _ => BTreeSet::new(),
        };
        let mut documents = Vec::new();
        for name in names {
            let (number, is_directory) = match process.name(&name) {
                RfcName::Document { number, is_directory } => (Some(number), is_directory),
                RfcName::Invalid => (None, false),
                RfcName::Other => continue,
            };
            let mut path = process.path_of(&name);
            if is_directory {
                path = format!("{path}/{INDEX}");
            }
            let text = match &source {
                Some(DocumentSource::Files(files)) => {
                    files.read_text(Path::new(&path), LONGEST).map_err(|error| unread(&error))
                }
                Some(DocumentSource::Commit(tree)) => committed(tree, &path),
                None => continue,
            };
            let content = text.map(|text| RfcDocument::parse(&text, &process));
            let is_on_base = based.contains(&name);
            documents.push(LocalRfc { number, file: clone.join(&path), path, content, is_on_base });
        }
        documents.sort_by(|a, b| {
            (a.number.is_none(), a.number, &a.path).cmp(&(b.number.is_none(), b.number, &b.path))
        });
        let number_of = |name: &String| process.number_of_name(name);
        let on_base = based.iter().filter_map(number_of).collect();
        let mut on_branches = BTreeMap::new();
        for branch in
            branches.iter().map(|branches| branches.all(&directory)).collect::<Result<Vec<_>, _>>()?.concat()
        {
            let named = process.mentions(&branch.name);
            for number in branch.names.iter().filter_map(number_of).chain(named) {
                on_branches.entry(number).or_insert_with(|| branch.name.clone());
            }
        }
        Ok(Self { process, clone, documents, has_directory, base, on_branches, on_base, branches })
    }

    /// Returns the branches of the clone.
    ///
    /// # Errors
    /// Fails if it is no repository of git.
    pub(super) fn branches(&self) -> Result<&Branches, RfcError> {
        self.branches.as_ref().ok_or_else(|| RfcError::NoRepository(self.clone.display().to_string()))
    }

    /// Returns the documents of a number; more than one only by mistake.
    ///
    /// # Errors
    /// Fails if there is none, or the text is no number.
    pub fn find(&self, text: &str) -> Result<Vec<&LocalRfc>, RfcError> {
        let number = self.process.parse_number(text)?;
        let found: Vec<&LocalRfc> = self.documents.iter().filter(|one| one.number == Some(number)).collect();
        if found.is_empty() {
            let mut known: Vec<u32> = self.numbers();
            known.dedup();
            let known = known.iter().map(|number| self.process.id(*number)).collect();
            return Err(RfcError::Unknown { id: self.process.id(number), known });
        }
        Ok(found)
    }

    /// Returns the numbers of the documents, sorted.
    #[must_use]
    pub fn numbers(&self) -> Vec<u32> {
        self.documents.iter().filter_map(|one| one.number).collect()
    }

    /// Checks that the clone has the directory of documents.
    ///
    /// # Errors
    /// Fails if it has none.
    pub fn require_directory(&self) -> Result<(), RfcError> {
        match self.has_directory {
            true => Ok(()),
            false => Err(RfcError::NoDirectory {
                repo: self.process.repo.clone(),
                clone: self.clone.display().to_string(),
                directory: self.process.directory.clone(),
            }),
        }
    }
}

impl LocalRfc {
    /// Returns the title, or the name of the file without one.
    #[must_use]
    pub fn title(&self) -> &str {
        let title = self.content.as_ref().ok().and_then(|content| content.title.as_ref());
        title.map_or_else(|| self.path.rsplit('/').next().unwrap_or_default(), |title| &title.text)
    }
}

fn unread(error: &FileError) -> String {
    if error.is_missing() { "it is missing".to_owned() } else { error.source.to_string() }
}

/// Returns the text of a file of a commit.
fn committed(tree: &Tree, path: &str) -> Result<String, String> {
    let content = tree.content(path, LONGEST).map_err(|error| error.to_string())?;
    let content = content.ok_or_else(|| "it is missing, a link, or longer than 1 MiB".to_owned())?;
    String::from_utf8(content).map_err(|_| "it is not UTF-8".to_owned())
}
