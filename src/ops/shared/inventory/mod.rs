//! Loads an inventory from its sources. The meaning of its files is in `model::inventory`; fetching repositories is in
//! `ops::inventory::sync`.

mod built_in;
mod cache;
#[cfg(test)]
mod cache_tests;
mod catalog;
mod directory;
mod error;
mod footprint;
mod repository;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::base::assets::Assets;
use crate::base::file_snapshot::FileSnapshot;
use crate::model::inventory::backstage::{UnplacedPart, is_catalog_text};
use crate::model::inventory::{
    ComponentName, Inventory, InventoryDocument, InventoryError, InventoryPart, InventorySource,
    InventorySources, LayerContent, LayerDocument, LayerSummary, merge_layers,
};
use crate::ops::shared::services;
pub use built_in::compile;
use cache::CachePlace;
pub use catalog::catalog_files;
use directory::{HEAD, directory, document};
pub use error::LoadError;
use footprint::Footprint;
pub use repository::{CopyRecord, copy_of, damage_of};

/// The finding of a head that was named instead of its directory.
const HEAD_ALONE: &str =
    "it has no `components`; to read files `CATEGORY/NAME.yaml`, name their directory as the inventory";

/// Reasons why repositories could not be fetched, by the names of their copies.
pub type FetchFailures = std::collections::HashMap<String, String>;

/// Loads an inventory from its sources.
///
/// # Errors
/// Fails when a source does not exist, cannot be read or understood, or contradicts another one; or no source is left.
pub fn load(sources: &InventorySources) -> Result<Inventory, LoadError> {
    let files = FileSnapshot::default();
    let source_layers = layers(sources, &files, &FetchFailures::new());
    let cached = place(sources, &source_layers, &files).and_then(|place| place.load());
    match cached {
        Some(inventory) => Ok(with_layers(inventory, source_layers)),
        None => read(sources, source_layers, &files, &Footprint::void()),
    }
}

/// Returns the names of the components that are wanted, and of those that a user could mean by the name of one of these
/// backing services. Of a cached inventory, changes of other entries do not show.
///
/// # Errors
/// As [`load`].
pub fn component_names(
    sources: &InventorySources,
    services: &[String],
    is_wanted: impl Fn(&ComponentName) -> bool,
) -> Result<Vec<ComponentName>, LoadError> {
    let is_service = |name: &ComponentName| services.iter().any(|service| name.is_named(service));
    let files = FileSnapshot::default();
    let source_layers = layers(sources, &files, &FetchFailures::new());
    let place = place(sources, &source_layers, &files);
    if let Some(names) = place.and_then(|place| place.names(&is_wanted, is_service)) {
        return Ok(names);
    }
    // The names last as long as the program.
    let inventory: &'static Inventory = Box::leak(Box::new(load(sources)?));
    let names = inventory.components.iter().map(ComponentName::of);
    Ok(names.filter(|name| is_wanted(name) || is_service(name)).collect())
}

/// Loads an inventory as [`load`] with the names of the backing services, and checks the dependencies of a user's one
/// against them. A test checks the built-in inventory. What was read is cached, for all that load it later.
///
/// # Errors
/// As [`load`].
pub fn load_checked(
    sources: &InventorySources,
    assets: &Assets,
    files: &FileSnapshot,
    failures: &FetchFailures,
) -> Result<Inventory, LoadError> {
    load_at(sources, assets, files, failures, SystemTime::now()).map(|(inventory, _)| inventory)
}

/// Loads an inventory as [`load_checked`], and leaves it to the caller to store it in the cache.
///
/// # Errors
/// As [`load`].
pub fn load_unstored(
    sources: &InventorySources,
    assets: &Assets,
    files: &FileSnapshot,
    failures: &FetchFailures,
) -> Result<(Inventory, Option<CacheEntry>), LoadError> {
    let (inventory, entry, _) = load_entry(sources, assets, files, failures, SystemTime::now())?;
    Ok((inventory, entry))
}

/// Loads an inventory at a time, and returns whether it was cached.
fn load_at(
    sources: &InventorySources,
    assets: &Assets,
    files: &FileSnapshot,
    failures: &FetchFailures,
    now: SystemTime,
) -> Result<(Inventory, bool), LoadError> {
    let (inventory, entry, is_cached) = load_entry(sources, assets, files, failures, now)?;
    if let Some(entry) = entry {
        entry.store(&inventory);
    }
    Ok((inventory, is_cached))
}

/// Loads an inventory at a time, with what stores it in the cache, unless it was cached.
fn load_entry(
    sources: &InventorySources,
    assets: &Assets,
    files: &FileSnapshot,
    failures: &FetchFailures,
    now: SystemTime,
) -> Result<(Inventory, Option<CacheEntry>, bool), LoadError> {
    let source_layers = layers(sources, files, failures);
    let place = place(sources, &source_layers, files);
    let cached = place.as_ref().and_then(CachePlace::load);
    let is_cached = cached.is_some();
    let footprint = if place.is_some() { Footprint::new(now) } else { Footprint::void() };
    let mut inventory = match cached {
        Some(inventory) => with_layers(inventory, source_layers),
        None => read(sources, source_layers, files, &footprint)?,
    };
    let services = services::names(assets)?;
    if !matches!(sources.list.as_slice(), [] | [InventorySource::BuiltIn]) {
        inventory.check_needs(&services);
    }
    inventory.backing_services = services;
    let place = place.filter(|_| !is_cached);
    Ok((inventory, place.map(|place| CacheEntry { place, footprint }), is_cached))
}

