//! `include` of a Compose project: the services of other files, with variables and paths of their own. The files of
//! the project itself belong in `project`.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use super::super::files::{directory_of, resolved};
use super::super::{DeploymentError, DeploymentPart};
use super::document::{Taint, Variables, place};
use super::paths;
use super::project::{ALL, ComposeProject, Scope, broken_chain};
use crate::base::yaml::tree::{MapEntry, Node, NodeValue, YamlDocuments};

impl ComposeProject<'_> {
    pub(super) fn include(
        &mut self,
        own: &mut Vec<MapEntry>,
        scope: &Scope,
        include: &Node,
    ) -> Result<(), DeploymentError> {
        for item in include.items() {
            let files = match item.text() {
                Some(_) => vec![item],
                None => item.get("path").map(one_or_more).unwrap_or_default(),
            };
            let mut found = Vec::new();
            for file in files {
                let written = file.text().unwrap_or_default();
                let path = resolved(&scope.directory, written);
                match path.filter(|path| self.reader.is_file(path).unwrap_or(false)) {
                    Some(path) => found.push(path),
                    None => self.note(
                        ALL,
                        &file.spot,
                        format!("there is no file `{written}` to include, so its values are missing"),
                    ),
                }
            }
            let Some(first) = found.first().cloned() else { continue };
            if let Some(why) = broken_chain(scope.included.contains(&first), scope.included.len()) {
                self.note(ALL, &item.spot, format!("`include` {why}, and is left out"));
                continue;
            }
            let inner = self.included_scope(scope, item, &first)?;
            let mut services = Vec::new();
            for path in found {
                self.reader.refer_to(&path);
                let YamlDocuments { nodes, tags, empty } = self.reader.tagged(&path)?;
                self.note_empty(&empty);
                for document in nodes {
                    self.add_to(&mut services, &inner, document, &tags)?;
                }
            }
            self.import(own, services, scope, &inner);
        }
        Ok(())
    }

    fn included_scope(&mut self, scope: &Scope, item: &Node, first: &str) -> Result<Scope, DeploymentError> {
        let directory =
            match item.text_of("project_directory").and_then(|written| resolved(&scope.directory, written)) {
                Some(directory) => directory,
                None => directory_of(first).to_owned(),
            };
        let mut files = Vec::new();
        for file in item.get("env_file").map(one_or_more).unwrap_or_default() {
            let written = file.text().unwrap_or_default();
            match resolved(&scope.directory, written)
                .filter(|path| self.reader.is_file(path).unwrap_or(false))
            {
                Some(path) => files.push(path),
                None => self.note(
                    ALL,
                    &file.spot,
                    format!("the file `{written}` is not among the files of the repository"),
                ),
            }
        }
        if item.get("env_file").is_none() {
            files.extend(
                paths::joined(&directory, ".env").filter(|path| self.reader.is_file(path).unwrap_or(false)),
            );
        }
        let (mut variables, mut unknown) = (Variables::new(), BTreeSet::new());
        for file in files {
            self.read_variables(&file, &scope.variables, &mut variables, &mut unknown)?;
        }
        // Variables of the including project win, with a known value or not.
        unknown.retain(|name| !scope.variables.contains_key(name));
        unknown.extend(scope.unknown.iter().cloned());
        variables.retain(|name, _| !scope.unknown.contains(name));
        variables.extend(scope.variables.iter().map(|(name, known)| (name.clone(), known.clone())));
        let included = scope.included.iter().cloned().chain([first.to_owned()]).collect();
        Ok(Scope { directory, variables: Rc::new(variables), unknown: Rc::new(unknown), included })
    }

    fn import(&mut self, own: &mut Vec<MapEntry>, services: Vec<MapEntry>, scope: &Scope, inner: &Scope) {
        let prefix = paths::relative(&scope.directory, &inner.directory);
        let mut known: HashSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
        for mut entry in services {
            if !known.insert(entry.key.clone()) {
                let message = "this service is already defined; the included one is ignored";
                self.note(&entry.key.clone(), &entry.spot, message);
                continue;
            }
            paths::rebase(&mut entry.node, &prefix);
            self.pass_on(&mut entry.node, &inner.variables);
            own.push(entry);
        }
    }

    /// Gives names without a value in an `environment` list the values that the included file has for
    /// them.
    fn pass_on(&mut self, service: &mut Node, variables: &Variables) {
        let NodeValue::Map(fields) = &mut service.value else { return };
        for field in fields.iter_mut().filter(|field| field.key == "environment") {
            let NodeValue::List(items) = &mut field.node.value else { continue };
            for item in items {
                let NodeValue::Scalar { text, .. } = &mut item.value else { continue };
                if let Some(known) = variables.get(text.as_str()) {
                    let (name, parts) = (text.clone(), known.parts.clone());
                    text.push('=');
                    text.push_str(&known.text);
                    let part = DeploymentPart { name, range: 0..known.text.len(), known: true };
                    let parts = parts.into_iter().chain([part]).collect();
                    let unset = known.unset().map(str::to_owned).collect();
                    let taint = Taint { unset, text: known.text.clone(), parts, ..Taint::default() };
                    self.taints.insert(place(&item.spot), Rc::new(taint));
                }
            }
        }
    }
}

/// Returns a text, or the items of a list.
fn one_or_more(node: &Node) -> Vec<&Node> {
    match &node.value {
        NodeValue::List(items) => items.iter().collect(),
        _ => vec![node],
    }
}
