//! Facts of local clones that the rules of drift compare with the inventory. Reading the clones belongs in `ops`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::finding::RelatedPlace;
use crate::model::reference::Reference;

/// Facts of the clones of an inventory.
#[derive(Debug, Default)]
pub struct DriftFacts {
    /// The cloned repositories.
    pub repositories: Vec<RepositoryFacts>,
    /// Facts of the compared components.
    pub components: HashMap<Reference, ComponentFacts>,
    /// All components with repositories were compared.
    pub is_whole: bool,
}

impl DriftFacts {
    /// Returns whether a component was compared.
    #[must_use]
    pub fn has_compared(&self, component: &Reference) -> bool {
        self.components.contains_key(component)
    }
}

/// Facts of a clone.
#[derive(Debug, Default)]
pub struct RepositoryFacts {
    /// Its names in the inventory.
    pub names: BTreeSet<String>,
    /// Entries with their build or sources in it, compared or not.
    pub entries: Vec<Reference>,
    /// Build files that entries name, each with the entry.
    pub named_build_files: Vec<(String, Reference)>,
    /// Build files from which `cki init` would draft components.
    pub build_files: Vec<ShownBuildFile>,
    /// Groups of Python modules with a `__main__.py` in the same directory, of which an entry names one.
    pub module_groups: Vec<Vec<RunnableModule>>,
    /// Words of its files that were looked for, in the form of [`super::mention_forms`]; `None` if not all files were
    /// read.
    pub mentions: Option<HashSet<String>>,
}

/// A build file that makes a component.
#[derive(Debug, Clone)]
pub struct ShownBuildFile {
    /// Path in the repository.
    pub path: String,
    /// Path on this machine.
    pub file: String,
    /// Name of the component in a draft.
    pub component: String,
    /// Root of the clone.
    pub root: String,
}

/// A Python module that can be run.
#[derive(Debug, Clone)]
pub struct RunnableModule {
    /// Name in imports.
    pub module: String,
    /// Directory in the repository.
    pub directory: String,
    /// Its `__main__.py` on this machine.
    pub file: String,
}

/// Facts of a component from the clones of its repositories.
#[derive(Debug, Default)]
pub struct ComponentFacts {
    /// Its build file, if its repository is cloned.
    pub build_file: Option<BuildFileState>,
    /// Another entry has the same build file.
    pub shares_build_file: bool,
    /// Programs of its commands that are probably not in the clone.
    pub programs: Vec<LostProgram>,
    /// Its deployment, if it names one and its clones are there, or why it cannot be read.
    pub deployment: Option<Result<DeploymentFacts, String>>,
    /// Variables that its sources read, if they are cloned.
    pub reads: Option<ReadFacts>,
    /// Variables that it gets in any run: from backing services, and locked ones.
    pub provided: BTreeSet<String>,
    /// Repositories of its build and its sources, by their index; empty if one of them is not cloned.
    pub searched: Vec<usize>,
}

/// State of a build file.
#[derive(Debug)]
pub enum BuildFileState {
    /// It is not in the clone; with a build file of the repository that may be meant.
    Missing {
        /// Path in the repository.
        path: String,
        /// The only other build file of this name that no entry names.
        moved: Option<String>,
    },
    /// It exists and was not read.
    Unread,
    /// It was read.
    Read {
        /// Command of the image, if it has no entry point.
        command: Vec<String>,
        /// Exposed ports, each with its place.
        exposed: Vec<(u16, RelatedPlace)>,
        /// It passes through the preprocessor, which may drop lines.
        is_template: bool,
    },
}

/// A Python program of a command that is not where it would be imported or read from.
#[derive(Debug)]
pub struct LostProgram {
    /// Part of the entry, such as `run.command.2`.
    pub part: String,
    /// Module or path of a script, as the command names it.
    pub name: String,
    /// It is a module, which is certainly missing; a script is if no file mentions it.
    pub is_module: bool,
    /// The most similar one of the clone.
    pub nearest: Option<String>,
}

/// Facts of a deployment.
#[derive(Debug, Default)]
pub struct DeploymentFacts {
    /// Place of the container.
    pub place: Option<RelatedPlace>,
    /// Listening ports.
    pub ports: Vec<u16>,
    /// It replaces the command of the image.
    pub has_command: bool,
    /// Variables, each with its place.
    pub variables: BTreeMap<String, RelatedPlace>,
}

/// Facts of the variables that sources read.
#[derive(Debug, Default)]
pub struct ReadFacts {
    /// Variables of the component's own code that nothing in it sets: whether a missing value is an error, and the
    /// first place that reads it.
    pub reads: BTreeMap<String, (bool, RelatedPlace)>,
    /// Every read is known: no name is made at run time, and no library of the inventory is left out.
    pub is_complete: bool,
    /// Declared variables that runtimes and common libraries read.
    pub of_libraries: BTreeSet<String>,
}
