//! Python modules in a clone: those that commands name, and those next to them.

use std::collections::BTreeSet;
use std::path::Path;

use super::paths::plain;
use crate::base::source_dir::{SourceDir, SourceKind};
use crate::base::text::nearest;
use crate::model::inventory::check::drift::RunnableModule;
use crate::model::inventory::{Component, Inventory, short_name};
use crate::model::reference::Reference;

/// Maximum number of modules in one directory.
const GROUP: usize = 200;
/// Maximum length of a command line in a word.
const LINE: usize = 4096;
/// Directories whose modules are no components.
const SKIPPED: [&str; 4] = ["test", "tests", "docs", "examples"];

/// A Python program in a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PythonProgram {
    /// Index of the word that names it.
    pub(super) at: usize,
    /// Module or path.
    pub(super) name: String,
    pub(super) is_module: bool,
}

/// Returns the Python program that a command runs.
pub(super) fn python_program(words: &[String]) -> Option<PythonProgram> {
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let is_shell = |word: &String| ["sh", "bash", "dash"].contains(&base(word).as_str());
    if words.first().is_some_and(is_shell) {
        let at = words.iter().position(|word| word.starts_with('-') && word.ends_with('c'))? + 1;
        let line = words.get(at).filter(|line| line.len() <= LINE)?;
        let program = python_program(&shell_words::split(line).ok()?)?;
        return Some(PythonProgram { at, ..program });
    }
    let python = words.iter().position(|word| base(word).starts_with("python"))?;
    let mut rest = words.iter().enumerate().skip(python + 1);
    while let Some((at, word)) = rest.next() {
        match word.as_str() {
            "-m" => {
                let (at, name) = rest.next()?;
                return Some(PythonProgram { at, name: name.clone(), is_module: true });
            }
            "-W" | "-X" => drop(rest.next()?),
            "-c" | "-" => return None,
            word if word.starts_with('-') => {}
            word => return Some(PythonProgram { at, name: word.to_owned(), is_module: false }),
        }
    }
    None
}

/// Returns the most similar module if a module is certainly missing: its package is one of the repository's, and it is
/// nowhere in it.
pub(super) fn missing_module(
    module: &str,
    component: &Component,
    sources: &[(&str, &SourceDir)],
) -> Option<Option<String>> {
    let parts: Vec<&str> = module.split('.').collect();
    if parts.iter().any(|part| part.is_empty() || !part.chars().all(|c| c.is_alphanumeric() || c == '_')) {
        return None;
    }
    let mut near = None;
    let mut is_own = false;
    for (repo, files) in sources {
        let kind = |path: &Path| files.kind(path).ok().flatten();
        is_own |= short_name(repo).replace('-', "_") == parts[0];
        for root in python_roots(component) {
            let root = Path::new(&root);
            let path = root.join(parts.join("/"));
            if kind(&path) == Some(SourceKind::Directory) || kind(&path.with_extension("py")).is_some() {
                return None;
            }
            let top = root.join(parts[0]);
            if kind(&top) != Some(SourceKind::Directory) {
                continue;
            }
            is_own = true;
            let parent = path.parent().unwrap_or(root);
            let names = files.names(parent).unwrap_or_default();
            let names: Vec<String> = names
                .iter()
                .map(|name| name.to_string_lossy().trim_end_matches(".py").to_owned())
                .filter(|name| !name.starts_with(['.', '_']))
                .collect();
            let last = parts[parts.len() - 1];
            if let Some(found) = nearest(last, names.iter().map(String::as_str)).first() {
                let before = &parts[..parts.len() - 1];
                near = Some(before.iter().chain([found]).copied().collect::<Vec<_>>().join("."));
            }
        }
    }
    is_own.then_some(near)
}

/// Returns the directories from which a component may import its modules.
fn python_roots(component: &Component) -> BTreeSet<String> {
    let context = component.build.as_ref().and_then(|build| build.context.as_deref());
    let paths = component.sources.iter().filter_map(|source| source.path.as_deref());
    let mut roots: BTreeSet<String> = [String::new(), "src".to_owned(), "lib".to_owned()].into();
    for path in paths.chain(context).filter_map(|path| plain(Path::new(path))) {
        for directory in Path::new(&path).ancestors() {
            roots.insert(directory.display().to_string());
            roots.insert(directory.join("src").display().to_string());
        }
    }
    roots
}

/// Returns the modules with a `__main__.py` of each directory in which an entry runs one.
pub(super) fn groups(
    inventory: &Inventory,
    entries: &[Reference],
    files: &SourceDir,
) -> Vec<Vec<RunnableModule>> {
    let has_main = |path: &Path| matches!(files.kind(&path.join("__main__.py")), Ok(Some(SourceKind::File)));
    let mut parents: BTreeSet<(String, String)> = BTreeSet::new();
    for component in entries.iter().filter_map(|entry| inventory.get(entry)) {
        let Some(run) = &component.run else { continue };
        let programs = [&run.command, &run.once].into_iter().filter_map(|words| python_program(words));
        for program in programs.filter(|program| program.is_module) {
            let path = program.name.replace('.', "/");
            let mut roots = python_roots(component).into_iter();
            let root = roots.find(|root| has_main(&Path::new(root).join(&path)));
            let package = program.name.rsplit_once('.').map_or("", |(package, _)| package);
            parents.extend(root.map(|root| (root, package.to_owned())));
        }
    }
    parents
        .into_iter()
        .map(|(root, package)| {
            let parent = Path::new(&root).join(package.replace('.', "/"));
            let names = files.names(&parent).unwrap_or_default();
            let names = names.iter().filter_map(|name| name.to_str());
            let names = names.filter(|name| !name.starts_with('.') && !SKIPPED.contains(name));
            let runnable = names.filter(|name| has_main(&parent.join(name))).take(GROUP).map(|name| {
                let directory = parent.join(name);
                let module = if package.is_empty() { name.to_owned() } else { format!("{package}.{name}") };
                RunnableModule {
                    module,
                    file: files.path().join(&directory).join("__main__.py").display().to_string(),
                    directory: directory.display().to_string(),
                }
            });
            runnable.collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_program_is_found_in_commands_and_shell_lines() {
        let found = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            python_program(&words).map(|one| (one.at, one.name, one.is_module))
        };
        let module = |at, name: &str| Some((at, name.to_owned(), true));
        assert_eq!(found(&["python3", "-u", "-W", "error", "-m", "a.b", "-m"]), module(5, "a.b"));
        assert_eq!(found(&["/bin/sh", "-ec", "exec python3 -m 'a.b' x"]), module(2, "a.b"));
        assert_eq!(found(&["tini", "--", "python", "a/b.py"]), Some((3, "a/b.py".to_owned(), false)));
        assert_eq!(found(&["python3", "-c", "print(1)"]), None);
        assert_eq!(found(&["gunicorn", "a:app"]), None);
        assert_eq!(found(&["sh", "-c", "echo 'x"]), None);
    }
}
