//! Exit codes and hints for errors of single systems.

use std::path::Path;

use super::{Diagnosis, hint, plain};
use crate::base::exit::Exit;
use crate::base::files::FileError;
use crate::ops::clone::source::SourceError;
use crate::systems::engine::{EngineError, PullCause};
use crate::systems::file_watcher::ChangeError;
use crate::systems::git::GitError;
use crate::systems::gitlab::GitLabError;
use crate::systems::native::NativeError;
use crate::systems::preprocessor::PreprocessError;
use crate::ui::{Ui, style};

/// Hint for a server whose certificate is not trusted.
const OWN_AUTHORITY: &str =
    "if an authority of your own signs for this server, name its file with `ca_file` in your own `cki.toml`.";

pub(super) fn of_preprocess(error: &PreprocessError) -> Diagnosis {
    match error {
        PreprocessError::NotInstalled { .. } => {
            hint(Exit::NotFound, "`cki doctor` prints the command that installs `cpp`.")
        }
        PreprocessError::Program { .. }
        | PreprocessError::Refused { .. }
        | PreprocessError::Beyond { .. } => plain(Exit::Failed),
        PreprocessError::File(inner) => of_file(inner),
    }
}

pub(super) fn of_port(port: u16) -> Diagnosis {
    hint(
        Exit::Unreachable,
        format!("`ss -ltnp sport = :{port}` says what listens there; end it, or give another port."),
    )
}

/// Prints the hints for a repository that could not be cloned, and returns the exit code.
pub(in crate::cli) fn of_worst(ui: &Ui, error: &GitError) -> Exit {
    tell(ui, of_git(error))
}

/// Prints the hints for a clone that is not at the requested merge request, and returns the exit code.
pub(in crate::cli) fn of_left_alone(ui: &Ui, path: &Path) -> Exit {
    tell(ui, hint(Exit::Refused, super::commit_or_stash(path)))
}

fn tell(ui: &Ui, Diagnosis { exit, hints }: Diagnosis) -> Exit {
    for hint in hints {
        ui.status(&format!("{} {hint}", style::hint("hint:")));
    }
    exit
}

pub(super) fn of_git(error: &GitError) -> Diagnosis {
    match error {
        GitError::Unauthorised { .. } => hint(
            Exit::Unauthorised,
            "keep a token with `cki login`, or let `git` know the login; `cki doctor` says which is used.",
        ),
        GitError::Forbidden { .. } => hint(Exit::Unauthorised, "the login is right, but may not read this."),
        GitError::NoRevision { nearest, reference, .. } => hint(
            Exit::NotFound,
            match (nearest.first(), reference) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some(_)) => "name a branch, a tag or a whole commit ID after `@`.".to_owned(),
                (None, None) => "name a branch after `@`: `url@branch`.".to_owned(),
            },
        ),
        GitError::NotFound { .. } => {
            hint(Exit::NotFound, "a private repository looks like this without a login, too.")
        }
        GitError::NoMergeRequest { .. } => hint(Exit::NotFound, "look at its number on the server again."),
        GitError::NoProgram { .. } => hint(Exit::NotFound, "install `git`: this address needs it."),
        GitError::Url { .. } | GitError::RefName { .. } | GitError::Unsupported { .. } => {
            plain(Exit::Invalid)
        }
        GitError::Config { .. } => hint(Exit::Invalid, "`git config --list --show-origin` shows all of it."),
        GitError::Forbidding { protocol, .. } => hint(
            Exit::Refused,
            format!("set `protocol.{protocol}.allow`, or `GIT_ALLOW_PROTOCOL`, to allow it."),
        ),
        GitError::Elsewhere { path, .. } => {
            let path = path.display().to_string();
            let unset = shell_words::join(["git", "-C", &path, "config", "--unset", "core.worktree"]);
            hint(Exit::Refused, format!("unless you want that: `{unset}`."))
        }
        GitError::Occupied { .. } | GitError::Foreign { .. } | GitError::NoRepository { .. } => {
            plain(Exit::Refused)
        }
        GitError::OtherRepository { path, wanted, unused, .. } => {
            let (path, wanted) = (path.display().to_string(), wanted.as_str());
            let add = shell_words::join(["git", "-C", &path, "remote", "add", unused, wanted]);
            Diagnosis {
                exit: Exit::Refused,
                hints: vec![
                    format!("if it is a fork of yours, or `{wanted}` is its new address: `{add}`."),
                    format!("otherwise move `{path}` away, or use another `--workspace`."),
                ],
            }
        }
        GitError::BranchGone { path, branch, switch, .. } => {
            let path = path.display().to_string();
            let git = |words: &Vec<String>| {
                let words = words.iter().map(String::as_str);
                shell_words::join(["git", "-C", path.as_str()].into_iter().chain(words))
            };
            let commands: Vec<String> = switch.iter().map(git).collect();
            let hint_text = if commands.is_empty() {
                let push = ["push", "origin", branch.as_str()].map(str::to_owned).to_vec();
                format!("the server has no branch left; `{}` brings this one there.", git(&push))
            } else {
                format!("`{}` continues with a branch that the server has.", commands.join(" && "))
            };
            hint(Exit::NotFound, hint_text)
        }
        GitError::Offline { .. } => hint(Exit::Unreachable, "leave `--offline` out."),
        GitError::File(inner) => of_file(inner),
        GitError::Stopped { .. } => plain(Exit::Interrupted),
        GitError::Tls { .. } => hint(Exit::Unreachable, OWN_AUTHORITY),
        GitError::Redirected { to, .. } => {
            hint(Exit::Unreachable, format!("name `{to}` in the inventory if that is where it is now."))
        }
        GitError::NotGit { .. } => {
            hint(Exit::Unreachable, "check the address of the repository in the inventory.")
        }
        GitError::Unreachable { .. }
        | GitError::Broken { .. }
        | GitError::Server { .. }
        | GitError::Http(_)
        | GitError::Start { .. }
        | GitError::Program { .. }
        | GitError::Rejected { .. }
        | GitError::Library { .. } => plain(Exit::Unreachable),
    }
}