/// An inventory that is not in the cache yet: its place there, and the state of its files.
pub struct CacheEntry {
    place: CachePlace,
    footprint: Footprint,
}

impl CacheEntry {
    /// Stores the inventory.
    pub fn store(self, inventory: &Inventory) {
        self.place.store(inventory, self.footprint);
    }
}

/// Paths that are not read, each with the reason.
type Unread = Vec<(String, &'static str)>;

/// A layer with the copy of its repository.
type SourceLayer = (LayerSummary, Option<CopyRecord>);

fn layers(sources: &InventorySources, files: &FileSnapshot, failures: &FetchFailures) -> Vec<SourceLayer> {
    let built_in = [InventorySource::BuiltIn];
    let list = if sources.list.is_empty() { &built_in[..] } else { &sources.list };
    let layer = |source: &InventorySource| {
        let mut layer = summary(source);
        let InventorySource::Git(source) = source else { return (layer, None) };
        let copy = copy_of(source, sources, files);
        match &copy {
            Some(copy) => layer.age = Some(copy.age()),
            None => {
                let reason = failures.get(&source.copy_name()).cloned();
                layer.left_out =
                    Some(reason.unwrap_or_else(|| {
                        "it was not fetched yet; `cki inventory sync` fetches it".to_owned()
                    }));
            }
        }
        (layer, copy)
    };
    list.iter().map(layer).collect()
}

fn place(sources: &InventorySources, layers: &[SourceLayer], files: &FileSnapshot) -> Option<CachePlace> {
    let copies: Vec<Option<CopyRecord>> = layers.iter().map(|(_, copy)| copy.clone()).collect();
    CachePlace::of(sources, &copies, files)
}

fn with_layers(mut inventory: Inventory, layers: Vec<SourceLayer>) -> Inventory {
    inventory.layers = layers.into_iter().map(|(layer, _)| layer).collect();
    inventory
}

/// Loads an inventory as [`load_checked`], as if a file of its uppermost source had the content of `changed`.
///
/// # Errors
/// As [`load`].
pub fn load_changed(
    sources: &InventorySources,
    assets: &Assets,
    changed: Vec<InventoryDocument>,
) -> Result<Inventory, LoadError> {
    let files = FileSnapshot::default();
    let source_layers = layers(sources, &files, &FetchFailures::new());
    let mut inventory = layered(sources, source_layers, &files, &Footprint::void(), changed)?;
    let services = services::names(assets)?;
    inventory.check_needs(&services);
    inventory.backing_services = services;
    Ok(inventory)
}

/// Loads an inventory as [`load`], from its files and not from the cache, as if these records of copies were there: each
/// a path and its content.
///
/// # Errors
/// As [`load`].
pub fn load_with_copies(
    sources: &InventorySources,
    records: Vec<(PathBuf, Vec<u8>)>,
) -> Result<Inventory, LoadError> {
    let paths = records.iter().map(|(path, _)| path.clone()).collect();
    let files = FileSnapshot::of(paths, records);
    let source_layers = layers(sources, &files, &FetchFailures::new());
    read(sources, source_layers, &files, &Footprint::void())
}

/// Loads an inventory with a reader of its files. One source needs no merge.
fn read(
    sources: &InventorySources,
    source_layers: Vec<SourceLayer>,
    files: &FileSnapshot,
    footprint: &Footprint,
) -> Result<Inventory, LoadError> {
    match sources.list.as_slice() {
        [] | [InventorySource::BuiltIn] => Ok(with_layers(built_in::load()?, source_layers)),
        [InventorySource::Path(path)] => match of_path(path, files, footprint)? {
            Some(inventory) => Ok(with_layers(inventory, source_layers)),
            None => layered(sources, source_layers, files, footprint, Vec::new()),
        },
        _ => layered(sources, source_layers, files, footprint, Vec::new()),
    }
}

fn summary(source: &InventorySource) -> LayerSummary {
    LayerSummary {
        label: source.to_string(),
        age: None,
        path: source.path().map(Path::to_path_buf),
        left_out: None,
    }
}

/// Loads an inventory that is one directory or file; `None` if it is a catalog of Backstage.
fn of_path(path: &Path, files: &FileSnapshot, footprint: &Footprint) -> Result<Option<Inventory>, LoadError> {
    let origin = path.display().to_string();
    let (mut unread, mut failed) = (Vec::new(), Vec::new());
    let parts = if path.is_dir() {
        catalog::note_first_files(path, footprint);
        if catalog::first_file(path, files).is_some() {
            return Ok(None);
        }
        directory(path, files, footprint, &mut unread, &mut failed, InventoryPart::parse)?
    } else {
        let document = document_at(path, files, footprint)?;
        if is_catalog_text(&document.file, &document.text) {
            return Ok(None);
        }
        vec![InventoryPart::parse(document)]
    };
    let mut inventory = whole(&origin, parts, failed)?;
    for (path, why) in unread {
        inventory.note_unread(path, why);
    }
    if inventory.components.is_empty() && path.is_file() {
        let is_head = path.file_name() == Some(OsStr::new(HEAD));
        inventory.note_unread(origin, if is_head { HEAD_ALONE } else { "it has no `components`" });
    }
    Ok(Some(inventory))
}

/// Builds an inventory from its parts, unless files could not be read. The faults of all others are reported, too.
fn whole(
    origin: &str,
    parts: Vec<Result<InventoryPart, InventoryError>>,
    mut failed: Vec<LoadError>,
) -> Result<Inventory, LoadError> {
    if failed.is_empty() {
        return Ok(Inventory::of_parts(origin, parts)?);
    }
    failed.extend(parts.into_iter().filter_map(|part| Some(part.err()?.into())));
    Err(LoadError::all(failed)
        .map_or_else(|error| error, |()| InventoryError::Empty(origin.to_owned()).into()))
}

/// Reads the file of an inventory that is one.
fn document_at(
    path: &Path,
    files: &FileSnapshot,
    footprint: &Footprint,
) -> Result<InventoryDocument, LoadError> {
    document(path, None, files, footprint).map_err(|error| match error {
        LoadError::File(error) if error.is_missing() => LoadError::Missing(path.display().to_string()),
        error => error,
    })
}

/// Reads the documents of a layer that is a directory, a file or a catalog of Backstage.
fn path_documents(
    path: &Path,
    files: &FileSnapshot,
    footprint: &Footprint,
    (unread, unplaced, failed): (&mut Unread, &mut Vec<UnplacedPart>, &mut Vec<LoadError>),
) -> Result<Vec<LayerDocument>, LoadError> {
    catalog::note_first_files(path, footprint);
    if let Some(first) = catalog::first_file(path, files) {
        // Its locations may name files that are not there yet.
        footprint.give_up();
        let (catalog, _) = catalog::load_path(path, first, files)?;
        unplaced.extend(catalog.unplaced);
        return Ok(catalog.documents);
    }
    match path.is_dir() {
        true => directory(path, files, footprint, unread, failed, LayerDocument::Text),
        false => Ok(vec![LayerDocument::Text(document_at(path, files, footprint)?)]),
    }
}

/// Loads an inventory of several layers, or of a repository. `changed` are files of the uppermost layer in place of those
/// that it has.
fn layered(
    sources: &InventorySources,
    source_layers: Vec<SourceLayer>,
    files: &FileSnapshot,
    footprint: &Footprint,
    mut changed: Vec<InventoryDocument>,
) -> Result<Inventory, LoadError> {
    let (mut layers, mut contents) = (Vec::new(), Vec::new());
    let (mut unread, mut unplaced, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (source, (layer, copy))) in sources.list.iter().zip(source_layers).enumerate() {
        let read = match source {
            InventorySource::BuiltIn => {
                Ok(built_in::documents().into_iter().map(LayerDocument::Text).collect())
            }
            InventorySource::Path(path) => {
                path_documents(path, files, footprint, (&mut unread, &mut unplaced, &mut failed))
            }
            InventorySource::Git(source) => match copy {
                Some(copy) => repository::documents(source, &copy, &mut unread, &mut unplaced),
                None => Ok(Vec::new()),
            },
        };
        let mut documents: Vec<LayerDocument> = match read {
            Ok(documents) => documents,
            // The faults of other layers are reported as well.
            Err(error) => {
                failed.push(error);
                Vec::new()
            }
        };
        if number + 1 == sources.list.len() {
            documents.retain(|document| match document {
                LayerDocument::Text(document) => changed.iter().all(|one| one.file != document.file),
                LayerDocument::Tree(..) => true,
            });
            documents.extend(changed.drain(..).map(LayerDocument::Text));
        }
        layers.push(layer);
        contents.push(LayerContent { layer: u16::try_from(number).unwrap_or(u16::MAX), documents });
    }
    if layers.iter().all(|layer| layer.left_out.is_some()) {
        let reason =
            |layer: &LayerSummary| Some(format!("`{}`: {}", layer.label, layer.left_out.as_deref()?));
        return Err(LoadError::NoLayer { reasons: layers.iter().filter_map(reason).collect() });
    }
    let in_use = layers.iter().filter(|layer| layer.left_out.is_none());
    let origin = in_use.map(|layer| layer.label.as_str()).collect::<Vec<_>>().join(" + ");
    let mut inventory = whole(&origin, merge_layers(contents), failed)?;
    inventory.layers = layers;
    inventory.note_unplaced(unplaced);
    for (path, why) in unread {
        inventory.note_unread(path, why);
    }
    Ok(inventory)
}
