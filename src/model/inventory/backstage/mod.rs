//! Catalogs of Backstage: entities become the entries of an inventory, and back. Only what both know is mapped; a part
//! that an inventory has no place for is kept with its place, for the check. Reading files belongs in `ops`.

mod annotations;
mod entity;
mod export;
mod faults;
mod mapping;
mod names;
#[cfg(test)]
mod tests;
pub(super) mod unplaced;

pub use entity::{BackstageEntity, CatalogLocation, entities, is_catalog_text, locations};
pub use export::{BackstageCatalog, export};
pub use mapping::{MappedCatalog, map_entities};
pub use unplaced::UnplacedPart;
