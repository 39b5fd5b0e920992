//! The graph of imports between the files of `src`, and the cycles in it: files that import each
//! other, directly or by way of others.
//!
//! A file imports the file in which a name that it uses is defined, whichever way it takes to it: a
//! name that `mod.rs` merely hands on leads to the child that defines it. So declaring a module, or
//! handing on its names, is no import; using them in the code of the same file is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use super::module;
use super::scan::{self, Names, Reference};

/// A name is handed on from module to module this often at most.
const HANDED_ON: usize = 16;

/// The files of the crate, and what each imports.
pub(super) struct Imports {
    files: Vec<String>,
    /// For each file, the files that it imports, each with the first place that does.
    edges: Vec<BTreeMap<usize, String>>,
}

impl Imports {
    /// Reads the sources of a crate, with their paths below its `src`.
    pub(super) fn new(sources: &[(PathBuf, String)]) -> Self {
        let read = Crate::new(sources);
        let mut edges = vec![BTreeMap::new(); sources.len()];
        for (from, file) in read.files.iter().enumerate() {
            // Nothing imports the tests of a file, so what they import closes no cycle.
            for reference in file.names.references.iter().filter(|reference| !reference.tested) {
                if let Some(to) = read.imports(file, reference).filter(|to| *to != from) {
                    let place = || format!("{}: {}", reference.line, reference.path.join("::"));
                    edges[from].entry(to).or_insert_with(place);
                }
            }
        }
        let files = sources.iter().map(|(path, _)| path.to_string_lossy().into_owned()).collect();
        Self { files, edges }
    }

    /// The groups of files in which each reaches each other, as the names of their files.
    pub(super) fn cycles(&self) -> Vec<BTreeSet<&str>> {
        let reached: Vec<BTreeSet<usize>> = (0..self.files.len()).map(|file| self.reached(file)).collect();
        let cycle = |file: usize| -> BTreeSet<usize> {
            reached[file].iter().copied().filter(|other| reached[*other].contains(&file)).collect()
        };
        let cycles: BTreeSet<BTreeSet<usize>> =
            (0..self.files.len()).map(cycle).filter(|cycle| cycle.len() > 1).collect();
        cycles.iter().map(|cycle| cycle.iter().map(|file| self.files[*file].as_str()).collect()).collect()
    }

    /// All files to which imports lead from a file.
    fn reached(&self, file: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open = vec![file];
        while let Some(next) = open.pop() {
            open.extend(self.edges[next].keys().filter(|to| reached.insert(**to)));
        }
        reached
    }

    /// A cycle with the imports that close it, a line each.
    pub(super) fn describe(&self, cycle: &BTreeSet<&str>) -> String {
        let mut text = format!("{} files:", cycle.len());
        for (from, edges) in self.edges.iter().enumerate() {
            for (to, place) in edges {
                let (from, to) = (self.files[from].as_str(), self.files[*to].as_str());
                if cycle.contains(from) && cycle.contains(to) {
                    let _ = write!(text, "\n  {from} -> {to} (line {place})");
                }
            }
        }
        text
    }
}

/// A source, read for names.
struct File {
    module: Vec<String>,
    names: Names,
}

/// All files, and what a name means in each module.
struct Crate {
    files: Vec<File>,
    modules: BTreeMap<Vec<String>, usize>,
    /// Paths from the crate's root that the imports of a module bring in.
    imported: BTreeMap<(Vec<String>, String), Vec<String>>,
}

/// Target of a path.
enum Target {
    /// A module itself.
    Module(usize),
    /// Something that a file defines.
    Item(usize),
}

impl Crate {
    fn new(sources: &[(PathBuf, String)]) -> Self {
        let files: Vec<File> = sources
            .iter()
            .map(|(path, source)| {
                let module = module(path);
                File { names: scan::names(source, &module), module }
            })
            .collect();
        let modules = files.iter().enumerate().map(|(at, file)| (file.module.clone(), at)).collect();
        let mut read = Self { files, modules, imported: BTreeMap::new() };
        let mut imported = BTreeMap::new();
        for reference in read.files.iter().flat_map(|file| &file.names.references) {
            if let (Some(import), Some(path)) = (&reference.import, read.path_from_root(reference)) {
                imported.insert((reference.within.clone(), import.name.clone()), path);
            }
        }
        read.imported = imported;
        read
    }

