//! `cki inventory new`: a new entry from the template, with the facts of a repository. Reading the repository is in
//! `ops::draft`, the place of the entry in `new_place`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

pub use super::new_error::NewEntryError;
use super::new_needs;
use super::new_place::{self, EntryPlace};
use crate::base::assets::Assets;
use crate::base::files::DirectoryLock;
use crate::base::text::nearest;
use crate::host::Env;
use crate::model::draft::{DraftFinding, DraftedComponent, EntryHead, Gap, gaps, render_entry};
use crate::model::event::Events;
use crate::model::inventory::{Component, Inventory, InventoryDocument, InventoryError, InventorySources};
use crate::model::reference::{Reference, is_name};
use crate::ops::draft::{DraftScope, RepositoryDraft, draft, schema_text, write_schema};
use crate::ops::shared::inventory::{LoadError, load_changed};
use crate::ops::shared::services;
use crate::systems::git::{GitUrl, WorkingTree};

/// File of the template.
const TEMPLATE: &str = "entry.yaml";
/// Category of an inventory without any.
const CATEGORY: &str = "service";
/// Kinds that `cki` knows; an inventory may have others.
pub const KINDS: [&str; 4] = ["service", "cronjob", "job", "function"];

/// A wish for a new entry.
#[derive(Debug)]
pub struct NewEntryRequest<'a> {
    /// Name, or `category/name`.
    pub component: &'a str,
    /// Directory in the repository of the component.
    pub from_repo: Option<&'a Path>,
    /// Directory of its sources in the repository.
    pub directory: Option<&'a str>,
    /// Category.
    pub category: Option<&'a str>,
    /// Kind.
    pub kind: Option<&'a str>,
    /// People or teams that look after it.
    pub owners: &'a [String],
    /// Adds the components of the repository that it needs, too.
    pub with_needs: bool,
    /// Replaces the entry that is there.
    pub force: bool,
}

/// Files that `cki inventory new` would write.
#[derive(Debug)]
pub struct NewEntryDraft {
    /// The new entries; the requested one is the first.
    pub entries: Vec<DraftedEntry>,
    /// The files with entries, each with its content.
    pub files: Vec<(PathBuf, String)>,
    /// The JSON Schema, for editors, if it is not there yet.
    pub schema: Option<PathBuf>,
    /// Facts that the first entry lacks, each with its place.
    pub gaps: Vec<(String, Gap)>,
    /// Facts that the repository does not tell.
    pub findings: Vec<DraftFinding>,
    /// The next command line, without `cki`.
    pub next: Vec<String>,
    /// Content of the files when they were read; the others must be new.
    before: HashMap<PathBuf, String>,
}

/// A new entry.
#[derive(Debug)]
pub struct DraftedEntry {
    /// Full name.
    pub reference: Reference,
    /// File that would have it.
    pub file: String,
    /// Line in the file where it begins.
    pub line: usize,
    /// Text.
    pub text: String,
}

impl DraftedEntry {
    /// Returns the place of a line of its text, the first one being 1.
    #[must_use]
    pub fn place(&self, line: usize) -> String {
        format!("{}:{}", self.file, self.line + line - 1)
    }
}

/// Returns the inventory of a directory that has no file yet.
///
/// # Errors
/// Fails if the templates of backing services cannot be listed.
pub fn empty_inventory(assets: &Assets) -> Result<Inventory, LoadError> {
    let head = InventoryDocument { file: String::new(), text: "version: 1\n".into(), reference: None };
    let mut inventory = Inventory::read("", vec![head]).map_err(LoadError::from)?;
    inventory.backing_services = services::names(assets)?;
    Ok(inventory)
}

/// Returns whether an error says that an inventory has no file yet.
#[must_use]
pub fn is_empty(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LoadError::Inventory(InventoryError::Empty(_))))
}

