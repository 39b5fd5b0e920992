//! Build files that go through the C preprocessor, as buildah treats a Containerfile whose name ends in
//! `.in`: `cpp -E -traditional -undef`, with the context and the file's own directory as include paths.
//! Building the result belongs to `systems::engine`; the files that it may include, to `copies`.

mod copies;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, SysconfVar, sysconf};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::base::files::FileError;
use crate::base::source_dir::SourceDir;
use crate::base::text::safe_line;
use crate::host::{Env, programs, scratch};
use copies::{IncludeCopies, RefusedInclude};

/// Maximum bytes of a preprocessed build file.
const LONGEST: u64 = 4 << 20;
/// Maximum bytes of the list of included files and warnings. A longer one is refused: its missing part could
/// contain anything.
const LONGEST_COMPLAINT: u64 = 4 << 20;
/// Maximum bytes of the preprocessor's memory.
const MEMORY: u64 = 1 << 30;
/// Its complaint when it needs more.
const MEMORY_LOST: &str = "out of memory";
/// Operators of the preprocessor that test for files.
const PROBES: [&str; 4] = ["__has_include", "__has_include_next", "__has_embed", "__has_include__"];
/// Maximum seconds of computing time for all calls of the preprocessor together. An honest build file needs less than
/// a tenth of a second; macros can make a short one endless.
const WORK: u64 = 2;
/// Timeout of the preprocessor, which reads a few files, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);

/// A build file could not be preprocessed.
#[derive(Debug, thiserror::Error)]
pub enum PreprocessError {
    /// The program is not installed.
    #[error("`{}` goes through the C preprocessor, and there is no `cpp` in PATH", file.display())]
    NotInstalled {
        /// Build file.
        file: PathBuf,
    },
    /// The program cannot be run, or does not end.
    #[error("`cpp` cannot be run on `{}`: {why}", file.display())]
    Program {
        /// Build file.
        file: PathBuf,
        /// Reason.
        why: String,
    },
    /// The program reports an error in the file.
    #[error("`{}` cannot be preprocessed: {message}", file.display())]
    Refused {
        /// Build file.
        file: PathBuf,
        /// Its message.
        message: String,
    },
    /// The file includes one outside of the allowed directories.
    #[error("`{}` includes `{included}`, which is beyond its build context", file.display())]
    Beyond {
        /// Build file.
        file: PathBuf,
        /// Included path.
        included: String,
    },
    /// The build file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Build file as the engine gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreprocessedFile {
    /// Text.
    pub text: String,
    /// Warnings of the preprocessor: one for each comment in the file, for instance.
    pub warnings: Vec<String>,
}

/// Returns whether a build file goes through the preprocessor.
#[must_use]
pub fn is_meant_for(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "in")
}

/// Preprocesses a build file of a context. Both are in the sources, and their paths are relative to those.
///
/// # Errors
/// Fails if `cpp` is not installed, if an included file is missing or is neither in the context nor in the directory of
/// the build file, and if there is nothing left of the file.
pub async fn preprocess(
    env: &Env,
    sources: &SourceDir,
    file: &Path,
    context: &Path,
) -> Result<PreprocessedFile, PreprocessError> {
    let source = sources.read_text(file, LONGEST)?;
    let whole = sources.path().join(file);
    let fail = |why: String| PreprocessError::Program { file: whole.clone(), why };
    let missing = || PreprocessError::NotInstalled { file: whole.clone() };
    let program = programs::find(env, "cpp").ok_or_else(missing)?;
    let own = file.parent().unwrap_or(Path::new(""));
    let scratch = scratch::scratch(env).map_err(|error| fail(error.to_string()))?;
    let mut copies = IncludeCopies::new(sources, scratch.path(), &[context, own])?;
    let beyond =
        |path: &str| PreprocessError::Beyond { file: whole.clone(), included: safe_line(path).into_owned() };
    let began = Instant::now();
    let mut work = Duration::from_secs(WORK);
    let (good, text, complaints) = loop {
        let rest = PATIENCE.saturating_sub(began.elapsed());
        let run = run(command(env, &program, &copies, context, own), &source, &mut work);
        let late = |_| fail(format!("it does not end within {} s", PATIENCE.as_secs()));
        let output = tokio::time::timeout(rest, run).await.map_err(late)?;
        let CppOutput { good, text, complaints } = output.map_err(|error| fail(error.to_string()))?;
        if work.is_zero() {
            return Err(fail(format!("its macros and inclusions take more than {WORK} s of computing time")));
        }
        if let Some(path) = included(&complaints).find(|path| !copies.holds(context, path)) {
            return Err(beyond(path));
        }
        match missed(&complaints).map(|name| (name, copies.add(name))) {
            Some((_, Ok(true))) => {}
            None | Some((_, Ok(false))) => break (good, text, complaints),
            Some((name, Err(RefusedInclude::Outside))) => return Err(beyond(name)),
            Some((_, Err(RefusedInclude::File(error)))) => return Err(error.into()),
            Some((_, Err(RefusedInclude::TooMuch))) => {
                return Err(fail("it includes too many files, or too large ones".to_owned()));
            }
        }
    };
    let text = without_markers(&text);
    let complaints = messages(&complaints.replace(&*copies.at(Path::new("")).to_string_lossy(), ""));
    let refused = |message: String| PreprocessError::Refused { file: whole.clone(), message };
    if let Some(fatal) = complaints.iter().find(|line| !good && is_fatal(line)) {
        return Err(refused(fatal.clone()));
    }
    if text.trim().is_empty() {
        return Err(refused(
            complaints.first().cloned().unwrap_or_else(|| "nothing is left of it".to_owned()),
        ));
    }
    Ok(PreprocessedFile { text, warnings: complaints })
}

