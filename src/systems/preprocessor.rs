//! Build files that go through the C preprocessor, as buildah does with a Containerfile whose name
//! ends in `.in`: `cpp -E -traditional -undef`, with the context and the file's own folder to look
//! for what it includes. What is built from the result is for `systems::engine`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::base::files::{self, FileError};
use crate::base::text::safe_line;
use crate::host::{Env, programs};

/// Longer than any build file, with all that it includes.
const LONGEST: u64 = 4 << 20;
/// So much of what it complains about is read.
const LONGEST_COMPLAINT: u64 = 64 << 10;
/// It reads a few files.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a build file could not be preprocessed.
#[derive(Debug, thiserror::Error)]
pub enum PreprocessError {
    /// The program is not installed.
    #[error("`{}` goes through the C preprocessor, and there is no `cpp` in PATH", file.display())]
    NotInstalled {
        /// The build file.
        file: PathBuf,
    },
    /// It cannot be run, or does not end.
    #[error("`cpp` cannot be run on `{}`: {why}", file.display())]
    Program {
        /// The build file.
        file: PathBuf,
        /// Why not.
        why: String,
    },
    /// It says that the file is wrong.
    #[error("`{}` cannot be preprocessed: {message}", file.display())]
    Refused {
        /// The build file.
        file: PathBuf,
        /// Its words.
        message: String,
    },
    /// The file includes what is not its business.
    #[error("`{}` includes `{included}`, which is beyond its build context", file.display())]
    Beyond {
        /// The build file.
        file: PathBuf,
        /// What it includes.
        included: String,
    },
    /// The build file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A build file as the engine gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preprocessed {
    /// The text.
    pub text: String,
    /// What the preprocessor complains about: each comment in it, for instance.
    pub warnings: Vec<String>,
}

/// Whether a build file goes through the preprocessor.
#[must_use]
pub fn is_meant_for(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "in")
}

/// Preprocesses a build file of a context. `include` are further folders to look for what it
/// includes.
///
/// # Errors
/// When `cpp` is not installed, when an included file is missing or is not in any of the folders,
/// and when there is nothing left of the file.
pub async fn preprocess(
    env: &Env,
    file: &Path,
    context: &Path,
    include: &[PathBuf],
) -> Result<Preprocessed, PreprocessError> {
    let source = files::read_text(file, LONGEST)?;
    let missing = || PreprocessError::NotInstalled { file: file.to_owned() };
    let program = programs::find(env, "cpp").ok_or_else(missing)?;
    let mut command = Command::new(program);
    command.args(["-E", "-iquote"]).arg(context).args(["-traditional", "-undef"]);
    let own = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(context);
    for folder in std::iter::once(own).chain(include.iter().map(PathBuf::as_path)) {
        command.arg("-I").arg(folder);
    }
    // Only what it needs of the environment: variables of its own would change what it does.
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
    let Output { good, text, complaints } = output.map_err(|error| fail(error.to_string()))?;

    let allowed: Vec<&Path> =
        [context, own].into_iter().chain(include.iter().map(PathBuf::as_path)).collect();
    let (text, included) = without_markers(&text);
    if let Some(beyond) = included.iter().find(|path| !is_below(path, context, &allowed)) {
        return Err(PreprocessError::Beyond {
            file: file.to_owned(),
            included: safe_line(beyond).into_owned(),
        });
    }
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
    Ok(Preprocessed { text, warnings: complaints })
}

struct Output {
    good: bool,
    text: String,
    complaints: String,
}

async fn run(mut command: Command, source: String) -> std::io::Result<Output> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn()?;
    let stdin = child.stdin.take();
    let write = async {
        if let Some(mut stdin) = stdin {
            // It may refuse the file before it has read all of it.
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
    let good = child.wait().await?.success();
    Ok(Output { good, text, complaints: complaints?.0 })
}

/// Reads to the end, keeps the beginning; says whether that is all.
async fn bounded(stream: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<(String, bool)> {
    let mut bytes = Vec::new();
    let mut cut = false;
    if let Some(mut stream) = stream {
        (&mut stream).take(limit).read_to_end(&mut bytes).await?;
        cut = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await? > 0;
    }
    Ok((String::from_utf8_lossy(&bytes).into_owned(), cut))
}

/// Takes out the lines by which the preprocessor says where what follows comes from
/// (`# 1 "path" 1`), and returns the paths in them. They hold absolute paths of this machine, and
/// an image's layers are reused only where its build file stays the same.
fn without_markers(text: &str) -> (String, Vec<String>) {
    let (mut kept, mut paths) = (String::with_capacity(text.len()), Vec::new());
    for line in text.lines() {
        match marker(line) {
            Some((path, flags)) => {
                // 3: a header of the system, which the preprocessor brings by itself.
                let builtin = path.starts_with('<') || flags.split(' ').any(|flag| flag == "3");
                if !builtin && !paths.iter().any(|known| known == path) {
                    paths.push(path.to_owned());
                }
            }
            None if kept.is_empty() && line.trim().is_empty() => {}
            None => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    (kept, paths)
}

fn marker(line: &str) -> Option<(&str, &str)> {
    let (number, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let rest = rest.strip_prefix('"')?;
    let end = rest.rfind('"')?;
    Some((&rest[..end], &rest[end + 1..]))
}

/// Whether an included file, links resolved, is in one of the folders.
fn is_below(path: &str, context: &Path, allowed: &[&Path]) -> bool {
    // A path that names nothing is not an included file but a comment that looks like a marker.
    let Ok(real) = context.join(path).canonicalize() else { return true };
    allowed.iter().filter_map(|folder| folder.canonicalize().ok()).any(|folder| real.starts_with(folder))
}

fn messages(complaints: &str) -> Vec<String> {
    complaints
        .lines()
        .filter(|line| line.contains("error:") || line.contains("warning:"))
        .map(|line| safe_line(line.trim()).into_owned())
        .collect()
}

/// What is wrong, among what is only odd. Every comment is an error to the preprocessor
/// (`invalid preprocessing directive #comment`), which leaves it out; so does buildah. What leaves
/// out more than a line is wrong.
fn is_fatal(message: &str) -> bool {
    ["fatal error:", "error: #error", "unterminated"].iter().any(|fatal| message.contains(fatal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_the_program_the_error_says_so() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let context = folder.path();
        std::fs::write(context.join("a.in"), "FROM scratch\n").expect("writes");
        let result = preprocess(&Env::default(), &context.join("a.in"), context, &[]).await;
        assert!(matches!(result, Err(PreprocessError::NotInstalled { .. })));
        assert!(is_meant_for(Path::new("builds/a.in")) && !is_meant_for(Path::new("Dockerfile")));
    }

    #[test]
    fn markers() {
        let text = "# 0 \"<stdin>\"\n# 1 \"/usr/include/stdc-predef.h\" 1 3 4\n\n# 1 \"a b\" 2\nFROM x\n# 12 monkeys\n";
        let (text, paths) = without_markers(text);
        assert_eq!(text, "FROM x\n# 12 monkeys\n");
        assert_eq!(paths, ["a b"]);
    }
}