/// Drafts the entry, and reads the inventory as it would be.
///
/// # Errors
/// Fails if the inventory cannot be written to, has the entry already or would be invalid, or the repository does not
/// have the component.
pub fn draft_entry(
    request: &NewEntryRequest<'_>,
    inventory: &Inventory,
    sources: &InventorySources,
    assets: &Assets,
    env: &Env,
    events: &Events,
) -> Result<NewEntryDraft, NewEntryError> {
    let mut place = EntryPlace::of(sources)?;
    let categories = categories(inventory);
    let reference = reference(request, &categories)?;
    let kind = match request.kind {
        Some(kind) => one_of("kind", kind, &kinds(inventory))?,
        None => kind_of(&reference.category, inventory),
    };
    let template = assets.text(TEMPLATE)?;
    let (file, template) = template.map_or_else(Default::default, |asset| (asset.origin, asset.text));
    let below = request.from_repo.filter(|_| request.directory.is_none());
    let below = below.and_then(|path| directory_in_repository(path, env));
    let scope = DraftScope::One {
        name: &reference.name,
        directory: request.directory.or(below.as_deref()),
        with_needs: request.with_needs,
    };
    let drafted = request.from_repo.map(|path| draft(path, scope, assets, env, events)).transpose()?;
    let (mut components, mut findings) = (Vec::new(), Vec::new());
    let mut repo = String::new();
    if let Some(drafted) = &drafted {
        findings.clone_from(&drafted.findings);
        repo = repository(drafted, inventory, &mut findings);
        components = of_repository(drafted, inventory, &mut findings);
        new_needs::add_addressed(&mut components, inventory);
    }
    findings.extend(unknown_owners(request.owners, inventory));
    let schema = place.schema();
    // A job may need services: what is typed is about the requested entry alone.
    let category_of_needs = usual_category(&categories).unwrap_or(&reference.category);
    let kind_of_needs = kind_of(category_of_needs, inventory);
    let mut wanted = vec![(reference.clone(), &kind, components.first())];
    wanted.extend(
        components
            .iter()
            .skip(1)
            .map(|one| (Reference::new(category_of_needs, one.name.as_str()), &kind_of_needs, Some(one))),
    );
    let mut put = Vec::new();
    let mut entries = Vec::new();
    for (reference, kind, one) in wanted {
        let schema = place.schema_reference();
        let head = EntryHead {
            reference: &reference,
            kind,
            owners: request.owners,
            schema: schema.as_deref(),
            repo: &repo,
        };
        let text = render_entry(&template, &head, one)
            .map_err(|source| NewEntryError::Template { file: file.clone(), source })?;
        let entry = place.put(&reference, &text, inventory, request.force)?;
        entries.push(DraftedEntry { reference, file: entry.document.file.clone(), line: entry.line, text });
        put.retain(|earlier: &new_place::EntryFile| earlier.path != entry.path);
        put.push(entry);
    }
    let documents = put.iter().map(|entry| entry.document.clone()).collect();
    let changed = load_changed(sources, assets, documents)?;
    let own: Vec<&str> = put.iter().map(|entry| entry.document.file.as_str()).collect();
    let of_entry = changed.findings(usize::MAX).into_iter().filter(|one| own.contains(&one.file.as_str()));
    findings.extend(of_entry.map(|one| {
        let place = one
            .position
            .map_or_else(|| one.file.clone(), |at| format!("{}:{}:{}", one.file, at.line, at.column));
        DraftFinding::new(place, one.message)
    }));
    let gaps = match (changed.get(&reference), entries.first()) {
        (Some(entry), Some(drafted)) => {
            let found = gaps(&drafted.text, entry);
            found.into_iter().map(|gap| (drafted.place(gap.line), gap)).collect()
        }
        _ => Vec::new(),
    };
    let next = match (&drafted, changed.get(&reference)) {
        (Some(drafted), Some(entry)) if entry.is_runnable() => {
            let mut next = drafted.next.clone();
            next.push("--dry-run".to_owned());
            next
        }
        _ => vec!["show".to_owned(), reference.to_string()],
    };
    let before = put.iter().filter_map(|entry| Some((entry.path.clone(), entry.before.clone()?))).collect();
    Ok(NewEntryDraft {
        entries,
        files: put.into_iter().map(|entry| (entry.path, entry.document.text.into_owned())).collect(),
        schema: schema.symlink_metadata().is_err().then_some(schema),
        gaps,
        findings,
        next,
        before,
    })
}

/// Returns a directory relative to the root of the repository around it; `None` for the root itself, and without a
/// repository.
fn directory_in_repository(path: &Path, env: &Env) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let root = WorkingTree::around(&path, env).ok()??.root().canonicalize().ok()?;
    let below = path.strip_prefix(root).ok()?.to_str()?;
    (!below.is_empty()).then(|| below.to_owned())
}

/// Writes the files.
///
/// # Errors
/// Fails if one of them appeared or changed meanwhile, or cannot be written.
pub fn write_entry(draft: &NewEntryDraft) -> Result<Vec<(PathBuf, String)>, NewEntryError> {
    new_place::write(&draft.files, &draft.before)?;
    write_schema(draft.schema.as_deref())?;
    let mut files = draft.files.clone();
    files.extend(draft.schema.iter().map(|path| (path.clone(), schema_text())));
    Ok(files)
}

/// Waits until no other command changes the inventory. Hold the result from reading it to the end of [`write_entry`].
#[must_use]
pub fn lock(sources: &InventorySources) -> Option<DirectoryLock> {
    new_place::lock(sources)
}

/// Returns the full name of the new entry.
fn reference(request: &NewEntryRequest<'_>, categories: &[String]) -> Result<Reference, NewEntryError> {
    let (typed, name) = match request.component.split_once('/') {
        Some((category, name)) => (Some(category), name),
        None => (None, request.component),
    };
    for part in typed.into_iter().chain([name]) {
        if !is_name(part) {
            return Err(NewEntryError::Name(part.to_owned()));
        }
    }
    if let (Some(typed), Some(category)) = (typed, request.category)
        && typed != category
    {
        let (component, category) = (request.component.to_owned(), category.to_owned());
        return Err(NewEntryError::TwoCategories { component, category });
    }
    let category = match typed.or(request.category) {
        Some(category) if categories.is_empty() && is_name(category) => category.to_owned(),
        Some(category) => one_of("category", category, categories)?,
        None => {
            let usual = usual_category(categories);
            usual.ok_or_else(|| NewEntryError::NoCategory(categories.to_vec()))?.to_owned()
        }
    };
    Ok(Reference::new(category, name))
}

