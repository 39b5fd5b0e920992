//! Transfers through the installed `git`: arguments only, never a shell, never a prompt, in its own session,
//! so that `git` and its children (`ssh`) can be stopped. `transport_choice` decides when to use it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use git2::Repository;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use super::error::{RepositoryFormat, at};
use super::fetch::{FetchRequest, RemoteRefs};
use super::program_output::{read_failure, read_listing, read_progress};
use super::server_message::sanitize_message;
use super::session::GitSession;
use super::tracking::make_way;
use super::{GitContext, GitError, GitUrl};
use crate::base::text::LineSplitter;
use crate::host::{Env, programs};
use crate::model::event::ProgressUnit;

/// Maximum bytes of its output to keep: large repositories have many refs.
const MOST_OUTPUT: usize = 32 << 20;
/// Maximum number of its last lines to search for the cause of a failure.
const LAST_LINES: usize = 20;
/// Time between the request to end and SIGKILL.
const GRACE: Duration = Duration::from_secs(3);

/// Variables that hold the login for [`HELPER`].
const LOGIN_USER: &str = "CKI_GIT_LOGIN_USER";
const LOGIN_SECRET: &str = "CKI_GIT_LOGIN_SECRET";
/// Credential helper (gitcredentials(7)) that prints the login from the environment.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \
                      \"$CKI_GIT_LOGIN_USER\" \"$CKI_GIT_LOGIN_SECRET\"; }; f";

/// Variables that would direct `git` to another repository, as they do within a hook.
const ELSEWHERE: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_IMPLICIT_WORK_TREE",
];

/// The installed `git`.
pub(super) struct GitProgram<'a> {
    file: PathBuf,
    env: &'a Env,
    session: Arc<GitSession>,
}

/// Output of the program.
struct Said {
    status: ExitStatus,
    output: String,
    last_lines: Vec<String>,
}

