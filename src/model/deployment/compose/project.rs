//! A Compose project: the services of its files, merged in the order of the files. Paths and the `.env`
//! are relative to the directory of the first file. The merge of single services belongs in `merge`, other files in
//! `include`.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::super::files::{FileReader, directory_of, resolved};
use super::super::{DeploymentError, finding};
use super::consistency::{Declarations, faults};
use super::document::{ComposeDocument, Preparation, Taints, Variables, place, reset};
use super::dotenv;
use super::merge::{self, MergeConflicts};
use super::paths;
use super::profiles;
use super::schema::Refusals;
use super::shared_volumes::SharedVolumes;
use super::types::{self, ScalarTypes};
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue, Tags, YamlDocuments};
use crate::model::inventory::InventoryFinding;

/// Maximum length of a chain of `extends` or `include`.
const LONGEST_CHAIN: usize = 50;

/// Services of the Compose files of one repository.
pub(super) struct ComposeProject<'a> {
    pub(super) reader: Rc<FileReader<'a>>,
    /// Directory that paths are relative to.
    pub(super) directory: String,
    pub(super) variables: Rc<Variables>,
    /// Variables to which the `.env` gives an unknown value.
    unknown: Rc<BTreeSet<String>>,
    pub(super) services: Vec<MapEntry>,
    pub(super) taints: Taints,
    types: ScalarTypes,
    pub(super) declared: Declarations,
    /// Findings by service.
    pub(super) notes: BTreeMap<String, Vec<InventoryFinding>>,
    extended: HashMap<String, Rc<ComposeDocument>>,
    /// The services that share volumes, once all are known.
    pub(super) shared: OnceCell<SharedVolumes>,
}

/// Context of a file: its variables, and the directory that its paths are relative to.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) directory: String,
    pub(super) variables: Rc<Variables>,
    /// Variables without a known value here, and so in included files.
    pub(super) unknown: Rc<BTreeSet<String>>,
    /// Files that include this one.
    pub(super) included: Vec<String>,
}

/// Key of the notes that concern every service.
pub(super) const ALL: &str = "";

impl<'a> ComposeProject<'a> {
    /// Opens the project whose first file is at a path. Compose is started in that file's directory unless another
    /// one is given; the variables of the `.env` there have precedence.
    pub(super) fn open(
        reader: &Rc<FileReader<'a>>,
        path: &str,
        start: Option<&str>,
    ) -> Result<Self, DeploymentError> {
        let mut project = Self {
            reader: Rc::clone(reader),
            directory: directory_of(path).to_owned(),
            variables: Rc::default(),
            unknown: Rc::default(),
            services: Vec::new(),
            taints: Taints::new(),
            types: ScalarTypes::default(),
            declared: Declarations::default(),
            notes: BTreeMap::new(),
            extended: HashMap::new(),
            shared: OnceCell::new(),
        };
        let start = start.unwrap_or(&project.directory).to_owned();
        let own = profiles::working_directory(reader.working_directory(&start));
        let (mut variables, mut unknown) = (own.clone(), BTreeSet::new());
        let mut directories = vec![start, project.directory.clone()];
        directories.dedup();
        for directory in directories {
            let dotenv = paths::joined(&directory, ".env");
            let Some(dotenv) = dotenv.filter(|path| reader.is_file(path).unwrap_or(false)) else { continue };
            let (mut further, mut lost) = (Variables::new(), BTreeSet::new());
            project.read_variables(&dotenv, &variables, &mut further, &mut lost)?;
            further.retain(|name, _| !variables.contains_key(name) && !unknown.contains(name));
            lost.retain(|name| !variables.contains_key(name));
            variables.extend(further);
            unknown.extend(lost);
        }
        (project.variables, project.unknown) = (Rc::new(variables), Rc::new(unknown));
        Ok(project)
    }

    /// Sets the variable with the project's name from its files. The `.env` has precedence; a name that only a
    /// deployer knows stays unknown, also to included files.
    pub(super) fn set_name(&mut self, written: Option<&Node>) {
        let name = profiles::PROJECT_NAME;
        if self.unknown.contains(name) || self.variables.get(name).is_some_and(|known| !known.text.is_empty())
        {
            return;
        }
        let directory = self.reader.working_directory(&self.directory);
        let known = profiles::name(&self.variables, &self.reader.budget(), written, &directory);
        Rc::make_mut(&mut self.variables).insert(name.to_owned(), known);
    }