/// Returns the category of an entry for which none is named.
fn usual_category(categories: &[String]) -> Option<&str> {
    match categories {
        [only] => Some(only),
        all if all.is_empty() || all.iter().any(|one| one == CATEGORY) => Some(CATEGORY),
        _ => None,
    }
}

/// Returns the kind of an entry for which none is named.
fn kind_of(category: &str, inventory: &Inventory) -> String {
    inventory.category(category).and_then(|one| one.kind.clone()).unwrap_or_else(|| KINDS[0].to_owned())
}

/// Returns the categories of an inventory.
#[must_use]
pub fn categories(inventory: &Inventory) -> Vec<String> {
    let listed = inventory.categories.iter().map(|one| one.id.clone());
    distinct(listed.chain(inventory.components.iter().map(|one| one.reference.category.clone())))
}

/// Returns the kinds that a new entry may have.
#[must_use]
pub fn kinds(inventory: &Inventory) -> Vec<String> {
    let listed = inventory.categories.iter().filter_map(|one| one.kind.clone());
    let used = inventory.components.iter().filter_map(|one| one.kind.as_deref().map(str::to_owned));
    distinct(KINDS.iter().map(|kind| (*kind).to_owned()).chain(listed).chain(used))
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    all.filter(|one| seen.insert(one.clone())).collect()
}

fn one_of(what: &'static str, value: &str, known: &[String]) -> Result<String, NewEntryError> {
    if known.iter().any(|one| one == value) {
        return Ok(value.to_owned());
    }
    let near = nearest(value, known.iter().map(String::as_str)).first().map(|one| (*one).to_owned());
    Err(NewEntryError::Unknown { what, value: value.to_owned(), known: known.to_vec(), nearest: near })
}

/// Returns findings about owners that no other entry names: new ones, or misspelt ones.
fn unknown_owners(owners: &[String], inventory: &Inventory) -> Vec<DraftFinding> {
    let named = inventory.components.iter().flat_map(|one| one.people.iter().map(AsRef::as_ref));
    let people = inventory.components.iter().filter(|one| one.reference.category == "people");
    let known: Vec<&str> = named.chain(people.map(Component::name)).collect();
    let unknown = owners.iter().filter(|owner| !known.is_empty() && !known.contains(&owner.as_str()));
    unknown
        .map(|owner| {
            let near = nearest(owner, known.iter().copied());
            let instead = near.first().map(|one| format!("; did you mean `{one}`?")).unwrap_or_default();
            DraftFinding::new("--owner", format!("no other entry names `{owner}`{instead}"))
        })
        .collect()
}

/// Returns the name of a drafted repository in the inventory, or else its address.
fn repository(drafted: &RepositoryDraft, inventory: &Inventory, findings: &mut Vec<DraftFinding>) -> String {
    let root = drafted.root.display().to_string();
    let address = if drafted.address == "." { &root } else { &drafted.address };
    let own = GitUrl::parse(address).ok();
    let is_own = |known: &str| {
        GitUrl::parse(known).ok().zip(own.as_ref()).is_some_and(|(known, own)| known.is_same_repository(own))
    };
    if let Some((name, _)) = inventory.repos.iter().find(|(_, known)| is_own(known)) {
        return name.clone();
    }
    if drafted.address == "." {
        let message = "the repository has no remote: the entry names its directory, which others do not have";
        findings.push(DraftFinding::new(root.clone(), message));
    }
    address.clone()
}

/// Returns the drafted components that the inventory lacks, the requested one first, and leaves out dependencies that
/// nothing provides.
fn of_repository(
    drafted: &RepositoryDraft,
    inventory: &Inventory,
    findings: &mut Vec<DraftFinding>,
) -> Vec<DraftedComponent> {
    let is_known = |name: &str| {
        inventory.backing_services.iter().any(|one| one == name) || inventory.get_by_name(name).is_some()
    };
    let first = drafted.components.iter().take(1);
    let rest = drafted.components.iter().skip(1).filter(|one| !is_known(&one.name));
    let mut components: Vec<DraftedComponent> = first.chain(rest).cloned().collect();
    let names: Vec<String> = components.iter().map(|one| one.name.clone()).collect();
    for one in &mut components {
        let (kept, lost): (Vec<String>, Vec<String>) =
            one.needs.drain(..).partition(|need| names.contains(need) || is_known(need));
        one.needs = kept;
        for need in lost {
            let message = format!(
                "`{}` needs `{need}`, which the inventory lacks: `--with-needs` adds its entry, too",
                one.name
            );
            findings.push(DraftFinding::new("needs", message));
        }
        for (service, image) in drafted.images.iter().filter(|(service, _)| one.needs.contains(service)) {
            if inventory.services.get(service).and_then(|known| known.image.as_ref()) != Some(image) {
                let message = format!(
                    "the Compose file runs `{image}` as `{service}`: `services.{service}.image` in the head of the inventory sets it"
                );
                findings.push(DraftFinding::new("needs", message));
            }
        }
    }
    components
}
