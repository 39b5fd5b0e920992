//! Kustomizations: bases, components and overlays, combined in the order of `kustomize build`.
//! Unsupported parts become findings, and the rest is applied. Single transformations belong in
//! `transform`, `patch` and `replacement`.

use super::document::from_document;
use super::files::{FileKind, FileReader, name_of, note_outside, path_at};
use super::generator::Generator;
use super::object::Object;
use super::texts::texts;
use super::transform::{self, StrategyEnd};
use super::variable::{self, DeployedVariable};
use super::{DeploymentError, finding, kustomize_schema, patch, reference, replacement, scalar, wrong};
use crate::base::yaml::tree::{Location, Node, YamlDocuments};
use crate::model::inventory::InventoryFinding;

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Keys without effect on a container.
const IGNORED_FIELDS: &[&str] =
    &["apiVersion", "buildMetadata", "kind", "metadata", "sortOptions", "validators"];

/// Supported keys.
const READ: &[&str] = &[
    "bases",
    "commonAnnotations",
    "commonLabels",
    "components",
    "configMapGenerator",
    "generatorOptions",
    "images",
    "labels",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replacements",
    "replicas",
    "resources",
    "secretGenerator",
    "vars",
];

/// Returns whether a file of this name is a kustomization.
pub(super) fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Returns the paths at which a directory may have a kustomization.
fn names_in(directory: &str) -> impl Iterator<Item = String> {
    NAMES.iter().map(move |name| match directory {
        "" => (*name).to_owned(),
        _ => format!("{directory}/{name}"),
    })
}