/// Returns the call of the preprocessor, which reads the copies alone.
fn command(env: &Env, program: &Path, copies: &IncludeCopies<'_>, context: &Path, own: &Path) -> Command {
    let mut command = Command::new(program);
    // `-H` lists each file as it is opened; unlike the markers in the output, the file cannot change that
    // list.
    command
        .args(["-E", "-H", "-nostdinc", "-iquote"])
        .arg(copies.at(context))
        .args(["-traditional", "-undef"]);
    // These tell a build which files this machine has: unlike an inclusion, the list does not show them.
    command.args(PROBES.map(|name| format!("-U{name}")));
    command.arg("-I").arg(copies.at(own)).arg("-");
    // Only the necessary variables: some would change the program's behaviour.
    command
        .current_dir(copies.at(context))
        .env_clear()
        .env("PATH", env.get_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its children end with it: see `Group`.
        .process_group(0);
    #[expect(unsafe_code, reason = "only a system call that is allowed between fork and exec")]
    unsafe {
        // A macro can grow without end, and so can a device that is included.
        command.pre_exec(|| Ok(setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?));
    }
    command
}

/// The process group of the preprocessor, which is killed on drop: `cpp` starts the program that does the work, and
/// which may wait for a pipe.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

struct CppOutput {
    good: bool,
    text: String,
    complaints: String,
}

/// Runs the preprocessor, and reduces the rest of the computing time that all calls have together.
async fn run(mut command: Command, source: &str, work: &mut Duration) -> std::io::Result<CppOutput> {
    limit_work(&mut command, *work);
    let mut child = command.spawn()?;
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    let stdin = child.stdin.take();
    let write = async {
        if let Some(mut stdin) = stdin {
            // The program may refuse the file before it has read all of it.
            let _ = stdin.write_all(source.as_bytes()).await;
        }
    };
    let (text, complaints) = (child.stdout.take(), child.stderr.take());
    let ((), text, complaints) =
        tokio::join!(write, bounded(text, LONGEST), bounded(complaints, LONGEST_COMPLAINT));
    let (text, cut) = text?;
    if cut {
        return Err(std::io::Error::other(format!("its output is longer than {LONGEST} bytes")));
    }
    let (complaints, cut) = complaints?;
    if cut {
        return Err(std::io::Error::other(format!("it complains of more than {LONGEST_COMPLAINT} bytes")));
    }
    let used = match group.0 {
        Some(group) => tokio::task::spawn_blocking(move || computing_time(group)).await?,
        None => Duration::ZERO,
    };
    *work = work.saturating_sub(used);
    let good = child.wait().await?.success();
    // Its number may belong to another process from now on.
    group.0 = None;
    Ok(CppOutput { good, text, complaints })
}

/// Limits the computing time of a program, and of each of its children.
fn limit_work(command: &mut Command, work: Duration) {
    // The kernel counts whole seconds.
    let seconds = work.as_secs() + 1;
    #[expect(unsafe_code, reason = "only a system call that is allowed between fork and exec")]
    unsafe {
        command.pre_exec(move || Ok(setrlimit(Resource::RLIMIT_CPU, seconds, seconds)?));
    }
}

/// Waits for the end of a process, which remains to be reaped, and returns the computing time of it and its children.
fn computing_time(process: Pid) -> Duration {
    let _ = waitid(Id::Pid(process), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    let facts = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Four times from the fourteenth field on (proc_pid_stat(5)); the second one may contain anything.
    let fields = facts.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    let a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok());
    Duration::from_millis(ticks * 1000 / a_second.unwrap_or(100).max(1))
}

/// Reads to the end, keeps the beginning; returns whether that is all.
async fn bounded(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<(String, bool)> {
    let mut bytes = Vec::new();
    let mut cut = false;
    if let Some(mut stream) = stream {
        (&mut stream).take(limit).read_to_end(&mut bytes).await?;
        cut = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await? > 0;
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), cut))
}

