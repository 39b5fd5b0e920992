//! Build files that go through the C preprocessor, as buildah treats a Containerfile whose name ends in
//! `.in`: `cpp -E -traditional -undef`, with the context and the file's own directory as include paths.
//! Building the result belongs to `systems::engine`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::base::files::{self, FileError};
use crate::base::text::safe_line;
use crate::host::{Env, programs};

/// Maximum bytes of a preprocessed build file.
const LONGEST: u64 = 4 << 20;
/// Maximum bytes of the list of included files and warnings. A longer one is refused: its missing part could
/// contain anything.
const LONGEST_COMPLAINT: u64 = 4 << 20;
/// Maximum number of symbolic links in a path (path_resolution(7)).
const MOST_LINKS: usize = 40;
/// Operators of the preprocessor that test for files.
const PROBES: [&str; 4] = ["__has_include", "__has_include_next", "__has_embed", "__has_include__"];
/// Timeout of the preprocessor, which reads a few files.
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

/// Preprocesses a build file of a context. `include` are further include directories.
///
/// # Errors
/// Fails if `cpp` is not installed, if an included file is missing or is not in any of the directories, and
/// if there is nothing left of the file.
pub async fn preprocess(
    env: &Env,
    file: &Path,
    context: &Path,
    include: &[PathBuf],
) -> Result<PreprocessedFile, PreprocessError> {
    let source = files::read_text(file, LONGEST)?;
    let missing = || PreprocessError::NotInstalled { file: file.to_owned() };
    let program = programs::find(env, "cpp").ok_or_else(missing)?;
    let mut command = Command::new(program);
    // `-H` lists each file as it is opened; unlike the markers in the output, the file cannot change that
    // list.
    command.args(["-E", "-H", "-nostdinc", "-iquote"]).arg(context).args(["-traditional", "-undef"]);
    // These tell a build which files this machine has: unlike an inclusion, the list does not show them.
    command.args(PROBES.map(|name| format!("-U{name}")));
    let own = file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(context);
    for directory in std::iter::once(own).chain(include.iter().map(PathBuf::as_path)) {
        command.arg("-I").arg(directory);
    }
    // Only the necessary variables: some would change the program's behaviour.
    command
        .arg("-")
        .current_dir(context)
        .env_clear()
        .env("PATH", env.get_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C")
        .kill_on_drop(true);
    let fail = |why: String| PreprocessError::Program { file: file.to_owned(), why };
    let run = tokio::time::timeout(PATIENCE, run(command, source)).await;
    let output = run.map_err(|_| fail(format!("it does not end within {} s", PATIENCE.as_secs())))?;
    let CppOutput { good, text, complaints } = output.map_err(|error| fail(error.to_string()))?;

    let allowed: Vec<&Path> =
        [context, own].into_iter().chain(include.iter().map(PathBuf::as_path)).collect();
    if let Some(beyond) = included(&complaints).find(|path| !is_below(path, context, &allowed)) {
        return Err(PreprocessError::Beyond {
            file: file.to_owned(),
            included: safe_line(beyond).into_owned(),
        });
    }
    let text = without_markers(&text);
    let complaints = messages(&complaints);
    let refused = |message: String| PreprocessError::Refused { file: file.to_owned(), message };
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

struct CppOutput {
    good: bool,
    text: String,
    complaints: String,
}

async fn run(mut command: Command, source: String) -> std::io::Result<CppOutput> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn()?;
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
    let good = child.wait().await?.success();
    Ok(CppOutput { good, text, complaints })
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

/// Returns whether an included file, with links resolved, is in one of the directories, and not in a git directory
/// there. An unresolvable path
/// is not: `cpp` has opened it, so the file exists in its view.
fn is_below(path: &str, context: &Path, allowed: &[&Path]) -> bool {
    let path = context.join(path);
    let Ok(real) = path.canonicalize() else { return false };
    !is_by_process(&path)
        && allowed
            .iter()
            .filter_map(|directory| directory.canonicalize().ok())
            .any(|directory| real.strip_prefix(directory).is_ok_and(|below| !files::is_of_git(below)))
}

/// Returns whether a path leads through `/proc` or `/dev`, where it means a different file to each process.
fn is_by_process(path: &Path) -> bool {
    let mut waiting: Vec<PathBuf> = vec![path.to_owned()];
    let mut links = 0;
    while let Some(path) = waiting.pop() {
        let mut walked = PathBuf::new();
        for part in path.components() {
            match part {
                std::path::Component::ParentDir => {
                    // The parent of a link is the parent of its target.
                    walked = walked.canonicalize().unwrap_or(walked);
                    walked.pop();
                }
                part => walked.push(part),
            }
            if walked.starts_with("/proc") || walked.starts_with("/dev") {
                return true;
            }
            if let Ok(target) = walked.read_link() {
                links += 1;
                if links > MOST_LINKS {
                    return true;
                }
                waiting.push(walked.parent().unwrap_or(Path::new("/")).join(target));
            }
        }
    }
    false
}

fn messages(complaints: &str) -> Vec<String> {
    complaints
        .lines()
        .filter(|line| line.contains("error:") || line.contains("warning:"))
        // These are about the options above.
        .filter(|line| !line.starts_with("<command-line>"))
        .map(|line| safe_line(line.trim()).into_owned())
        .collect()
}

/// Returns whether a message is an error, not only a warning. Every comment is an error to the preprocessor
/// (`invalid preprocessing directive #comment`), which omits it; buildah ignores these as well. A message is
/// fatal if more than a line is omitted.
fn is_fatal(message: &str) -> bool {
    ["fatal error:", "error: #error", "unterminated"].iter().any(|fatal| message.contains(fatal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn preprocess_reports_missing_program() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let context = directory.path();
        std::fs::write(context.join("a.in"), "FROM scratch\n").expect("writes");
        let result = preprocess(&Env::default(), &context.join("a.in"), context, &[]).await;
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
    fn process_dependent_paths_are_detected() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let link = |name: &str, target: &str| {
            std::os::unix::fs::symlink(target, directory.path().join(name)).expect("links");
        };
        link("cwd", "/proc/self/cwd");
        link("chain", "cwd/x");
        link("loop", "loop");
        link("plain", ".");
        for (path, is) in [
            ("/proc/self/cwd/../x", true),
            ("/dev/stdin", true),
            ("/x/../proc/self/environ", true),
            ("cwd/../secret", true),
            ("chain", true),
            ("loop", true),
            ("plain/plain/x", false),
            ("a/../b", false),
        ] {
            assert_eq!(is_by_process(&directory.path().join(path)), is, "{path}");
        }
    }
}
