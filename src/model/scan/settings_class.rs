//! Settings classes of pydantic: each field is a variable, under a prefix and perhaps under other names.
//! Which base classes make one is in the rules.

use tree_sitter::Node;

use super::Requirement;
use super::syntax::{self, Arguments};
use crate::model::environment::is_variable_name;

/// Maximum nodes of an annotation to look at.
const NODES: usize = 200;

/// A class whose fields are variables.
pub(super) struct SettingsClass<'t> {
    name: String,
    prefix: String,
    has_case: bool,
    pub(super) fields: Vec<(Node<'t>, String, Requirement)>,
    /// Parts that only a run can resolve.
    pub(super) unknown: Vec<Node<'t>>,
}

/// Reads a class, if it has a settings class as base. `known` holds those before it in the text.
pub(super) fn settings_class<'t>(
    class: Node<'t>,
    text: &str,
    known: &[SettingsClass<'t>],
    is_base: &dyn Fn(&str) -> bool,
) -> Option<SettingsClass<'t>> {
    let written = |node: Node<'_>| text[node.byte_range()].to_owned();
    let bases = Arguments::of(class.child_by_field_name("superclasses")?, text);
    let mut read = SettingsClass {
        name: written(class.child_by_field_name("name")?),
        prefix: String::new(),
        has_case: false,
        fields: Vec::new(),
        unknown: Vec::new(),
    };
    let mut is_settings = false;
    for base in &bases.by_position {
        let path = syntax::path(*base, text).unwrap_or_else(|| written(*base));
        if let Some(parent) = known.iter().find(|one| one.name == path) {
            is_settings = true;
            read.prefix.clone_from(&parent.prefix);
            read.has_case = parent.has_case;
        } else if is_base(&path) {
            is_settings = true;
        } else if path.ends_with("Settings") {
            // A class of another file, whose fields and prefix are not known here.
            is_settings = true;
            read.unknown.push(*base);
        }
    }
    if !is_settings {
        return None;
    }
    for (key, value) in bases.by_name {
        read.configure(&key, value, text);
    }
    let body = class.child_by_field_name("body")?;
    let mut cursor = body.walk();
    let statements: Vec<Node<'t>> = body.named_children(&mut cursor).collect();
    for statement in &statements {
        read.read_configuration(*statement, text);
    }
    for statement in statements {
        read.read_field(statement, text);
    }
    Some(read)
}

impl<'t> SettingsClass<'t> {
    /// Applies one key of the configuration of the class.
    fn configure(&mut self, key: &str, value: Node<'t>, text: &str) {
        let is_nothing = matches!(&text[value.byte_range()], "None" | "\"\"" | "''" | "False");
        match key {
            "env_prefix" => match syntax::literal(value, text) {
                Some(prefix) => self.prefix = prefix,
                None => self.unknown.push(value),
            },
            "case_sensitive" => self.has_case = &text[value.byte_range()] == "True",
            // Names of nested fields, names that a function makes, names in a table.
            "env_nested_delimiter" | "alias_generator" | "fields" if !is_nothing => self.unknown.push(value),
            _ => {}
        }
    }

    /// Reads `model_config = SettingsConfigDict(…)`, `model_config = {…}` and `class Config`.
    fn read_configuration(&mut self, statement: Node<'t>, text: &str) {
        if statement.kind() == "class_definition" {
            let Some(body) = statement.child_by_field_name("body") else { return };
            let mut cursor = body.walk();
            let assignments: Vec<_> = body.named_children(&mut cursor).filter_map(assignment).collect();
            for (name, _, value) in assignments {
                if let Some(value) = value {
                    self.configure(&text[name.byte_range()], value, text);
                }
            }
        }
        let Some((name, _, Some(value))) = assignment(statement) else { return };
        if &text[name.byte_range()] != "model_config" {
            return;
        }
        let pairs = match value.child_by_field_name("arguments") {
            Some(arguments) => arguments,
            None => value,
        };
        for (key, value) in Arguments::of(pairs, text).by_name {
            self.configure(key.trim_matches(['"', '\'']), value, text);
        }
    }