pub(super) fn of_engine(error: &EngineError) -> Diagnosis {
    match error {
        EngineError::Unreachable { .. } | EngineError::Severed { .. } | EngineError::Silent { .. } => {
            hint(Exit::Unreachable, "`cki doctor` looks at the engine; `--engine native` does without one.")
        }
        EngineError::NoPermission { .. } => hint(
            Exit::Unreachable,
            "join the group that owns the socket, for example with `sudo usermod -aG docker $USER`, and log in again.",
        ),
        EngineError::NotFound { .. } => plain(Exit::NotFound),
        EngineError::BuildFailed { last, .. } => Diagnosis {
            exit: Exit::Failed,
            hints: last.iter().map(|line| format!("it said: {line}")).collect(),
        },
        EngineError::PullFailed { image, built, program, cause, .. } => {
            of_pull(image, program, *cause, built.is_some())
        }
        EngineError::Invalid { .. } => plain(Exit::Usage),
        EngineError::File(inner) => of_file(inner),
        EngineError::NoProgram { .. } | EngineError::NotExecutable { .. } => {
            hint(Exit::Failed, "`run.command` of the entry must name a program of the image.")
        }
        EngineError::PortTaken { port: Some(port), .. } => of_port(*port),
        EngineError::PortTaken { port: None, .. } => {
            hint(Exit::Unreachable, "`ss -ltnp` shows which ports of this machine are in use.")
        }
        EngineError::NameTaken { .. } => {
            hint(Exit::Unreachable, "`cki ps` shows what runs, and `cki down` removes it.")
        }
        EngineError::NotRunning { .. } | EngineError::NotStarted { .. } => {
            hint(Exit::Unreachable, "`cki ps` shows what runs.")
        }
        EngineError::GoesOn { .. } => {
            hint(Exit::Unreachable, "`cki down` ends its container, and everything in it.")
        }
        EngineError::Refused { .. } | EngineError::Nonsense { .. } => {
            hint(Exit::Unreachable, "`cki doctor` looks at the engine.")
        }
    }
}

/// First part of the names of images that no registry has.
const LOCAL: &str = "localhost";

fn of_pull(image: &str, program: &str, cause: PullCause, is_base: bool) -> Diagnosis {
    let registry = image.split_once('/').map_or("docker.io", |(first, _)| first);
    let registry = if registry.contains(['.', ':']) || registry == LOCAL { registry } else { "docker.io" };
    let first = match cause {
        _ if registry == LOCAL => format!(
            "`{LOCAL}/` names an image of this machine: `{program} build -t {image} DIRECTORY` builds it there, or \
             `{program} load -i FILE` loads it."
        ),
        PullCause::Unauthorised => {
            format!(
                "`{program} login {registry}` logs in, if the image exists; the answer is the same if not."
            )
        }
        PullCause::NotFound => "check the name and the tag of the image.".to_owned(),
        PullCause::Unreachable => format!(
            "the engine does not reach {registry}: once there is a network, `{program} pull {image}` gets the image; \
             an image that the engine has needs none."
        ),
        PullCause::Other => format!("`{program} pull {image}` shows more."),
    };
    if is_base {
        let other = "`FROM` in the build file names the image; `cki run-local COMPONENT --image IMAGE` runs a published one.";
        return Diagnosis { exit: Exit::Unreachable, hints: vec![first, other.to_owned()] };
    }
    let other = "`--image IMAGE` names another image of a component, and `services: {NAME: {image: IMAGE}}` in the \
                 inventory one of a backing service.";
    Diagnosis { exit: Exit::Unreachable, hints: vec![first, other.to_owned()] }
}

