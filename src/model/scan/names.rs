//! Variables that a text names without a call: names alone, struct tags, formats of `envsubst`, scripts
//! in arguments, fields of settings classes, prefixes. Calls and entries of tables belong in `analysis`.

use tree_sitter::Node;

use super::analysis::SourceReader;
use super::arithmetic::{ArithmeticName, names_in};
use super::capture_sites::{Arithmetic, CaptureSite, Name, PlaceKind};
use super::references::references;
use super::rules::by_end;
use super::settings_class::{SettingsClass, settings_class};
use super::syntax;
use super::tags::tag_reads;
use super::{EnvRead, Requirement};
use crate::model::environment::is_variable_name;

/// Words before a command that do not change its meaning.
const BEFORE_COMMAND: [&str; 12] = [
    "busybox", "command", "doas", "env", "exec", "nice", "nohup", "stdbuf", "sudo", "time", "timeout",
    "xargs",
];
/// Maximum depth of concatenated words.
const DEEPEST: usize = 6;

impl<'t> SourceReader<'_, 't> {
    /// Returns the prefix that blocks around a read of an object put before names, or `None` if it is
    /// unknown.
    pub(super) fn prefix(&self, read: Node<'_>, path: &str) -> Option<String> {
        let head = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        let mut prefix = String::new();
        for scope in self.notes.prefixes.iter().filter(|scope| scope.body.contains(&read.start_byte())) {
            let function = syntax::path(scope.function, self.text)?;
            if head(&function) == head(path) && self.getter(&function).is_some_and(|getter| getter.prefix) {
                prefix.push_str(&syntax::literal(scope.prefix, self.text)?);
            }
        }
        Some(prefix)
    }

    /// Returns the known prefix of the names that a place reads.
    pub(super) fn prefix_of(&self, place: &CaptureSite<'t>) -> String {
        let (PlaceKind::Call { function: node, .. } | PlaceKind::Entry { object: node, .. }) = &place.kind
        else {
            return String::new();
        };
        let path = syntax::path(*node, self.text).unwrap_or_default();
        self.prefix(place.read, &path).unwrap_or_default()
    }

    pub(super) fn take_name(&mut self, name: &Name<'t>) {
        let Some(node) = name.target(name.node) else { return self.add_unknown(name.node) };
        let written = &self.text[node.byte_range()];
        let literal = syntax::literal(node, self.text);
        let is_expression = name.expression && literal.is_none();
        let said =
            if is_expression { self.said(node, false) } else { literal.or_else(|| Some(written.to_owned())) };
        let Some(mut said) = said else { return self.add_unknown(node) };
        if name.upper {
            said = said.to_uppercase();
        }
        if !is_variable_name(&said)
            || self.notes.is_excepted(node)
            || self.notes.is_assigned(&said, node.start_byte())
        {
            return;
        }
        let need = match (name.default, name.required || self.notes.strict) {
            (true, _) => Requirement::Default,
            (false, true) => Requirement::Required,
            (false, false) => Requirement::Optional,
        };
        self.add(node, said, need, name.build);
    }

    pub(super) fn take_tag(&mut self, place: &CaptureSite<'t>) {
        let reads = tag_reads(self.language, &self.text[place.read.byte_range()]);
        for (name, need) in reads.names {
            self.add(place.read, name, need, false);
        }
        if reads.is_prefix {
            self.add_unknown(place.read);
        }
    }

    /// Reads the variables in arithmetic.
    pub(super) fn take_arithmetic(&mut self) {
        for Arithmetic { node, array } in std::mem::take(&mut self.notes.arithmetic) {
            if array.is_some_and(|array| self.notes.associative.contains(&array)) {
                continue;
            }
            let text = &self.text[node.byte_range()];
            for ArithmeticName { name, at, is_set } in names_in(text) {
                let place = node.start_byte() + at;
                if is_set || !is_variable_name(name) || self.notes.is_assigned(name, place) {
                    continue;
                }
                let need = if self.notes.strict { Requirement::Required } else { Requirement::Optional };
                let line = node.start_position().row + 1 + text[..at].matches('\n').count();
                let test = self.notes.is_test(node);
                self.found.finds.push(EnvRead { name: name.to_owned(), line, need, build: false, test });
            }
        }
    }

    /// Reads the formats of `envsubst`.
    pub(super) fn take_substitutions(&mut self) {
        for command in std::mem::take(&mut self.notes.substitutions) {
            let mut cursor = command.walk();
            let words: Vec<Node<'_>> = command
                .named_children(&mut cursor)
                .filter(|word| {
                    !matches!(word.kind(), "variable_assignment" | "file_redirect" | "herestring_redirect")
                })
                .collect();
            let written = |word: &Node<'_>| self.text[word.byte_range()].to_owned();
            let is_it = |word: &Node<'_>| written(word).rsplit('/').next() == Some("envsubst");
            let Some(at) = words.iter().position(is_it) else { continue };
            let before: Vec<String> = words[..at].iter().map(written).collect();
            let runs = before.first().is_none_or(|first| BEFORE_COMMAND.contains(&first.as_str()));
            if !runs || before.iter().any(|word| word == "-v" || word == "-V") {
                continue;
            }
            let mut names = Vec::new();
            let is_known = words[at + 1..].iter().all(|word| format_names(*word, self.text, &mut names, 0));
            if !is_known || names.is_empty() {
                self.add_unknown(command);
            }
            for name in names {
                self.add(command, name, Requirement::Optional, false);
            }
        }
    }

    /// Takes the scripts in the arguments of commands.
    pub(super) fn scripts(&mut self) -> Vec<NestedScript> {
        let commands = std::mem::take(&mut self.notes.scripts);
        commands.into_iter().flat_map(|command| self.scripts_of(command)).collect()
    }

    fn scripts_of(&self, command: Node<'_>) -> Vec<NestedScript> {
        let mut cursor = command.walk();
        let words: Vec<Node<'_>> = command.named_children(&mut cursor).collect();
        let written = |word: &Node<'_>| &self.text[word.byte_range()];
        // A string in double quotes is expanded by the outer shell, which reads its variables.
        let script = |word: Node<'_>, in_same_shell| NestedScript {
            line: word.start_position().row,
            text: self.text[word.byte_range()].trim_matches('\'').to_owned(),
            in_same_shell,
        };
        let raw = |word: &Node<'_>| word.kind() == "raw_string";
        match words.first().map(&written) {
            Some("trap") => {
                words.iter().filter(|word| raw(word)).take(1).map(|word| script(*word, true)).collect()
            }
            Some("watch") => words.iter().filter(|word| raw(word)).map(|word| script(*word, false)).collect(),
            Some("alias") => words.iter().filter_map(quoted).map(|word| script(word, true)).collect(),
            _ => {
                let starts_shell = |word: &Node<'_>| {
                    syntax::is_shell(written(word)) || matches!(written(word), "su" | "runuser")
                };
                let Some(shell) = words.iter().position(starts_shell) else { return Vec::new() };
                let is_option =
                    |word: &Node<'_>| written(word).starts_with('-') && written(word).ends_with('c');
                let Some(option) = words[shell + 1..].iter().position(is_option) else { return Vec::new() };
                let found = words.get(shell + option + 2).filter(|word| raw(word));
                found.map(|word| script(*word, false)).into_iter().collect()
            }
        }
    }

    /// Reads the fields of settings classes.
    pub(super) fn take_settings(&mut self) {
        let mut known: Vec<SettingsClass> = Vec::new();
        for class in std::mem::take(&mut self.notes.classes) {
            let base = |path: &str| {
                self.meanings(path).iter().any(|path| by_end(&self.language.settings, path).is_some())
            };
            let Some(class) = settings_class(class, self.text, &known, &base) else { continue };
            for (node, name, need) in &class.fields {
                self.add(*node, name.clone(), *need, false);
            }
            for node in &class.unknown {
                self.add_unknown(*node);
            }
            known.push(class);
        }
    }
}

