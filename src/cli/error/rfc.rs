//! Exit codes and hints of `cki rfc`.

use super::diagnosis::{Diagnosis, did_you_mean, hint, plain};
use super::systems::{of_file, of_git, of_gitlab};
use crate::base::exit::Exit;
use crate::base::text::{command_line, join_some, nearest};
use crate::model::rfc::RfcProcessError;
use crate::ops::rfc::RfcError;

pub(super) fn of_rfc(error: &RfcError) -> Diagnosis {
    match error {
        RfcError::Process(inner) => of_process(inner),
        RfcError::NotCloned { repo } => hint(Exit::NotFound, format!("`{}`.", clone(repo))),
        RfcError::NoDirectory { repo, .. } => hint(
            Exit::NotFound,
            format!(
                "`{}` updates the clone; `rfcs.directory` in the inventory names the directory.",
                clone(repo)
            ),
        ),
        RfcError::Unknown { id, known } => {
            let near: Vec<String> =
                nearest(id, known.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
            let otherwise = "`cki rfc list` shows all, with those in open merge requests.";
            hint(Exit::NotFound, did_you_mean(&near, otherwise))
        }
        RfcError::Unread { .. } => plain(Exit::Failed),
        RfcError::State { known, .. } => {
            let known = join_some(known.iter().map(|state| format!("`{state}`")));
            hint(Exit::Usage, format!("name a state that there is: {known}."))
        }
        RfcError::NoNumber => plain(Exit::Failed),
        RfcError::NoRepository(_) | RfcError::Empty(_) => hint(
            Exit::Invalid,
            "commit something to its default branch, or move the directory away and clone it again.",
        ),
        RfcError::NoAuthor => hint(
            Exit::Invalid,
            "`git config --global user.name NAME` and `git config --global user.email MAIL` tell it.",
        ),
        RfcError::BranchExists { clone, branch } => {
            let words = ["git", "-C", clone, "branch", "--move", branch, "NAME"].map(str::to_owned);
            hint(Exit::Refused, format!("`{}` renames it; nothing was created.", command_line(&words)))
        }
        RfcError::NoProject { .. } => hint(
            Exit::Invalid,
            "name it in `rfcs.project` of the inventory, or check against the clone only with `--offline`.",
        ),
        RfcError::Unchecked(inner) => {
            let mut diagnosis = of_gitlab(inner);
            diagnosis.hints.push(
                "nothing was created; with `--offline`, the number is checked against the clone only."
                    .to_owned(),
            );
            diagnosis
        }
        RfcError::Template { .. } => hint(
            Exit::Invalid,
            "mend the file below the directory of the setting `templates`, or remove it to use the built-in one.",
        ),
        RfcError::File(inner) => of_file(inner),
        RfcError::Git(inner) => of_git(inner),
    }
}

/// Returns the command that clones a repository.
fn clone(repo: &str) -> String {
    command_line(&["cki", "clone", "--repo", repo].map(str::to_owned))
}

fn of_process(error: &RfcProcessError) -> Diagnosis {
    match error {
        RfcProcessError::NotDeclared { .. } => hint(
            Exit::NotFound,
            "name their repository, directory and prefix in `rfcs` of the inventory; `cki help inventory` describes it.",
        ),
        RfcProcessError::Value { .. } => hint(Exit::Invalid, "`cki help inventory` describes `rfcs`."),
        RfcProcessError::Number { example, .. } => {
            hint(Exit::Usage, format!("write it as `1` or `{example}`; `cki rfc list` shows all."))
        }
        RfcProcessError::Title { .. } => hint(Exit::Usage, "`cki rfc new TITLE` takes words without an ID."),
    }
}
