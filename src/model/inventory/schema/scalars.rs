//! Schemas of the types that are read from a scalar, or from one of several forms: ports, references, amounts. The
//! forms themselves belong to the types; a test of the parent module compares both.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::model::inventory::limits::{Capability, ContainerPath, Memory};
use crate::model::inventory::need_decl::NeedDecl;
use crate::model::inventory::secrecy::Secrecy;
use crate::model::port::DeclaredPort;
use crate::model::probe::ReadinessProbe;
use crate::model::reference::Reference;

/// Name of a category, an entry or a repository.
const NAME: &str = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}";
/// Name of an environment variable.
const VARIABLE: &str = r"^[^\s-][^\s=]*$";

/// Returns the schema of the name of a variable.
pub(in crate::model::inventory) fn variable(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "number", "boolean"], "pattern": VARIABLE})
}

/// Returns the schema of a name of a category or an entry.
pub(in crate::model::inventory) fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "number", "boolean", "null"], "pattern": format!("^{NAME}$")})
}

/// Returns the schema of the version of the format.
pub(in crate::model::inventory) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"enum": [1, null]})
}

/// Returns the schema of a mapping from names of variables to their values.
pub(in crate::model::inventory) fn variables(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "propertyNames": {"pattern": VARIABLE}, "additionalProperties": {"type": "string"}})
}

/// Returns the schema of the addresses of repositories, by their names.
pub(in crate::model::inventory) fn repositories(_: &mut SchemaGenerator) -> Schema {
    let name = format!("^{NAME}$");
    json_schema!({"type": "object", "propertyNames": {"pattern": name}, "additionalProperties": {"type": "string"}})
}

macro_rules! schema_of {
    ($($type:ty, $name:literal => $schema:expr;)+) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        })+
    };
}

schema_of! {
    Reference, "Reference" => json_schema!({
        "description": "An entry: `category/name`.",
        "type": "string",
        "pattern": format!("^{NAME}/{NAME}$"),
    });
    DeclaredPort, "Port" => json_schema!({
        "description": "A port: `5432`, `8080/http`, or `8080:80/http` with the port of this machine first.",
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 65535},
            {"type": "string", "pattern": "^([0-9]{1,5}:)?[0-9]{1,5}(/(http|tcp))?$"},
        ],
    });
    NeedDecl, "Need" => json_schema!({
        "description": "The name of a backing service or a component, or one name with a mapping of its parameters.",
        "anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": {"type": ["object", "null"]},
            },
        ],
    });
    ReadinessProbe, "ReadinessProbe" => json_schema!({
        "description": "When the component is ready: one of `http` with `port`, `tcp`, `exec` or `log`.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "http": {"type": "string", "description": "Path that answers with a status below 400."},
            "port": port("Port of `http`."),
            "tcp": port("Port that accepts a connection."),
            "exec": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string"},
                "description": "Command that exits with 0 in the container.",
            },
            "log": {
                "type": ["string", "number", "boolean"],
                "minLength": 1,
                "description": "Text in a line of the output.",
            },
        },
        "oneOf": [
            {"required": ["http", "port"]},
            {"required": ["tcp"]},
            {"required": ["exec"]},
            {"required": ["log"]},
        ],
        "dependencies": {"port": ["http"]},
    });
    Secrecy, "Secrecy" => json_schema!({"enum": [true, false, Secrecy::KEEP]});
    Memory, "Memory" => json_schema!({
        "description": "An amount of memory of 8 MiB at least: `512MiB`.",
        "type": "string",
        "pattern": "^ *[0-9]+ *([KMGTkmgt]i?)?B? *$",
    });
    Capability, "Capability" => json_schema!({
        "description": "A capability to keep, of capabilities(7).",
        "type": "string",
        "enum": Capability::known(),
    });
    ContainerPath, "ContainerPath" => json_schema!({
        "description": "An absolute path in the container.",
        "type": "string",
        "pattern": "^/[^:]+$",
    });
}

fn port(description: &str) -> Schema {
    json_schema!({"type": "integer", "minimum": 0, "maximum": 65535, "description": description})
}
