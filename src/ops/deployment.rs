//! The deployment of a component, read from the clones that hold its files, or from a commit in
//! them; and what it says of how the component is run. Clones are only read, and nothing outside of
//! them is.

use std::path::{Path, PathBuf};

use crate::base::assets::Assets;
use crate::base::files::{self, FileError};
use crate::base::text;
use crate::model::deployment::expansion::Piece;
use crate::model::deployment::{self, Container, DeploymentError, FileKind, FileTrouble, Files, Item};
use crate::model::environment::{self, Environment, ProductionRules, RuleError};
use crate::model::guard::DenyList;
use crate::model::inventory::{Component, Finding, Inventory};
use crate::ops::source::{self, SourceError};
use crate::ops::tools::Tools;
use crate::ops::workspace::Workspace;
use crate::systems::git::{GitError, Tree};

/// No file of a deployment is longer.
const LIMIT: u64 = 1 << 20;
/// The rules for values that point at production.
const RULES: &str = "production-values.yaml";

/// A deployment that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeployedError {
    /// It cannot be read.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// A rule about values of production does not work.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The rules cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A clone cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is no such revision.
    #[error("`{}` has no revision `{revision}`", path.display())]
    NoRevision {
        /// The clone.
        path: PathBuf,
        /// What was asked for.
        revision: String,
    },
    /// The repository is not cloned.
    #[error("the deployment of `{component}` is in `{repo}`, which is not cloned")]
    NotCloned {
        /// The component.
        component: String,
        /// The repository.
        repo: String,
    },
    /// The inventory names no files.
    #[error("{place}: the inventory names no deployment of `{component}`")]
    None {
        /// Its entry.
        place: String,
        /// The component.
        component: String,
    },
}

/// A deployment that was read, with what its values are judged by.
#[derive(Debug)]
pub struct Deployed {
    /// The component's container.
    pub container: Container,
    /// What was not understood.
    pub findings: Vec<Finding>,
    rules: ProductionRules,
    hosts: DenyList,
}

impl Deployed {
    /// Whether a text names a host of production.
    #[must_use]
    pub fn names_production(&self, text: &str) -> bool {
        self.hosts.names_production(text).is_some()
    }

    /// As a layer of an environment.
    #[must_use]
    pub fn layer<'a>(&'a self, names_production: &'a dyn Fn(&str) -> bool) -> environment::Deployed<'a> {
        environment::Deployed { container: &self.container, rules: &self.rules, names_production }
    }
}

/// The component's deployment as it is in its clones.
///
/// # Errors
/// When there is none, it is not cloned, or cannot be read.
pub fn load(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
) -> Result<Deployed, DeployedError> {
    let open =
        |path: PathBuf| -> Result<Box<dyn Files>, DeployedError> { Ok(Box::new(CloneFiles::new(path)?)) };
    read(component, inventory, workspace, assets, &open)
}

/// The component's deployment as it is in a revision of its clones.
///
/// # Errors
/// When there is none, it is not cloned, or cannot be read there.
pub fn load_at(
    revision: &str,
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
) -> Result<Deployed, DeployedError> {
    let open = |path: PathBuf| -> Result<Box<dyn Files>, DeployedError> {
        match Tree::open(&path, revision)? {
            Some(tree) => Ok(Box::new(tree_files(tree))),
            None => Err(DeployedError::NoRevision { path, revision: text::safe_line(revision).into_owned() }),
        }
    };
    read(component, inventory, workspace, assets, &open)
}

/// The component's deployment if the inventory names one and it is cloned; otherwise `None`, with the
/// reason if it should be there.
///
/// # Errors
/// When it is there and cannot be read.
pub fn load_if_there(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
) -> Result<(Option<Deployed>, Option<String>), DeployedError> {
    match load(component, inventory, workspace, assets) {
        Ok(deployed) => Ok((Some(deployed), None)),
        Err(DeployedError::None { .. }) => Ok((None, None)),
        Err(missing @ DeployedError::NotCloned { .. }) => Ok((None, Some(missing.to_string()))),
        Err(error) => Err(error),
    }
}

type Open<'a> = &'a dyn Fn(PathBuf) -> Result<Box<dyn Files>, DeployedError>;

fn read(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
    open: Open<'_>,
) -> Result<Deployed, DeployedError> {
    if component.deployment.is_empty() {
        let (place, component) = (component.written.place(""), component.name().to_owned());
        return Err(DeployedError::None { place, component });
    }
    let mut opened = Vec::new();
    for (index, item) in component.deployment.iter().enumerate() {
        let path = workspace.place(inventory, &item.repo).path;
        if !path.is_dir() {
            let (component, repo) = (component.name().to_owned(), item.repo.clone());
            return Err(DeployedError::NotCloned { component, repo });
        }
        opened.push((open(path)?, component.written.place(&format!("deployment.{index}"))));
    }
    let items: Vec<Item<'_>> = component
        .deployment
        .iter()
        .zip(&opened)
        .map(|(item, (files, place))| Item {
            files: &**files,
            path: &item.path,
            container: item.container.as_deref(),
            place,
        })
        .collect();
    let read = deployment::read(component.name(), &items)?;
    let (file, text) = match assets.text(RULES)? {
        Some(asset) => (asset.origin, asset.text),
        None => (RULES.to_owned(), "rules: []".into()),
    };
    let rules = ProductionRules::read(&file, &text)?;
    Ok(Deployed {
        container: read.container,
        findings: read.findings,
        rules,
        hosts: DenyList::from(inventory),
    })
}

