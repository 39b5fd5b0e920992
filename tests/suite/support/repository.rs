//! Repositories that a test writes, in a directory of the test, served over HTTP where it wants that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cki::systems::git::{Author, CommitId, History, Mode, TreeFile};

use super::cli::Cli;
use super::git_server::{GitServer, SeenRequest};

/// The repositories of a test.
pub(crate) struct Repositories<'a> {
    cli: &'a Cli,
    directory: PathBuf,
    histories: RefCell<BTreeMap<String, (History, CommitId)>>,
}

impl<'a> Repositories<'a> {
    pub(crate) fn new(cli: &'a Cli) -> Self {
        let directory = cli.directory().join("served");
        std::fs::create_dir(&directory).expect("makes a directory");
        cli.place("served", &format!("file://{}", directory.display()));
        Self { cli, directory, histories: RefCell::default() }
    }

    /// Commits to `main` of a repository, which is made if it is not there. The files are all that
    /// is in the commit; `{…}` in them is filled in.
    pub(crate) fn commit(&self, name: &str, files: &[(&str, &str)]) -> CommitId {
        self.commit_to(name, "refs/heads/main", files)
    }

    /// Commits to any ref, on top of what `main` is.
    pub(crate) fn commit_to(&self, name: &str, reference: &str, files: &[(&str, &str)]) -> CommitId {
        let files =
            files.iter().map(|(path, text)| file(path, self.cli.fill(text).into_bytes())).collect::<Vec<_>>();
        self.write(name, reference, &files)
    }

    /// Replaces the whole history of `main` by one commit, as a forced push does.
    pub(crate) fn rewrite(&self, name: &str, files: &[(&str, &str)]) -> CommitId {
        let files: Vec<TreeFile> =
            files.iter().map(|(path, text)| file(path, self.cli.fill(text).into_bytes())).collect();
        let mut histories = self.histories.borrow_mut();
        let (history, main) = histories.get_mut(name).expect("is there");
        let id = history.commit(None, "Rewritten\n", &files).expect("commits");
        history.update_ref("refs/heads/main", id).expect("points");
        *main = id;
        self.cli.remember(id)
    }

    /// Commits something that no compression makes smaller.
    pub(crate) fn commit_noise(&self, name: &str, length: usize) -> CommitId {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        let noise = noise.flatten().take(length).collect();
        self.write(name, "refs/heads/main", &[file("noise", noise)])
    }

    fn write(&self, name: &str, reference: &str, files: &[TreeFile]) -> CommitId {
        let mut histories = self.histories.borrow_mut();
        let known = histories.remove(name);
        let (mut history, parent) = match known {
            Some((history, parent)) => (history, Some(parent)),
            None => (begin(&self.directory.join(format!("{name}.git"))), None),
        };
        // Ids of no other test: images are named after them.
        let message = format!("Commit of {}\n", self.cli.id);
        let id = history.commit(parent, &message, files).expect("commits");
        history.update_ref(reference, id).expect("points");
        let main = if reference == "refs/heads/main" { id } else { parent.unwrap_or(id) };
        histories.insert(name.to_owned(), (history, main));
        self.cli.remember(id)
    }

    /// Serves them, as `{server}` in texts.
    pub(crate) fn serve(&self) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("starts a runtime");
        let server = runtime.block_on(GitServer::start(&self.directory));
        self.cli.place("server", &format!("http://{}", server.address));
        Server { server, runtime }
    }
}

/// A server in the background.
pub(crate) struct Server {
    server: GitServer,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    /// The requests so far, which are forgotten by that.
    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        self.server.seen()
    }

    /// Waits until an answer has stalled.
    pub(crate) fn stalled(&self) {
        self.runtime.block_on(self.server.stalled());
    }
}

fn begin(directory: &Path) -> History {
    let author = Author { name: "A".into(), email: "a@example.com".into() };
    History::begin(directory, "main", author, 1_700_000_000).expect("begins")
}

fn file(path: &str, content: Vec<u8>) -> TreeFile {
    let mode = if path.ends_with(".sh") { Mode::Executable } else { Mode::Plain };
    TreeFile { path: path.to_owned(), content, mode }
}