impl Said {
    /// Returns whether it lists objects by SHA-256, which libgit2 cannot store.
    fn names_sha256(&self) -> bool {
        let ids = self.output.lines().filter_map(|line| line.split_once('\t')).map(|(id, _)| id);
        ids.into_iter().any(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

impl<'a> GitProgram<'a> {
    /// Finds the program.
    pub(super) fn find(env: &'a Env, session: Arc<GitSession>) -> Option<Self> {
        programs::find(env, "git").map(|file| Self { file, env, session })
    }

    pub(super) fn fetch(
        &self,
        repository: &Repository,
        url: &GitUrl,
        session: &Arc<GitSession>,
        job: GitContext<'_>,
        fetch_request: &FetchRequest<'_>,
    ) -> Result<RemoteRefs, GitError> {
        let mut listing =
            vec!["ls-remote", "--symref", "--", url.as_str(), "HEAD", "refs/heads/*", "refs/tags/*"];
        listing.extend(fetch_request.ask.iter().map(String::as_str));
        let said = self.run(repository, &listing, session, job)?;
        if said.names_sha256() {
            return Err(GitError::Unsupported { what: session.shown(), format: RepositoryFormat::Sha256 });
        }
        let advertised =
            read_listing(&said.output, said.output.len() < MOST_OUTPUT, fetch_request.depth.is_some());
        let specs = (fetch_request.plan)(&advertised)?;
        if specs.is_empty() {
            return Ok(advertised);
        }
        make_way(repository, &specs, &advertised, fetch_request.prune).map_err(at(repository.path()))?;
        let depth = fetch_request.depth.map(|depth| format!("--depth={depth}"));
        let mut fetching =
            vec!["fetch", "--progress", "--no-recurse-submodules", "--no-prune", "--no-prune-tags"];
        fetching.extend(depth.as_deref());
        fetching.extend(["--", url.as_str()]);
        fetching.extend(specs.iter().map(String::as_str));
        self.run(repository, &fetching, session, job)?;
        Ok(advertised)
    }

    /// Runs `git` in a repository, until it ends or the work is stopped.
    fn run(
        &self,
        repository: &Repository,
        arguments: &[&str],
        session: &Arc<GitSession>,
        job: GitContext<'_>,
    ) -> Result<Said, GitError> {
        let runtime = tokio::runtime::Handle::current();
        let said = runtime.block_on(async {
            let child = self.command(repository, arguments).spawn();
            let child = child.map_err(|error| GitError::Start { program: self.file.clone(), error })?;
            attend(child, session, job).await
        })?;
        if said.status.success() { Ok(said) } else { Err(read_failure(session.shown(), &said.last_lines)) }
    }

    /// Returns settings for the program: a credential helper with the login for the server, and its
    /// authorities.
    fn given(&self) -> Vec<OsString> {
        let mut given = Vec::new();
        if let Some((origin, _)) = self.session.own_login() {
            for value in ["", HELPER] {
                given.push("-c".into());
                given.push(format!("credential.{origin}.helper={value}").into());
            }
        }
        if let Some((origin, file)) = self.session.ca_file() {
            let mut setting = OsString::from(format!("http.{origin}.sslCAInfo="));
            setting.push(file);
            given.extend(["-c".into(), setting]);
        }
        given
    }

    /// Returns the login as environment variables, since arguments are visible to every user of this machine.
    fn login(&self) -> Vec<(&'static str, String)> {
        self.session.own_login().map_or_else(Vec::new, |(_, login)| {
            vec![(LOGIN_USER, login.user.clone()), (LOGIN_SECRET, login.secret.expose().to_owned())]
        })
    }

    fn command(&self, repository: &Repository, arguments: &[&str]) -> Command {
        let mut command = Command::from(programs::command(self.env, &self.file));
        // Within a hook, `git` would use the repository of the hook.
        for name in ELSEWHERE {
            command.env_remove(name);
        }
        let mut directory = OsString::from("--git-dir=");
        directory.push(repository.path());
        command
            .arg(directory)
            // Background maintenance would outlive `cki`.
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "protocol.ext.allow=never"])
            // As long as the own transport waits for a server that sends nothing. `git` itself waits for ever, and takes
            // other limits from `GIT_HTTP_LOW_SPEED_LIMIT` and `GIT_HTTP_LOW_SPEED_TIME`.
            .args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"])
            .args(self.given())
            .args(arguments)
            .envs(self.login())
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GCM_INTERACTIVE", "never")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[expect(unsafe_code, reason = "only system calls that are allowed between fork and exec")]
        unsafe {
            command.pre_exec(|| Ok(detach()?))
        };
        command
    }
}

/// Starts a session without a terminal, so that `ssh` cannot wait for a passphrase, and makes `git` end if
/// `cki` is killed.
fn detach() -> nix::Result<()> {
    nix::unistd::setsid()?;
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?;
    Ok(())
}

/// Reads the output of `git` to its end, or ends `git` if the work is stopped.
async fn attend(mut child: Child, session: &GitSession, job: GitContext<'_>) -> Result<Said, GitError> {
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let mut last_lines = Vec::new();
    let said = async {
        let both = async { tokio::join!(read_all(output), read_lines(errors, job, &mut last_lines)) };
        let (output, ()) = both.await;
        (child.wait().await, output)
    };
    let ended = tokio::select! {
        biased;
        _ = session.stop().requested() => None,
        said = said => Some(said),
    };
    match ended {
        Some((Ok(status), output)) => Ok(Said { status, output, last_lines }),
        Some((Err(error), _)) => Err(GitError::Start { program: PathBuf::from("git"), error }),
        None => {
            end(&mut child).await;
            Err(session.stopped())
        }
    }
}

/// Ends `git` and its children, with SIGTERM first so that `git` removes its temporary files.
async fn end(child: &mut Child) {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        // Without an id, it has ended and been reaped.
        let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) else { return };
        // The process may end at this moment; then nothing receives the signal.
        let _ = killpg(Pid::from_raw(id), signal);
        if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
}

async fn read_all(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let mut rest = stream.take(MOST_OUTPUT as u64);
        // A broken read is like the end: the exit status decides.
        let _ = rest.read_to_end(&mut bytes).await;
        let _ = tokio::io::copy(&mut rest.into_inner(), &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn read_lines(
    stream: Option<impl AsyncRead + Unpin>,
    job: GitContext<'_>,
    last_lines: &mut Vec<String>,
) {
    let Some(mut stream) = stream else { return };
    let mut splitter = LineSplitter::new(1024);
    let mut buffer = [0; 4096];
    let mut hear = |line: &str| match read_progress(line) {
        Some((done, total)) => job.task.progress(done, Some(total), ProgressUnit::Items),
        None if line.trim().is_empty() => {}
        None => {
            if last_lines.len() == LAST_LINES {
                last_lines.remove(0);
            }
            last_lines.push(sanitize_message(line));
        }
    };
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        // Carriage returns separate updates of the progress.
        for byte in &mut buffer[..length] {
            if *byte == b'\r' {
                *byte = b'\n';
            }
        }
        splitter.push(&buffer[..length], &mut hear);
    }
    splitter.finish(&mut hear);
}