    /// Adds a document of one of the project's files.
    pub(super) fn add(&mut self, path: &str, document: Node, tags: &Tags) -> Result<(), DeploymentError> {
        let scope = Scope {
            directory: self.directory.clone(),
            variables: Rc::clone(&self.variables),
            unknown: Rc::clone(&self.unknown),
            included: vec![path.to_owned()],
        };
        let mut services = std::mem::take(&mut self.services);
        let added = self.add_to(&mut services, &scope, document, tags);
        self.services = services;
        added
    }

    pub(super) fn add_to(
        &mut self,
        services: &mut Vec<MapEntry>,
        scope: &Scope,
        mut document: Node,
        tags: &Tags,
    ) -> Result<(), DeploymentError> {
        self.check_types(&mut document, tags);
        let rest = Refusals::of_rest(document.entries(), &self.types);
        self.declared.add(document.entries());
        let mut document = self.prepared(scope, document, tags);
        let include = document.include.take();
        let mut own = self.extended_services(scope, &Rc::new(document.clone()))?;
        reset(services, &document.resets);
        if let Some(include) = include {
            self.include(&mut own, scope, &include)?;
        }
        let mut refused = MergeConflicts::new();
        let known = std::mem::take(services);
        *services = merge::maps(known, own, &mut refused, &mut |_, base, over, refused| {
            merge::services(base, over, refused)
        });
        self.note_refused(ALL, refused);
        // Compose validates the merged project after each file.
        for (spot, message) in
            rest.into_iter().chain(Refusals::of_services(services, &self.types, &self.taints))
        {
            self.note_once(&spot, message);
        }
        Ok(())
    }

    /// Adds findings about parts that the finished project lacks.
    pub(super) fn check(&mut self) {
        for (spot, message) in faults(&self.services, &self.declared, &self.taints) {
            self.note_once(&spot, message);
        }
    }

    /// Adds findings about empty documents of a file.
    pub(super) fn note_empty(&mut self, empty: &[Location]) {
        for spot in empty {
            self.note_once(spot, "this document is empty, for which Compose refuses the file".to_owned());
        }
    }

    /// Converts the scalars of a document to Compose's reading.
    fn check_types(&mut self, document: &mut Node, tags: &Tags) {
        if !matches!(document.value, NodeValue::Map(_)) {
            let message = "a document of a Compose file must be a mapping, and this one is left out";
            self.note_once(&document.spot, message.to_owned());
        }
        for (spot, message) in types::read(document, tags, &mut self.types) {
            self.note_once(&spot, message);
        }
    }

    fn prepared(&mut self, scope: &Scope, document: Node, tags: &Tags) -> ComposeDocument {
        let budget = self.reader.budget();
        let variables = &scope.variables;
        Preparation { variables, budget: &budget, taints: &mut self.taints }.document(document, tags)
    }

    pub(super) fn note(&mut self, service: &str, spot: &Location, message: impl Into<String>) {
        self.notes.entry(service.to_owned()).or_default().push(finding(spot, message));
    }

    /// Adds a finding about every service once, since the check after each file repeats it.
    fn note_once(&mut self, spot: &Location, message: String) {
        let found = finding(spot, message);
        let notes = self.notes.entry(ALL.to_owned()).or_default();
        if !notes.contains(&found) {
            notes.push(found);
        }
    }

    fn note_refused(&mut self, service: &str, refused: MergeConflicts) {
        for (key, spot) in refused {
            self.note(
                service,
                &spot,
                format!("this `{key}` cannot be merged with an earlier one, and is left out"),
            );
        }
    }

    /// Reads the variables of a file into the known and the unknown ones; lookups try `outer` first.
    pub(super) fn read_variables(
        &mut self,
        path: &str,
        outer: &Variables,
        known: &mut Variables,
        unknown: &mut BTreeSet<String>,
    ) -> Result<(), DeploymentError> {
        let text = self.reader.text(path)?;
        let label = self.reader.label(path);
        let (lines, findings) =
            dotenv::read(&label, &text, &|name| outer.get(name), known, &self.reader.budget());
        self.notes.entry(ALL.to_owned()).or_default().extend(findings);
        for line in lines {
            match line.known() {
                Some(value) => {
                    unknown.remove(&line.name);
                    known.insert(line.name, value);
                }
                // A name alone without a known value changes nothing.
                None if line.is_passed_on() => {}
                None => {
                    known.remove(&line.name);
                    unknown.insert(line.name);
                }
            }
        }
        Ok(())
    }
}