    /// The file that a file imports by a reference.
    fn imports(&self, file: &File, reference: &Reference) -> Option<usize> {
        let path = self.path_from_root(reference)?;
        let target = self.resolve(&path, HANDED_ON)?;
        let Some(import) = &reference.import else {
            let (Target::Module(to) | Target::Item(to)) = target;
            return Some(to);
        };
        let (to, used) = match target {
            // What a module is imported for shows where a path begins with its name.
            Target::Module(to) => (to, !file.names.starts_path(&import.name)),
            Target::Item(to) => (to, true),
        };
        let handed_on = import.handed_on && path.starts_with(&file.module);
        (used && (!handed_on || file.names.words.contains(&import.name))).then_some(to)
    }

    /// The path of a reference from the root of the crate, as far as its own module tells; none of
    /// what comes from another crate, or is defined where it is used.
    fn path_from_root(&self, reference: &Reference) -> Option<Vec<String>> {
        if reference.rooted {
            return Some(reference.path.clone());
        }
        let (first, rest) = reference.path.split_first()?;
        let mut within = reference.within.as_slice();
        loop {
            let child: Vec<String> = within.iter().chain([first]).cloned().collect();
            let known = self.modules.contains_key(&child).then_some(&child);
            if let Some(base) = known.or_else(|| self.imported.get(&(within.to_vec(), first.clone()))) {
                return Some(base.iter().chain(rest).cloned().collect());
            }
            // An inline module takes names from the file around it.
            if self.modules.contains_key(within) {
                return None;
            }
            within = within.split_last()?.1;
        }
    }

    /// Follows a path from the root of the crate through modules and names that are handed on.
    fn resolve(&self, path: &[String], left: usize) -> Option<Target> {
        let mut within = Vec::new();
        for (at, name) in path.iter().enumerate() {
            within.push(name.clone());
            if self.modules.contains_key(&within) {
                continue;
            }
            within.pop();
            let file = *self.modules.get(&within)?;
            let target = self.imported.get(&(within, name.clone()));
            return match target.filter(|_| left > 0) {
                Some(target) => {
                    let path: Vec<String> = target.iter().chain(&path[at + 1..]).cloned().collect();
                    self.resolve(&path, left - 1)
                }
                None => Some(Target::Item(file)),
            };
        }
        self.modules.get(&within).map(|file| Target::Module(*file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cycles among small files, each a path and a source.
    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> =
            files.iter().map(|(path, source)| (PathBuf::from(path), (*source).to_owned())).collect();
        let imports = Imports::new(&sources);
        imports.cycles().iter().map(|cycle| imports.describe(cycle)).collect()
    }

    #[test]
    fn files_that_import_each_other_form_a_cycle() {
        for files in [
            [("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }")].as_slice(),
            &[("a.rs", "use crate::b; fn f() { b::g() }"), ("b.rs", "use super::a::A;")],
            &[("m/mod.rs", "mod c; struct S; fn f() { c::g() }"), ("m/c.rs", "use super::S;")],
            &[("m/mod.rs", "mod c; use c::C; struct S;"), ("m/c.rs", "use super::S;")],
            &[("m/mod.rs", "mod c; pub use c::C; fn f(c: C) {} struct S;"), ("m/c.rs", "use super::S;")],
            &[("a.rs", "pub use crate::b::B;"), ("b.rs", "use crate::a::A;")],
            &[
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use crate::c::{C as D};"),
                ("c.rs", "use crate::a::A;"),
            ],
            &[
                ("m/mod.rs", "mod a; mod b; pub use b::B;"),
                ("m/a.rs", "use super::B;"),
                ("m/b.rs", "use super::a::A;"),
            ],
        ] {
            assert_eq!(cycles(files).len(), 1, "{files:?}");
        }
        assert_eq!(
            cycles(&[("a.rs", "\nuse crate::b::B;"), ("b.rs", "type A = crate::a::A;")]),
            ["2 files:\n  a.rs -> b.rs (line 2: b::B)\n  b.rs -> a.rs (line 1: a::A)"]
        );
    }

    #[test]
    fn one_way_imports_form_no_cycle() {
        for files in [
            [("m/mod.rs", "mod c; pub use c::C; pub struct S;"), ("m/c.rs", "use super::S;")].as_slice(),
            &[
                ("m/mod.rs", "mod a; mod b; pub use b::B;"),
                ("m/a.rs", "use super::B;"),
                ("m/b.rs", "use crate::x;"),
            ],
            &[("a.rs", "use crate::b::B;"), ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }")],
            &[("m/mod.rs", "mod c; fn f(x: X) { x.c() } struct S;"), ("m/c.rs", "use super::S;")],
            &[("a.rs", "use crate::b::B; mod inner { use super::X; }"), ("b.rs", "// crate::a::A")],
        ] {
            assert_eq!(cycles(files), Vec::<String>::new(), "{files:?}");
        }
    }
}
