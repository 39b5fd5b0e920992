//! The steps of a draft: components from build files, their ports, and the findings. The Compose file is in
//! `compose`, the workloads of Kubernetes are in `kubernetes`, the variables in `variables`.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::DraftError;
use super::files::{self, FoundFiles};
use super::request::{DraftScope, RepositoryDraft, SCHEMA};
use crate::base::assets::Assets;
use crate::base::source_dir::SourceDir;
use crate::host::Env;
use crate::model::draft::{
    BuildFileFacts, ComposeServiceFacts, DraftFinding, DraftRules, DraftedComponent, DraftedPort,
    ServiceVariables, inventory_text,
};
use crate::model::environment::SecretNames;
use crate::model::event::Task;
use crate::model::inventory::{Inventory, InventoryDocument, short_name};
use crate::model::reference::is_name;
use crate::model::service::ServiceTemplate;
use crate::ops::shared::run_policy::secret_names;
use crate::systems::git::{GitUrl, Scheme, WorkingTree};

/// File of the rules.
const RULES: &str = "init.yaml";
/// Name of a drafted inventory, for messages.
const INVENTORY: &str = "inventory.yaml";
/// Maximum number of components of a draft.
const COMPONENTS: usize = 20;
/// Maximum number of components from which one is chosen, or that are compared with entries.
pub(super) const CHOICES: usize = 200;
/// Directories within a component's own that only say what they hold.
const UNNAMED: &[&str] =
    &["src", "source", "app", "docker", ".docker", "build", "builds", "deploy", "dockerfiles", "containers"];

/// A draft in the making.
pub(super) struct Drafting<'a> {
    pub(super) root: &'a Path,
    pub(super) scope: DraftScope<'a>,
    /// Maximum number of components.
    pub(super) most: usize,
    /// The repository builds one component only.
    pub(super) is_alone: bool,
    /// Its files.
    pub(super) sources: SourceDir,
    pub(super) repo: String,
    pub(super) address: String,
    pub(super) rules: DraftRules,
    /// The rules for names of secrets, if they can be read.
    pub(super) names: Option<SecretNames>,
    /// The variables that each backing service provides.
    pub(super) provided: BTreeMap<String, ServiceVariables>,
    /// The Compose file, and its override.
    pub(super) compose_files: Vec<String>,
    /// Their services.
    pub(super) compose_services: Vec<ComposeServiceFacts>,
    /// The values that the deployment of each component sets, as far as they are known.
    pub(super) given: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) components: Vec<DraftedComponent>,
    /// The other components of the repository, if one was chosen.
    pub(super) others: Vec<DraftedComponent>,
    /// Number of components whose variables are known.
    pub(super) scanned: usize,
    /// Images of the Compose file for backing services.
    pub(super) images: BTreeMap<String, String>,
    pub(super) findings: Vec<DraftFinding>,
}

pub(super) fn draft(
    tree: &WorkingTree,
    scope: DraftScope<'_>,
    assets: &Assets,
    env: &Env,
    task: &Task,
) -> Result<RepositoryDraft, DraftError> {
    let root = tree.root();
    let mut draft = Drafting::new(root, tree.origin(), scope, assets)?;
    let found = files::find(root);
    if found.builds.is_empty() && found.compose.is_empty() {
        return Err(DraftError::Nothing(root.to_owned()));
    }
    draft.compose(&found);
    draft.builds(&found);
    if draft.components.is_empty() {
        let findings: Vec<String> =
            draft.findings.iter().map(|one| format!("{}: {}", one.place, one.message)).collect();
        return Err(DraftError::NoComponent { root: root.to_owned(), findings: findings.join("; ") });
    }
    draft.kubernetes(&found);
    draft.is_alone = draft.components.iter().filter(|one| one.is_built).count() == 1;
    draft.choose(&found)?;
    while draft.scanned < draft.components.len() {
        draft.variables(&found, assets, env, task)?;
        draft.addresses();
        draft.keep_needed();
    }
    draft.gaps(&found);
    let text = draft.text();
    let inventory = draft.inventory(&text)?;
    let next = draft.next(&inventory, assets, env);
    Ok(RepositoryDraft {
        root: root.to_owned(),
        repo: draft.repo,
        address: draft.address,
        images: draft.images,
        components: draft.components,
        text,
        next,
        findings: draft.findings,
    })
}

