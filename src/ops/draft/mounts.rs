//! Facts for a draft from the files that a Compose file mounts: files that a component needs, and the ports of components
//! that only a reverse proxy reaches. What a Compose file says is read in `model::draft`.

use std::path::{Path, PathBuf};

use super::compose::within;
use super::drafting::Drafting;
use super::files;
use crate::base::source_dir::SourceKind;
use crate::model::draft::{ComposeServiceFacts, MountFacts, forwarded_port};

/// Maximum number of files of configuration to read.
const CONFIGURATIONS: usize = 50;

impl Drafting<'_> {
    /// Returns the files of the repository that a built service mounts, each with its path in the container. Each is a
    /// finding, too: only a run that watches the sources has it.
    pub(super) fn mounted_files(
        &mut self,
        service: &ComposeServiceFacts,
        base: &Path,
        place: &str,
    ) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (one, from) in self.mounted(service, base) {
            let from = from.filter(|(_, kind)| *kind == SourceKind::File).map(|(from, _)| from);
            let label = one.label.as_ref().map_or_else(|| "file".to_owned(), Clone::clone);
            let message = match (&from, service.build.is_some()) {
                (Some(_), true) => "only a run with `--watch` has: or copy it in the build file",
                (None, _) if one.label.is_none() => continue,
                _ => "a run does not have: give the image what it needs in another way",
            };
            self.note(
                place,
                format!("`{}` expects the {label} at `{}`, which {message}", service.name, one.to),
            );
            if let Some(from) = from.filter(|_| service.build.is_some()) {
                found.push((from.display().to_string(), one.to.clone()));
            }
        }
        found
    }

    /// Returns the directories of the repository that a service mounts, each with its path in the container. Each is a
    /// finding, too: only a run that mounts the sources has it.
    pub(super) fn mounted_directories(
        &mut self,
        service: &ComposeServiceFacts,
        base: &Path,
        place: &str,
    ) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (one, from) in self.mounted(service, base) {
            let Some((from, SourceKind::Directory)) = from else { continue };
            let from = if from.as_os_str().is_empty() { ".".to_owned() } else { from.display().to_string() };
            self.note(
                place,
                format!(
                    "`{}` expects the directory `{from}` at `{}`, which only a run with `--mount` has",
                    service.name, one.to
                ),
            );
            found.push((from, one.to.clone()));
        }
        found
    }

    /// Returns the mounts of a service, each with its path in the repository and the kind of that, if there is one.
    fn mounted<'s>(
        &self,
        service: &'s ComposeServiceFacts,
        base: &Path,
    ) -> Vec<(&'s MountFacts, Option<(PathBuf, SourceKind)>)> {
        let place = |one: &MountFacts| {
            let from = within(base, one.from.as_deref()?)?;
            let kind = match from.as_os_str().is_empty() {
                true => SourceKind::Directory,
                false => self.sources.kind(&from).ok()??,
            };
            Some((from, kind))
        };
        service.mounts.iter().map(|one| (one, place(one))).collect()
    }

    /// Returns the port of a service that the configuration of another one names, such as that of a reverse proxy.
    pub(super) fn proxied_port(
        &self,
        service: &ComposeServiceFacts,
        services: &[ComposeServiceFacts],
        base: &Path,
    ) -> Option<u16> {
        let others = services.iter().filter(|other| other.name != service.name);
        let configurations = others.flat_map(|other| self.configurations(other, base)).take(CONFIGURATIONS);
        let texts = configurations.filter_map(|path| files::text(&self.sources, &path));
        let values = services.iter().flat_map(|other| &other.environment).map(|(_, value)| value.clone());
        values.chain(texts).find_map(|text| forwarded_port(&text, &service.name))
    }

    /// Returns the files of a service that are likely its configuration: those that it mounts, and those of the usual
    /// names in mounted directories and in the context of its build.
    fn configurations(&self, service: &ComposeServiceFacts, base: &Path) -> Vec<PathBuf> {
        let context = service.build.as_ref().map(|(context, _)| context.as_str());
        let mounted = service.mounts.iter().filter_map(|one| one.from.as_deref());
        let mut found = Vec::new();
        for path in mounted.chain(context).filter_map(|path| within(base, path)) {
            match self.sources.kind(&path) {
                Ok(Some(SourceKind::File)) => found.push(path),
                Ok(Some(SourceKind::Directory)) => {
                    let names = self.sources.names(&path).unwrap_or_default();
                    let names = names.into_iter().map(|name| name.to_string_lossy().into_owned());
                    found.extend(names.filter(|name| is_configuration(name)).map(|name| path.join(name)));
                }
                _ => {}
            }
        }
        found
    }
}

fn is_configuration(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".conf", ".conf.template", ".cfg"].iter().any(|end| name.ends_with(end))
        || ["conf", "caddyfile"].contains(&name.as_str())
}
