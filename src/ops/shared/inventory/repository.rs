//! An inventory in a git repository: the record of its copy on this machine, and its files, read from the objects of
//! the copy. Making copies is in `ops::inventory::sync`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::catalog::{self, FirstFile};
use super::directory::{HEAD, NO_CATEGORY, NO_NAME, entry_name, is_yaml};
use super::error::{LIMIT, LoadError};
use crate::base::file_snapshot::FileSnapshot;
use crate::base::files;
use crate::base::text::{self, plural};
use crate::model::inventory::backstage::{UnplacedPart, is_catalog_text};
use crate::model::inventory::{GitSource, InventoryDocument, InventorySources, LayerDocument};
use crate::model::reference::{Reference, is_name};
use crate::systems::git::{CommitId, Tree};

/// Maximum bytes of a record.
const RECORD_LIMIT: u64 = 64 << 10;
/// Maximum number of files.
const FILES_LIMIT: usize = 200_000;
/// Maximum bytes of all files.
const TOTAL_LIMIT: u64 = 1 << 30;
/// First line of a record; another version of `cki` may write another one.
const VERSION: &str = "cki inventory 1";

const LINK: &str = "it is not read, since it is a symbolic link or a submodule";
const TOO_LONG: &str = "it is not read, since it is longer than 64 MiB";

/// Record of the current copy of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRecord {
    /// Commit.
    pub commit: CommitId,
    /// Time of the last successful fetch.
    pub synced: SystemTime,
    /// Directory of the copy.
    pub directory: PathBuf,
}

impl CopyRecord {
    /// Returns the text of a record.
    #[must_use]
    pub fn text(commit: CommitId, synced: SystemTime, source: &GitSource) -> String {
        let seconds = synced.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        format!("{VERSION}\n{commit}\n{seconds}\n{source}\n")
    }

    /// Returns the age of the copy: `synced 3 days ago`.
    #[must_use]
    pub fn age(&self) -> String {
        let age = SystemTime::now().duration_since(self.synced).unwrap_or_default();
        match age.as_secs() {
            0..=59 => "synced just now".to_owned(),
            seconds @ 60..=172_799 => format!("synced {} ago", text::duration(Duration::from_secs(seconds))),
            seconds => {
                format!("synced {} ago", plural(usize::try_from(seconds / 86_400).unwrap_or(0), "day"))
            }
        }
    }
}

/// Returns the record of the copy of a repository; `None` if there is no copy, or it is of no use.
#[must_use]
pub fn copy_of(
    source: &GitSource,
    sources: &InventorySources,
    snapshot: &FileSnapshot,
) -> Option<CopyRecord> {
    let copies = sources.copies.as_ref()?;
    let text = snapshot.read_text(&copies.join(source.copy_record()), RECORD_LIMIT).ok()?;
    let mut lines = text.lines();
    if lines.next()? != VERSION {
        return None;
    }
    let commit = CommitId::parse(lines.next()?)?;
    let synced = UNIX_EPOCH.checked_add(Duration::from_secs(lines.next()?.parse().ok()?))?;
    let directory = copies.join(source.copy_name()).join(commit.to_string());
    directory.is_dir().then_some(CopyRecord { commit, synced, directory })
}

/// Files of a source in its copy.
struct Files<'a> {
    source: &'a GitSource,
    tree: Tree,
    bytes: u64,
    documents: Vec<LayerDocument>,
    unread: &'a mut Vec<(String, &'static str)>,
    failed: Vec<LoadError>,
}

/// Returns the damage of the copy of a commit, as far as one of the sources uses it.
#[must_use]
pub fn damage_of(source: &GitSource, sources: &InventorySources, commit: CommitId) -> Option<LoadError> {
    let directory = sources.copies.as_ref()?.join(source.copy_name()).join(commit.to_string());
    let copy = CopyRecord { commit, synced: UNIX_EPOCH, directory };
    let of_copy = sources.repositories().filter(|one| one.copy_name() == source.copy_name());
    let mut errors = of_copy.filter_map(|one| documents(one, &copy, &mut Vec::new(), &mut Vec::new()).err());
    errors.find(|error| matches!(error, LoadError::Damaged { .. }))
}

