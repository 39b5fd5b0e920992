//! The documentation is true: its links lead somewhere, the files that it names are there, its
//! examples can be read, and what its `console` blocks show is what the program prints (see
//! `session` for how they are written). Decision records have rules of their own (see `decisions`).
//!
//! A block below a line that is only a path in backticks and a colon shows a file, which is written
//! before what follows is run. The words after `console` say what a block needs: `demo` is the
//! directory of a retained demo, with its GitLab stand-in; `containers` is a container engine;
//! anything else is a program. The pages of a newcomer run on every engine, all others natively.

mod attacks;
mod decisions;
mod markdown;
mod session;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use markdown::{Block, Page};
use session::Session;

use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};

/// The pages whose reader may have any engine.
const FIRST: [&str; 2] = ["README.md", "docs/guides/newcomer.md"];

/// The pages of the project: `README.md`, and all below `docs/`.
fn pages() -> Vec<Page> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("lists a directory of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md")];
    walk(&root.join("docs"), &mut paths);
    paths.sort();
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a page is text");
    let name = |path: &PathBuf| path.strip_prefix(root).expect("is below it").display().to_string();
    paths.iter().map(|path| Page::read(&name(path), &read(path))).collect()
}

/// Returns whether a decision record has been superseded, in whole or in part.
fn is_superseded(text: &str) -> bool {
    text.lines()
        .any(|line| line.starts_with("Superseded by [") || line.starts_with("Superseded in part by ["))
}

#[test]
fn documentation_links_resolve() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = pages();
    let mut wrong = Vec::new();
    for page in &pages {
        // The command that the developer's guide adds is not there.
        let named = page.files.iter().filter(|(_, file)| !page.is_superseded && !file.contains("whereis"));
        for (line, file) in named.filter(|(_, file)| !root.join(file).exists()) {
            wrong.push(format!("{}:{line}: there is no `{file}` in the project", page.path));
        }
        for (line, link) in page.links.iter().filter(|(_, link)| !link.contains("://")) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let directory = root.join(&page.path).parent().expect("is in a directory").to_owned();
            let file = if target.is_empty() { root.join(&page.path) } else { directory.join(target) };
            let Ok(file) = file.canonicalize() else {
                wrong.push(format!("{}:{line}: there is no `{target}`", page.path));
                continue;
            };
            let there =
                pages.iter().find(|page| root.join(&page.path).canonicalize().ok().as_ref() == Some(&file));
            if !anchor.is_empty() && !there.is_some_and(|page| page.anchors.contains(anchor)) {
                wrong.push(format!("{}:{line}: `{target}` has no heading `#{anchor}`", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The programs that the blocks of a page need.
fn programs(page: &Page) -> Vec<&str> {
    let blocks = page.blocks.iter().filter(|block| block.is("console"));
    let words = blocks.flat_map(|block| block.info.iter().skip(1).map(String::as_str));
    words.filter(|word| !["demo", "containers"].contains(word)).collect()
}

#[test]
fn documentation_examples_run_as_shown() {
    let pages = pages().into_iter().filter(|page| programs(page).is_empty());
    assert_examples_run(pages.collect(), Engine::Native);
}

on!(docker, podman: first_pages_run_as_shown);
fn first_pages_run_as_shown(cli: &Cli) {
    let pages: Vec<_> = pages().into_iter().filter(|page| FIRST.contains(&page.path.as_str())).collect();
    assert_eq!(pages.len(), FIRST.len());
    assert_examples_run(pages, cli.engine);
}

#[test]
#[ignore = "needs python3 (bash tests/run)"]
fn documentation_examples_with_programs_run_as_shown() {
    let pages: Vec<_> = pages().into_iter().filter(|page| !programs(page).is_empty()).collect();
    assert!(pages.iter().flat_map(programs).all(|program| program == "python3"), "the reason above says all");
    assert_examples_run(pages, Engine::Native);
}

fn assert_examples_run(pages: Vec<Page>, engine: Engine) {
    let demo = Demo::new(engine);
    let mut wrong = Vec::new();
    for page in pages {
        let home = tempfile::tempdir().expect("a directory");
        let mut own = Session::new(home.path(), engine);
        let mut in_demo = demo.session();
        let _stand_in = page.blocks.iter().any(|block| needs(block, "demo")).then(|| demo.serve());
        let mut inventories = BTreeSet::new();
        let blocks = page.blocks.iter().filter(|block| engine.has_images() || !needs(block, "containers"));
        for block in blocks {
            let session = if needs(block, "demo") { &mut in_demo } else { &mut own };
            let told = match &block.file {
                Some(file) => {
                    session.write(file, &block.text);
                    inventories.extend(inventory_of(file).map(|name| session.path(name)));
                    Ok(())
                }
                None if block.is("yaml") && page.path.contains("guides/") => {
                    Err("no line says which file this is".to_owned())
                }
                None if block.is("console") => session.run(&block.text),
                None => Ok(()),
            };
            wrong.extend(told.err().map(|told| format!("{}:{}: {told}", page.path, block.line)));
        }
        for inventory in inventories {
            let list = format!(
                "$ cki list --inventory {} 2>&1 | grep -c warning: # exits with 1\n",
                inventory.display()
            );
            wrong.extend(own.run(&list).err().map(|told| format!("{}: {told}", page.path)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn needs(block: &Block, word: &str) -> bool {
    block.info.iter().skip(1).any(|info| info == word)
}

/// The inventory that a file belongs to: the directory `inventory`, or a YAML file that stands alone.
fn inventory_of(file: &str) -> Option<&str> {
    match file.split_once('/') {
        Some(("inventory", _)) => Some("inventory"),
        None if file.ends_with(".yaml") => Some(file),
        _ => None,
    }
}

/// A retained demo, for all pages.
struct Demo {
    home: tempfile::TempDir,
    engine: Engine,
    _alone: Option<std::sync::MutexGuard<'static, ()>>,
}

impl Demo {
    fn new(engine: Engine) -> Self {
        let demo = Self {
            _alone: crate::demo::lock_demo(engine),
            home: tempfile::tempdir().expect("a directory"),
            engine,
        };
        let told = Session::new(demo.home.path(), engine).run("$ cki demo --keep\n");
        assert_eq!(told, Ok(()));
        demo
    }

    fn session(&self) -> Session {
        let mut session = Session::new(self.home.path(), self.engine);
        session.run("$ cd cki-demo\n").expect("is there");
        session
    }

    /// Its stand-in for GitLab, without a memory of earlier pages, until this is dropped.
    fn serve(&self) -> StandIn {
        let (child, lines) = self.session().start("exec cki demo serve");
        let first = lines.recv().expect("it says where it serves");
        assert!(first.contains("serves"), "{first}");
        StandIn(child)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let told = Session::new(self.home.path(), self.engine).run("$ cki demo clean cki-demo\n");
        if !std::thread::panicking() {
            assert_eq!(told, Ok(()));
        }
    }
}

struct StandIn(std::process::Child);

impl Drop for StandIn {
    fn drop(&mut self) {
        // It holds nothing but a socket.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