/// Returns the variables that each backing service of the rules provides.
fn provided(rules: &DraftRules, assets: &Assets) -> Result<BTreeMap<String, ServiceVariables>, DraftError> {
    let mut provided = BTreeMap::new();
    for name in rules.services().filter(|name| is_name(name)) {
        if let Some(asset) = assets.text(&format!("services/{name}.yaml"))? {
            let template = ServiceTemplate::read(name, &asset.origin, &asset.text)?;
            provided.insert(name.to_owned(), ServiceVariables::of(&template));
        }
    }
    Ok(provided)
}

/// Returns the rules of drafts.
pub(super) fn rules(assets: &Assets) -> Result<DraftRules, DraftError> {
    let text = assets.text(RULES)?;
    Ok(text.map(|asset| DraftRules::read(&asset.origin, &asset.text)).transpose()?.unwrap_or_default())
}

impl<'a> Drafting<'a> {
    /// Begins a draft of a repository with a remote.
    pub(super) fn new(
        root: &'a Path,
        origin: Option<&GitUrl>,
        scope: DraftScope<'a>,
        assets: &Assets,
    ) -> Result<Self, DraftError> {
        let origin = origin.filter(|url| url.scheme() != Scheme::Local).map(|url| url.as_str().to_owned());
        let directory = root.file_name().unwrap_or_default().to_string_lossy();
        let rules = rules(assets)?;
        Ok(Self {
            root,
            scope,
            most: if scope.name().is_some() { CHOICES } else { COMPONENTS },
            is_alone: false,
            sources: SourceDir::new(root)?,
            repo: short_name(origin.as_deref().unwrap_or(&directory)),
            address: origin.unwrap_or_else(|| ".".to_owned()),
            names: secret_names(assets),
            provided: provided(&rules, assets)?,
            rules,
            compose_files: Vec::new(),
            compose_services: Vec::new(),
            given: BTreeMap::new(),
            components: Vec::new(),
            others: Vec::new(),
            scanned: 0,
            images: BTreeMap::new(),
            findings: Vec::new(),
        })
    }
}