/// Reads the documents of a source from its copy. Paths that are not read are added to `unread`.
pub(super) fn documents(
    source: &GitSource,
    copy: &CopyRecord,
    unread: &mut Vec<(String, &'static str)>,
    unplaced: &mut Vec<UnplacedPart>,
) -> Result<Vec<LayerDocument>, LoadError> {
    read_documents(source, copy, unread, unplaced).map_err(|error| match error {
        LoadError::Git(error) => damaged(source, copy, &error.to_string()),
        error => error,
    })
}

fn damaged(source: &GitSource, copy: &CopyRecord, why: &str) -> LoadError {
    let (from, commit) = (source.to_string(), copy.commit.short());
    LoadError::Damaged { from, commit, why: why.to_owned() }
}

fn read_documents(
    source: &GitSource,
    copy: &CopyRecord,
    unread: &mut Vec<(String, &'static str)>,
    unplaced: &mut Vec<UnplacedPart>,
) -> Result<Vec<LayerDocument>, LoadError> {
    let missing = |path: &str| LoadError::NoPath {
        from: GitSource { path: None, ..source.clone() }.to_string(),
        path: path.to_owned(),
        commit: copy.commit.short(),
    };
    let root = source.path.as_deref().unwrap_or_default();
    let tree = Tree::open(&copy.directory, &copy.commit.to_string())?;
    let tree = tree.ok_or_else(|| damaged(source, copy, "it lacks the commit itself"))?;
    let is_directory = tree.is_directory(root)?;
    let mut files = Files { source, tree, bytes: 0, documents: Vec::new(), unread, failed: Vec::new() };
    let is_directory = is_directory.ok_or_else(|| missing(root))?;
    if let Some(first) = files.catalog(is_directory)? {
        let name = |path: &str| source.file(path);
        let catalog = catalog::load(first, &name, &mut |path| files.read(path))?;
        unplaced.extend(catalog.unplaced);
        return Ok(catalog.documents);
    }
    match is_directory {
        false => files.add("", None)?,
        true => files.add_directory()?,
    }
    LoadError::all(files.failed)?;
    Ok(files.documents)
}

impl Files<'_> {
    /// Returns the file with which a catalog of Backstage begins; `None` if the source is none.
    fn catalog(&mut self, is_directory: bool) -> Result<Option<&'static str>, LoadError> {
        if !is_directory {
            return Ok(self.read("")?.filter(|text| is_catalog_text("", text)).map(|_| ""));
        }
        if self.tree.is_directory(&self.path(HEAD))?.is_some() {
            return Ok(None);
        }
        Ok(catalog::first_of(|name| match self.read(name) {
            Ok(Some(text)) => FirstFile::Text(text),
            Ok(None) => FirstFile::Missing,
            Err(_) => FirstFile::Unreadable,
        }))
    }

    /// Returns the text of a file, if there is one.
    fn read(&mut self, below: &str) -> Result<Option<String>, LoadError> {
        let path = self.path(below);
        if self.tree.is_directory(&path)? != Some(false) {
            return Ok(None);
        }
        let Some(content) = self.tree.content(&path, LIMIT)? else {
            self.unread.push((self.source.file(below), TOO_LONG));
            return Ok(None);
        };
        Ok(Some(files::text(content, self.source.file(below).as_ref())?))
    }

    fn path(&self, below: &str) -> String {
        match (self.source.path.as_deref(), below) {
            (None, below) => below.to_owned(),
            (Some(root), "") => root.to_owned(),
            (Some(root), below) => format!("{root}/{below}"),
        }
    }

    /// Adds the files of a directory as those of a directory of this machine.
    fn add_directory(&mut self) -> Result<(), LoadError> {
        for name in self.tree.names(&self.path(""))?.into_iter().filter(|name| !name.starts_with('.')) {
            match self.tree.is_directory(&self.path(&name))? {
                Some(false) if name == HEAD => self.add(&name, None)?,
                Some(true) => self.add_category(&name)?,
                Some(false) => {}
                None => self.unread.push((self.source.file(&name), LINK)),
            }
        }
        Ok(())
    }

    fn add_category(&mut self, category: &str) -> Result<(), LoadError> {
        let names = self.tree.names(&self.path(category))?;
        if !is_name(category) {
            if names.iter().any(|name| is_yaml(name.as_ref())) {
                self.unread.push((self.source.file(category), NO_CATEGORY));
            }
            return Ok(());
        }
        for name in names {
            let file = format!("{category}/{name}");
            match entry_name(&name) {
                Some(entry) => self.add(&file, Some(Reference::new(category, entry)))?,
                None if is_yaml(name.as_ref()) => self.unread.push((self.source.file(&file), NO_NAME)),
                None => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, below: &str, reference: Option<Reference>) -> Result<(), LoadError> {
        let (path, file) = (self.path(below), self.source.file(below));
        match self.tree.is_directory(&path)? {
            Some(false) => {}
            Some(true) => return Ok(()),
            None => {
                self.unread.push((file, LINK));
                return Ok(());
            }
        }
        let Some(content) = self.tree.content(&path, LIMIT)? else {
            self.unread.push((file, TOO_LONG));
            return Ok(());
        };
        self.bytes += content.len() as u64;
        if self.bytes > TOTAL_LIMIT || self.documents.len() >= FILES_LIMIT {
            return Err(LoadError::TooMuch(self.source.to_string()));
        }
        match files::text(content, file.as_ref()) {
            Ok(text) => {
                let document = InventoryDocument { file, text: text.into(), reference };
                self.documents.push(LayerDocument::Text(document));
            }
            Err(error) => self.failed.push(error.into()),
        }
        Ok(())
    }
}
