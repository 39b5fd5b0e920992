//! The names under which a repository publishes its program: images, modules and packages. The directory of a clone may
//! have any other name.

use std::path::{Path, PathBuf};

use super::drafting::Drafting;
use super::files::{self, FoundFiles};
use crate::base::yaml::tree;
use crate::model::draft::{ComposeServiceFacts, image_name};
use crate::model::inventory::short_name;

impl Drafting<'_> {
    /// Finds the service that runs the published image of this repository, if the file builds nothing: it is
    /// the component, and is built here.
    pub(super) fn find_own(&self, services: &mut [ComposeServiceFacts], found: &FoundFiles) {
        let is_at_root = |path: &PathBuf| path.parent().is_some_and(|parent| parent.as_os_str().is_empty());
        let both = found.compose.first().is_some_and(is_at_root) && found.builds.iter().any(is_at_root);
        if !both || services.iter().any(|one| one.build.is_some()) {
            return;
        }
        let names = self.own_names();
        let is_own = |one: &ComposeServiceFacts| {
            names.contains(&one.name)
                || one.image.as_deref().is_some_and(|image| names.contains(&image_name(image).to_owned()))
        };
        // The only image that nobody else is known to publish is the repository's own.
        let is_unknown = |one: &ComposeServiceFacts| {
            one.image.as_deref().is_some_and(|image| !self.rules.knows_image(image) && image.contains('/'))
        };
        let only = |is_it: &dyn Fn(&ComposeServiceFacts) -> bool| {
            let mut found = (0..services.len()).filter(|at| is_it(&services[*at]));
            found.next().filter(|_| found.next().is_none())
        };
        let own = services.iter().position(is_own).or_else(|| only(&is_unknown));
        if let Some(at) = own {
            services[at].build = Some((".".to_owned(), None));
        }
    }

    /// Returns the names of the repository, of its Go module, and of its package.
    pub(super) fn own_names(&self) -> Vec<String> {
        let text = |name: &str| files::text(&self.sources, Path::new(name)).unwrap_or_default();
        let after = |text: &str, key: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(key).map(str::to_owned))?;
            Some(line.trim_start_matches([' ', '=']).trim_matches(['"', '\'', ' ']).to_owned())
        };
        let module = after(&text("go.mod"), "module ");
        let package = tree::documents("package.json", &text("package.json")).ok();
        let package = package.and_then(|all| all.first()?.text_of("name").map(str::to_owned));
        let tables =
            ["pyproject.toml", "Cargo.toml"].into_iter().filter_map(|file| after(&text(file), "name"));
        let all = [Some(self.repo.clone()), module, package].into_iter().flatten().chain(tables);
        // A module may end with its version.
        let is_version = |part: &str| part.strip_prefix('v').is_some_and(|rest| rest.parse::<u32>().is_ok());
        let last = |name: String| {
            let mut parts = name.rsplit('/').filter(|part| !is_version(part));
            parts.next().map(short_name)
        };
        all.filter_map(last).filter(|name| !name.is_empty()).collect()
    }
}