pub(super) fn of_native(error: &NativeError) -> Diagnosis {
    match error {
        NativeError::MissingProgram { .. } | NativeError::MissingFile { .. } => hint(
            Exit::NotFound,
            "install it, or use a container engine, whose images bring their own; `cki doctor --engine auto` prints the command.",
        ),
        NativeError::NotRunning { .. } => plain(Exit::NotFound),
        NativeError::EmptyCommand { .. }
        | NativeError::NotExecutable { .. }
        | NativeError::MissingWorkdir { .. }
        | NativeError::Variable { .. }
        | NativeError::Start { .. }
        | NativeError::Exists { .. }
        | NativeError::Directory { .. }
        | NativeError::Unkillable { .. }
        | NativeError::Process { .. }
        | NativeError::File(_) => plain(Exit::Failed),
    }
}

pub(super) fn of_gitlab(error: &GitLabError) -> Diagnosis {
    match error {
        GitLabError::NotFound { .. } => {
            hint(Exit::NotFound, "without access, GitLab also reports private projects as not found.")
        }
        GitLabError::Unauthorised { .. } => {
            hint(Exit::Unauthorised, "the token is wrong or has expired; `cki auth status` shows its source.")
        }
        GitLabError::Forbidden { .. } => {
            hint(Exit::Unauthorised, "a token needs the scope `api` and its user the right to comment.")
        }
        GitLabError::Unencrypted { .. } => hint(
            Exit::Refused,
            "name the server with `https://`; without it, anybody on the way reads the token.",
        ),
        GitLabError::NotGitLab { .. } | GitLabError::BadUrl { .. } => {
            hint(Exit::Invalid, "`gitlab.url` in `cki.toml`, or `CKI_GITLAB_URL`, names the server.")
        }
        GitLabError::Offline { .. } => hint(Exit::Unreachable, "leave `--offline` out."),
        GitLabError::RateLimited { .. } => {
            hint(Exit::Unreachable, "wait a while; the server limits requests.")
        }
        GitLabError::TooManyNotes { .. } => hint(
            Exit::Refused,
            "post it on the page of the merge request: `--dry-run` prints the text, and `cki stage report --markdown` that of a report.",
        ),
        GitLabError::Tls { .. } => hint(Exit::Unreachable, OWN_AUTHORITY),
        GitLabError::Unreachable { .. } => hint(
            Exit::Unreachable,
            "`cki config` shows the setting that names the server, and `cki doctor` asks it; `cki demo serve` starts that of a retained demo.",
        ),
        GitLabError::Elsewhere { .. } => hint(
            Exit::Unreachable,
            "set `gitlab.url` in `cki.toml` to the address that it sends to, if that is right.",
        ),
        GitLabError::Server { .. }
        | GitLabError::Refused { .. }
        | GitLabError::Truncated { .. }
        | GitLabError::TooLong { .. }
        | GitLabError::BadAnswer { .. }
        | GitLabError::Circle { .. }
        | GitLabError::Client(_) => plain(Exit::Unreachable),
    }
}

/// A file that should be read and is missing is one that somebody named; anything else in its way is alike for
/// reading and writing.
pub(super) fn of_file(error: &FileError) -> Diagnosis {
    plain(if error.is_missing() { Exit::NotFound } else { Exit::Invalid })
}

pub(super) fn of_change(error: &ChangeError) -> Diagnosis {
    match error {
        ChangeError::Missing(_) => plain(Exit::NotFound),
        ChangeError::Limit(_) => hint(
            Exit::Unreachable,
            "ignore directories that hold no sources in `.gitignore`, or raise `fs.inotify.max_user_watches` (sysctl).",
        ),
        ChangeError::System { .. } => plain(Exit::Unreachable),
    }
}

pub(super) fn of_source(error: &SourceError) -> Diagnosis {
    match error {
        SourceError::NoAddress { repo, .. } => {
            hint(Exit::Invalid, format!("add `{repo}` to `repos` in the inventory."))
        }
        SourceError::Git(inner) => of_git(inner),
        SourceError::OutOfReach { repo, can_be_tree, error } => {
            let mut diagnosis = of_git(error);
            if *can_be_tree {
                diagnosis.hints.push(format!(
                    "with a clone of `{repo}` on this machine: `cd` into it and repeat the command, which then uses it \
                     in place; or name the directory that holds it with `--workspace`."
                ));
            }
            diagnosis
        }
        SourceError::LeftAlone { path, .. } => hint(Exit::Refused, super::commit_or_stash(path)),
        SourceError::InTheWay { path, .. } => {
            hint(Exit::Refused, format!("move `{}` away, or use another `--workspace`.", path.display()))
        }
        SourceError::Stopped(signal) => plain(signal.exit()),
    }
}