/// The files of a clone.
struct CloneFiles {
    root: PathBuf,
    real: PathBuf,
}

impl CloneFiles {
    fn new(root: PathBuf) -> Result<Self, FileError> {
        let real = root.canonicalize().map_err(|source| FileError::new("find", &root, source))?;
        Ok(Self { root, real })
    }

    /// Where a path really is, unless a link in it leads out of the clone.
    fn find(&self, path: &str) -> Result<Option<PathBuf>, FileTrouble> {
        let trouble = |why: String| FileTrouble { path: self.label(path), why };
        let real = match self.root.join(path).canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(trouble(error.to_string())),
        };
        let inside = real.strip_prefix(&self.real);
        let inside = inside.map_err(|_| trouble("a link leads out of the clone".to_owned()))?;
        // What git keeps for itself is no part of the sources.
        if inside.components().next().is_some_and(|first| first.as_os_str() == ".git") {
            return Err(trouble("it belongs to git".to_owned()));
        }
        Ok(Some(real))
    }

    fn must_find(&self, path: &str) -> Result<PathBuf, FileTrouble> {
        let missing = || FileTrouble { path: self.label(path), why: "it is not there".to_owned() };
        self.find(path)?.ok_or_else(missing)
    }
}

impl Files for CloneFiles {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        Ok(self.find(path)?.and_then(|real| {
            if real.is_dir() {
                Some(FileKind::Folder)
            } else {
                // A pipe or device would never end.
                real.is_file().then_some(FileKind::File)
            }
        }))
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        let trouble = |why: String| FileTrouble { path: self.label(path), why };
        let real = self.must_find(path)?;
        if !real.is_file() {
            return Err(trouble("it is no file".to_owned()));
        }
        files::read_text(&real, LIMIT).map_err(|error| trouble(error.source.to_string()))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, FileTrouble> {
        let real = self.must_find(folder)?;
        files::names_in(&real)
            .map_err(|error| FileTrouble { path: self.label(folder), why: error.source.to_string() })
    }

    fn label(&self, path: &str) -> String {
        label(&self.root, path)
    }
}

fn label(root: &Path, path: &str) -> String {
    let whole = if path.is_empty() { root.to_path_buf() } else { root.join(path) };
    whole.display().to_string()
}

/// The files of a commit.
struct TreeFiles(Tree);

fn tree_files(tree: Tree) -> TreeFiles {
    TreeFiles(tree)
}

impl TreeFiles {
    fn trouble(&self, path: &str, why: &dyn std::fmt::Display) -> FileTrouble {
        FileTrouble { path: self.label(path), why: why.to_string() }
    }
}

impl Files for TreeFiles {
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FileTrouble> {
        let is_folder = self.0.is_folder(path).map_err(|error| self.trouble(path, &error))?;
        Ok(is_folder.map(|is| if is { FileKind::Folder } else { FileKind::File }))
    }

