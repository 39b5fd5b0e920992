//! Tests of git against real servers: git's own `http-backend` behind HTTP, `git daemon`, a script in place of
//! `ssh` that executes its arguments, and directories. The installed `git` checks the results.

mod cancel;
mod configuration;
mod formats;
mod hostile_tree;
mod interrupted_update;
mod merge_request;
mod new_clone;
mod program;
mod refs;
mod remote_errors;
mod rewritten;
mod update;

pub(crate) use cancel::clone_until_killed;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once};

use cki::base::http::{HttpClient, HttpPolicy};
use cki::base::secret::Secret;
use cki::host::signals::Shutdown;
use cki::model::event::{Event, Events, Sink};
use cki::ops::clone::{CloneOutcome, CloneRepository, CloneRequest, CloneState, CloneTarget, clone};
use cki::systems::git::{
    Author, Checkout, CloneResult, CommitId, Git, GitError, History, Login, Logins, MergeRequestHead, Mode,
    TreeFile, inspect,
};

use crate::support::git_server::{GitServer, TOKEN, USER};
use crate::support::{clean_env, git_command};

/// A server with a repository `x.git`, and a directory to clone to.
struct Bench {
    directory: tempfile::TempDir,
    server: GitServer,
    history: History,
    first: CommitId,
}

impl Bench {
    async fn new() -> Self {
        isolate();
        let directory = tempfile::tempdir().expect("a directory");
        let served = directory.path().join("served");
        let mut history = begin(&served.join("x.git"));
        let first = history.commit(None, "first\n", &[file("a", "1\n"), file("b", "1\n")]).expect("commits");
        history.update_ref("refs/heads/main", first).expect("points");
        let server = GitServer::start(&served).await;
        std::fs::create_dir(directory.path().join("work")).expect("makes");
        Self { directory, server, history, first }
    }

    /// Commits files to a branch on the server.
    fn commit(&mut self, parent: CommitId, reference: &str, files: &[TreeFile]) -> CommitId {
        let id = self.history.commit(Some(parent), "more\n", files).expect("commits");
        self.history.update_ref(reference, id).expect("points");
        id
    }

    /// Gives the server's repository a history with much in it, in a commit after the first.
    fn grow(&mut self) -> CommitId {
        self.commit(self.first, "refs/heads/main", &[file("a", "1\n"), noise("big", 1 << 20)])
    }

    fn served(&self) -> PathBuf {
        self.directory.path().join("served/x.git")
    }

    fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    fn target(&self) -> PathBuf {
        self.work().join("x")
    }

    fn git(&self) -> Git {
        self.git_with(Logins::default())
    }

    fn git_with(&self, logins: Logins) -> Git {
        Git::new(Arc::new(HttpClient::new(HttpPolicy::default())), logins, clean_env(self.directory.path()))
    }

    fn logins(&self, secret: &str) -> Logins {
        let mut logins = Logins::default();
        let login = Login { user: USER.into(), secret: Secret::new(secret) };
        logins.add(&self.server.url(""), login).expect("is a server");
        logins
    }

    fn wanted(&self, url: &str) -> CloneTarget {
        CloneTarget {
            name: "x".into(),
            url: url.into(),
            target: self.target(),
            merge_request: None,
            in_place: false,
        }
    }

    /// `cki clone` of one repository to the usual place.
    async fn clone(&self, url: &str) -> CloneRepository {
        self.clone_with(&self.git(), self.wanted(url), None).await
    }

    async fn clone_with(&self, git: &Git, wanted: CloneTarget, depth: Option<u32>) -> CloneRepository {
        let request = CloneRequest { repositories: vec![wanted], depth, jobs: 8, is_part: false };
        let mut outcome = clone(request, git, &Events::silent(), &Shutdown::new()).await;
        assert!(outcome.stopped.is_none());
        outcome.repositories.pop().expect("one was asked for")
    }

    /// Runs the installed `git` in the clone, and gives what it says.
    fn ask(&self, arguments: &[&str]) -> String {
        ask(&self.target(), self.directory.path(), arguments)
    }

    /// The clone is sound, and nothing stands beside it.
    fn assert_whole(&self) {
        self.ask(&["fsck", "--strict", "--full"]);
        assert_eq!(names(&self.work()), ["x"]);
    }

    fn inspect(&self) -> Checkout {
        inspect(&self.target()).expect("reads").expect("is a clone")
    }
}

fn ask(directory: &Path, home: &Path, arguments: &[&str]) -> String {
    let mut command = git_command(home);
    command.args(["-c", "user.name=P", "-c", "user.email=p@example.com"]);
    let output = command.args(arguments).current_dir(directory).output().expect("git is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn begin(directory: &Path) -> History {
    let author = Author { name: "A".into(), email: "a@example.com".into() };
    History::begin(directory, "main", author, 1_700_000_000).expect("begins")
}

fn file(path: &str, content: &str) -> TreeFile {
    TreeFile { path: path.into(), content: content.into(), mode: Mode::Plain }
}

/// A merge request where GitLab keeps it.
fn merge_request(iid: u64) -> MergeRequestHead {
    MergeRequestHead::new(iid, "refs/merge-requests/{n}/head").expect("a ref")
}

/// A file that no compression makes smaller.
fn noise(path: &str, length: usize) -> TreeFile {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let content = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let content = content.flatten().take(length).collect();
    TreeFile { path: path.into(), content, mode: Mode::Plain }
}

fn names(directory: &Path) -> Vec<String> {
    cki::base::files::list_dir(directory).expect("reads")
}

/// Returns whether any file below a directory contains a text.
fn holds(directory: &Path, text: &str) -> bool {
    std::fs::read_dir(directory).expect("reads").any(|entry| {
        let path = entry.expect("reads").path();
        if path.is_dir() {
            return holds(&path, text);
        }
        let bytes = std::fs::read(&path).expect("reads");
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

fn done(repository: &CloneRepository) -> &CloneResult {
    match &repository.state {
        CloneState::Done(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn out_of_reach(repository: &CloneRepository) -> &GitError {
    match &repository.state {
        CloneState::OutOfReach(error) => error,
        other => panic!("{other:?}"),
    }
}

/// Remembers all events.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Event>>>);

impl Sink for Recorder {
    fn send(&self, event: Event) {
        self.0.lock().expect("no panic").push(event);
    }
}

impl Recorder {
    fn events(&self) -> Vec<Event> {
        self.0.lock().expect("no panic").clone()
    }
}

/// Keeps libgit2 away from the settings of the person who runs the tests.
fn isolate() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        use git2::ConfigLevel::{Global, ProgramData, System, XDG};
        for level in [ProgramData, System, XDG, Global] {
            #[expect(unsafe_code, reason = "nothing else uses libgit2 yet")]
            let set = unsafe { git2::opts::set_search_path(level, "/nowhere") };
            set.expect("libgit2 has the option");
        }
    });
}
