//! The demo as a newcomer meets it: it does the main job for real on every engine, and leaves
//! nothing behind, whether it comes to its end or is interrupted.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cki::demo::{base_image, walk};
use cki::host::Env;
use cki::systems::engine::{EngineChoice, discover};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support;
use crate::support::engine::Engine;

/// Waits for other demos of this engine: they name their images alike, and one that ends removes those of
/// another. Without images, demos do not meet.
pub(crate) fn lock_demo(engine: Engine) -> Option<MutexGuard<'static, ()>> {
    static DOCKER: Mutex<()> = Mutex::new(());
    static PODMAN: Mutex<()> = Mutex::new(());
    let one = match engine {
        Engine::Docker => &DOCKER,
        Engine::Podman => &PODMAN,
        Engine::Native => return None,
    };
    let _wait = support::limit::waits("the end of another demo");
    Some(one.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Returns the files below a directory, which may not exist.
fn files_below(directory: PathBuf) -> Vec<String> {
    let (mut found, mut pending) = (Vec::new(), vec![directory]);
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() { pending.push(path) } else { found.push(path.display().to_string()) }
        }
    }
    found.sort();
    found
}

/// Place and engine of a demo.
struct Stage {
    directory: tempfile::TempDir,
    engine: Engine,
}

impl Stage {
    fn on(engine: Engine) -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory"), engine }
    }

    fn start(&self) -> Child {
        self.command(&["demo"]).spawn().expect("starts")
    }

    fn command(&self, args: &[&str]) -> Command {
        let home = self.directory.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cki"));
        command
            .args(args)
            .env_clear()
            .envs(support::clean_env(home).iter())
            .envs([self.engine.variable()])
            .env("TMPDIR", home)
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Returns the leftovers of a demo: directories, files of the user, and images.
    fn leftovers(&self, demo: &Path) -> Vec<String> {
        let mut left: Vec<String> = std::fs::read_dir(self.directory.path())
            .expect("reads")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("cki-demo"))
            .collect();
        left.extend(
            [".local", ".cache", ".config"]
                .into_iter()
                .flat_map(|name| files_below(self.directory.path().join(name))),
        );
        if self.engine.has_images() {
            let env = Env::new([self.engine.variable()]);
            let runtime = tokio::runtime::Runtime::new().expect("starts");
            left.extend(runtime.block_on(async {
                let engine = discover(&env, EngineChoice::Auto).await.engine.expect("answers");
                let images = engine.images_with_label(base_image::LABEL).await.expect("answers");
                let name = walk::name(demo);
                let own =
                    images.into_iter().filter(|image| image.labels.get(base_image::LABEL) == Some(&name));
                own.map(|image| image.id).collect::<Vec<_>>()
            }));
        }
        left
    }

    /// The directory of the demo that runs, once it is there; it is the only one.
    fn directory_of(&self, demo: &mut Child) -> PathBuf {
        loop {
            let mut names = std::fs::read_dir(self.directory.path()).expect("reads").filter_map(Result::ok);
            if let Some(found) = names.find(|one| one.file_name().to_string_lossy().starts_with("cki-demo-"))
            {
                return found.path();
            }
            assert!(demo.try_wait().expect("is asked").is_none(), "it ended before it had a directory");
            std::thread::yield_now();
        }
    }

    /// Runs a demo to its end.
    fn run_to_the_end(&self) {
        let _alone = lock_demo(self.engine);
        let mut demo = self.start();
        let directory = self.directory_of(&mut demo);
        let output = demo.wait_with_output().expect("ends");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
        let mut wanted = vec![
            "$ cki list",
            "pipeline-herder  Retries GitLab jobs",
            "$ cki show pipeline-herder",
            "external/gitlab-com         (missing)",
            "$ cki clone pipeline-herder",
            "$ cki run-local pipeline-herder",
            "INFO  Deployment environment: development, production: false",
            "as herder, password ••••••••",
            "INFO  Stopping.",
            "$ cki run-local orphan-hunter",
            "INFO  Pod runner-3 belongs to a running job.",
            "$ cki stage --mr 213 --yes",
            "✔ success",
            "What to type next",
        ];
        if self.engine.has_images() {
            wanted.insert(5, "$ cki build pipeline-herder");
        }
        let mut rest = &*out;
        for text in wanted {
            let at = rest.find(text).unwrap_or_else(|| panic!("no `{text}` after that, in\n{out}\n{err}"));
            rest = &rest[at..];
        }
        assert!(err.contains("All 2 succeeded"), "{err}");
        assert_eq!(self.leftovers(&directory), Vec::<String>::new());
    }

    /// Interrupts a demo as soon as it has written something.
    fn interrupt_at(&self, mark: &str) {
        let _alone = lock_demo(self.engine);
        let mut demo = self.start();
        let directory = self.directory_of(&mut demo);
        let (sender, lines) = std::sync::mpsc::channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(demo.stdout.take().expect("is piped")),
            Box::new(demo.stderr.take().expect("is piped")),
        ];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // Nobody listens any more once the mark was seen.
                    let _ = sender.send(line);
                }
            });
        }
        drop(sender);
        assert!(lines.iter().any(|line| line.contains(mark)), "`{mark}` was never written");
        let pid = Pid::from_raw(i32::try_from(demo.id()).expect("fits"));
        kill(pid, Signal::SIGINT).expect("is there");
        let status = demo.wait().expect("ends");
        assert_eq!(status.code(), Some(130), "{:?}: {mark}", self.engine);
        assert_eq!(self.leftovers(&directory), Vec::<String>::new(), "{:?}: {mark}", self.engine);
    }
}