    fn text(&self, path: &str) -> Result<String, FileTrouble> {
        let content = self.0.content(path, LIMIT).map_err(|error| self.trouble(path, &error))?;
        let content = content.ok_or_else(|| self.trouble(path, &"it is not there, or too long"))?;
        String::from_utf8(content).map_err(|_| self.trouble(path, &"it is no text in UTF-8"))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, FileTrouble> {
        self.0.names(folder).map_err(|error| self.trouble(folder, &error))
    }

    fn label(&self, path: &str) -> String {
        format!("{}@{}", label(self.0.root(), path), self.0.revision())
    }
}

/// Clones what the deployments of components, and of the components that they need, are read from.
/// A repository that is out of reach is no hindrance: the run then goes without what it gives.
///
/// # Errors
/// When a repository is in reach and cannot be cloned.
pub async fn fetch(
    tools: &Tools<'_>,
    components: &[&Component],
    merge_request: Option<u64>,
) -> Result<(), SourceError> {
    let mut todo = components.to_vec();
    let mut seen: Vec<&Component> = Vec::new();
    while let Some(one) = todo.pop() {
        if seen.iter().any(|known| known.reference == one.reference) {
            continue;
        }
        seen.push(one);
        let needs = one.run.iter().flat_map(|run| &run.needs);
        todo.extend(needs.filter_map(|need| tools.inventory.find_exactly(&need.name).ok()));
        for item in &one.deployment {
            let built_from = one.build.as_ref().is_some_and(|build| build.repo == item.repo);
            let merge_request = merge_request
                .filter(|_| built_from && components.iter().any(|wanted| wanted.reference == one.reference));
            match source::ensure(tools, one, &item.repo, merge_request).await {
                Ok(_) => {}
                Err(SourceError::Git(error)) if error.is_out_of_reach() => tools.events.warn(format!(
                    "The deployment of `{}` cannot be had, and the run is without what it gives: {error}.",
                    one.name()
                )),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// The deployment of a component that is to be run; without it if it is not there.
///
/// # Errors
/// When it is there and cannot be read.
pub fn for_run(tools: &Tools<'_>, component: &Component) -> Result<Option<Deployed>, DeployedError> {
    let (deployed, missing) = load_if_there(component, tools.inventory, tools.workspace, tools.assets)?;
    if let Some(missing) = missing {
        tools.events.note(missing);
    }
    if let Some(deployed) = &deployed {
        for finding in &deployed.findings {
            tools.events.note(finding.to_string());
        }
    }
    Ok(deployed)
}

/// [`completed`], with its notes told.
///
/// # Errors
/// When a rule does not work.
pub fn completed_for_run(
    tools: &Tools<'_>,
    component: &Component,
    deployed: Option<&Deployed>,
    environment: &Environment,
) -> Result<Component, DeployedError> {
    let (component, notes) = completed(component, deployed, environment)?;
    for note in notes {
        tools.events.warn(note);
    }
    Ok(component)
}

/// The component with what its deployment says of how it is run, where its entry says nothing; and
/// what was put in the place of words of the command that name production.
///
/// # Errors
/// When a rule does not work.
pub fn completed(
    component: &Component,
    deployed: Option<&Deployed>,
    environment: &Environment,
) -> Result<(Component, Vec<String>), RuleError> {
    let mut component = component.clone();
    let mut notes = Vec::new();
    let Some(deployed) = deployed else { return Ok((component, notes)) };
    let container = &deployed.container;
    let mut run = component.run.take().unwrap_or_default();
    if run.command.is_empty() && run.once.is_empty() {
        let mut words = |words: &[Vec<Piece>]| -> Result<Vec<String>, RuleError> {
            let mut made = Vec::new();
            for (index, pieces) in words.iter().enumerate() {
                let word = environment.expand(pieces);
                let names_production = |text: &str| deployed.names_production(text);
                if !names_production(&word) {
                    made.push(word);
                    continue;
                }
                let name = format!("argument-{}", index + 1);
                if let Some(replaced) = deployed.rules.replace(&name, &word, &names_production)? {
                    notes.push(format!(
                        "{}: word {} of the command names production, and is `{}` (rule `{}`)",
                        container.place,
                        index + 1,
                        replaced.value,
                        replaced.rule
                    ));
                    made.push(replaced.value);
                }
            }
            Ok(made)
        };
        let (command, args) = (words(&container.command)?, words(&container.args)?);
        if command.is_empty() {
            run.image_args = args;
        } else {
            run.command = [command, args].concat();
        }
    }
    run.workdir = run.workdir.or_else(|| container.workdir.clone());
    if run.ports.is_empty() {
        run.ports.clone_from(&container.ports);
    }
    if run.ready.is_none() {
        run.ready.clone_from(&container.ready);
    }
    if component.image.is_none() && component.build.is_none() {
        component.image.clone_from(&container.image);
    }
    component.run = Some(run);
    Ok((component, notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_clone_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("clone");
        std::fs::create_dir_all(root.join("deploy")).expect("makes");
        std::fs::create_dir_all(root.join(".git")).expect("makes");
        std::fs::write(root.join("deploy/a.yaml"), "kind: Pod").expect("writes");
        std::fs::write(root.join(".git/config"), "secret").expect("writes");
        std::os::unix::fs::symlink("/etc", root.join("deploy/out")).expect("links");
        std::os::unix::fs::symlink("a.yaml", root.join("deploy/in.yaml")).expect("links");
        std::fs::write(root.join("long"), vec![b'x'; (1 << 20) + 1]).expect("writes");
        let files = CloneFiles::new(root).expect("opens");
        assert_eq!(files.text("deploy/in.yaml").as_deref(), Ok("kind: Pod"));
        assert_eq!(files.kind("deploy"), Ok(Some(FileKind::Folder)));
        assert_eq!(files.kind("none"), Ok(None));
        assert_eq!(files.names("deploy").map(|names| names.len()), Ok(3));
        for wrong in ["deploy/out/passwd", "deploy/out", ".git/config", "long", "none"] {
            assert!(files.text(wrong).is_err(), "{wrong}");
        }
        assert!(files.kind("deploy/out").is_err());
    }
}
