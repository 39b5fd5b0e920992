//! `cki` as a person meets it: the real program in a home, a project and a workspace of its own,
//! with nothing of the person's who runs the tests in its environment. What it prints on both
//! streams and how it ends is one text, to be compared with a snapshot; whatever differs from run to
//! run is replaced in one place, `Cli::redact`.
//!
//! When a [`Cli`] is dropped, nothing that its programs made may be left on its engine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use cki::base::process_ref::ProcessRef;
use cki::host::Host;
use cki::systems::git::CommitId;
use regex::Regex;

use super::call::{Call, StartedRun};
use super::engine::{Bench, Engine};
use super::ports::free_port;

/// The image of nothing but a shell that `tests/run` makes.
pub(crate) const BUSYBOX: &str = "localhost/cki-test/busybox:1";
/// The same, with Python and pika.
pub(crate) const PYTHON: &str = "localhost/cki-test/python:1";

/// Debian's RabbitMQ.
pub(crate) const RABBITMQ: &str = "docker.io/library/rabbitmq:3.13";
/// Debian's PostgreSQL.
pub(crate) const POSTGRES: &str = "localhost/cki-test/postgres:1";
/// Debian's Redis, which Valkey was made from.
pub(crate) const VALKEY: &str = "localhost/cki-test/valkey:1";

/// A person's place on a machine.
pub(crate) struct Cli {
    directory: tempfile::TempDir,
    /// Sets what this test makes on a shared engine apart from all others.
    pub(crate) id: String,
    /// A port of this machine that nobody uses.
    pub(crate) port: u16,
    pub(crate) engine: Engine,
    bench: Option<Bench>,
    pub(super) variables: BTreeMap<&'static str, OsString>,
    places: RefCell<Vec<(&'static str, String)>>,
    commits: RefCell<Vec<CommitId>>,
    calls: Cell<usize>,
    pub(super) processes: RefCell<Vec<ProcessRef>>,
}

impl Cli {
    /// Without a container engine.
    pub(crate) fn new() -> Self {
        Self::with(Engine::Native, None)
    }

    /// On the Docker of the tests.
    #[track_caller]
    pub(crate) fn docker() -> Self {
        Self::with(Engine::Docker, Engine::Docker.address())
    }

    /// On the Podman of the tests.
    #[track_caller]
    pub(crate) fn podman() -> Self {
        Self::with(Engine::Podman, Engine::Podman.address())
    }

    /// On an engine of the test's own.
    pub(crate) fn at(engine: Engine, address: String) -> Self {
        Self::with(engine, Some(address))
    }

    /// Without a container engine, for tests of what is the same everywhere.
    pub(crate) fn native() -> Self {
        Self::new()
    }

    fn with(engine: Engine, address: Option<String>) -> Self {
        let id = new_id();
        // Its path has the same length everywhere, so that tables do not depend on it.
        let directory =
            tempfile::Builder::new().prefix(&format!("cki-{id}")).rand_bytes(0).tempdir_in("/tmp");
        let directory = directory.expect("a temporary directory");
        let at = |name: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(&path).expect("makes a directory");
            OsString::from(path)
        };
        let path = Host::real().env.get_os("PATH").expect("PATH is set").to_owned();
        let mut variables = BTreeMap::from([
            ("PATH", path),
            ("HOME", at("home")),
            ("XDG_CONFIG_HOME", at("home/.config")),
            ("XDG_RUNTIME_DIR", at("runtime")),
            ("TMPDIR", at("temporary")),
            ("LC_ALL", "C.UTF-8".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ]);
        at("project");
        match (engine, &address) {
            (Engine::Docker, Some(address)) => variables.insert("DOCKER_HOST", address.into()),
            (Engine::Podman, Some(address)) => variables.insert("CONTAINER_HOST", address.into()),
            _ => variables.insert("CKI_ENGINE", "native".into()),
        };
        Self {
            bench: address.map(|address| Bench::open(&address)),
            directory,
            id,
            port: free_port(),
            engine,
            variables,
            places: RefCell::default(),
            commits: RefCell::default(),
            calls: Cell::default(),
            processes: RefCell::default(),
        }
    }