/// Returns the opened files, from lines such as `.. a/b` (gcc(1), `-H`).
fn included(complaints: &str) -> impl Iterator<Item = &str> {
    // A name may end with a carriage return.
    complaints.split('\n').filter_map(|line| {
        let path = line.trim_start_matches('.');
        if path.len() == line.len() { None } else { path.strip_prefix(' ') }
    })
}

/// Returns the name of the included file that the preprocessor has not found.
fn missed(complaints: &str) -> Option<&str> {
    complaints.split('\n').find_map(|line| {
        line.strip_suffix(": No such file or directory")?.split_once(": fatal error: ").map(|(_, name)| name)
    })
}

/// Removes the preprocessor's line markers (`# 1 "path" 1`). They contain absolute paths of this machine, and
/// an engine reuses an image's layers only if its build file stays the same.
fn without_markers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let leading = kept.is_empty() && line.trim().is_empty();
        if !is_marker(line) && !leading {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn is_marker(line: &str) -> bool {
    let Some((number, rest)) = line.strip_prefix("# ").and_then(|rest| rest.split_once(' ')) else {
        return false;
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && rest.strip_prefix('"').is_some_and(|path| path.contains('"'))
}

fn messages(complaints: &str) -> Vec<String> {
    complaints
        .lines()
        .filter(|line| ["error:", "warning:", MEMORY_LOST].iter().any(|kind| line.contains(kind)))
        // These are about the options above.
        .filter(|line| !line.starts_with("<command-line>"))
        .map(|line| safe_line(line.trim()).into_owned())
        .collect()
}

/// Returns whether a message is an error, not only a warning. Every comment is an error to the preprocessor
/// (`invalid preprocessing directive #comment`), which omits it; buildah ignores these as well. A message is
/// fatal if more than a line is omitted.
fn is_fatal(message: &str) -> bool {
    ["fatal error:", "error: #error", "unterminated", MEMORY_LOST].iter().any(|fatal| message.contains(fatal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn preprocess_reports_missing_program() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let context = directory.path();
        std::fs::write(context.join("a.in"), "FROM scratch\n").expect("writes");
        let sources = SourceDir::new(context).expect("is there");
        let result = preprocess(&Env::default(), &sources, Path::new("a.in"), Path::new("")).await;
        assert!(matches!(result, Err(PreprocessError::NotInstalled { .. })));
        assert!(is_meant_for(Path::new("builds/a.in")) && !is_meant_for(Path::new("Dockerfile")));
    }

    #[test]
    fn without_markers_removes_line_markers() {
        let text = "# 0 \"<stdin>\"\n# 1 \"/usr/include/x.h\" 1 3 4\n\n# 1 \"a b\" 2\nFROM x\n# 12 monkeys\n";
        assert_eq!(without_markers(text), "FROM x\n# 12 monkeys\n");
    }

    #[test]
    fn included_lists_files() {
        let said = ". c.h\n.. /a b\n<stdin>:1: error: no\nMultiple include guards may be useful for:\nc.h\n";
        assert_eq!(included(said).collect::<Vec<_>>(), ["c.h", "/a b"]);
    }

    #[test]
    fn missed_names_the_file_that_is_not_there() {
        for (said, name) in [
            ("<stdin>:2:10: fatal error: a/b: No such file or directory\n", Some("a/b")),
            (
                "x\nIn file included from c:1,\nd.h:1:2: fatal error: e f: No such file or directory\n",
                Some("e f"),
            ),
            (
                "<stdin>:1:2: fatal error: x\r: No such file or directory\ncompilation terminated.\n",
                Some("x\r"),
            ),
            ("<stdin>:1:2: error: #error no\n", None),
        ] {
            assert_eq!(missed(said), name, "{said}");
        }
    }
}