    fn read_field(&mut self, statement: Node<'t>, text: &str) {
        let Some((name, Some(annotation), value)) = assignment(statement) else { return };
        let (field, kind) = (&text[name.byte_range()], &text[annotation.byte_range()]);
        let last = kind.split('[').next().and_then(|kind| kind.rsplit('.').next()).unwrap_or_default();
        if field.starts_with('_') || field == "model_config" || last == "ClassVar" {
            return;
        }
        let call = value.filter(|value| is_field_call(*value, text)).or_else(|| field_call(annotation, text));
        let arguments = call.and_then(|call| call.child_by_field_name("arguments"));
        let arguments = arguments.map(|node| Arguments::of(node, text)).unwrap_or_default();
        let is_call = value.is_some() && value == call;
        let default = if is_call { arguments.get(Some(0), Some("default")) } else { value };
        let default = default.or_else(|| arguments.get(None, Some("default_factory")));
        let has_default = default.is_some_and(|default| &text[default.byte_range()] != "...");
        let need = match has_default {
            true => Requirement::Default,
            false if last == "Optional" || kind.contains("None") => Requirement::Optional,
            false => Requirement::Required,
        };
        let alias =
            ["validation_alias", "env", "alias"].iter().find_map(|key| arguments.get(None, Some(key)));
        let Some(alias) = alias else {
            let name = format!("{}{field}", self.prefix);
            self.add(statement, &name, need);
            return;
        };
        let choices = match (alias.kind(), alias.child_by_field_name("arguments")) {
            ("call", Some(arguments)) if text[alias.byte_range()].contains("AliasChoices") => {
                Arguments::of(arguments, text).by_position
            }
            ("list" | "tuple", _) => Arguments::of(alias, text).by_position,
            _ => vec![alias],
        };
        // Of several names, one is enough.
        let need = if choices.len() > 1 { need.min(Requirement::Optional) } else { need };
        for choice in choices {
            match syntax::literal(choice, text) {
                Some(name) => self.add(statement, &name, need),
                None => self.unknown.push(choice),
            }
        }
    }

    fn add(&mut self, statement: Node<'t>, name: &str, need: Requirement) {
        let name = if self.has_case { name.to_owned() } else { name.to_uppercase() };
        if is_variable_name(&name) {
            self.fields.push((statement, name, need));
        } else {
            self.unknown.push(statement);
        }
    }
}

/// Target, annotation and value of an assignment.
type Assignment<'t> = (Node<'t>, Option<Node<'t>>, Option<Node<'t>>);

/// Returns the parts of an assignment to a name.
fn assignment(statement: Node<'_>) -> Option<Assignment<'_>> {
    let inner = statement.named_child(0).filter(|_| statement.kind() == "expression_statement")?;
    let target = inner.child_by_field_name("left").filter(|left| left.kind() == "identifier")?;
    let part = |name| inner.child_by_field_name(name);
    (inner.kind() == "assignment").then(|| (target, part("type"), part("right")))
}

fn is_field_call(node: Node<'_>, text: &str) -> bool {
    let function = node.child_by_field_name("function").filter(|_| node.kind() == "call");
    function.is_some_and(|function| text[function.byte_range()].rsplit('.').next() == Some("Field"))
}

/// Returns the call of `Field` in an annotation: `Annotated[str, Field(alias="X")]`.
fn field_call<'t>(annotation: Node<'t>, text: &str) -> Option<Node<'t>> {
    let mut next = vec![annotation];
    for _ in 0..NODES {
        let node = next.pop()?;
        if is_field_call(node, text) {
            return Some(node);
        }
        let mut cursor = node.walk();
        next.extend(node.named_children(&mut cursor));
    }
    None
}