    /// Changes the environment; an empty value takes a variable away.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        let value = value.into();
        if value.is_empty() {
            self.variables.remove(name)
        } else {
            self.variables.insert(name, value)
        };
    }

    /// The engine as its own client sees it.
    pub(crate) fn bench(&self) -> &Bench {
        self.bench.as_ref().expect("this is not about an engine without containers")
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The working directory.
    pub(crate) fn project(&self) -> PathBuf {
        self.directory().join("project")
    }

    /// Returns the directory of clones, unless a setting names another.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.directory().join("home/cki")
    }

    /// Writes a file of the project, with what `fill` knows put in.
    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.project().join(path);
        std::fs::create_dir_all(path.parent().expect("is in a directory")).expect("makes a directory");
        std::fs::write(&path, self.fill(text)).expect("writes a file of a test");
        path
    }

    /// Writes the inventory of the project, and the setting that names it.
    pub(crate) fn inventory(&self, text: &str) {
        self.write("inventory.yaml", text);
        self.write("cki.toml", "inventory = \"inventory.yaml\"\n");
    }

    /// Adds to the end of the inventory.
    pub(crate) fn inventory_more(&self, text: &str) {
        let before = std::fs::read_to_string(self.project().join("inventory.yaml")).expect("is there");
        self.inventory(&format!("{before}{text}"));
    }

    /// Gives a meaning to a name in braces.
    pub(crate) fn place(&self, name: &'static str, text: &str) {
        self.places.borrow_mut().push((name, text.to_owned()));
    }

    /// Puts in what only this test knows.
    pub(crate) fn fill(&self, text: &str) -> String {
        let text = text.replace("{id}", &self.id).replace("{port}", &self.port.to_string());
        let text = text.replace("{busybox}", BUSYBOX).replace("{python}", PYTHON);
        let text =
            text.replace("{rabbitmq}", RABBITMQ).replace("{postgres}", POSTGRES).replace("{valkey}", VALKEY);
        let places = self.places.borrow();
        places.iter().fold(text, |text, (name, meant)| text.replace(&format!("{{{name}}}"), meant))
    }

    /// A command line without `cki`, with the quotes of a shell, to be run in some special way.
    pub(crate) fn call(&self, line: &str) -> Call<'_> {
        let words = shell_words::split(&self.fill(line)).expect("a command line");
        self.calls.set(self.calls.get() + 1);
        Call::new(self, words, self.directory().join(format!("call-{}", self.calls.get())))
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.call(line).end()
    }

    /// Starts a command line.
    pub(crate) fn start(&self, line: &str) -> StartedRun<'_> {
        self.call(line).start()
    }

    /// Remembers commits, so that their ids are replaced, and images of them removed.
    pub(crate) fn remember(&self, commit: CommitId) -> CommitId {
        self.commits.borrow_mut().push(commit);
        commit
    }

    /// The programs of this test so far.
    pub(crate) fn processes(&self) -> Vec<ProcessRef> {
        self.processes.borrow().clone()
    }

    /// Returns the leftovers of this test's programs: on the engine, or as processes.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let runtime = self.directory().join("runtime");
        let mut left = super::engine::left_native(&runtime);
        if let Some(bench) = &self.bench {
            left.extend(bench.leftovers(&self.processes.borrow()));
        }
        left
    }

    /// The same, of one run that has been started; without an engine, of all.
    pub(crate) fn left_of(&self, run: &StartedRun<'_>) -> Vec<String> {
        match &self.bench {
            Some(bench) => bench.leftovers(cki::host::owner(run.id()).as_slice()),
            None => self.leftovers(),
        }
    }

    /// Restarts containers by hand: by the name of a unit.
    pub(crate) fn restart_by_hand(&self, name: &str) {
        self.bench().restart_containers(name, &self.processes.borrow());
    }

    /// Removes containers by hand: by the name of a unit.
    pub(crate) fn remove_by_hand(&self, name: &str) {
        self.bench().remove_containers(name, &self.processes.borrow());
    }

    /// Waits for what is about to happen and cannot be waited for otherwise.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn() -> bool) {
        let _wait = super::limit::waits(what);
        assert!(super::comes_true(is_so), "never: {what}; left: {:?}", self.leftovers());
    }

    /// The one place where what differs from run to run is replaced, by something as long where it
    /// may stand in a table.
    pub(crate) fn redact(&self, text: &str) -> String {
        static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
            let rules = [
                // Lines about a long task, and the time that it took, are there only if it was long.
                (r"(?m)^  \S+ +\d+(\.\d)? [sm] · .*\n", ""),
                (r"(?m)^(  \S.*\S)  \d+(\.\d)? [sm]$", "$1"),
                (r"\b(after|AGE +) ?\d+(\.\d)? [sm]\b", "$1 TIME"),
                (r"\b127\.0\.0\.1:\d{5}\b", "127.0.0.1:~PORT"),
                (r"\bsha256:[0-9a-f]{64}\b", "sha256:DIGEST"),
                (r#"("engine": ?)"(docker|podman)""#, r#"$1"ENGINE""#),
                (r"\bdirty-[0-9a-f]{8}\b", "dirty-STATE"),
                (r"\b[0-9a-f]{10}\b", "RUN-------"),
                (r"\b[0-9a-f]{12}\b", "CONTAINER"),
                (r"\b(reference[a-z0-9/-]*[-/])[A-Za-z0-9]{20,26}\b", "${1}RANDOM"),
            ];
            rules.map(|(rule, by)| (Regex::new(rule).expect("a rule"), by)).into()
        });
        let mut text = text.replace(&self.id, "TESTID").replace(&self.port.to_string(), "~PORT");
        for (number, commit) in self.commits.borrow().iter().enumerate() {
            text = text.replace(&commit.to_string(), &format!("COMMIT{}…", number + 1));
            text = text.replace(&commit.short(), &format!("COMMIT{}", number + 1));
        }
        RULES.iter().fold(text, |text, (rule, by)| rule.replace_all(&text, *by).into_owned())
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        let runtime = self.directory().join("runtime");
        let mut left = self.leftovers();
        if !left.is_empty() && left.iter().all(|one| one.starts_with("forwarder ")) {
            // It notices the end of its instance a moment later.
            super::comes_true(|| super::engine::forwarders(&runtime).is_empty());
            left = self.leftovers();
        }
        if let Some(bench) = &self.bench {
            bench.remove(&self.processes.borrow(), &self.commits.borrow());
        }
        super::engine::remove_native(&self.directory().join("runtime"));
        if !std::thread::panicking() {
            assert!(left.is_empty(), "left behind: {left:#?}");
        }
    }
}

/// Exit and output of a program.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    /// As it was printed.
    pub(crate) stdout: String,
    /// Standard output as it was written.
    pub(crate) bytes: Vec<u8>,
    pub(crate) stderr: String,
    /// The same, with what differs from run to run replaced.
    pub(super) text: String,
}

impl Outcome {
    /// Returns the JSON on standard output, of a known version.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let value: serde_json::Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error}: {self}");
        });
        assert_eq!(value["schema_version"], 2, "{self}");
        value
    }

    /// It ended with this code; what it printed is shown where not.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// It did not do what was asked for.
    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        assert_ne!(self.code, 0, "{self}");
        self
    }

    /// It said this, on either stream.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.text.contains(text), "does not say `{text}`: {self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Six letters that no hexadecimal number has.
fn new_id() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let entropy = format!("{}-{count}-{:?}", std::process::id(), std::time::SystemTime::now());
    let digest = cki::base::digest::bytes_of_parts([entropy]);
    digest[..6].iter().map(|byte| char::from(b'g' + byte % 20)).collect()
}