/// Returns the kustomization of a directory, if there is one.
pub(super) fn file_in(reader: &FileReader<'_>, directory: &str) -> Result<Option<String>, DeploymentError> {
    for path in names_in(directory) {
        if reader.is_file(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Builds the kustomization of a directory.
pub(super) fn build(
    reader: &FileReader<'_>,
    directory: &str,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Vec<Object>, DeploymentError> {
    let position = crate::base::yaml::Position { line: 1, column: 1 };
    let spot = Location { file: reader.label(directory).into(), position };
    let mut builder = KustomizeBuilder { reader, findings, above: Vec::new(), variables: Vec::new() };
    let mut objects = Vec::new();
    let built = builder.directory(directory, &spot, &mut objects, "Kustomization");
    builder.hold_part(built)?;
    let variables = std::mem::take(&mut builder.variables);
    reference::follow(&mut objects, &mut |error| builder.hold(Err(error)))?;
    variable::fill(&mut objects, &variables, &mut |error| builder.hold(Err(error)))?;
    objects.retain(|object| {
        let mark = object.metadata("annotations").iter().find(|entry| entry.key == LOCAL);
        mark.is_none_or(|entry| entry.node.text() == Some("false"))
    });
    objects.iter_mut().for_each(|object| scalar::print(&mut object.node, findings));
    Ok(objects)
}

/// Annotation of objects that are not part of the output.
const LOCAL: &str = "config.kubernetes.io/local-config";

struct KustomizeBuilder<'a> {
    reader: &'a FileReader<'a>,
    findings: &'a mut Vec<InventoryFinding>,
    /// Directories that are being built.
    above: Vec<String>,
    variables: Vec<DeployedVariable>,
}

impl KustomizeBuilder<'_> {
    /// Converts an error to a finding, unless nothing more can be read.
    fn hold(&mut self, done: Result<(), DeploymentError>) -> Result<(), DeploymentError> {
        match done {
            Err(error @ DeploymentError::TooMuch { .. }) => Err(error),
            Err(error) => {
                self.findings.push(error.into_finding());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Converts an error like [`Self::hold`], and records that objects are missing.
    fn hold_part(&mut self, done: Result<(), DeploymentError>) -> Result<(), DeploymentError> {
        if done.is_err() {
            self.reader.lose();
        }
        self.hold(done)
    }

    /// Builds a directory on top of objects; only a component gets any.
    fn directory(
        &mut self,
        directory: &str,
        from: &Location,
        objects: &mut Vec<Object>,
        kind: &str,
    ) -> Result<(), DeploymentError> {
        if self.above.iter().any(|above| above == directory) {
            return Err(DeploymentError::Cycle { place: from.line(), path: self.reader.label(directory) });
        }
        let Some(path) = file_in(self.reader, directory)? else {
            return Err(wrong(
                from,
                format!("there is no kustomization in `{}`", self.reader.label(directory)),
            ));
        };
        self.note_second(directory, &path)?;
        let YamlDocuments { nodes, tags, .. } = self.reader.tagged(&path)?;
        let Some(node) = nodes.first() else { return Ok(()) };
        kustomize_schema::check(node, &tags, self.findings);
        if let Some(second) = nodes.get(1) {
            self.findings
                .push(finding(&second.spot, "a kustomization is one document, and this one is not read"));
        }
        let written = node.text_of("kind").unwrap_or("Kustomization");
        if written != kind {
            let message = format!("expected a {kind}, found a {written}");
            self.findings.push(finding(&node.spot, message));
        }
        self.above.push(directory.to_owned());
        let built = self.build(directory, node, objects);
        self.above.pop();
        built
    }

    /// Adds a finding if a directory has another kustomization than the one at `path`.
    fn note_second(&mut self, directory: &str, path: &str) -> Result<(), DeploymentError> {
        let start = crate::base::yaml::Position { line: 1, column: 1 };
        for other in names_in(directory).filter(|other| other != path) {
            if self.reader.is_file(&other)? {
                let spot = Location { file: self.reader.label(&other).into(), position: start };
                let message = format!(
                    "kustomize refuses a second kustomization in a directory: this one is not read, and `{}` is",
                    name_of(path)
                );
                self.findings.push(finding(&spot, message));
            }
        }
        Ok(())
    }

    fn build(
        &mut self,
        directory: &str,
        node: &Node,
        objects: &mut Vec<Object>,
    ) -> Result<(), DeploymentError> {
        for entry in node.entries() {
            let key = entry.key.as_str();
            if !READ.contains(&key) && !IGNORED_FIELDS.contains(&key) {
                self.findings.push(patch::unknown(key, &entry.spot));
            }
        }
        let mut named = texts(node.get("resources"), "resources", self.findings);
        named.extend(texts(node.get("bases"), "bases", self.findings));
        for (path, spot) in named {
            let mut more = Vec::new();
            let read = self.resource(directory, &path, &spot, &mut more);
            self.hold_part(read)?;
            self.append(objects, more);
        }
        for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            for item in items(node, key) {
                let options = node.get("generatorOptions");
                let generator = Generator { reader: self.reader, directory, kind, item, options };
                let made = generator.apply(objects, self.findings);
                self.hold(made)?;
            }
        }
        // Components follow the generators, since they may change generated objects.
        for (path, spot) in texts(node.get("components"), "components", self.findings) {
            if is_remote(&path) {
                self.note_remote(&path, &spot);
                continue;
            }
            let built = path_at(directory, &path, &spot)
                .and_then(|below| self.directory(&below, &spot, objects, "Component"));
            self.hold_part(built)?;
        }
        self.transform(directory, node, objects)?;
        for item in items(node, "vars") {
            let defined = variable::define(item, objects, &mut self.variables);
            self.hold(defined)?;
        }
        Ok(())
    }

    /// Applies the transformations to all collected objects.
    fn transform(
        &mut self,
        directory: &str,
        node: &Node,
        objects: &mut Vec<Object>,
    ) -> Result<(), DeploymentError> {
        let reader = self.reader;
        for item in items(node, "patchesStrategicMerge") {
            let done = patch::strategic_item(reader, directory, item, objects, self.findings);
            self.hold(done)?;
        }
        for item in items(node, "patches") {
            let done = patch::item(reader, directory, item, objects, self.findings);
            self.hold(done)?;
        }
        if let Some(namespace) = node.get("namespace") {
            let done = transform::set_namespace(objects, namespace);
            self.hold(done)?;
        }
        for (key, end) in [("namePrefix", StrategyEnd::Prefix), ("nameSuffix", StrategyEnd::Suffix)] {
            if let Some(text) = node.text_of(key).filter(|text| !text.is_empty()) {
                transform::rename(objects, end, text);
            }
        }
        self.metadata(node, objects);
        for item in items(node, "patchesJson6902") {
            let done = patch::json_item(reader, directory, item, objects, self.findings);
            self.hold(done)?;
        }
        for item in items(node, "replicas") {
            let done = transform::set_replicas(objects, item);
            self.hold(done)?;
        }
        for item in items(node, "images") {
            let done = transform::set_image(objects, item);
            self.hold(done)?;
        }
        for item in items(node, "replacements") {
            match replacement::items(reader, directory, item, self.findings) {
                Ok(all) => {
                    for one in &all {
                        let done = replacement::apply(one, objects, self.findings);
                        self.hold(done)?;
                    }
                }
                Err(error) => self.hold(Err(error))?,
            }
        }
        Ok(())
    }

    /// Sets labels and annotations, by which patches and replacements may select.
    fn metadata(&mut self, node: &Node, objects: &mut [Object]) {
        for item in items(node, "labels") {
            if let Some(pairs) = item.get("pairs") {
                let is = |key: &str| item.get(key).is_some_and(Node::is_true);
                let in_templates = is("includeSelectors") || is("includeTemplates");
                transform::add_metadata(objects, "labels", pairs, in_templates);
            }
            if let Some(fields) = item.get("fields") {
                self.findings.push(patch::unknown("fields` in `labels", &fields.spot));
            }
        }
        for (key, to) in [("commonLabels", "labels"), ("commonAnnotations", "annotations")] {
            if let Some(given) = node.get(key) {
                transform::add_metadata(objects, to, given, true);
            }
        }
    }

    /// Adds objects; kustomize refuses an object that already exists.
    fn append(&mut self, objects: &mut Vec<Object>, more: Vec<Object>) {
        for object in more {
            match objects.iter().find(|known| known.is_same(&object)) {
                Some(known) => {
                    let message = format!(
                        "there is another {} `{}` at {}, which kustomize refuses: this one is left out",
                        object.kind(),
                        object.name(),
                        known.node.spot.line()
                    );
                    self.findings.push(finding(&object.node.spot, message));
                }
                None => objects.push(object),
            }
        }
    }

    fn resource(
        &mut self,
        directory: &str,
        path: &str,
        spot: &Location,
        objects: &mut Vec<Object>,
    ) -> Result<(), DeploymentError> {
        if is_remote(path) {
            self.note_remote(path, spot);
            return Ok(());
        }
        let below = path_at(directory, path, spot)?;
        match self.reader.kind(&below)? {
            Some(FileKind::Directory) => self.directory(&below, spot, objects, "Kustomization"),
            Some(FileKind::File) => {
                note_outside(directory, &below, spot, self.findings);
                let YamlDocuments { nodes, tags, .. } =
                    self.reader.tagged_manifests(&below, self.findings)?;
                for document in nodes {
                    scalar::check_keys(&document, &tags, self.findings);
                    if document.get("kind").is_none() {
                        self.findings.push(finding(&document.spot, "this has no `kind`, and is not read"));
                        continue;
                    }
                    objects.extend(from_document(document, self.findings)?);
                }
                Ok(())
            }
            None => {
                Err(wrong(spot, format!("there is no file or directory `{path}`, so its values are missing")))
            }
        }
    }

    fn note_remote(&mut self, path: &str, spot: &Location) {
        self.reader.lose();
        let message = format!("`{path}` is in another repository, and is not read");
        self.findings.push(finding(spot, message));
    }
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).map_or(&[][..], Node::items)
}

/// Returns whether a resource is remote: a URL, or `user@host:path` as in SSH.
fn is_remote(path: &str) -> bool {
    let is_ssh = path.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'));
    path.contains("://")
        || path.contains("?ref=")
        || path.contains("?version=")
        || is_ssh
        || ["github.com/", "gitlab.com/", "bitbucket.org/", "git::"].iter().any(|head| path.starts_with(head))
}
