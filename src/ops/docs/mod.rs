//! `cki docs`: the pages of a component's documentation, and links to the rest. Layout belongs in `report`.

mod remote;
mod search;

use std::path::{Path, PathBuf};

use crate::base::source_dir::SourceDir;
use crate::model::inventory::{Component, Inventory, Link};
use crate::ops::shared::readme;
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::Tree;
pub use search::{SearchHit, SearchOutcome, search};

/// Maximum size of a page in bytes.
const PAGE_LIMIT: u64 = 1 << 20;

/// Documentation of a component.
#[derive(Debug)]
pub struct Documentation<'a> {
    /// The component.
    pub component: &'a Component,
    /// Pages in repositories.
    pub pages: Vec<DocPage>,
    /// Links to documentation elsewhere.
    pub links: Vec<&'a Link>,
    /// Links to dashboards, logs and alerts.
    pub monitoring: Vec<&'a Link>,
}

impl Documentation<'_> {
    /// Returns whether there are pages, and none of them can be read. A repository that is not cloned has them still.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        let is_lost =
            |page: &DocPage| matches!(page.content, PageContent::Missing | PageContent::Unreadable(_));
        !self.pages.is_empty() && self.pages.iter().all(is_lost)
    }
}

/// A page in a repository.
#[derive(Debug)]
pub struct DocPage {
    /// Text of the link.
    pub label: String,
    /// The repository, by its name in the inventory.
    pub repo: String,
    /// Path in the repository.
    pub path: String,
    /// Its text, or the reason for its absence.
    pub content: PageContent,
}

/// The text of a page, or the reason for its absence.
#[derive(Debug)]
pub enum PageContent {
    /// Its text, and the file that it comes from.
    Text {
        /// The text.
        text: String,
        /// The file, or where it would be: of a file that is not checked out, git has the text.
        file: PathBuf,
    },
    /// Its text, from the web server of its repository.
    Fetched {
        /// The text.
        text: String,
        /// Its address.
        url: String,
    },
    /// Its repository has no clone.
    NotCloned,
    /// Its repository has no clone, and its web server does not show it, for this reason.
    Unfetched(String),
    /// Its repository has no such file.
    Missing,
    /// It cannot be read.
    Unreadable(String),
}

impl PageContent {
    /// Returns the file of a page whose text is known.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Text { file, .. } => Some(file),
            Self::Fetched { .. }
            | Self::NotCloned
            | Self::Unfetched(_)
            | Self::Missing
            | Self::Unreadable(_) => None,
        }
    }
}

/// Gathers the documentation of a component from local clones. Without a page in the entry, the page is the README of its sources.
#[must_use]
pub fn documentation<'a>(
    component: &'a Component,
    inventory: &Inventory,
    workspace: &Workspace,
) -> Documentation<'a> {
    let in_repository = |link: &&Link| link.url.is_none() && link.repo.is_some();
    let page = |link: &Link| {
        let (repo, path) = (link.repo.clone().unwrap_or_default(), link.path.clone().unwrap_or_default());
        let content = Clone::find(inventory, workspace, &repo).page(&path);
        DocPage { label: link.label.clone(), repo, path, content }
    };
    let mut pages: Vec<DocPage> = component.documentation.iter().filter(in_repository).map(page).collect();
    if pages.is_empty() {
        pages.extend(readme(component, inventory, workspace));
    }
    Documentation {
        component,
        pages,
        links: component.documentation.iter().filter(|link| link.url.is_some()).collect(),
        monitoring: component.monitoring.iter().filter(|link| link.url.is_some()).collect(),
    }
}

/// Returns the README beside the sources of a component, else that of their repository.
fn readme(component: &Component, inventory: &Inventory, workspace: &Workspace) -> Option<DocPage> {
    let source = component.sources.first()?;
    let clone = Clone::find(inventory, workspace, &source.repo);
    let page = |path: &Path| DocPage {
        label: "README".to_owned(),
        repo: source.repo.clone(),
        path: path.display().to_string(),
        content: clone.page(&path.display().to_string()),
    };
    let Clone::At(directory) = &clone else { return Some(page(Path::new(readme::NAMES[0]))) };
    let files = SourceDir::new(directory).ok();
    let places = readme::places(component).into_iter().filter(|(repo, _)| *repo == source.repo);
    let paths = places.flat_map(|(_, place)| {
        let found = files.as_ref().and_then(|files| readme::find(files, place).ok().flatten());
        // One that is not checked out is in the newest commit.
        found.into_iter().chain(readme::paths(place))
    });
    let mut pages = paths.map(|path| page(&path));
    pages.find(|page| !matches!(page.content, PageContent::Missing))
}

/// The clone of a repository, as far as there is one.
enum Clone {
    At(PathBuf),
    Absent,
    Unusable(String),
}

impl Clone {
    fn find(inventory: &Inventory, workspace: &Workspace, repo: &str) -> Self {
        match workspace.location(inventory, repo).found() {
            Ok(Some(directory)) => Self::At(directory),
            Ok(None) => Self::Absent,
            Err(error) => Self::Unusable(error.to_string()),
        }
    }

    /// Reads a page from the files of the clone; one that is not checked out, from its newest commit.
    fn page(&self, path: &str) -> PageContent {
        let directory = match self {
            Self::At(directory) => directory,
            Self::Absent => return PageContent::NotCloned,
            Self::Unusable(why) => return PageContent::Unreadable(why.clone()),
        };
        let read = SourceDir::new(directory).and_then(|files| {
            let is_there = files.locate(Path::new(path))?.is_some();
            is_there.then(|| files.read_text(Path::new(path), PAGE_LIMIT)).transpose()
        });
        let file = directory.join(path);
        match read {
            Ok(Some(text)) => PageContent::Text { text, file },
            Ok(None) => committed(directory, path)
                .map_or(PageContent::Missing, |text| PageContent::Text { text, file }),
            Err(error) => PageContent::Unreadable(error.to_string()),
        }
    }
}

/// Returns the text of a file in the newest commit of a clone, if it is there and is text.
fn committed(directory: &Path, path: &str) -> Option<String> {
    let tree = Tree::open(directory, "HEAD").ok()??;
    String::from_utf8(tree.content(path, PAGE_LIMIT).ok()??).ok()
}
