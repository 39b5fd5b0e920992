//! Deployments: a container's environment, command, ports and probe, read from Kubernetes and OpenShift
//! objects, kustomizations and Compose files. Pure: [`DeploymentFileSet`] provides the content of files. The
//! conversion for a local run belongs in [`super::environment`] and `ops`.
//!
//! Parts that `cki` does not understand are never ignored: each becomes a finding with its position.

mod candidate;
mod cluster_objects;
mod compose;
mod container;
mod container_env;
mod date;
mod document;
mod error;
pub mod expansion;
mod field_path;
mod files;
mod generator;
mod given;
mod interpolation;
mod json_patch;
mod kustomize;
mod kustomize_schema;
mod limits;
mod manifest;
mod merge;
mod object;
mod patch;
mod plain;
mod probe;
mod reference;
mod replacement;
mod scalar;
mod selector;
mod template;
mod texts;
mod transform;
mod variable;

use std::rc::Rc;

use crate::base::yaml::tree::YamlDocuments;
use crate::model::inventory::InventoryFinding;
use candidate::Candidate;
pub use cluster_objects::{ClusterDeployment, ClusterObject, cluster_objects};
use compose::Projects;
pub use error::{Because, DeploymentError, FileTrouble};
use error::{finding, wrong};
#[cfg(test)]
pub(in crate::model) use files::tests::FileCache;
pub use files::{DeploymentFileSet, DeploymentItem, FileKind};
use files::{FileReader, name_of};
pub use given::{DeployedContainer, Deployment, DeploymentPart, EnvEntry, EnvVarSource};
pub use interpolation::fill;
use object::Object;

/// Objects and services of all files.
#[derive(Default)]
struct ParsedFiles<'a> {
    objects: Vec<Object>,
    projects: Projects<'a>,
    findings: Vec<InventoryFinding>,
    /// Marks that an unread part may contain the component's container.
    is_incomplete: bool,
}

impl<'a> ParsedFiles<'a> {
    fn read(items: &[DeploymentItem<'a>]) -> Result<Self, DeploymentError> {
        let mut pool = Self::default();
        for item in items {
            let reader = Rc::new(FileReader::new(item.files));
            let outside = || DeploymentError::Outside { place: item.place.into(), path: item.path.into() };
            let path = files::resolved("", item.path).ok_or_else(outside)?;
            match reader.kind(&path)? {
                None => {
                    return Err(DeploymentError::Missing {
                        place: item.place.into(),
                        path: item.path.into(),
                    });
                }
                Some(FileKind::Directory) => read_directory(&reader, &path, &mut pool)?,
                Some(FileKind::File) if kustomize::is_name(name_of(&path)) => {
                    let objects = kustomize::build(&reader, files::directory_of(&path), &mut pool.findings)?;
                    pool.objects.extend(objects);
                }
                Some(FileKind::File) => read_file(&reader, &path, (true, true), &mut pool)?,
            }
            pool.is_incomplete |= reader.has_lost();
        }
        pool.objects = object::last_applied(std::mem::take(&mut pool.objects), &mut pool.findings);
        object::note_kinds(&pool.objects, &mut pool.findings);
        Ok(pool)
    }
}

/// Reads the deployment of a component.
///
/// # Errors
/// Fails when a file cannot be read or is invalid, or the component's container is ambiguous.
pub fn read(component: &str, items: &[DeploymentItem<'_>]) -> Result<Deployment, DeploymentError> {
    let mut pool = ParsedFiles::read(items)?;
    let services = pool.projects.services()?;
    pool.is_incomplete |= pool.projects.has_lost();
    pool.findings.extend(pool.projects.unused());
    let candidates = Candidate::all(&pool.objects, &services);
    let chosen = candidate::choose(component, items, &candidates, pool.is_incomplete, &mut pool.findings)?;
    let container = match chosen {
        Candidate::Container(one) => container::read(one, &pool.objects, &mut pool.findings),
        Candidate::Service(service) => pool.projects.container(service, &mut pool.findings),
    };
    Ok(Deployment { container, findings: pool.findings })
}

fn read_directory<'a>(
    reader: &Rc<FileReader<'a>>,
    directory: &str,
    pool: &mut ParsedFiles<'a>,
) -> Result<(), DeploymentError> {
    if kustomize::file_in(reader, directory)?.is_some() {
        let objects = kustomize::build(reader, directory, &mut pool.findings)?;
        pool.objects.extend(objects);
        return Ok(());
    }
    if manifest::note_chart(reader, directory, &mut pool.findings)? {
        return Ok(());
    }
    let mut names = reader.names(directory)?;
    manifest::note_templates(reader, directory, &names, &mut pool.findings)?;
    let chosen = pool.projects.select(reader, directory, &mut names, &mut pool.findings)?;
    for path in chosen.iter().flatten() {
        read_file(reader, path, (true, true), pool)?;
    }
    for name in names {
        let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        let is_read = [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
        if is_read && reader.is_file(&path)? {
            read_file(reader, &path, (chosen.is_none(), false), pool)?;
        }
    }
    Ok(())
}

/// Reads a file. A Compose file is left out unless it is one that Compose reads (`is_chosen`); one that is no deployment
/// file is a finding only if it is named, not if its directory is.
fn read_file<'a>(
    reader: &Rc<FileReader<'a>>,
    path: &str,
    (is_chosen, is_named): (bool, bool),
    pool: &mut ParsedFiles<'a>,
) -> Result<(), DeploymentError> {
    let YamlDocuments { nodes, tags, empty } = reader.tagged_manifests(path, &mut pool.findings)?;
    // The other documents of a Compose file belong to the project, too.
    let is_compose = nodes.iter().any(|node| node.get("kind").is_none() && compose::is_project(node));
    if is_compose && !is_chosen {
        pool.projects.add_unnamed(reader, path);
    } else if is_compose {
        pool.projects.add_empty(reader, empty);
    }
    for mut document in nodes {
        if document.get("kind").is_some() {
            scalar::kubectl_keys(&mut document, &tags, &mut pool.findings);
            pool.objects.extend(document::from_document(document, &mut pool.findings)?);
        } else if !is_compose && is_named {
            let message = "this is neither an object of Kubernetes nor a Compose file, and is not read";
            pool.findings.push(finding(&document.spot, message));
        } else if is_compose && is_chosen {
            pool.projects.add(reader, path, document, &tags);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
