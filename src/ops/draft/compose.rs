//! The Compose file of a draft: what it builds, and the images that this needs. The other files are up to `draft`.

use std::collections::BTreeSet;
use std::path::{Component as Part, Path, PathBuf};

use super::drafting::Drafting;
use super::files::{self, FoundFiles};
use crate::base::yaml::tree;
use crate::model::draft::{
    ComposeFacts, ComposeServiceFacts, DraftedComponent, DraftedPort, DraftedVariable, names_host,
};
use crate::model::environment::is_secret;
use crate::model::inventory::{Secrecy, short_name};

impl Drafting<'_> {
    /// Adds the services that the nearest Compose file builds.
    pub(super) fn compose(&mut self, found: &FoundFiles) {
        let Some(path) = found.compose.first() else { return };
        if !self.is_about_project(path, found) {
            return self.note(path.display().to_string(), "not read: the build file at the root decides");
        }
        for other in &found.compose[1..] {
            self.note(other.display().to_string(), format!("not read: `{}` is", path.display()));
        }
        let shown = path.display().to_string();
        let all = found.with_override(path);
        let mut facts = ComposeFacts::default();
        for path in &all {
            let shown = path.display().to_string();
            let Some(text) = files::text(&self.sources, path) else {
                return self.note(shown, "not read: it is no plain file of text, or too long");
            };
            let document = match tree::documents(&shown, &text) {
                Ok(documents) => documents.into_iter().next(),
                Err(error) => return self.note(shown, format!("not read: {error}")),
            };
            // Compose reads it for the variables of the file.
            let dotenv = files::text(&self.sources, &path.with_file_name(".env")).unwrap_or_default();
            let later = document.map(|document| ComposeFacts::read(document, &dotenv));
            facts.extend(later.unwrap_or_default(), &shown);
        }
        self.compose_files = all.iter().map(|path| path.display().to_string()).collect();
        let mut services = facts.services;
        for service in &mut services {
            let base = path.parent().unwrap_or(Path::new(""));
            for file in std::mem::take(&mut service.env_files) {
                let text = within(base, &file).and_then(|file| files::text(&self.sources, &file));
                service.add_variables(&text.unwrap_or_default());
            }
        }
        self.find_own(&mut services, found);
        self.leave_out_profiles(&mut services, &shown);
        self.compose_services.clone_from(&services);
        let built: Vec<&ComposeServiceFacts> = services.iter().filter(|one| one.build.is_some()).collect();
        let is_alone = built.len() == 1;
        for service in &built {
            self.compose_service(service, &services, path, is_alone);
        }
        for service in services.iter().filter(|one| one.build.is_none()) {
            let Some(image) = &service.image else { continue };
            match self.stand_in(service) {
                // Others may name it, or the sources imply it.
                Some(name) => {
                    self.images.insert(name, image.clone());
                }
                None => self.image_component(service, image, &services, path),
            }
        }
        self.follow_names();
        self.keep_shared_values(&services);
    }

    /// Returns whether a Compose file is about the project as a whole: it is at the root, or in a directory of this kind,
    /// or there is no build file at the root. One beside an example is about that example.
    fn is_about_project(&self, path: &Path, found: &FoundFiles) -> bool {
        let parent = path.parent().unwrap_or(Path::new(""));
        let is_at_root = |path: &Path| path.parent().is_none_or(|parent| parent.as_os_str().is_empty());
        let name = parent.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        is_at_root(path)
            || !found.builds.iter().any(|build| is_at_root(build))
            || ["docker", ".docker", "deploy", "deployment", "compose", "dev", "infra", "build"]
                .contains(&name.as_str())
    }

    /// Leaves out the services that Compose starts with a profile only, unless another one needs them or all are so.
    fn leave_out_profiles(&mut self, services: &mut Vec<ComposeServiceFacts>, shown: &str) {
        let is_started = |one: &ComposeServiceFacts| {
            one.profiles.is_empty() || self.scope.name().is_some_and(|name| name == short_name(&one.name))
        };
        let needed: BTreeSet<String> =
            services.iter().filter(|one| is_started(one)).flat_map(|one| one.needs.clone()).collect();
        if !services.iter().any(is_started) {
            return;
        }
        let (kept, left): (Vec<_>, Vec<_>) =
            services.drain(..).partition(|one| is_started(one) || needed.contains(&one.name));
        *services = kept;
        for one in left {
            let profiles = one.profiles.join("`, `");
            let message = format!("`{}` is left out: it has the profile `{profiles}`", one.name);
            self.note(place_of(&one, shown), message);
        }
    }

    /// Returns the backing service that replaces a service of the Compose file: one of the same kind and name, so that
    /// its address is the same. One with a login must be able to replace all values that name it.
    pub(super) fn stand_in(&self, service: &ComposeServiceFacts) -> Option<String> {
        let name = service.name.as_str();
        let known = self.rules.service_of(service.image.as_deref()?);
        // An image that the rules do not know is one of the service if it is called so, and listens where that does.
        let listens = || {
            let port = self.rules.port_of(name);
            service.build.is_none() && service.ports.iter().any(|(number, _)| Some(*number) == port)
        };
        let is_same = known.map_or_else(listens, |known| known == name);
        let provided = self.provided.get(name).filter(|_| is_same)?;
        let clients = self.compose_services.iter().filter(|one| one.name != name);
        let mut values = clients.flat_map(|one| &one.environment);
        let is_fit = !provided.has_login
            || values.all(|(variable, value)| {
                !names_host(variable, value, name) || provided.replaces(variable, value)
            });
        is_fit.then(|| name.to_owned())
    }

    /// Adds a component that runs an image of the Compose file under the name that it has there.
    fn image_component(
        &mut self,
        service: &ComposeServiceFacts,
        image: &str,
        services: &[ComposeServiceFacts],
        path: &Path,
    ) {
        let place = place_of(service, &path.display().to_string());
        let name = short_name(&service.name);
        if name != service.name {
            self.note(place.clone(), format!("`{}` is called `{name}` in a run", service.name));
        }
        let base = path.parent().unwrap_or(Path::new(""));
        let mounts = self.mounted_directories(service, base, &place);
        self.mounted_files(service, base, &place);
        let known = self.rules.image_port(image);
        let known = known.filter(|_| service.ports.is_empty()).map(|port| (port, None));
        let ports = service.ports.iter().copied().chain(known);
        let one = DraftedComponent {
            name,
            image: Some(image.to_owned()),
            deployment: self.deployment_of(service),
            ports: ports.map(|(port, host)| self.port(port, host)).collect(),
            needs: self.needs(service, services),
            capabilities: self.rules.image_capabilities(image).to_vec(),
            has_probe: service.has_probe,
            mounts,
            ..DraftedComponent::default()
        };
        self.add(one, &place);
    }

    /// Returns the deployment of a service: the files that Compose reads.
    fn deployment_of(&self, service: &ComposeServiceFacts) -> Vec<(String, Option<String>)> {
        self.compose_files.iter().map(|file| (file.clone(), Some(service.name.clone()))).collect()
    }

    /// Returns the names, in a run, of what a service of the Compose file needs.
    fn needs(&self, service: &ComposeServiceFacts, services: &[ComposeServiceFacts]) -> Vec<String> {
        let others = services.iter().filter(|other| service.needs.contains(&other.name));
        others.map(|other| self.stand_in(other).unwrap_or_else(|| short_name(&other.name))).collect()
    }

    /// Changes the dependencies on components that were given another name, since a backing service has theirs.
    fn follow_names(&mut self) {
        let renamed: Vec<(String, String)> = self
            .components
            .iter()
            .filter_map(|one| Some((short_name(one.deployment.first()?.1.as_deref()?), one.name.clone())))
            .filter(|(before, now)| before != now && self.provided.contains_key(before))
            .collect();
        for one in &mut self.components {
            for need in &mut one.needs {
                if let Some((_, now)) = renamed.iter().find(|(before, _)| before == need) {
                    need.clone_from(now);
                }
            }
        }
    }

    /// Keeps the passwords that the Compose file writes down for an image and its clients: they are the same, and the
    /// placeholders of secrets would not be. They remain secrets: a user may change them later to real ones.
    fn keep_shared_values(&mut self, services: &[ComposeServiceFacts]) {
        let name_of = |one: &DraftedComponent| one.deployment.first().and_then(|(_, name)| name.clone());
        let facts_of = |one: &DraftedComponent| {
            let name = name_of(one)?;
            services.iter().find(|service| service.name == name)
        };
        let images = self.components.iter().filter(|one| one.image.is_some());
        let of_images: Vec<&(String, String)> =
            images.filter_map(facts_of).flat_map(|facts| &facts.environment).collect();
        let passwords: Vec<&str> = of_images
            .iter()
            .filter(|(name, value)| {
                let name = name.to_ascii_uppercase();
                value.len() >= 3
                    && !value.contains('$')
                    && ["PASS", "SECRET", "TOKEN", "KEY"].iter().any(|word| name.contains(word))
            })
            .map(|(_, value)| value.as_str())
            .collect();
        for one in &mut self.components {
            let Some(facts) = facts_of(one) else { continue };
            for (name, value) in facts
                .environment
                .iter()
                .filter(|(_, value)| passwords.iter().any(|password| value.contains(password)))
            {
                let is_secret = passwords.contains(&value.as_str())
                    || self
                        .names
                        .as_ref()
                        .is_none_or(|names| names.suggests(name) || is_secret(name, value, names));
                let secret = Some(if is_secret { Secrecy::Kept } else { Secrecy::Open });
                let name = name.clone();
                one.environment.push(DraftedVariable { name, secret, ..DraftedVariable::default() });
            }
        }
    }

    fn compose_service(
        &mut self,
        service: &ComposeServiceFacts,
        services: &[ComposeServiceFacts],
        path: &Path,
        is_alone: bool,
    ) {
        let place = place_of(service, &path.display().to_string());
        let Some((context, file)) = &service.build else { return };
        let base = path.parent().unwrap_or(Path::new(""));
        let Some(directory) = within(base, context) else {
            return self.note(place, format!("`{}` is built from outside of the repository", service.name));
        };
        let named = file.as_deref().map(|file| within(&directory, file));
        let usual = ["Containerfile", "Dockerfile"].map(|name| directory.join(name));
        let build_file = match named {
            Some(Some(file)) => file,
            Some(None) => return self.note(place, "its build file is outside of the repository"),
            None => match usual
                .into_iter()
                .find(|file| self.sources.kind(file).is_ok_and(|kind| kind.is_some()))
            {
                Some(file) => file,
                None => return self.note(place, format!("there is no build file for `{}`", service.name)),
            },
        };
        let Some(text) = files::text(&self.sources, &build_file) else {
            return self
                .note(build_file.display().to_string(), "the build file is missing, or no plain file");
        };
        let mut one = self.component(&directory, &text);
        one.build_file = (file.is_some()).then(|| build_file.display().to_string());
        if one.directory.is_empty() {
            one.source = self.source_of(&build_file);
        }
        one.target.clone_from(&service.target);
        let wanted = if is_alone { &self.repo } else { &service.name };
        one.name = short_name(wanted);
        one.deployment = self.deployment_of(service);
        // Compose may override the command of the image.
        one.command.clear();
        // The image's ports are those of its own command.
        if service.has_command && service.ports.is_empty() {
            one.ports.clear();
        }
        if one.ports.is_empty() || !service.ports.is_empty() {
            let exposed = std::mem::take(&mut one.ports);
            let ports =
                service.ports.iter().copied().chain(exposed.into_iter().map(|port| (port.number, None)));
            let mut seen = BTreeSet::new();
            one.ports = ports
                .filter(|(port, _)| seen.insert(*port))
                .map(|(port, host)| self.port(port, host))
                .collect();
        }
        if one.ports.is_empty()
            && let Some(port) = self.proxied_port(service, services, base)
        {
            one.ports.push(DraftedPort { is_http: !self.rules.speaks_other(port), ..self.port(port, None) });
        }
        one.files = self.mounted_files(service, base, &place);
        one.mounts = self.mounted_directories(service, base, &place);
        // What a service publishes first is most likely a page, unless it is known to be something else.
        if let Some(first) = one.ports.first_mut()
            && first.host.is_some()
            && !self.rules.speaks_other(first.number)
        {
            first.is_http = true;
        }
        one.needs = self.needs(service, services);
        one.has_probe = service.has_probe;
        self.add(one, &place);
    }
}

/// Returns the place of a service. `shown` is the first Compose file.
fn place_of(service: &ComposeServiceFacts, shown: &str) -> String {
    format!("{}:{}", service.file.as_deref().unwrap_or(shown), service.line)
}

/// Returns a path of the repository, relative to its root; `None` if it leads out, or is an address.
pub(super) fn within(base: &Path, path: &str) -> Option<PathBuf> {
    if path.contains("://") {
        return None;
    }
    let mut whole = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            Part::Normal(name) => whole.push(name),
            Part::CurDir => {}
            Part::ParentDir => whole.pop().then_some(())?,
            Part::RootDir | Part::Prefix(_) => return None,
        }
    }
    Some(whole)
}