/// Returns the last part of a word in single quotes: `name='value'`.
fn quoted<'t>(word: &Node<'t>) -> Option<Node<'t>> {
    let parts = 0..u32::try_from(word.named_child_count()).ok()?;
    parts.rev().filter_map(|at| word.named_child(at)).find(|part| part.kind() == "raw_string")
}

/// A script in the argument of a command.
pub(super) struct NestedScript {
    /// Lines before it.
    pub(super) line: usize,
    pub(super) text: String,
    /// The shell of the command runs it, and knows its own variables there.
    pub(super) in_same_shell: bool,
}

/// Adds the names in a word of the format of `envsubst`; returns `false` if they are known only at run
/// time.
fn format_names(word: Node<'_>, text: &str, names: &mut Vec<String>, depth: usize) -> bool {
    let written = &text[word.byte_range()];
    let said = match word.kind() {
        "raw_string" => written.to_owned(),
        "word" => written.replace('\\', ""),
        "string" | "concatenation" | "string_content" if depth < DEEPEST => {
            let mut cursor = word.walk();
            let parts: Vec<Node<'_>> = word.named_children(&mut cursor).collect();
            if parts.iter().any(|part| part.kind() != "string_content") {
                return parts.into_iter().all(|part| format_names(part, text, names, depth + 1));
            }
            written.replace('\\', "")
        }
        "number" => return true,
        _ => return false,
    };
    names.extend(references(&said).into_iter().map(|(name, ..)| name));
    true
}
