//! The built-in inventory: its files, and their compiled form.

use std::collections::HashMap;

use crate::base::assets;
use crate::base::yaml::{self, CompiledDocument, YamlError};
use crate::model::inventory::{Inventory, InventoryDocument, InventoryError};
use crate::model::reference::Reference;

/// Name of the compiled built-in inventory; a golden test compiles it from its files.
const COMPILED: &str = "inventory.compiled";

/// Loads the built-in inventory.
pub(super) fn load() -> Result<Inventory, InventoryError> {
    let mut compiled: HashMap<&str, CompiledDocument<'_>> =
        yaml::compiled(assets::embedded_text(COMPILED).unwrap_or_default()).into_iter().collect();
    let documents = documents().into_iter().map(|document| {
        let compiled = document.file.strip_prefix(assets::BUILT_IN).and_then(|file| compiled.remove(file));
        (document, compiled)
    });
    Inventory::read_compiled("built in", documents.collect())
}

/// Returns the files of the built-in inventory.
pub(super) fn documents() -> Vec<InventoryDocument> {
    assets::embedded_tree("inventory")
        .into_iter()
        .filter_map(|(path, content)| {
            let file = path.to_str()?;
            Some(InventoryDocument {
                file: format!("{}{file}", assets::BUILT_IN),
                text: std::str::from_utf8(content).ok()?.into(),
                reference: file.strip_suffix(".yaml").and_then(Reference::parse),
            })
        })
        .collect()
}

/// Compiles the built-in inventory for the program, from its files in `templates/`.
///
/// # Errors
/// Fails when one of them is not YAML.
pub fn compile() -> Result<String, YamlError> {
    let documents = documents();
    let tree = |document: &InventoryDocument| -> Result<_, YamlError> {
        // An entry may be empty.
        let first = |text: &str| Ok(yaml::tree::documents(&document.file, text)?.into_iter().next());
        first(&document.text).and_then(|tree| if tree.is_none() { first("{}") } else { Ok(tree) })
    };
    let trees = documents.iter().map(tree).collect::<Result<Vec<_>, _>>()?;
    let name =
        |document: &'_ InventoryDocument| document.file.trim_start_matches(assets::BUILT_IN).to_owned();
    let names: Vec<String> = documents.iter().map(name).collect();
    let named = names.iter().zip(trees).filter_map(|(name, tree)| Some((name.as_str(), tree?)));
    Ok(yaml::compile(&named.collect::<Vec<_>>()))
}
