//! The JSON Schema of the files of an inventory, for editors and other validators, made from the types that `cki`
//! reads. The types belong in `entry`; what a schema cannot express belongs in `check`.

pub(super) mod scalars;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::check::Rule;
use super::entry::{ComponentEntry, HeadIgnoreDecl, IgnoreDecl, InventoryFile};

/// Returns the schema of draft 7, which every editor reads, for all files of an inventory: a file with a key that
/// only the head has is a head, any other an entry.
#[must_use]
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft07().with_transform(Strict).into_generator();
    let entry = generator.subschema_for::<ComponentEntry>();
    let head = generator.subschema_for::<InventoryFile>();
    let mut definitions = generator.take_definitions(true);
    for name in [IgnoreDecl::schema_name(), HeadIgnoreDecl::schema_name()] {
        let rules: Vec<&str> = Rule::ALL.iter().map(|(_, name, ..)| *name).collect();
        definitions[name.as_ref()]["properties"]["rule"]["enum"] = json!(rules);
    }
    // Only a file of its own gives an entry these.
    let whole = json!({"allOf": [{"$ref": "#/definitions/Entry"}, {"required": ["category", "name"]}]});
    definitions["Inventory"]["properties"]["components"]["items"] = whole;
    let keys = |name: &str| definitions[name]["properties"].as_object().into_iter().flat_map(Map::keys);
    let only_in_head = keys("Inventory").filter(|key| keys("Entry").all(|other| other != *key));
    let only_in_head: Vec<Value> = only_in_head.map(|key| json!({"required": [key]})).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Inventory of `cki`",
        "description": "`inventory.yaml`, or an entry at `CATEGORY/NAME.yaml`.",
        "if": {"anyOf": only_in_head},
        "then": head,
        "else": entry,
        "definitions": definitions,
    })
}

/// Rejects unknown keys, which are findings of `cki inventory check`, and accepts any scalar as text, as the reader
/// of YAML does.
#[derive(Debug, Clone)]
struct Strict;

impl Transform for Strict {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(keys) = schema.as_object_mut() else { return };
        // Formats of numbers are no standard ones, and the defaults are those of the program.
        keys.retain(|key, _| !["format", "default"].contains(&key.as_str()));
        if keys.contains_key("properties") {
            keys.entry("additionalProperties").or_insert(json!(false));
        }
        let is_text = |kind: &Value| {
            *kind == "string" || kind.as_array().is_some_and(|all| all.contains(&json!("string")))
        };
        let is_free = !["enum", "pattern", "minLength"].iter().any(|rule| keys.contains_key(*rule));
        if let Some(kind) = keys.get_mut("type").filter(|kind| is_free && is_text(kind)) {
            let mut kinds = json!(["string", "number", "boolean"]);
            if kind.is_array() {
                kinds.as_array_mut().into_iter().for_each(|all| all.push(json!("null")));
            }
            *kind = kinds;
        }
    }
}