/// Resolution of `extends`.
impl ComposeProject<'_> {
    fn extended_services(
        &mut self,
        scope: &Scope,
        document: &Rc<ComposeDocument>,
    ) -> Result<Vec<MapEntry>, DeploymentError> {
        let mut services = Vec::new();
        for entry in &document.services {
            let mut seen = Vec::new();
            let node = self.extended(scope, document, entry, &entry.key, &mut seen)?;
            services.push(MapEntry { key: entry.key.clone(), spot: entry.spot.clone(), node });
        }
        Ok(services)
    }

    /// Merges a service onto the one that it extends. `of` is the service whose chain is resolved.
    fn extended(
        &mut self,
        scope: &Scope,
        document: &Rc<ComposeDocument>,
        entry: &MapEntry,
        of: &str,
        seen: &mut Vec<Location>,
    ) -> Result<Node, DeploymentError> {
        let mut own = entry.node.clone();
        let Some(extends) = take(&mut own, "extends") else { return Ok(own) };
        if extends.is_null() {
            return Ok(own);
        }
        if let Some(why) = broken_chain(seen.contains(&entry.spot), seen.len()) {
            self.note(of, &extends.spot, format!("`extends` {why}, and is left out"));
            return Ok(own);
        }
        seen.push(entry.spot.clone());
        let name = extends.text().or_else(|| extends.text_of("service")).unwrap_or_default();
        let there = match extends.get("file") {
            Some(file) => self.extended_file(scope, file, of)?,
            None => Some(Rc::clone(document)),
        };
        let Some(there) = there else { return Ok(own) };
        let Some(base) = there.services.iter().find(|service| service.key == name) else {
            self.note(
                of,
                &extends.spot,
                format!("there is no service `{name}` to extend, so its values are missing"),
            );
            return Ok(own);
        };
        let base = self.extended(scope, &there, base, of, seen)?;
        let mut source = vec![MapEntry { key: entry.key.clone(), spot: entry.spot.clone(), node: base }];
        reset(&mut source, &document.resets);
        let mut refused = MergeConflicts::new();
        let merged = match source.pop() {
            Some(base) => merge::services(base.node, own, &mut refused),
            None => own,
        };
        self.note_refused(of, refused);
        Ok(merged)
    }

    /// Returns the services of another file, with paths relative to the directory of the project.
    fn extended_file(
        &mut self,
        scope: &Scope,
        file: &Node,
        of: &str,
    ) -> Result<Option<Rc<ComposeDocument>>, DeploymentError> {
        let written = file.text().unwrap_or_default();
        let path =
            resolved(&scope.directory, written).filter(|path| self.reader.is_file(path).unwrap_or(false));
        let Some(path) = path else {
            self.note(
                of,
                &file.spot,
                format!("there is no file `{written}` to extend from, so its values are missing"),
            );
            return Ok(None);
        };
        let key = format!("{}\n{path}", scope.directory);
        if let Some(known) = self.extended.get(&key) {
            return Ok(Some(Rc::clone(known)));
        }
        self.reader.refer_to(&path);
        let YamlDocuments { nodes, tags, empty } = self.reader.tagged(&path)?;
        self.note_empty(&empty);
        let mut all = ComposeDocument::default();
        for mut document in nodes {
            self.check_types(&mut document, &tags);
            let document = self.prepared(scope, document, &tags);
            reset(&mut all.services, &document.resets);
            let mut refused = MergeConflicts::new();
            all.services =
                merge::maps(all.services, document.services, &mut refused, &mut |_, base, over, refused| {
                    merge::services(base, over, refused)
                });
            all.resets.extend(document.resets);
            self.note_refused(of, refused);
        }
        let prefix = paths::relative(&scope.directory, directory_of(&path));
        for entry in &mut all.services {
            paths::rebase(&mut entry.node, &prefix);
        }
        let all = Rc::new(all);
        self.extended.insert(key, Rc::clone(&all));
        Ok(Some(all))
    }
}

/// Removes a key from a mapping and returns its node.
fn take(node: &mut Node, key: &str) -> Option<Node> {
    let NodeValue::Map(entries) = &mut node.value else { return None };
    let at = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(at).node)
}

/// Returns the reason for which a chain of `extends` or `include` ends here.
pub(super) fn broken_chain(is_cycle: bool, length: usize) -> Option<String> {
    match is_cycle {
        true => Some("leads back to itself".to_owned()),
        false => (length >= LONGEST_CHAIN)
            .then(|| format!("continues a chain of more than {LONGEST_CHAIN} files or services")),
    }
}

/// Returns whether Compose refuses a text because it requires an unset variable, and adds a finding that
/// names it.
pub(super) fn is_refused(
    project: &ComposeProject<'_>,
    node: &Node,
    what: &str,
    findings: &mut Vec<InventoryFinding>,
) -> bool {
    let Some(taint) = project.taints.get(&place(&node.spot)) else { return false };
    if let Some(refusal) = taint.refusal() {
        findings.push(finding(&node.spot, format!("{what} is left out: {refusal}")));
    }
    taint.refusal().is_some()
}
