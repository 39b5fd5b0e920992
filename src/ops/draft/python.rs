//! Python modules of a draft: a component of an image with several programs is a module. Components with a build file
//! of their own are in `drafting`.

use std::path::Path;

use super::drafting::Drafting;
use super::files::FoundFiles;
use crate::model::draft::DraftedComponent;

impl Drafting<'_> {
    /// Returns a component that runs the module of its name, in the image that the repository builds: `name.py` or
    /// `name/__main__.py`, the nearest to the root. There must be one only.
    pub(super) fn python_module(
        &self,
        name: &str,
        found: &FoundFiles,
        base: Option<&DraftedComponent>,
    ) -> Option<DraftedComponent> {
        let base = base?;
        let wanted = name.replace(['-', '.'], "_");
        let mut modules = found.python.iter().filter_map(|path| {
            let path = if path.ends_with("__main__.py") {
                path.parent()?.to_owned()
            } else {
                path.with_extension("")
            };
            (path.file_name()? == wanted.as_str()).then_some(path)
        });
        let module = modules.next()?;
        if modules.any(|other| other != module) {
            return None;
        }
        let dotted =
            |path: &Path| path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join(".");
        let is_directory = found.python.contains(&module.join("__main__.py"));
        let source = if is_directory { module.clone() } else { module.with_extension("py") };
        let module = module.strip_prefix("src").unwrap_or(&module);
        let source = Some(source.display().to_string());
        let command = vec!["python3".to_owned(), "-m".to_owned(), dotted(module)];
        if base.command == command {
            return Some(DraftedComponent { source, ..base.clone() });
        }
        Some(DraftedComponent {
            source,
            command,
            // The ports, the probe and the deployment are those of another command.
            ports: Vec::new(),
            health: None,
            deployment: Vec::new(),
            ..base.clone()
        })
    }
}