#[test]
fn demo_runs_to_the_end_without_an_engine() {
    Stage::on(Engine::Native).run_to_the_end();
}

#[test]
#[ignore = "needs CKI_TEST_DOCKER (bash tests/run)"]
fn demo_runs_to_the_end_on_docker() {
    Stage::on(Engine::Docker).run_to_the_end();
}

#[test]
#[ignore = "needs CKI_TEST_PODMAN (bash tests/run)"]
fn demo_runs_to_the_end_on_podman() {
    Stage::on(Engine::Podman).run_to_the_end();
}

#[test]
fn next_command_removes_a_killed_demo() {
    let stage = Stage::on(Engine::Native);
    let _alone = lock_demo(stage.engine);
    let mut demo = stage.start();
    let directory = stage.directory_of(&mut demo);
    demo.kill().expect("is there");
    demo.wait().expect("ends");
    let killed = stage.leftovers(&directory);
    assert_ne!(killed, Vec::<String>::new());
    let run = |args: &[&str]| {
        let output = stage.command(args).output().expect("starts");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = run(&["gc", "--dry-run"]);
    assert!(said.contains("demo") && said.contains(&directory.display().to_string()), "{said}");
    assert_eq!(stage.leftovers(&directory), killed, "nothing goes in a dry run");
    run(&["ps"]);
    assert_eq!(stage.leftovers(&directory), Vec::<String>::new());
}

#[test]
fn demo_leaves_nothing_when_interrupted() {
    let stage = Stage::on(Engine::Native);
    for mark in ["is laid out", "pipeline-herder  ready", "answered"] {
        stage.interrupt_at(mark);
    }
}

#[test]
#[ignore = "needs CKI_TEST_DOCKER (bash tests/run)"]
fn demo_leaves_nothing_when_interrupted_on_docker() {
    let stage = Stage::on(Engine::Docker);
    ["is laid out", "Step 3/"].into_iter().for_each(|mark| stage.interrupt_at(mark));
}

#[test]
#[ignore = "needs CKI_TEST_PODMAN (bash tests/run)"]
fn demo_leaves_nothing_when_interrupted_on_podman() {
    let stage = Stage::on(Engine::Podman);
    ["$ cki build", "bus          ready"].into_iter().for_each(|mark| stage.interrupt_at(mark));
}