impl Drafting<'_> {
    /// Adds a finding.
    pub(super) fn note(&mut self, place: impl Into<String>, message: impl Into<String>) {
        let finding = DraftFinding::new(place, message);
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Adds a component, unless there are too many, or its name is taken.
    pub(super) fn add(&mut self, mut one: DraftedComponent, place: &str) {
        let most = self.most;
        if self.components.len() >= most {
            return self.note(place, format!("only the first {most} components are drafted"));
        }
        let is_taken =
            |name: &str, all: &[DraftedComponent], provided: &BTreeMap<String, ServiceVariables>| {
                all.iter().any(|other| other.name == name) || provided.contains_key(name)
            };
        if is_taken(&one.name, &self.components, &self.provided) {
            one.name = format!("{}-{}", self.repo, one.name);
        }
        if is_taken(&one.name, &self.components, &self.provided) {
            return self.note(place, format!("another component is called `{}`, too", one.name));
        }
        self.components.push(one);
    }

    /// Adds the directories with a build file that no component has yet.
    pub(super) fn builds(&mut self, found: &FoundFiles) {
        let has_compose = !self.components.is_empty();
        for path in &found.builds {
            let directory = path.parent().unwrap_or(Path::new("")).to_owned();
            let shown = directory.display().to_string();
            let file = path.display().to_string();
            if self
                .components
                .iter()
                .any(|one| one.directory == shown || one.build_file.as_ref() == Some(&file))
            {
                continue;
            }
            let name = self.name_in(&directory);
            if has_compose && !self.is_wanted(&name, &shown) {
                self.note(path.display().to_string(), "not drafted: the Compose file does not build it");
                continue;
            }
            let Some(text) = files::text(&self.sources, path) else {
                self.note(path.display().to_string(), "not read: it is no plain file of text, or too long");
                continue;
            };
            let mut one = self.component(&directory, &text);
            one.name.clone_from(&name);
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let is_named = path.extension().is_some_and(|end| end == "in");
            if is_named && !["Containerfile", "Dockerfile"].contains(&stem.as_ref()) {
                one.name = short_name(&stem);
                one.directory = String::new();
                one.build_file = Some(file.clone());
            } else if is_named {
                one.build_file = Some(file.clone());
            }
            // Without a context of its own, a build file in a directory of this kind means the whole repository.
            let is_about_all = directory
                .file_name()
                .is_some_and(|name| ["docker", "build", "deploy", ".docker"].iter().any(|one| name == *one));
            if is_about_all && found.builds.len() == 1 {
                one.name.clone_from(&self.repo);
                one.directory = String::new();
                one.build_file = Some(path.display().to_string());
            }
            self.add(one, &path.display().to_string());
        }
    }

    /// Returns the name of a component in a directory: that of the nearest directory whose name says something.
    fn name_in(&self, directory: &Path) -> String {
        let names = directory.ancestors().filter_map(Path::file_name).map(|name| name.to_string_lossy());
        let mut named = names.filter(|name| !UNNAMED.contains(&name.as_ref()));
        short_name(&named.next().unwrap_or(self.repo.as_str().into()))
    }

    /// Returns the directory of the sources of a component that is built from the whole repository: that of its build
    /// file, unless that only holds build files.
    pub(super) fn source_of(&self, build_file: &Path) -> Option<String> {
        let mut directories = build_file.ancestors().skip(1);
        let named = directories.find(|path| {
            path.file_name().is_none_or(|name| !UNNAMED.iter().any(|unnamed| name == *unnamed))
        })?;
        let is_below = named.parent().is_some();
        is_below.then(|| named.display().to_string())
    }

    /// Returns a component that is built in a directory.
    pub(super) fn component(&self, directory: &Path, build_file: &str) -> DraftedComponent {
        let facts = BuildFileFacts::read(build_file);
        let mut ports = facts.ports.clone();
        if let Some((_, port)) = &facts.health
            && !ports.contains(port)
        {
            ports.push(*port);
        }
        if let Some(port) = facts.port_variable()
            && ports.is_empty()
        {
            ports.push(port);
        }
        let is_health = |port: u16| facts.health.as_ref().is_some_and(|(_, health)| *health == port);
        DraftedComponent {
            directory: directory.display().to_string(),
            is_built: true,
            ports: ports
                .iter()
                .map(|port| DraftedPort {
                    is_http: is_health(*port) || self.rules.speaks_http(*port),
                    ..self.port(*port, None)
                })
                .collect(),
            command: facts.command.clone(),
            workdir: facts.workdir.clone(),
            capabilities: self.rules.capabilities(&facts.base).to_vec(),
            base: Some(facts.base.clone()),
            health: facts.health,
            ..DraftedComponent::default()
        }
    }

    /// Adds findings about what a run would lack.
    fn gaps(&mut self, found: &FoundFiles) {
        let mut notes = Vec::new();
        for one in &self.components {
            let place =
                if one.directory.is_empty() { "the build file".to_owned() } else { one.directory.clone() };
            // A workload of Kubernetes names its ports.
            let has_workload = one.deployment.iter().any(|(_, container)| container.is_none());
            if one.ports.is_empty() && !has_workload {
                let message =
                    format!("no port of `{}` is known: if it listens, add `ports` to its `run`", one.name);
                notes.push(DraftFinding::new(place, message));
            }
        }
        if found.is_cut_short {
            notes.push(DraftFinding::new(".", "not everything was looked at: there are too many files"));
        }
        self.findings.extend(notes);
    }

    /// Returns a port of a component.
    pub(super) fn port(&self, number: u16, host: Option<u16>) -> DraftedPort {
        DraftedPort { number, is_http: self.rules.speaks_http(number), host }
    }

    /// Returns the text of the inventory.
    pub(super) fn text(&self) -> String {
        inventory_text(&self.repo, &self.address, SCHEMA, &self.images, &self.components)
    }

    /// Reads the drafted text as an inventory.
    pub(super) fn inventory(&self, text: &str) -> Result<Inventory, DraftError> {
        let file = self.root.join(INVENTORY).display().to_string();
        let document =
            InventoryDocument { file: file.clone(), text: text.to_owned().into(), reference: None };
        Ok(Inventory::read(&file, vec![document])?)
    }
}
