//! Origins of the values of an entry, for `cki show` in an inventory of several layers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::inventory::{FieldOrigin, Inventory, SourceMap};

/// Origin of a value, or of several that are written together.
pub(super) struct OriginRow<'a> {
    /// Path of the value in its entry.
    pub(super) path: String,
    /// Source of the layer.
    pub(super) layer: &'a str,
    /// File and line.
    pub(super) place: String,
}

/// Origin of a value in JSON.
#[derive(Serialize)]
pub(super) struct OriginView<'a> {
    layer: &'a str,
    place: String,
}

/// Returns the origin of each value by its path; `None` unless there are several layers.
pub(super) fn origins_view<'a>(
    inventory: &'a Inventory,
    map: &SourceMap,
) -> Option<BTreeMap<String, OriginView<'a>>> {
    inventory.is_layered().then(|| {
        let view = |origin: FieldOrigin| {
            (origin.path, OriginView { layer: label(inventory, origin.layer), place: origin.place })
        };
        map.origins().into_iter().map(view).collect()
    })
}

fn label(inventory: &Inventory, layer: u16) -> &str {
    inventory.layers.get(usize::from(layer)).map_or("", |layer| &layer.label)
}

/// Returns the rows of a table: one for each key of the entry if a single layer wrote all of its value, else one for
/// each value.
pub(super) fn origin_rows<'a>(inventory: &'a Inventory, map: &SourceMap) -> Vec<OriginRow<'a>> {
    let origins = map.origins();
    let key = |origin: &FieldOrigin| origin.path.split('.').next().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for group in origins.chunk_by(|a, b| key(a) == key(b)) {
        let is_of_one = group.iter().all(|origin| origin.layer == group[0].layer);
        let shown = if is_of_one { &group[..1] } else { group };
        rows.extend(shown.iter().map(|origin| OriginRow {
            path: if is_of_one { key(origin) } else { origin.path.clone() },
            layer: label(inventory, origin.layer),
            place: origin.place.clone(),
        }));
    }
    rows
}
